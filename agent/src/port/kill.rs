//! Stopping a machine at once: `M112` ahead of everything else, then the board's DTR line.
//!
//! Owns: that the bytes have left this machine before anybody is told that they have; that a stop which finds the port
//! closed is the first thing that is written when it is open again; that it does not wait for ever. Everything is done
//! when the order is taken, not when the protocol comes to write: who orders a stop may be gone a moment later.
//! Must not know: who wants it, and what became of a job.

use std::os::fd::OwnedFd;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::termios::{QueueSelector, tcdrain, tcflush, tcgetattr};

use super::driver::Driver;
use super::handle::{PortEvent, Reach};
use super::open::set_speed;
use super::reset::{Unsent, reset_board};
use super::speed_search::SPEEDS;
use super::wait::timespec;
use crate::serial::{Connection, STOP_KEPT, StopLines};

/// A port that takes no bytes for so long is not waited for: its board is reset.
const TAKEN_WITHIN: Duration = Duration::from_millis(200);
/// A line that does not get rid of them for so long does not either: at 9600 baud they need 35 ms.
const DRAINED_WITHIN: Duration = Duration::from_millis(300);

/// A stop that waits for its port.
#[derive(Debug)]
pub(super) struct KeptKill {
    by: String,
    until: Duration,
}

impl Driver {
    /// Stops the machine at once, or as soon as its port is open.
    pub(super) fn kill(&mut self, now: Duration, by: String) {
        let way = self.second_way.clone();
        let _alone = way.alone();
        way.taken();
        match self.port.clone() {
            Some(port) => self.kill_on(&port, now, by),
            None => self.keep_kill(now, by),
        }
    }

    /// What waited for the port goes out before anything else: a stop that found it closed, or one that it was lost behind.
    pub(super) fn kill_if_wanted(&mut self, now: Duration, port: &OwnedFd) {
        let way = self.second_way.clone();
        let _alone = way.alone();
        if let Some(kept) = self.kept_kill.take_if(|kept| now < kept.until) {
            return self.kill_on(port, now, kept.by);
        }
        if !matches!(self.host.connection(), Connection::ToldToStop { .. }) {
            return;
        }
        let again = self.host.take_output();
        if !again.is_empty() {
            let sent = self.write_halt(port, &again);
            // Where that fails the port is lost once more, and it goes out when it is back then.
            tracing::warn!(?sent, "the port was lost behind a stop at once: M112 again");
            let on_wire = sent.unwrap_or(false);
            self.reset_if_deaf(port, on_wire && self.host.stop_lines().acts_at_once);
        }
    }

    /// A stop that has waited too long is given up, and said to be.
    pub(super) fn look_at_kept_kill(&mut self, now: Duration) {
        if self.kept_kill.take_if(|kept| now >= kept.until).is_some() {
            tracing::warn!("the port did not come back: the stop at once was not sent");
            self.tell_reach(Reach::GaveUp);
        }
    }

    fn keep_kill(&mut self, now: Duration, by: String) {
        tracing::warn!(
            by,
            "to be stopped at once, and the port is closed: M112 is sent as soon as it is open"
        );
        self.kept_kill = Some(KeptKill { by, until: now + STOP_KEPT });
        self.tell_reach(Reach::Waits);
    }

    fn kill_on(&mut self, port: &OwnedFd, now: Duration, by: String) {
        // What the protocol would have sent is not sent any more.
        self.to_write.clear();
        // Before anything is logged, which may wait for whatever takes the log.
        let StopLines { bytes, acts_at_once, .. } = self.host.stop_lines();
        let sent = self.write_halt(port, bytes);
        self.host.kill(now, &by);
        self.host.take_output();
        let on_wire = match sent {
            Ok(on_wire) => on_wire,
            // It has vanished just now.
            Err(error) => {
                tracing::warn!(error = %error, "the port fails");
                return self.keep_kill(now, by);
            }
        };
        tracing::warn!(by, on_wire, "stopped at once: M112");
        let dtr_pulsed = self.reset_if_deaf(port, on_wire && acts_at_once);
        self.tell_reach(Reach::Sent { on_wire, dtr_pulsed });
    }

    /// Whether it has left this machine.
    fn write_halt(&self, port: &OwnedFd, bytes: &[u8]) -> Result<bool, Errno> {
        drop_unsent(port)?;
        if self.seeking { send_at_every_speed(port, bytes, self.found) } else { send(port, bytes) }
    }

    /// Whether the board was reset: one that has the stop on its line, and whose firmware acts on it at once, need not be, where
    /// its speed is known.
    fn reset_if_deaf(&self, port: &OwnedFd, has_it_and_acts: bool) -> bool {
        let hears = has_it_and_acts && !self.seeking;
        !hears && reset_board(port, Unsent::Kept)
    }

    fn tell_reach(&self, reach: Reach) {
        let _ = self.events.send(PortEvent::Killed(reach));
    }
}

/// Stops the machine at once by a port that something else may be writing to; whether `M112` has left this machine.
pub(super) fn at_once(port: &OwnedFd) -> bool {
    at_once_by(port, |bytes| send(port, bytes)).0.unwrap_or(false)
}

/// The same, where nobody knows the speed.
pub(super) fn at_once_at_every_speed(port: &OwnedFd) -> bool {
    at_once_by(port, |bytes| send_at_every_speed(port, bytes, None)).0.unwrap_or(false)
}

/// The same, while the thread that has it stands still.
pub(super) fn past_its_thread(port: &OwnedFd, is_sought: bool) -> Reach {
    let known = |bytes: &[u8]| send(port, bytes);
    let sought = |bytes: &[u8]| send_at_every_speed(port, bytes, None);
    let (sent, dtr_pulsed) = if is_sought { at_once_by(port, sought) } else { at_once_by(port, known) };
    match sent {
        Ok(on_wire) => Reach::Sent { on_wire, dtr_pulsed },
        // It has vanished: the thread has the order, for when it is back.
        Err(_) => Reach::Waits,
    }
}

/// Whether it was sent, and whether the board was reset.
fn at_once_by(port: &OwnedFd, send: impl Fn(&[u8]) -> Result<bool, Errno>) -> (Result<bool, Errno>, bool) {
    // Nobody will send it again, and which order this firmware takes is not known.
    let lines = StopLines::ANY.each();
    let sent =
        drop_unsent(port).and_then(|()| lines.iter().try_fold(false, |on, bytes| Ok(send(bytes)? || on)));
    (sent, reset_board(port, Unsent::Kept))
}

/// What waits to be sent is passed: once, for the next of several must not take away the one before.
fn drop_unsent(port: &OwnedFd) -> Result<(), Errno> {
    tcflush(port, QueueSelector::OFlush)
}

/// Nobody knows which speed is right: the likeliest first, and then all. The speed is as it was afterwards.
fn send_at_every_speed(port: &OwnedFd, bytes: &[u8], known: Option<u32>) -> Result<bool, Errno> {
    let set = tcgetattr(port)?.output_speed();
    let mut on_wire = send(port, bytes)?;
    for speed in known.into_iter().chain(SPEEDS).filter(|speed| *speed != set) {
        // An adapter may be unable to do one.
        if set_speed(port, speed).is_ok() {
            on_wire |= send(port, bytes)?;
        }
    }
    set_speed(port, set)?;
    Ok(on_wire)
}

/// Writes it; whether it has left this machine.
fn send(port: &OwnedFd, bytes: &[u8]) -> Result<bool, Errno> {
    let mut rest = bytes;
    while !rest.is_empty() {
        match rustix::io::write(port, rest) {
            Ok(count) => rest = rest.get(count..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                let mut takes = [PollFd::new(port, PollFlags::OUT)];
                if matches!(poll(&mut takes, Some(&timespec(TAKEN_WITHIN))), Ok(0)) {
                    return Ok(false);
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(drained(port))
}

/// Waits until everything is out, but not for ever: `tcdrain` has no bound of its own, and a board that hangs takes nothing.
fn drained(port: &OwnedFd) -> bool {
    let Ok(copy) = port.try_clone() else { return false };
    let (out, told) = sync_channel(1);
    let drain = move || {
        // Who waits no longer has given it up.
        let _ = out.send(tcdrain(&copy).is_ok());
    };
    let spawned = std::thread::Builder::new().name("drain".into()).spawn(drain);
    spawned.is_ok() && told.recv_timeout(DRAINED_WITHIN).unwrap_or(false)
}
