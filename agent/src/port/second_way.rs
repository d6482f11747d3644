//! A stop at once past the thread that drives the port, where that one stands still: a disk that it waits for may keep it for as long as it
//! likes, and the printer goes on with what it has.
//!
//! Owns: which port is open now, how long the thread is waited for, and that what came of it is told as the thread would tell it. Must
//! not know: who wants the stop, what the printer is at.

use std::os::fd::OwnedFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::mpsc::WeakUnboundedSender;

use super::handle::{PortEvent, Reach};
use super::kill;

/// A thread that turns takes an order within some milliseconds.
const TAKEN_WITHIN: Duration = Duration::from_millis(500);

/// Shared by the thread and by everybody who gives it orders.
#[derive(Debug, Clone)]
pub(super) struct SecondWay {
    standing: Arc<(Mutex<Standing>, Condvar)>,
    /// Whoever stops the machine holds it all the while: a speed that another one has set for a moment must not be taken for the
    /// port's own, and put back last.
    one_at_a_time: Arc<Mutex<()>>,
    /// Whoever waits for the thread's last word does not wait for this.
    events: WeakUnboundedSender<PortEvent>,
}

#[derive(Debug, Default)]
struct Standing {
    /// As long as the thread has it open.
    port: Weak<OwnedFd>,
    /// Its speed is not known.
    seeking: bool,
    /// Stops that were ordered, and how many of them the thread has taken.
    ordered: u64,
    taken: u64,
}

impl SecondWay {
    pub(super) fn new(events: WeakUnboundedSender<PortEvent>) -> Self {
        Self { standing: Arc::default(), one_at_a_time: Arc::default(), events }
    }

    /// The thread has opened this one: told before it does anything that may wait for a disk. `seeking`: its speed is not known, as far
    /// as can be told before that.
    pub(super) fn opened(&self, port: &Arc<OwnedFd>, seeking: bool) {
        let mut standing = self.lock();
        (standing.port, standing.seeking) = (Arc::downgrade(port), seeking);
    }

    /// Its speed is being found out, or is known.
    pub(super) fn seeks(&self, seeking: bool) {
        self.lock().seeking = seeking;
    }

    /// The thread has the order.
    pub(super) fn taken(&self) {
        self.lock().taken += 1;
        self.standing.1.notify_all();
    }

    /// For as long as this lives nobody else stops the machine.
    pub(super) fn alone(&self) -> MutexGuard<'_, ()> {
        self.one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a stop was ordered that the thread has not taken: nothing else goes out before it.
    pub(super) fn is_ordered(&self) -> bool {
        let standing = self.lock();
        standing.taken < standing.ordered
    }

    /// A stop was ordered just now: it goes out past the thread if that does not take it soon.
    pub(super) fn watch_over(&self) {
        let number = {
            let mut standing = self.lock();
            standing.ordered += 1;
            standing.ordered
        };
        let way = self.clone();
        let watch = std::thread::Builder::new().name("second-way".into()).spawn(move || way.wait(number));
        if let Err(error) = watch {
            tracing::error!(error = %error, "nobody can see whether the port's thread takes the stop at once");
        }
    }

    fn wait(&self, number: u64) {
        let is_not_taken = |standing: &mut Standing| standing.taken < number;
        let (lock, taken) = &*self.standing;
        let locked = lock.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = taken.wait_timeout_while(locked, TAKEN_WITHIN, is_not_taken);
        let (standing, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        if !waited.timed_out() {
            return;
        }
        let (port, seeking) = (standing.port.upgrade(), standing.seeking);
        drop(standing);
        let reach = match &port {
            Some(port) => {
                let _alone = self.alone();
                kill::past_its_thread(port, seeking)
            }
            // It is opened by the thread alone, which has the order then.
            None => Reach::Waits,
        };
        tracing::warn!(?reach, "a stop at once past the port's thread, which stands still: M112");
        if let Some(events) = self.events.upgrade() {
            let _ = events.send(PortEvent::Killed(reach));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Standing> {
        self.standing.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use rustix::fs::{Mode, OFlags};
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::tcgetattr;
    use tokio::sync::mpsc::unbounded_channel;

    use super::super::open::set_speed;
    use super::super::speed_search::SPEEDS;
    use super::*;

    /// The thread has opened the port and waits for the disk with its speed on it.
    #[test]
    fn a_port_whose_speed_is_not_known_yet_is_stopped_at_every_speed_and_keeps_its_own() {
        let printer = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&printer).unwrap();
        unlockpt(&printer).unwrap();
        let path = ptsname(&printer, Vec::new()).unwrap();
        let port = Arc::new(rustix::fs::open(&path, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap());
        set_speed(&port, 115_200).unwrap();
        let (events, mut told) = unbounded_channel();
        let way = SecondWay::new(events.downgrade());
        way.opened(&port, true);
        // Two at the same time.
        way.watch_over();
        way.watch_over();
        for _ in 0..2 {
            let PortEvent::Killed(reach) = told.blocking_recv().unwrap() else { panic!() };
            assert!(matches!(reach, Reach::Sent { on_wire: true, .. }), "{reach:?}");
        }
        assert_eq!(tcgetattr(&port).unwrap().output_speed(), 115_200, "neither took the other's for its own");
        let (mut line, mut buffer) = (String::new(), [0; 4096]);
        while line.matches("M112").count() < 2 * SPEEDS.len() {
            let count = rustix::io::read(&printer, &mut buffer).unwrap();
            line.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    }
}
