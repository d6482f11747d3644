//! Getting a printer to answer: at the speed that is given, or at the one that is found out.
//!
//! Owns: which speeds are tried, in which order, for how long; remembering what was found by the adapter's
//! identity. Must not know: jobs. Only ports that a person has named are ever tried.

use std::path::{Path, PathBuf};
use std::time::Duration;

use stardust_clock::SharedClock;
use tokio::time::{Instant, timeout_at};

use super::driver::{PortHandle, drive};
use super::listing::stable_path;
use crate::serial::{Connection, Parking};

/// What printers are set to, the most common first.
pub const SPEEDS: [u32; 7] = [115_200, 250_000, 230_400, 500_000, 1_000_000, 57_600, 9600];

/// Opening the port resets many boards; their boot loader waits before the firmware starts.
const FIRST: Duration = Duration::from_secs(8);
/// Then the board is up.
const NEXT: Duration = Duration::from_secs(4);
/// A printer that has answered is ready by then.
const READY: Duration = Duration::from_secs(60);
/// The port's last user is this program: it lets go soon.
const LET_GO: Duration = Duration::from_secs(2);

/// The printer can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// The port can't be opened; with what to do about it.
    #[error("{0}")]
    Port(String),
    /// Nothing intelligible comes back.
    #[error("The printer does not answer at {0}: is it switched on, and is its speed another one (--baud)?")]
    Silent(String),
    /// It has stopped itself.
    #[error("The printer has stopped itself: {0}. Switch it off and on again.")]
    Halted(String),
    /// It is at work on something else.
    #[error("The printer is not free: {0} Wait until it is done.")]
    NotFree(String),
}

/// Opens the port and waits until the printer is ready for a job. Returns the speed, too.
///
/// # Errors
/// [`ConnectError`].
pub async fn connect(
    path: &Path,
    baud: Option<u32>,
    memory: &SpeedMemory,
    clock: &SharedClock,
) -> Result<(PortHandle, u32), ConnectError> {
    let known = memory.recall(path);
    let speeds: Vec<u32> = match (baud, known) {
        (Some(baud), _) => vec![baud],
        (None, known) => {
            known.into_iter().chain(SPEEDS.into_iter().filter(|speed| Some(*speed) != known)).collect()
        }
    };
    for (at, speed) in speeds.iter().copied().enumerate() {
        let mut port = drive(path.to_owned(), speed, Parking::default(), clock.clone())
            .map_err(|error| ConnectError::Port(format!("The port can't be driven: {error}")))?;
        let patience = match (speeds.len(), at) {
            (1, _) => READY,
            (_, 0) => FIRST,
            _ => NEXT,
        };
        match answer(&mut port, patience, at > 0).await {
            Err(ConnectError::Silent(_)) => tracing::info!(port.baud = speed, "no answer at this speed"),
            Err(error) => return Err(error),
            Ok(()) => {
                memory.remember(path, speed);
                return Ok((port, speed));
            }
        }
    }
    let tried: Vec<String> = speeds.iter().map(u32::to_string).collect();
    Err(ConnectError::Silent(format!("{} baud", tried.join(", "))))
}

async fn answer(port: &mut PortHandle, patience: Duration, may_be_ours: bool) -> Result<(), ConnectError> {
    let began = Instant::now();
    let mut until = began + patience;
    loop {
        let view = port.view.borrow_and_update().clone();
        if view.is_ready {
            return Ok(());
        }
        match (view.port_error, view.connection, view.external) {
            (Some(_), ..) if may_be_ours && began.elapsed() < LET_GO => {}
            (Some(error), ..) => return Err(ConnectError::Port(error)),
            (_, Connection::Halted(reason), _) => return Err(ConnectError::Halted(reason)),
            (_, _, Some(external)) => return Err(ConnectError::NotFree(external)),
            (_, Connection::Connecting { silent: false }, _) => until = began + READY,
            _ => {}
        }
        if !matches!(timeout_at(until, port.view.changed()).await, Ok(Ok(()))) {
            return Err(ConnectError::Silent(String::new()));
        }
    }
}

/// The speeds that were found, by the identity of the adapter: the port's name may be another one tomorrow.
#[derive(Debug, Clone)]
pub struct SpeedMemory(PathBuf);

impl SpeedMemory {
    /// In this data directory.
    #[must_use]
    pub fn new(data: &Path) -> Self {
        Self(data.join("speeds"))
    }

    fn file(&self, path: &Path) -> PathBuf {
        let device = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let identity = stable_path(&device.display().to_string());
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        self.0.join(identity.chars().map(plain).collect::<String>())
    }

    fn recall(&self, path: &Path) -> Option<u32> {
        std::fs::read_to_string(self.file(path)).ok()?.trim().parse().ok()
    }

    /// Best effort: without it the speeds are tried again.
    fn remember(&self, path: &Path, speed: u32) {
        if std::fs::create_dir_all(&self.0).is_ok() {
            let _ = std::fs::write(self.file(path), format!("{speed}\n"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_is_remembered_by_port() {
        let data = tempfile::tempdir().unwrap();
        let memory = SpeedMemory::new(data.path());
        let (one, other) = (Path::new("/dev/one"), Path::new("/dev/other"));
        memory.remember(one, 250_000);
        assert_eq!((memory.recall(one), memory.recall(other)), (Some(250_000), None));
    }
}
