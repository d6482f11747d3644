//! A pseudo terminal: what hosts take for a serial port.
//!
//! Owns: both ends and their modes. Must not know: what is said.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

/// A pseudo terminal in raw mode.
#[derive(Debug)]
pub(crate) struct Pty {
    /// The firmware's end, not blocking.
    pub(crate) master: OwnedFd,
    /// What hosts open.
    pub(crate) path: PathBuf,
    /// Kept open so that the firmware's end lives on when the host has closed its own.
    _slave: OwnedFd,
}

impl Pty {
    pub(crate) fn open() -> io::Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let name = ptsname(&master, Vec::new())?;
        let path = PathBuf::from(OsStr::from_bytes(name.as_bytes()));
        let slave = rustix::fs::open(&path, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
        let mut mode = tcgetattr(&slave)?;
        mode.make_raw();
        tcsetattr(&slave, OptionalActions::Now, &mode)?;
        rustix::io::ioctl_fionbio(&master, true)?;
        Ok(Self { master, path, _slave: slave })
    }
}
