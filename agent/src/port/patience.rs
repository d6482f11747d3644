//! How long a printer is waited for that has to be seen safe before the process leaves it.
//!
//! Owns: that it counts from the printer's last sign of life, for one that has just spoken is not silent, whatever its connection is
//! at. Must not know: what is waited for, and what is said in the end.

use std::time::Duration;

use tokio::time::Instant;

use super::view::PortView;

/// A wait for a printer.
#[derive(Debug)]
pub struct Patience {
    silent: Duration,
    alive: Duration,
    began: Instant,
    heard: Instant,
}

impl Patience {
    /// It begins now: so long for a printer that is silent, so long in all for one that is not.
    #[must_use]
    pub fn new(silent: Duration, alive: Duration) -> Self {
        let now = Instant::now();
        Self { silent, alive, began: now, heard: now }
    }

    /// How much is left of it, the printer being like this now.
    pub fn left(&mut self, view: &PortView) -> Duration {
        let now = Instant::now();
        if view.answers() {
            self.heard = now;
        }
        (self.heard + self.silent).min(self.began + self.alive).saturating_duration_since(now)
    }

    /// Since it began.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}
