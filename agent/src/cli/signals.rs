//! The signals by which a process ends that does not handle them.
//!
//! Owns: that each of them is a wish to end, which is heard: behind a process that is just gone, heaters stay on; and which of them
//! say, the second time, that somebody does not want to wait: those that come only because somebody sends them. A terminal that is
//! closed sends HUP twice, a limit its signal every second. Left out are those that nobody can handle (KILL, STOP), faults of the
//! program itself (ABRT, SEGV …), and real-time signals, which nothing sends by itself. And that no terminal halts the process. Must not
//! know: what is ended, and how.

use std::future::poll_fn;
use std::task::Poll;

use nix::sys::signal::{SigSet, Signal as Halt};
use rustix::process::Signal as Number;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Failure;

/// Those of a person or a service manager.
const SENT: [Number; 3] = [Number::INT, Number::TERM, Number::QUIT];
/// Those of a terminal, by mistake, of a timer, or of a limit.
const HAPPENING: [Number; 11] = [
    Number::HUP,
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

/// A halted process hears no signal and sends no line, so no terminal may halt one that drives a printer. To be called before the
/// process has a second thread, which would have the signals for it. `pauses`: Ctrl-Z means something else, and is taken by
/// [`Ending`].
pub(super) fn outlast_terminal(pauses: bool) {
    let (mut halts, all) = (SigSet::empty(), [Halt::SIGTTIN, Halt::SIGTTOU, Halt::SIGTSTP]);
    all.into_iter().filter(|halt| !pauses || *halt != Halt::SIGTSTP).for_each(|halt| halts.add(halt));
    // As a signal that is held back, what is read and written in the background is refused or done, and nobody stands still.
    if let Err(error) = halts.thread_block() {
        tracing::warn!(error = %error, "a terminal may halt this process");
    }
}

/// Those that are watched.
#[derive(Debug)]
pub(super) struct Ending {
    sent: Vec<Signal>,
    happening: Vec<Signal>,
    /// Ctrl-Z, which halts nothing from when it is watched on, whether anybody waits for it or not.
    _halt: Signal,
}

impl Ending {
    /// All but this one, which means something else.
    ///
    /// # Errors
    /// Why they can't be watched, in words.
    pub(super) fn watch_but(other: Option<Number>) -> Result<Self, Failure> {
        let watch = |numbers: &[Number]| -> std::io::Result<Vec<Signal>> {
            let ours = numbers.iter().filter(|number| Some(**number) != other);
            ours.map(|number| signal(SignalKind::from_raw(number.as_raw()))).collect()
        };
        let (sent, happening) = (watch(&SENT), watch(&HAPPENING));
        let halt = signal(SignalKind::from_raw(Number::TSTP.as_raw()));
        let failed = |error| format!("Signals can't be watched: {error}");
        Ok(Self {
            sent: sent.map_err(failed)?,
            happening: happening.map_err(failed)?,
            _halt: halt.map_err(failed)?,
        })
    }

    /// Waits for the next one.
    pub(super) async fn asked(&mut self) {
        self.heard(false).await;
    }

    /// Whether one has come since it was waited for last.
    pub(super) async fn was_asked(&mut self) -> bool {
        // What has come meanwhile is told when the runtime has had its turn.
        tokio::task::yield_now().await;
        tokio::select! {
            biased;
            () = self.asked() => true,
            () = std::future::ready(()) => false,
        }
    }

    /// Waits for the next one; `again`: there was one already, and only those count that somebody has sent.
    pub(super) async fn heard(&mut self, again: bool) {
        poll_fn(|context| {
            // Each is looked at, so that each is waited for.
            let mut is_here = |signals: &mut Vec<Signal>| {
                let mut came = false;
                for signal in signals {
                    came |= signal.poll_recv(context).is_ready();
                }
                came
            };
            let came = if again {
                is_here(&mut self.sent)
            } else {
                let sent = is_here(&mut self.sent);
                is_here(&mut self.happening) || sent
            };
            if came { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}
