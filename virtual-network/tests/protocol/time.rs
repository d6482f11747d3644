//! The clocks of a run. Time passes when everything waits: tokio's paused clock goes on to what is due next.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use stardust_clock::Clock;
use stardust_protocol::Timestamp;
use tokio::time::Instant;

/// When every run begins.
pub(crate) const EPOCH_MS: i64 = 1_795_414_380_000;

pub(crate) fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(EPOCH_MS + ms)
}

/// The hub's clock: it is set before each of its calls, which take no time themselves.
#[derive(Debug, Default)]
pub(crate) struct HubClock(AtomicI64);

impl HubClock {
    pub(crate) fn set(&self, ms: i64) {
        self.0.store(ms, Ordering::SeqCst);
    }
}

impl Clock for HubClock {
    fn now(&self) -> Timestamp {
        at(self.0.load(Ordering::SeqCst))
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.load(Ordering::SeqCst)).unwrap())
    }
}

/// The clock of a printer host: its time of day may be wrong, and may be set.
#[derive(Debug)]
pub(crate) struct HostClock {
    run_began: Instant,
    process_began: Instant,
    ahead_ms: Arc<AtomicI64>,
}

impl HostClock {
    pub(crate) fn new(run_began: Instant, ahead_ms: Arc<AtomicI64>) -> Self {
        Self { run_began, process_began: Instant::now(), ahead_ms }
    }
}

impl Clock for HostClock {
    fn now(&self) -> Timestamp {
        let ms = i64::try_from(self.run_began.elapsed().as_millis()).unwrap();
        at(ms + self.ahead_ms.load(Ordering::SeqCst))
    }

    fn elapsed(&self) -> Duration {
        self.process_began.elapsed()
    }
}
