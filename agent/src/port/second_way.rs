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

    /// The thread has opened this one: told before it does anything that may wait for a disk.
    pub(super) fn opened(&self, port: &Arc<OwnedFd>) {
        self.lock().port = Arc::downgrade(port);
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
