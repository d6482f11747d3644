//! When bytes arrive: a wire that passes 10 bits a byte, and the way over USB before it.
//!
//! Owns: arrival times, reckoned from the moment a byte was handed over and not from when somebody looked, so that
//! a late wake-up of this program does not slow the wire down. Must not know: what the bytes are.

use std::time::Duration;

/// How fast a wire is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    /// Bits a second in each direction, 10 for a byte; none: as fast as the system passes bytes on.
    pub(crate) baud: Option<u32>,
    /// There and back, on top of the wire's own time.
    pub(crate) round_trip: Duration,
}

impl Pace {
    /// No pacing at all.
    pub(crate) const NONE: Self = Self { baud: None, round_trip: Duration::ZERO };

    /// A wire of this speed and nothing else.
    pub(crate) const fn at(baud: u32) -> Self {
        Self { baud: Some(baud), round_trip: Duration::ZERO }
    }

    /// What so many bytes take.
    pub(crate) fn time_of(self, bytes: usize) -> Duration {
        let bits = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(10);
        self.baud.map_or(Duration::ZERO, |baud| {
            Duration::from_nanos(bits.saturating_mul(1_000_000_000) / u64::from(baud))
        })
    }
}

/// One direction of the wire.
#[derive(Debug)]
pub(crate) struct Direction {
    pace: Pace,
    free_at: Duration,
}

impl Direction {
    pub(crate) fn new(pace: Pace) -> Self {
        Self { pace, free_at: Duration::ZERO }
    }

    /// Bytes are handed over now, behind those before: when the last of them leaves the wire.
    pub(crate) fn pass(&mut self, now: Duration, bytes: usize) -> Duration {
        let begin = (now + self.pace.round_trip / 2).max(self.free_at);
        self.free_at = begin + self.pace.time_of(bytes);
        self.free_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_queue_up_and_an_idle_wire_begins_at_once() {
        let us = Duration::from_micros;
        let mut wire = Direction::new(Pace { baud: Some(250_000), round_trip: us(1000) });
        assert_eq!(wire.pass(us(0), 10), us(500 + 400));
        assert_eq!(wire.pass(us(100), 10), us(500 + 800), "behind the first");
        assert_eq!(wire.pass(us(9_500), 10), us(10_000 + 400), "idle in between");
        assert_eq!(Direction::new(Pace::NONE).pass(us(7), 1000), us(7));
    }
}
