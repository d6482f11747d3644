//! How long a job has been printing, pauses excluded.
//!
//! Owns: adding up. Must not know: clocks; times are handed in.

use std::time::Duration;

/// A stopwatch.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stopwatch {
    before: Duration,
    since: Option<Duration>,
}

impl From<Duration> for Stopwatch {
    /// It stands still and shows this.
    fn from(before: Duration) -> Self {
        Self { before, since: None }
    }
}

impl Stopwatch {
    /// Runs from now on; nothing happens when it runs already.
    pub fn run(&mut self, now: Duration) {
        self.since.get_or_insert(now);
    }

    /// Stands still from now on.
    pub fn halt(&mut self, now: Duration) {
        self.before = self.elapsed(now);
        self.since = None;
    }

    /// What it shows.
    #[must_use]
    pub fn elapsed(&self, now: Duration) -> Duration {
        self.before + self.since.map_or(Duration::ZERO, |since| now.saturating_sub(since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_left_out() {
        let s = Duration::from_secs;
        let mut watch = Stopwatch::default();
        watch.run(s(10));
        watch.run(s(12));
        watch.halt(s(20));
        watch.halt(s(25));
        watch.run(s(30));
        assert_eq!(watch.elapsed(s(35)), s(15));
    }
}
