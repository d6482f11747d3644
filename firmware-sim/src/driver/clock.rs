//! The driver's one look at the real clock, and its scaling to simulated time.

use std::time::{Duration, Instant};

/// Simulated time that runs `speed` times as fast as real time.
#[derive(Debug)]
pub(super) struct SimulatedClock {
    started: Instant,
    speed: f64,
}

impl SimulatedClock {
    #[allow(clippy::disallowed_methods, reason = "the driver's one look at the real clock")]
    pub(super) fn start(speed: f64) -> Self {
        Self { started: Instant::now(), speed }
    }

    /// Real time since the start.
    pub(super) fn real(&self) -> Duration {
        self.started.elapsed()
    }

    /// Simulated time since the start.
    pub(super) fn now(&self) -> Duration {
        self.real().mul_f64(self.speed)
    }

    /// The real time, since the start, at which simulated time will have come so far. Rounded up, so that who
    /// waits for it does not wake too early and wait once more.
    pub(super) fn real_time_of(&self, simulated: Duration) -> Duration {
        simulated.div_f64(self.speed) + Duration::from_micros(1)
    }
}
