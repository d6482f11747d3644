//! A pty whose other end hosts open like a serial port.
//!
//! One slave descriptor stays open here, so that the master lives on when a host goes, and the next can come. It
//! has a price: the exclusive mode a host sets (TIOCEXCL) would outlive that host, as it ends only with the last
//! descriptor. A watch on the slave's closings lets us end it.

use std::ffi::OsStr;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, ioctl_tiocnxcl, tcgetattr, tcsetattr};

/// Both ends of a pty.
#[derive(Debug)]
pub(super) struct Terminal {
    master: OwnedFd,
    slave: OwnedFd,
    /// `None` where the system has no watches left: then only exclusive mode outlives its host.
    closings: Option<OwnedFd>,
    path: PathBuf,
}

impl Terminal {
    /// Opens a pty in raw mode.
    pub(super) fn open() -> io::Result<Self> {
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

        let closings = watch_closings(&path).ok();
        Ok(Self { master, slave, closings, path })
    }

    /// The printer's end.
    pub(super) fn master(&self) -> BorrowedFd<'_> {
        self.master.as_fd()
    }

    /// The rate the host has set, which a pty only remembers.
    pub(super) fn host_baud(&self) -> Option<u32> {
        tcgetattr(&self.slave).ok().map(|mode| mode.output_speed())
    }

    /// What hosts open.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Becomes readable when a host closes the port.
    pub(super) fn closings(&self) -> Option<BorrowedFd<'_>> {
        self.closings.as_ref().map(AsFd::as_fd)
    }

    /// A host closed the port: the next one may open it, whatever mode the last one set.
    pub(super) fn host_closed(&self) {
        if let Some(closings) = &self.closings {
            let mut buffer = [MaybeUninit::uninit(); 1024];
            let mut events = inotify::Reader::new(closings, &mut buffer);
            while events.next().is_ok() {}
        }
        let _ = ioctl_tiocnxcl(&self.slave);
    }

    /// Reads what is there, possibly nothing.
    pub(super) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match rustix::io::read(&self.master, buffer) {
            Ok(read) => Ok(read),
            Err(Errno::AGAIN | Errno::INTR) => Ok(0),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Writes what the pty takes now and says how much that was.
    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut written = 0;
        while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
            match rustix::io::write(&self.master, rest) {
                Ok(0) | Err(Errno::AGAIN) => break,
                Ok(count) => written += count,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(written)
    }
}

fn watch_closings(path: &Path) -> io::Result<OwnedFd> {
    let closings = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
    inotify::add_watch(&closings, path, WatchFlags::CLOSE_WRITE | WatchFlags::CLOSE_NOWRITE)?;
    Ok(closings)
}
