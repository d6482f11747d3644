//! Starting a board anew by its DTR line.
//!
//! Owns: the pulse. Must not know: when it is wanted; nothing here happens by itself.
//!
//! POSIX has a speed of zero bauds hang up: the kernel lowers DTR and RTS, for its own UARTs as for USB adapters
//! (FTDI, CH340, CP210x, PL2303, CDC-ACM), and raises them again with the next speed. It needs no ioctl of its own
//! (TIOCMBIC), which on a pseudo terminal would fail with ENOTTY, and which has no safe wrapper for a descriptor
//! that is open already.

use std::os::fd::OwnedFd;

use rustix::event::{Timespec, poll};
use rustix::io::Errno;
use rustix::termios::{OptionalActions, QueueSelector, tcflush, tcgetattr, tcsetattr};

/// As long as the reset of an AVR board needs, with a good margin.
const PULSE: Timespec = Timespec { tv_sec: 0, tv_nsec: 250_000_000 };

/// What becomes of bytes that have not been sent yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unsent {
    /// They must not reach the board that starts.
    Dropped,
    /// They may: they stop it.
    Kept,
}

/// Lowers DTR for a quarter of a second; whether the system took it. Best effort: where the line does not exist nothing
/// happens.
pub(super) fn reset_board(port: &OwnedFd, unsent: Unsent) -> bool {
    match pulse(port, unsent) {
        Ok(()) => {
            tracing::warn!("the board was reset by its DTR line");
            true
        }
        Err(error) => {
            tracing::warn!(error = %error, "the board can't be reset by its DTR line");
            false
        }
    }
}

fn pulse(port: &OwnedFd, unsent: Unsent) -> Result<(), Errno> {
    let settings = tcgetattr(port)?;
    let mut hung_up = settings.clone();
    hung_up.set_speed(0)?;
    // What the board has said before means nothing any more.
    tcflush(
        port,
        match unsent {
            Unsent::Dropped => QueueSelector::IOFlush,
            Unsent::Kept => QueueSelector::IFlush,
        },
    )?;
    tcsetattr(port, OptionalActions::Now, &hung_up)?;
    // The thread has nothing better to do. A signal makes the pulse shorter, no more.
    let _ = poll(&mut [], Some(&PULSE));
    tcsetattr(port, OptionalActions::Now, &settings)
}

#[cfg(test)]
mod tests {
    use super::super::open::tests::pty;
    use super::super::open::{open, set_speed};
    use super::*;

    #[test]
    fn a_pseudo_terminal_has_no_such_line_and_that_is_no_failure() {
        let (_master, path) = pty();
        let port = open(&path, 250_000).unwrap();
        assert_eq!(pulse(&port, Unsent::Dropped), Ok(()));
        assert_eq!(tcgetattr(&port).unwrap().output_speed(), 250_000, "the speed is as before");
        set_speed(&port, 57_600).unwrap();
        assert_eq!(tcgetattr(&port).unwrap().output_speed(), 57_600);
    }

    #[test]
    fn what_is_no_terminal_is_no_disaster() {
        let file: OwnedFd = tempfile::tempfile().unwrap().into();
        assert_eq!(pulse(&file, Unsent::Kept), Err(Errno::NOTTY));
        assert!(!reset_board(&file, Unsent::Kept));
    }
}
