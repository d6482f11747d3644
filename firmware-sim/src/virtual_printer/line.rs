//! One direction of a serial line: bytes pass one after the other at the line's rate and arrive a latency later.
//!
//! Pure: told the time. Loses nothing; faults are somebody else's.

use std::collections::VecDeque;
use std::time::Duration;

/// Start bit, eight data bits, stop bit.
const BITS_PER_BYTE: u64 = 10;
const NANOSECONDS: u64 = 1_000_000_000;

/// Bytes on their way.
#[derive(Debug)]
pub(super) struct Line {
    byte_time: Duration,
    latency: Duration,
    /// When the last byte given will have left.
    busy_until: Duration,
    under_way: VecDeque<Bundle>,
}

/// Bytes that follow each other without a gap.
#[derive(Debug)]
struct Bundle {
    /// When the first of the rest arrives.
    first: Duration,
    bytes: VecDeque<u8>,
}

impl Line {
    pub(super) fn new(baud: Option<u32>, latency: Duration) -> Self {
        let byte_time = baud.map_or(Duration::ZERO, |baud| {
            Duration::from_nanos(BITS_PER_BYTE * NANOSECONDS / u64::from(baud.max(1)))
        });
        Self { byte_time, latency, busy_until: Duration::ZERO, under_way: VecDeque::new() }
    }

    /// Puts bytes on the line at `now`, behind those already there.
    pub(super) fn send(&mut self, bytes: &[u8], now: Duration) {
        if bytes.is_empty() {
            return;
        }
        let start = self.busy_until.max(now);
        let first = start + self.byte_time + self.latency;
        self.busy_until = start + times(self.byte_time, bytes.len());
        let next = |bundle: &Bundle| bundle.first + times(self.byte_time, bundle.bytes.len());
        match self.under_way.back_mut().filter(|last| next(last) == first) {
            // Given in pieces or at once: it is the same for who receives it.
            Some(last) => last.bytes.extend(bytes),
            None => self.under_way.push_back(Bundle { first, bytes: bytes.iter().copied().collect() }),
        }
    }

    /// When it is worth looking: the next line end, or the last byte of a bundle, has arrived. What comes before
    /// it changes nothing for who reads lines, and is delivered whenever somebody looks.
    pub(super) fn next(&self) -> Option<Duration> {
        let bundle = self.under_way.front()?;
        if self.byte_time.is_zero() {
            return Some(bundle.first);
        }
        let last = bundle.bytes.len() - 1;
        let end = bundle.bytes.iter().position(|&byte| byte == b'\n').unwrap_or(last);
        Some(bundle.first + times(self.byte_time, end))
    }

    /// Takes all that has arrived by `now`.
    pub(super) fn arrived(&mut self, now: Duration, to: &mut Vec<u8>) {
        while let Some(bundle) = self.under_way.front_mut() {
            if bundle.first > now {
                return;
            }
            if self.byte_time.is_zero() {
                to.extend(bundle.bytes.drain(..));
            } else {
                let passed = (now - bundle.first).as_nanos() / self.byte_time.as_nanos() + 1;
                let passed = usize::try_from(passed).unwrap_or(usize::MAX).min(bundle.bytes.len());
                to.extend(bundle.bytes.drain(..passed));
                bundle.first += times(self.byte_time, passed);
            }
            if !bundle.bytes.is_empty() {
                return;
            }
            self.under_way.pop_front();
        }
    }

    /// Bytes given and not yet arrived.
    pub(super) fn backlog(&self) -> usize {
        self.under_way.iter().map(|bundle| bundle.bytes.len()).sum()
    }

    /// The cable is out.
    pub(super) fn cut(&mut self) {
        self.under_way.clear();
        self.busy_until = Duration::ZERO;
    }
}

fn times(byte_time: Duration, bytes: usize) -> Duration {
    byte_time * u32::try_from(bytes).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const US: fn(u64) -> Duration = Duration::from_micros;

    fn arrived(line: &mut Line, now: Duration) -> String {
        let mut bytes = Vec::new();
        line.arrived(now, &mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn bytes_pass_at_a_tenth_of_the_rate_and_arrive_a_latency_later() {
        let mut line = Line::new(Some(100_000), US(500));
        line.send(b"ab\nc", US(1000));
        assert_eq!(line.next(), Some(US(1800)));
        assert_eq!(arrived(&mut line, US(1599)), "");
        assert_eq!(arrived(&mut line, US(1700)), "ab");
        line.send(b"d", US(1700));
        assert_eq!(line.next(), Some(US(1800)));
        assert_eq!(arrived(&mut line, US(1800)), "\n");
        assert_eq!((line.backlog(), line.next()), (2, Some(US(1900))));
        assert_eq!(arrived(&mut line, US(2300)), "cd");
        assert_eq!(line.next(), None);
    }

    #[test]
    fn without_a_rate_everything_arrives_at_once() {
        let mut line = Line::new(None, Duration::ZERO);
        line.send(b"a\nb\n", US(5));
        assert_eq!(line.next(), Some(US(5)));
        assert_eq!(arrived(&mut line, US(5)), "a\nb\n");
    }
}
