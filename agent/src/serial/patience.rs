//! How long to wait for an answer before asking whether it was lost.
//!
//! Owns: the waiting times and how signs of life renew them. Must not know: what was sent.

use std::time::Duration;

/// What is sent to find out whether an `ok` was lost: it changes nothing on the machine.
pub(super) const PROBE: &str = "M105";

/// Firmware that sends `busy` does so every 2 s.
const BUSY_FIRMWARE: Duration = Duration::from_secs(6);
/// Firmware that has not sent `busy` yet may need this long for an ordinary line: a long, slow move.
const ORDINARY: Duration = Duration::from_secs(20);
/// Heating, homing and levelling may take minutes. That is asked once before: where the `ok` was lost the answer
/// comes at once, and the printer does not stand idle with its heaters on.
const SLOW_ASKED: Duration = Duration::from_secs(30);
const SLOW: Duration = Duration::from_secs(600);
/// After this many probes without any answer the printer is given up.
const MAX_PROBES: u32 = 5;

/// Waiting for answers.
#[derive(Debug, Default)]
pub(super) struct Patience {
    last_sign: Duration,
    sends_busy: bool,
    probes: u32,
    overdue: bool,
}

impl Patience {
    /// Something came that shows that the line works, or a first line was sent.
    pub(super) fn on_sign(&mut self, now: Duration) {
        self.last_sign = now;
        self.overdue = false;
    }

    /// The firmware is at work.
    pub(super) fn on_busy(&mut self, now: Duration, by_busy_line: bool) {
        self.sends_busy |= by_busy_line;
        self.last_sign = now;
        self.probes = 0;
    }

    /// The firmware says that it waits for us.
    pub(super) fn on_wait(&mut self, now: Duration) {
        // `wait` may cross with a line that has just been sent: only one that comes later counts.
        let silence = now.saturating_sub(self.last_sign);
        if silence >= Duration::from_secs(1) {
            self.overdue = true;
        }
    }

    /// Something in flight was lost for certain.
    pub(super) fn lose(&mut self) {
        self.overdue = true;
    }

    /// An answer came: whether it answers a probe.
    pub(super) fn answered(&mut self) -> bool {
        std::mem::take(&mut self.probes) > 0
    }

    pub(super) fn is_over(&self, now: Duration, slow: bool) -> bool {
        self.overdue || now >= self.deadline(slow)
    }

    pub(super) fn deadline(&self, slow: bool) -> Duration {
        let limit = match (self.sends_busy, slow, self.probes) {
            (false, false, 0) => ORDINARY,
            (false, true, 0) => SLOW_ASKED,
            (false, true, 1) => SLOW,
            // A probe is answered at once, or the line is dead.
            _ => BUSY_FIRMWARE,
        };
        self.last_sign + limit
    }

    /// Counts a probe; false when there were enough.
    pub(super) fn probe(&mut self, now: Duration) -> bool {
        self.probes += 1;
        self.overdue = false;
        self.last_sign = now;
        self.probes <= MAX_PROBES
    }

    /// Nothing is awaited any more.
    pub(super) fn relax(&mut self) {
        self.probes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(slow: bool, sends_busy: bool) -> Vec<u64> {
        let mut patience = Patience { sends_busy, ..Patience::default() };
        let mut waits = Vec::new();
        let mut now = Duration::ZERO;
        loop {
            let deadline = patience.deadline(slow);
            assert!(patience.is_over(deadline, slow));
            waits.push((deadline - now).as_secs());
            now = deadline;
            if !patience.probe(now) {
                return waits;
            }
        }
    }

    #[test]
    fn silence_is_asked_about_soon_and_given_up_late_where_a_command_may_be_slow() {
        assert_eq!(waits(false, true), [6; 6]);
        assert_eq!(waits(false, false), [20, 6, 6, 6, 6, 6]);
        assert_eq!(waits(true, false), [30, 600, 6, 6, 6, 6]);
    }
}
