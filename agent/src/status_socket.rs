//! The socket on which the running agent tells its status: `status.sock`.
//!
//! Whoever connects gets one JSON document, and the end. It is in the data directory, where it also shows that an agent
//! runs on these data; under systemd another one is in the service's runtime directory, for the members of the service's
//! group. Owns: where they are, who may use them, and reading and writing. Must not know: what is told.

use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream as StdStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixListener;
use tokio::sync::{mpsc, oneshot};

use crate::printer::report::AgentReport;
use crate::settings::Settings;

/// The service's runtime directory, as its unit names it.
const RUNTIME: &str = "/run/stardust-agent";
const NAME: &str = "status.sock";
/// Who does not read what it has asked for is left alone.
const PATIENCE: Duration = Duration::from_secs(5);

/// Someone wants to know.
pub type Question = oneshot::Sender<AgentReport>;

/// A running agent can't be asked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// There is none.
    #[error(
        "The agent is not running: start it (`sudo systemctl start stardust-agent`, or `stardust-agent run`)."
    )]
    NotRunning,
    /// It is there, but not for everybody.
    #[error(
        "You may not ask the agent ({0}). Be a member of its group (`sudo adduser $USER stardust-agent`, then sign in \
         again), or use sudo."
    )]
    NotAllowed(PathBuf),
    /// Something else.
    #[error("The agent can't be asked ({0}): {1}")]
    Failed(PathBuf, String),
}

/// Opens the sockets: those that can be, for a disk that can't be written has no place for one. Their files are removed
/// when they are dropped.
///
/// # Errors
/// The system's, where there is none at all; or another agent runs on the same data.
pub fn open(data: &Path) -> std::io::Result<Vec<Listening>> {
    let own = open_at(data.join(NAME));
    let other = runtime().map(|folder| open_at(folder.join(NAME)));
    match (own, other) {
        (Err(error), _) if error.kind() == ErrorKind::AddrInUse => Err(error),
        (Err(error), None | Some(Err(_))) => Err(error),
        (own, other) => Ok(own.into_iter().chain(other.into_iter().flatten()).collect()),
    }
}

/// systemd names the runtime directory of the service.
fn runtime() -> Option<PathBuf> {
    std::env::var_os("RUNTIME_DIRECTORY").map(PathBuf::from)
}

/// In the place of one that a killed agent has left.
fn open_at(path: PathBuf) -> std::io::Result<Listening> {
    if connect_now(&path).is_none_or(|told| told.is_ok()) {
        return Err(std::io::Error::new(ErrorKind::AddrInUse, "another agent runs on this data directory"));
    }
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o660))?;
    Ok(Listening { listener, path })
}

/// The open socket.
#[derive(Debug)]
pub struct Listening {
    listener: UnixListener,
    path: PathBuf,
}

impl Listening {
    /// Passes questions on, and answers to whoever has asked.
    pub async fn serve(self, questions: mpsc::Sender<Question>) {
        loop {
            let stream = match self.listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(error = %error, "nobody can ask for the status just now");
                    tokio::time::sleep(PATIENCE).await;
                    continue;
                }
            };
            let questions = questions.clone();
            tokio::spawn(tokio::time::timeout(PATIENCE, async move {
                let (question, answer) = oneshot::channel();
                if questions.send(question).await.is_err() {
                    return;
                }
                if let Some(text) =
                    answer.await.ok().and_then(|report| serde_json::to_vec_pretty(&report).ok())
                {
                    let mut stream = stream;
                    // Who has gone away needs no answer.
                    let _ = stream.write_all(&text).await;
                    let _ = stream.shutdown().await;
                }
            }));
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Asks the running agent; the JSON as it came.
///
/// # Errors
/// [`AskError`].
pub fn ask(settings: &Settings) -> Result<String, AskError> {
    let own = settings.data.join(NAME);
    // Who names a data directory means the agent on it.
    let service = runtime().or_else(|| settings.service_is_meant.then(|| PathBuf::from(RUNTIME)));
    let service = service.map(|folder| folder.join(NAME));
    let mut result = Err(AskError::NotRunning);
    for path in std::iter::once(own).chain(service) {
        match read(&path) {
            Ok(text) => return Ok(text),
            Err(error) => match error.kind() {
                ErrorKind::NotFound | ErrorKind::ConnectionRefused => {}
                ErrorKind::PermissionDenied => result = Err(AskError::NotAllowed(path)),
                _ => result = Err(AskError::Failed(path, error.to_string())),
            },
        }
    }
    result
}

/// None: somebody listens there, and takes nobody in.
fn connect_now(path: &Path) -> Option<std::io::Result<StdStream>> {
    let connected = || {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        connect(&socket, &SocketAddrUnix::new(path)?)?;
        let stream = StdStream::from(socket);
        stream.set_nonblocking(false)?;
        Ok(stream)
    };
    match connected() {
        Err(error) if std::io::Error::kind(&error) == ErrorKind::WouldBlock => None,
        told => Some(told),
    }
}

fn read(path: &Path) -> std::io::Result<String> {
    let mut stream = connect_now(path).unwrap_or_else(|| Err(ErrorKind::TimedOut.into()))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    if text.is_empty() { Err(ErrorKind::ConnectionRefused.into()) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_that_was_left_is_replaced_and_one_in_use_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let open = open_at(path.clone()).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o660);
        assert_eq!(open_at(path.clone()).unwrap_err().kind(), ErrorKind::AddrInUse);
        drop(open);
        assert!(!path.exists());
    }

    /// A process that stands still, with as many before its door as it lets wait.
    #[test]
    fn one_that_takes_nobody_in_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        let flags = SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).unwrap();
        rustix::net::bind(&socket, &SocketAddrUnix::new(&path).unwrap()).unwrap();
        rustix::net::listen(&socket, 0).unwrap();
        let waiting: Vec<_> = std::iter::from_fn(|| connect_now(&path)).take(100).collect();
        assert!(waiting.len() < 100, "nobody was left before the door");
        assert_eq!(open_at(path.clone()).unwrap_err().kind(), ErrorKind::AddrInUse);
        assert_eq!(read(&path).unwrap_err().kind(), ErrorKind::TimedOut);
    }
}
