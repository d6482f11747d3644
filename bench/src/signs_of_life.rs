//! Signs of life of an agent, as they come to those who wait for them: the service manager, who asks for its status, and who
//! watches the hub.
//!
//! Owns: when each sign came, or how long it took. Must not know: what the agent does meanwhile, and how long it may take.

use std::io::{self, BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;
use stardust_clock::SharedClock;

use crate::host::pause;

/// How often the agent is asked for its status.
const ASK_EVERY: Duration = Duration::from_millis(100);
/// How soon a watcher ends when it is told to.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// An agent that gives no answer by then never will.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for signs in a thread of its own.
pub(crate) struct Watcher {
    ends: Arc<AtomicBool>,
    thread: JoinHandle<io::Result<Vec<Duration>>>,
}

impl Watcher {
    fn start(
        name: &str,
        mut look: impl FnMut() -> io::Result<Option<Duration>> + Send + 'static,
    ) -> io::Result<Self> {
        let ends = Arc::<AtomicBool>::default();
        let over = Arc::clone(&ends);
        let work = move || {
            let mut seen = Vec::new();
            while !over.load(Ordering::Relaxed) {
                match look() {
                    Ok(sign) => seen.extend(sign),
                    Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(seen)
        };
        Ok(Self { ends, thread: std::thread::Builder::new().name(name.to_owned()).spawn(work)? })
    }

    /// When `WATCHDOG=1` came to the socket that the agent takes for the service manager's.
    pub(crate) fn of_watchdog(socket: UnixDatagram, clock: SharedClock) -> io::Result<Self> {
        socket.set_read_timeout(Some(LOOK_EVERY))?;
        let mut buffer = [0; 4096];
        Self::start("watchdog", move || {
            let length = socket.recv(&mut buffer)?;
            let text = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default());
            Ok(text.lines().any(|line| line == "WATCHDOG=1").then(|| clock.elapsed()))
        })
    }

    /// How long each answer took at the socket that `stardust-agent status` asks.
    pub(crate) fn of_status(socket: PathBuf, clock: SharedClock) -> io::Result<Self> {
        Self::start("status", move || {
            let asked = clock.elapsed();
            loop {
                let answer = ask(&socket);
                let took = clock.elapsed().saturating_sub(asked);
                match answer {
                    Ok(text) if !text.is_empty() => {
                        pause(ASK_EVERY.saturating_sub(took))?;
                        return Ok(Some(took));
                    }
                    // Asked again as a person would, and the time goes on.
                    Ok(_) if took < PATIENCE => {}
                    Ok(_) => return Err(io::Error::other("the agent tells no status")),
                    Err(error) => return Err(io::Error::other(format!("the agent can't be asked: {error}"))),
                }
            }
        })
    }

    /// When the hub told on its stream that the printer's status has changed.
    pub(crate) fn of_stream(hub: SocketAddr, token: &str, clock: SharedClock) -> io::Result<Self> {
        let mut stream = TcpStream::connect(hub)?;
        // The older version, so that the answer comes as it is and not in chunks.
        write!(
            stream,
            "GET /api/v1/stream HTTP/1.0\r\nHost: {hub}\r\nAuthorization: Bearer {token}\r\n\r\n"
        )?;
        stream.set_read_timeout(Some(LOOK_EVERY))?;
        let (mut stream, mut line) = (BufReader::new(stream), Vec::new());
        Self::start("stream", move || {
            // What has come of a line stays in it when the time for a look is over.
            if stream.read_until(b'\n', &mut line)? == 0 {
                return Err(io::Error::new(ErrorKind::UnexpectedEof, "the hub's stream has ended"));
            }
            let sign = tells_status(&line).then(|| clock.elapsed());
            line.clear();
            Ok(sign)
        })
    }

    /// No more are waited for; what came.
    pub(crate) fn finish(self) -> io::Result<Vec<Duration>> {
        self.ends.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| io::Error::other("who waited for signs of life has failed"))?
    }
}

fn ask(socket: &PathBuf) -> io::Result<String> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

/// Whether a line of the hub's stream is a change of a printer's live data.
fn tells_status(line: &[u8]) -> bool {
    let change = line.strip_prefix(b"data:").and_then(|json| serde_json::from_slice::<Value>(json).ok());
    change.is_some_and(|change| change["resource"] == "printer" && change["data"]["status"].is_object())
}

/// The times without a sign, s: before the first one, between two, and after the last.
pub(crate) fn gaps(from: Duration, to: Duration, signs: &[Duration]) -> Vec<f64> {
    let within = signs.iter().copied().filter(|at| (from..=to).contains(at));
    let ends: Vec<Duration> = within.chain([to]).collect();
    let begins = std::iter::once(from).chain(ends.iter().copied());
    begins.zip(&ends).map(|(begin, end)| end.saturating_sub(begin).as_secs_f64()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_that_never_comes_is_a_gap_to_the_end() {
        let s = Duration::from_secs;
        assert_eq!(gaps(s(10), s(40), &[s(3), s(11), s(13), s(50)]), [1.0, 2.0, 27.0]);
        assert_eq!(gaps(s(10), s(40), &[]), [30.0]);
    }

    #[test]
    fn only_live_data_of_a_printer_are_a_status() {
        assert!(tells_status(br#"data: {"resource":"printer","data":{"status":{"bed":{"actual":1.0}}}}"#));
        for other in [
            r#"data: {"resource":"printer","data":{"current_job_id":"1"}}"#,
            r#"data: {"resource":"job","data":{"status":{}}}"#,
            "event: change",
            "data: {}",
        ] {
            assert!(!tells_status(other.as_bytes()), "{other}");
        }
    }
}
