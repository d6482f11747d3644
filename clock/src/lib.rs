//! Injected time: the system's clock, and one that tests move by hand.
//!
//! Owns the only calls of the operating system's clocks (clippy.toml bans them elsewhere).
//! Must not know what the time is used for. Timers belong to the async runtime, not to this crate.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use stardust_protocol::Timestamp;

/// Where the time comes from.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The time of day, UTC. May jump, when the host's clock is set.
    fn now(&self) -> Timestamp;

    /// Time since some fixed point of this process's life. Never goes back: for measuring how long things take.
    fn elapsed(&self) -> Duration;
}

/// A clock that many parts hold.
pub type SharedClock = Arc<dyn Clock>;

/// The operating system's clocks.
#[derive(Debug, Clone)]
pub struct SystemClock {
    start: std::time::Instant,
}

impl SystemClock {
    /// Starts counting [`Clock::elapsed`] now.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "this is the clock module")]
    pub fn new() -> Self {
        Self { start: std::time::Instant::now() }
    }

    /// The same, ready to be shared.
    #[must_use]
    pub fn shared() -> SharedClock {
        Arc::new(Self::new())
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the clock module")]
    fn now(&self) -> Timestamp {
        let millis = match std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            // A host whose clock stands before 1970.
            Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
        };
        Timestamp::from_millis(millis)
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock {
    base_ms: AtomicI64,
    passed_ms: AtomicI64,
}

impl ManualClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Arc<Self> {
        Arc::new(Self { base_ms: AtomicI64::new(now.as_millis()), passed_ms: AtomicI64::new(0) })
    }

    /// Moves it on.
    pub fn advance(&self, by: Duration) {
        self.passed_ms.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }

    /// Sets the time of day, as a host's clock is set: no time passes.
    pub fn set(&self, now: Timestamp) {
        let passed = self.passed_ms.load(Ordering::SeqCst);
        self.base_ms.store(now.as_millis().saturating_sub(passed), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.base_ms.load(Ordering::SeqCst))
            .plus_millis(self.passed_ms.load(Ordering::SeqCst))
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.passed_ms.load(Ordering::SeqCst)).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_by_hand() {
        let clock = ManualClock::at(Timestamp::from_millis(5_000));
        assert_eq!(clock.now(), Timestamp::from_millis(5_000));
        clock.advance(Duration::from_millis(250));
        assert_eq!(clock.now(), Timestamp::from_millis(5_250));
        assert_eq!(clock.elapsed(), Duration::from_millis(250));
        clock.set(Timestamp::from_millis(9_000));
        assert_eq!(
            (clock.now(), clock.elapsed()),
            (Timestamp::from_millis(9_000), Duration::from_millis(250))
        );
    }
}
