//! The hub's time, kept by this process's own count: a host's clock may jump, or be wrong by decades (a Raspberry Pi has
//! none that goes on without power, until the network tells it the time).
//!
//! Owns: what time it is at the hub, and when events happened by it. Pure. Must not know: clocks, events.

use std::time::Duration;

use stardust_protocol::Timestamp;

/// The hub has said what time it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HubTime {
    said: Timestamp,
    at: Duration,
}

/// When something happened, as this machine knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Happened {
    /// By this machine's clock.
    pub at: Timestamp,
    /// By this process's count, if it was this process.
    pub elapsed: Option<Duration>,
}

impl HubTime {
    /// The hub said so at this moment of the process's count.
    #[must_use]
    pub fn said(said: Timestamp, at: Duration) -> Self {
        Self { said, at }
    }

    /// What time it is there.
    #[must_use]
    pub fn at(&self, elapsed: Duration) -> Timestamp {
        let millis = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        self.said.plus_millis(millis(elapsed).saturating_sub(millis(self.at)))
    }

    /// When things happened by the hub's time, in the order in which they did. What this process has seen is as old as
    /// its count says; of an earlier process there is its clock, which is believed where it tells no future. None is
    /// earlier than the one before it.
    #[must_use]
    pub fn of(&self, happened: &[Happened], elapsed: Duration) -> Vec<Timestamp> {
        let now = self.at(elapsed);
        let mut last = None;
        let told = happened.iter().map(|happened| {
            let at = match happened.elapsed {
                Some(then) => self.at(then.min(elapsed)),
                None => happened.at.min(now),
            };
            let at = last.map_or(at, |last| at.max(last));
            last = Some(at);
            at
        });
        told.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const S: fn(u64) -> Duration = Duration::from_secs;

    fn t(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    /// The hub said at 100 s of the process that it is 1,000,000; it is asked at 160 s: 1,000,060.
    #[rstest]
    #[case::seen_by_this_process(&[(5, Some(130))], &[1_000_030])]
    #[case::before_the_hub_was_reached(&[(5, Some(40))], &[999_940])]
    #[case::by_a_clock_far_ahead(&[(9_000_000, Some(150))], &[1_000_050])]
    #[case::of_an_earlier_process(&[(999_000, None)], &[999_000])]
    #[case::whose_clock_was_ahead(&[(1_000_500, None)], &[1_000_060])]
    #[case::whose_clock_stood_in_1970(&[(7, None), (9, None), (50, Some(110))], &[7, 9, 1_000_010])]
    #[case::never_backwards(&[(1_000_040, None), (1, Some(120))], &[1_000_040, 1_000_040])]
    fn when_it_happened(#[case] happened: &[(i64, Option<u64>)], #[case] expected: &[i64]) {
        let happened: Vec<_> =
            happened.iter().map(|(at, elapsed)| Happened { at: t(*at), elapsed: elapsed.map(S) }).collect();
        let hub = HubTime::said(t(1_000_000), S(100));
        let expected: Vec<_> = expected.iter().map(|at| t(*at)).collect();
        assert_eq!(hub.of(&happened, S(160)), expected);
    }

    proptest! {
        #[test]
        fn never_in_the_future_never_backwards_and_as_old_as_it_is(
            said in 0_i64..4_000_000_000_000,
            asked in 0_u64..1_000_000,
            later in 0_u64..1_000_000,
            happened in prop::collection::vec((any::<i64>(), prop::option::of(0_u64..2_000_000)), 0..20),
        ) {
            let ms = Duration::from_millis;
            let hub = HubTime::said(Timestamp::from_millis(said), ms(asked));
            let elapsed = ms(asked + later);
            let happened: Vec<_> = happened
                .into_iter()
                .map(|(at, then)| Happened { at: Timestamp::from_millis(at), elapsed: then.map(ms) })
                .collect();
            let told = hub.of(&happened, elapsed);
            let now = hub.at(elapsed);
            prop_assert_eq!(now.millis_since(Timestamp::from_millis(said)), i64::try_from(later).unwrap());
            prop_assert!(told.is_sorted() && told.iter().all(|at| *at <= now));
            let age = |then: Duration| i64::try_from(elapsed.saturating_sub(then).as_millis()).unwrap();
            for (happened, told) in happened.iter().zip(&told) {
                if let Some(then) = happened.elapsed {
                    prop_assert!(now.millis_since(*told) <= age(then), "no older than it is");
                }
            }
        }
    }
}
