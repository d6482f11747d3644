//! How long to wait before trying again.
//!
//! Owns: the growing, jittered wait. Must not know: what is tried.

use std::time::Duration;

/// Waits that grow from one failure to the next, each different, so that a fleet does not come back at once.
#[derive(Debug, Clone)]
pub struct BackOff {
    first: Duration,
    last: Duration,
    next: Duration,
}

impl BackOff {
    /// From `first`, doubling, up to `last`.
    #[must_use]
    pub fn new(first: Duration, last: Duration) -> Self {
        Self { first, last, next: first }
    }

    /// What has worked for the hub: half a second to half a minute.
    #[must_use]
    pub fn for_hub() -> Self {
        Self::new(Duration::from_millis(500), Duration::from_secs(30))
    }

    /// It worked.
    pub fn reset(&mut self) {
        self.next = self.first;
    }

    /// It failed: how long to wait, between a half and the whole of the present step.
    pub fn next_wait(&mut self) -> Duration {
        let step = self.next;
        self.next = (step * 2).min(self.last);
        step / 2 + (step / 2).mul_f64(random_fraction())
    }
}

/// 0 to 1.
fn random_fraction() -> f64 {
    // Without randomness the waits are merely all alike.
    f64::from(getrandom::u32().unwrap_or(u32::MAX / 2)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_the_last_and_start_anew() {
        let mut back_off = BackOff::new(Duration::from_secs(1), Duration::from_secs(8));
        for step in [1, 2, 4, 8, 8] {
            let wait = back_off.next_wait();
            assert!(wait >= Duration::from_secs(step) / 2 && wait <= Duration::from_secs(step), "{wait:?}");
        }
        back_off.reset();
        assert!(back_off.next_wait() <= Duration::from_secs(1));
    }
}
