//! A line rate for a pty, which has none: bytes pass one after the other at baud/10 a second.
//!
//! Pure: told the time, says how many bytes have had theirs. In real time, whatever the printer's clock does, as
//! the wire does not run faster because the motors do.

use std::time::Duration;

/// Start bit, eight data bits, stop bit.
const BITS_PER_BYTE: f64 = 10.0;
/// Bytes are handed over in bundles of about this long, so that a fast line is not a wake-up a byte.
const BUNDLE: Duration = Duration::from_micros(250);

/// One direction of a line.
#[derive(Debug)]
pub(super) struct Pace {
    byte_s: f64,
    /// The line was busy until then: the next byte takes its time from there. `None`: it is idle.
    busy_until: Option<Duration>,
}

impl Pace {
    pub(super) fn new(baud: u32) -> Self {
        Self { byte_s: BITS_PER_BYTE / f64::from(baud.max(1)), busy_until: None }
    }

    /// How many bytes have passed the line at `now`, if there are always some to send. The first call after
    /// [`idle`](Self::idle) starts the line.
    pub(super) fn allowed(&mut self, now: Duration) -> usize {
        let since = *self.busy_until.get_or_insert(now);
        (now.saturating_sub(since).as_secs_f64() / self.byte_s) as usize
    }

    /// So many of the allowed bytes were really there.
    pub(super) fn passed(&mut self, bytes: usize) {
        if let Some(busy_until) = self.busy_until.as_mut() {
            *busy_until += Duration::from_secs_f64(self.byte_s * bytes as f64);
        }
    }

    /// Nothing is left to send.
    pub(super) fn idle(&mut self) {
        self.busy_until = None;
    }

    /// When to look again, while there is something to send.
    pub(super) fn next(&self) -> Option<Duration> {
        let byte = Duration::from_secs_f64(self.byte_s);
        self.busy_until.map(|busy_until| busy_until + byte.max(BUNDLE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn a_busy_line_passes_a_tenth_of_its_baud_a_second() {
        let mut pace = Pace::new(100_000);
        let mut passed = pace.allowed(MS(5));
        assert_eq!(passed, 0);
        for ms in [6, 9, 10, 15, 1005] {
            let now = pace.allowed(MS(ms));
            pace.passed(now);
            passed += now;
        }
        assert!((9_999..=10_000).contains(&passed), "{passed}");
    }

    #[test]
    fn an_idle_line_saves_nothing_up() {
        let mut pace = Pace::new(100_000);
        assert_eq!((pace.allowed(MS(0)), pace.allowed(MS(1))), (0, 10));
        pace.passed(10);
        pace.idle();
        assert_eq!((pace.allowed(MS(500)), pace.allowed(MS(501))), (0, 10));
    }
}
