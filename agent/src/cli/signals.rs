//! The signals by which a process ends that does not handle them.
//!
//! Owns: that each of them is a wish to end, which is heard: behind a process that is just gone, heaters stay on. Left out are those
//! that nobody can handle (KILL, STOP), faults of the program itself (ABRT, SEGV …), and real-time signals, which nothing sends by
//! itself. Must not know: what is ended, and how.

use std::future::poll_fn;
use std::task::Poll;

use rustix::process::Signal as Number;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Failure;

/// Those that a person, a terminal or a service manager sends come first; the others come by mistake, a timer, or a limit.
const ENDING: [Number; 14] = [
    Number::INT,
    Number::TERM,
    Number::HUP,
    Number::QUIT,
    Number::USR1,
    Number::USR2,
    Number::ALARM,
    Number::VTALARM,
    Number::PROF,
    Number::IO,
    Number::POWER,
    Number::XCPU,
    Number::XFSZ,
    Number::STKFLT,
];

/// Those that are watched.
#[derive(Debug)]
pub(super) struct Ending(Vec<Signal>);

impl Ending {
    /// All but this one, which means something else.
    ///
    /// # Errors
    /// Why they can't be watched, in words.
    pub(super) fn watch_but(other: Option<Number>) -> Result<Self, Failure> {
        let ending = ENDING.into_iter().filter(|number| Some(*number) != other);
        let watched = ending.map(|number| signal(SignalKind::from_raw(number.as_raw())));
        let watched: std::io::Result<_> = watched.collect();
        watched.map(Self).map_err(|error| format!("Signals can't be watched: {error}"))
    }

    /// Waits for the next one.
    pub(super) async fn asked(&mut self) {
        poll_fn(|context| {
            let came = self.0.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
            if came { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}
