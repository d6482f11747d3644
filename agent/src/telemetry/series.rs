//! The samples that the hub does not have yet.
//!
//! Owns: their number and their numbers. Pure. Must not know: how they are delivered.

use std::time::Duration;

use stardust_protocol::{TelemetrySample, Timestamp};

use crate::hub_link::hub_time::{Happened, HubTime};

/// Most that are kept. When there are more, every second one goes, and they are taken half as often.
pub const MOST: usize = 512;
/// So many are worth a call.
const WORTH_A_CALL: usize = 6;
/// And so are fewer, when the oldest has waited so long.
const PATIENCE: Duration = Duration::from_secs(60);
/// Numbers are exact in JSON up to here.
const NUMBERS: u64 = 1 << 53;

/// A sample, and when it was taken by this process's count; none: by an earlier process.
#[derive(Debug, Clone, PartialEq)]
struct Kept {
    sample: TelemetrySample,
    taken: Option<Duration>,
}

impl Kept {
    fn age(&self, now: Duration) -> Duration {
        self.taken.map_or(Duration::MAX, |taken| now.saturating_sub(taken))
    }
}

/// What is kept, in the order in which it was taken.
#[derive(Debug)]
pub struct Series {
    kept: Vec<Kept>,
    stretch: u32,
    next_number: u64,
}

impl Series {
    /// What an earlier process has left. `seed`: another one for each process, so that numbers are no other process's.
    #[must_use]
    pub fn new(left: Vec<TelemetrySample>, seed: u64) -> Self {
        let kept = left.into_iter().map(|sample| Kept { sample, taken: None }).collect();
        let mut series = Self { kept, stretch: 1, next_number: seed % NUMBERS };
        series.thin();
        series
    }

    /// Keeps one more; its number is given here.
    pub fn add(&mut self, sample: TelemetrySample, now: Duration) {
        let sample = TelemetrySample { number: self.next_number, ..sample };
        self.next_number = (self.next_number + 1) % NUMBERS;
        self.kept.push(Kept { sample, taken: Some(now) });
        self.thin();
    }

    fn thin(&mut self) {
        while self.kept.len() > MOST {
            let mut nth = 0_usize;
            // The newest stays: its place is even.
            self.kept.retain(|_| {
                nth += 1;
                nth % 2 == 1
            });
            self.stretch = self.stretch.saturating_mul(2);
        }
    }

    /// How much less often than usual samples are to be taken.
    #[must_use]
    pub fn stretch(&self) -> u32 {
        self.stretch
    }

    /// Whether it is time for a call. `is_at_work`: more will come.
    #[must_use]
    pub fn is_ripe(&self, now: Duration, is_at_work: bool) -> bool {
        let Some(oldest) = self.kept.first() else { return false };
        !is_at_work || self.kept.len() >= WORTH_A_CALL || oldest.age(now) >= PATIENCE
    }

    /// Whether a sample has waited so long.
    #[must_use]
    pub fn has_waited(&self, time: Duration, now: Duration) -> bool {
        self.kept.first().is_some_and(|oldest| oldest.age(now) >= time)
    }

    /// The oldest, by the hub's time.
    #[must_use]
    pub fn oldest(&self, count: usize, hub: &HubTime, now: Duration) -> Vec<TelemetrySample> {
        let kept = &self.kept[..count.min(self.kept.len())];
        let happened: Vec<_> =
            kept.iter().map(|kept| Happened { at: kept.sample.at, elapsed: kept.taken }).collect();
        let told = hub.of(&happened, now);
        let with_time = |(kept, at): (&Kept, Timestamp)| TelemetrySample { at, ..kept.sample.clone() };
        kept.iter().zip(told).map(with_time).collect()
    }

    /// The hub has these.
    pub fn delivered(&mut self, samples: &[u64]) {
        self.kept.retain(|kept| !samples.contains(&kept.sample.number));
        if self.kept.is_empty() {
            self.stretch = 1;
        }
    }

    /// All of them, for the process that comes after this one.
    pub fn samples(&self) -> impl Iterator<Item = &TelemetrySample> {
        self.kept.iter().map(|kept| &kept.sample)
    }

    /// Whether the hub has all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use stardust_protocol::JobId;
    use stardust_protocol::telemetry::Heat;

    const S: fn(u64) -> Duration = Duration::from_secs;

    fn sample(at_s: i64) -> TelemetrySample {
        TelemetrySample {
            job_id: "0190a7c2-6f00-7000-8000-000000000001".parse::<JobId>().unwrap(),
            number: 0,
            at: Timestamp::from_millis(at_s * 1000),
            fraction: 0.5,
            layer: None,
            heat: Heat::default(),
        }
    }

    /// Samples of the seconds from `from` on.
    fn series(from: u64, count: u64) -> Series {
        let mut series = Series::new(Vec::new(), 7);
        (from..from + count).for_each(|second| series.add(sample(0), S(second)));
        series
    }

    #[test]
    fn a_call_is_made_for_some_together_or_for_what_has_waited_or_at_the_end() {
        assert!(!series(100, 0).is_ripe(S(1000), false), "nothing to tell");
        assert!(!series(100, 5).is_ripe(S(105), true));
        assert!(series(100, 6).is_ripe(S(105), true));
        assert!(series(100, 1).is_ripe(S(160), true));
        assert!(series(100, 1).is_ripe(S(100), false));
    }

    #[test]
    fn those_that_the_hub_has_are_gone_and_the_others_stay_in_their_order() {
        let hub = HubTime::said(Timestamp::from_millis(1_000_000_000), S(200));
        let mut series = series(100, 5);
        let first = series.oldest(2, &hub, S(200));
        let times: Vec<_> = first.iter().map(|sample| sample.at.as_millis()).collect();
        assert_eq!(times, [999_900_000, 999_901_000], "100 s and 99 s ago, by the hub's time");
        series.delivered(&first.iter().map(|sample| sample.number).collect::<Vec<_>>());
        let rest: Vec<_> =
            series.oldest(9, &hub, S(200)).iter().map(|sample| sample.at.as_millis()).collect();
        assert_eq!(rest, [999_902_000, 999_903_000, 999_904_000]);
    }

    #[test]
    fn a_later_process_goes_on_with_them_under_their_own_numbers() {
        let before = series(100, 3);
        let left: Vec<_> = before.samples().cloned().collect();
        let mut after = Series::new(left.clone(), 99);
        after.add(sample(50), S(1));
        assert!(after.is_ripe(S(1), true), "they have waited");
        let numbers: Vec<_> = after.samples().map(|sample| sample.number).collect();
        assert_eq!(numbers, [7, 8, 9, 99]);
    }

    proptest! {
        #[test]
        fn it_never_grows_beyond_its_bound_and_still_tells_of_all_the_time(count in 1_u64..20_000) {
            let series = series(0, count);
            let seconds: Vec<u64> = series.kept.iter().map(|kept| kept.taken.unwrap().as_secs()).collect();
            prop_assert!(seconds.len() <= MOST);
            prop_assert!(seconds.is_sorted());
            prop_assert!(count <= MOST as u64 || seconds.len() > MOST / 2 - 1);
            // Thinned evenly at each time: what is oldest has the largest gaps, none larger than the stretch.
            let stretch = u64::from(series.stretch());
            prop_assert_eq!(seconds[0], 0);
            prop_assert_eq!(*seconds.last().unwrap() / stretch, (count - 1) / stretch);
            prop_assert!(seconds.windows(2).all(|pair| pair[1] - pair[0] <= stretch));
        }
    }
}
