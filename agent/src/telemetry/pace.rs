//! How often the print at hand is looked at.
//!
//! Owns: the times. Pure. Must not know: what is seen.

use std::time::Duration;

use stardust_protocol::JobId;

/// At first.
const EVERY: Duration = Duration::from_secs(10);
/// A print of many hours is looked at this often in the time that it has taken so far: a chart of it shows no more, and
/// what is kept of a print grows with the logarithm of its length (an hour 360 times, a day some 1,500).
const PARTS: u32 = 360;

/// When the next look is due.
#[derive(Debug, Default)]
pub struct Pace {
    at_work: Option<AtWork>,
}

#[derive(Debug)]
struct AtWork {
    job: JobId,
    /// When this process first saw it, by its own count.
    since: Duration,
    /// How long it had been printed before.
    before: Duration,
    last: Duration,
}

impl Pace {
    /// Whether a job is to be looked at now that has been printed for `printed`. `stretch`: how much less often than
    /// usual. Says yes once for each time that is due.
    pub fn is_due(&mut self, job: JobId, printed: Duration, now: Duration, stretch: u32) -> bool {
        match &mut self.at_work {
            Some(at_work) if at_work.job == job => {
                let due = at_work.due(stretch) <= now;
                if due {
                    at_work.last = now;
                }
                due
            }
            _ => {
                self.at_work = Some(AtWork { job, since: now, before: printed, last: now });
                true
            }
        }
    }

    /// When the next look is due, as far as there is something to look at.
    #[must_use]
    pub fn due_at(&self, stretch: u32) -> Option<Duration> {
        self.at_work.as_ref().map(|at_work| at_work.due(stretch))
    }

    /// Nothing is printed.
    pub fn rest(&mut self) {
        self.at_work = None;
    }
}

impl AtWork {
    fn due(&self, stretch: u32) -> Duration {
        let taken = self.before + self.last.saturating_sub(self.since);
        self.last + EVERY.max(taken / PARTS).saturating_mul(stretch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use stardust_protocol::Timestamp;

    const S: fn(u64) -> Duration = Duration::from_secs;

    fn job() -> JobId {
        JobId::generate(Timestamp::from_millis(0))
    }

    /// How often a print of so many seconds is looked at, asked every second.
    fn looks(seconds: u64, stretch: u32) -> usize {
        let (mut pace, job) = (Pace::default(), job());
        (0..seconds).filter(|second| pace.is_due(job, S(*second), S(1000 + second), stretch)).count()
    }

    #[rstest]
    #[case::a_minute(60, 1, 6..=6)]
    #[case::an_hour(3600, 1, 360..=360)]
    #[case::a_day(86_400, 1, 1_400..=1_550)]
    #[case::a_week(604_800, 1, 2_000..=2_250)]
    #[case::an_hour_while_nobody_takes_them(3600, 8, 45..=45)]
    fn a_long_print_is_looked_at_less_often(
        #[case] seconds: u64,
        #[case] stretch: u32,
        #[case] expected: std::ops::RangeInclusive<usize>,
    ) {
        let looks = looks(seconds, stretch);
        assert!(expected.contains(&looks), "{looks}");
    }

    #[test]
    fn a_process_that_goes_on_with_a_long_print_looks_at_once_and_then_as_rarely() {
        let (mut pace, job) = (Pace::default(), job());
        assert!(pace.is_due(job, S(36_000), S(2), 1));
        assert_eq!(pace.due_at(1), Some(S(102)));
        assert!(!pace.is_due(job, S(36_099), S(101), 1));
        assert!(pace.is_due(job, S(36_100), S(102), 1));
        pace.rest();
        assert_eq!(pace.due_at(1), None);
    }

    #[test]
    fn the_next_job_is_looked_at_from_its_beginning() {
        let mut pace = Pace::default();
        assert!(pace.is_due(job(), S(0), S(5), 1));
        assert!(pace.is_due(job(), S(0), S(6), 1));
    }
}
