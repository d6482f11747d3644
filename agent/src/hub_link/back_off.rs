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
    /// What makes the waits differ.
    random: u64,
}

impl BackOff {
    /// From `first`, doubling, up to `last`.
    #[must_use]
    pub fn new(first: Duration, last: Duration) -> Self {
        Self { first, last, next: first, random: random_seed() }
    }

    /// The same with waits that grow longer.
    #[must_use]
    pub fn up_to(self, last: Duration) -> Self {
        Self { last, ..self }
    }

    /// What has worked for the hub: half a second to half a minute. The same seed makes the same waits.
    #[must_use]
    pub fn for_hub(seed: u64) -> Self {
        let (first, last) = (Duration::from_millis(500), Duration::from_secs(30));
        Self { first, last, next: first, random: seed }
    }

    /// It worked.
    pub fn reset(&mut self) {
        self.next = self.first;
    }

    /// It failed: how long to wait, between a half and the whole of the present step.
    pub fn next_wait(&mut self) -> Duration {
        let step = self.next;
        self.next = (step * 2).min(self.last);
        step / 2 + (step / 2).mul_f64(self.fraction())
    }

    /// 0 to 1, another each time (SplitMix64).
    fn fraction(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        f64::from(((z ^ (z >> 31)) >> 32) as u32) / f64::from(u32::MAX)
    }
}

/// Different for every agent.
pub(super) fn random_seed() -> u64 {
    // Without randomness the waits are merely all alike.
    getrandom::u64().unwrap_or_default()
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

    #[test]
    fn agents_do_not_come_back_all_at_once_but_the_same_seed_does_the_same() {
        let waits = |seed| {
            let mut back_off = BackOff::for_hub(seed);
            (0..8).map(|_| back_off.next_wait()).collect::<Vec<_>>()
        };
        assert_ne!(waits(1), waits(2));
        assert_eq!(waits(1), waits(1));
    }
}
