//! The driver's one look at the real clock.

use std::time::{Duration, Instant};

/// Real time since the start: the time of the line.
#[derive(Debug)]
pub(super) struct RealClock {
    started: Instant,
}

impl RealClock {
    #[allow(clippy::disallowed_methods, reason = "the driver's one look at the real clock")]
    pub(super) fn start() -> Self {
        Self { started: Instant::now() }
    }

    pub(super) fn now(&self) -> Duration {
        self.started.elapsed()
    }
}
