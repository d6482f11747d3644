//! Opening a serial port the way a printer needs it.
//!
//! Owns: exclusive access, raw mode, speed, and not resetting the board when the port is closed.
//! Must not know: what is said on it.

use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{ControlModes, OptionalActions, QueueSelector};

/// The port can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// No such device.
    #[error("There is no port {0}: is the printer connected and switched on?")]
    Missing(String),
    /// The device belongs to others.
    #[error("No permission to use {0}: {1}")]
    Forbidden(String, String),
    /// Another program has it.
    #[error("Another program uses {0}: stop it, or leave this printer to it")]
    Busy(String),
    /// Another adapter has taken the name of the printer's.
    #[error(
        "{port} is not the printer any more: {found} has its name now, and the printer's adapter ({wanted}) is not \
         there. Connect the printer and switch it on. If its board or its USB socket was changed, {remedy}"
    )]
    Stranger {
        /// The name.
        port: String,
        /// Who has it.
        found: String,
        /// Whose it was.
        wanted: String,
        /// What to do where it is right.
        remedy: String,
    },
    /// Several adapters look the same.
    #[error(
        "There are several adapters like the printer's ({1}), and none in its USB socket: plug the printer in where \
         it was, or name its port by the socket (/dev/serial/by-path/…) instead of {0}"
    )]
    Ambiguous(String, String),
    /// Anything else.
    #[error("{0} can't be opened: {1}")]
    Other(String, String),
}

/// Opens the port for this process alone, without blocking, at this speed. What had arrived before is dropped.
///
/// # Errors
/// [`OpenError`], with what to do about it.
pub fn open(path: &Path, baud: u32) -> Result<OwnedFd, OpenError> {
    let name = path.display().to_string();
    let failed = |error: Errno| match error {
        Errno::NOENT | Errno::NXIO | Errno::NODEV => OpenError::Missing(name.clone()),
        Errno::ACCESS | Errno::PERM => OpenError::Forbidden(name.clone(), super::permission::remedy(path)),
        Errno::BUSY | Errno::WOULDBLOCK => OpenError::Busy(name.clone()),
        error => OpenError::Other(name.clone(), error.to_string()),
    };
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let port = rustix::fs::open(path, flags, Mode::empty()).map_err(failed)?;
    // Both: the lock keeps root's programs out, the ioctl those that don't lock.
    rustix::fs::flock(&port, FlockOperation::NonBlockingLockExclusive).map_err(failed)?;
    rustix::termios::ioctl_tiocexcl(&port).map_err(failed)?;
    let mut settings = rustix::termios::tcgetattr(&port).map_err(|error| match error {
        Errno::NOTTY => OpenError::Other(name.clone(), "it is not a serial port".into()),
        error => failed(error),
    })?;
    settings.make_raw();
    settings.control_modes |= ControlModes::CLOCAL | ControlModes::CREAD;
    // Without HUPCL closing the port leaves DTR alone: the next opening does not reset the board. The very first
    // one after plugging in does, on most AVR boards: the kernel raises DTR before a program can say otherwise.
    settings.control_modes &= !(ControlModes::HUPCL | ControlModes::CRTSCTS);
    settings.set_speed(baud).map_err(failed)?;
    rustix::termios::tcsetattr(&port, OptionalActions::Now, &settings).map_err(failed)?;
    rustix::termios::tcflush(&port, QueueSelector::IFlush).map_err(failed)?;
    super::latency::lower(path);
    Ok(port)
}

/// Sets another speed on an open port: DTR stays as it is, so the board is not reset. What had arrived at the old
/// speed is dropped.
pub(super) fn set_speed(port: &OwnedFd, baud: u32) -> Result<(), Errno> {
    let mut settings = rustix::termios::tcgetattr(port)?;
    settings.set_speed(baud)?;
    rustix::termios::tcsetattr(port, OptionalActions::Now, &settings)?;
    rustix::termios::tcflush(port, QueueSelector::IFlush)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    pub(crate) fn pty() -> (OwnedFd, std::path::PathBuf) {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        (master, name.to_str().unwrap().into())
    }

    #[test]
    fn a_port_is_opened_once_at_any_speed() {
        let (_master, path) = pty();
        for baud in [115_200, 250_000] {
            let port = open(&path, baud).unwrap();
            assert_eq!(open(&path, baud).unwrap_err(), OpenError::Busy(path.display().to_string()));
            drop(port);
        }
    }

    #[test]
    fn what_is_no_port_is_said_plainly() {
        let missing = open(Path::new("/dev/no-such-port"), 115_200).unwrap_err();
        assert_eq!(
            missing.to_string(),
            "There is no port /dev/no-such-port: is the printer connected and switched on?"
        );
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(open(file.path(), 115_200).is_err());
    }
}
