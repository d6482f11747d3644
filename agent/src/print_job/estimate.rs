//! How long a print will still take.
//!
//! Owns: blending what the slicer estimated, what the file says on its way (M73 R), and the pace so far.
//! Must not know: where the numbers come from.

use std::time::Duration;

/// The own pace is believed entirely when this much is done.
const PACE_FROM: f64 = 0.05;
const PACE_FULLY: f64 = 0.5;

/// What is known about a job under way.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Known {
    /// Done, 0 to 1, by bytes of the file.
    pub fraction: f64,
    /// Time printed, pauses excluded.
    pub elapsed: Duration,
    /// The slicer's estimate of the whole.
    pub estimated: Option<Duration>,
    /// What the file said last about the rest, and how long ago.
    pub file_says: Option<(Duration, Duration)>,
}

/// The time left; none while nobody can tell.
#[must_use]
pub fn left(known: &Known) -> Option<Duration> {
    if known.fraction >= 1.0 {
        return Some(Duration::ZERO);
    }
    // The slicer has simulated the moves: nothing else knows better.
    if let Some((rest, ago)) = known.file_says {
        return Some(rest.saturating_sub(ago));
    }
    let elapsed = known.elapsed.as_secs_f64();
    let by_pace = (known.fraction > 0.0).then(|| elapsed * (1.0 - known.fraction) / known.fraction);
    let trust = ((known.fraction - PACE_FROM) / (PACE_FULLY - PACE_FROM)).clamp(0.0, 1.0);
    let seconds = match (known.estimated.map(|all| all.as_secs_f64()), by_pace) {
        (Some(all), Some(pace)) => (all * (1.0 - known.fraction)) * (1.0 - trust) + pace * trust,
        (Some(all), None) => all,
        // The first layers are slow, and heating tells nothing: too early to say.
        (None, Some(pace)) if known.fraction >= PACE_FROM => pace,
        (None, _) => return None,
    };
    Duration::try_from_secs_f64(seconds.max(0.0)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[rstest]
    #[case::nothing_known(0.0, 0, None, None, None)]
    #[case::too_early(0.01, 60, None, None, None)]
    #[case::the_slicers_word_at_first(0.0, 0, Some(1000), None, Some(1000))]
    #[case::own_pace_alone(0.25, 100, None, None, Some(300))]
    #[case::own_pace_in_the_end(0.8, 800, Some(500), None, Some(200))]
    #[case::a_blend_between(0.275, 275, Some(2000), None, Some(1087))]
    #[case::the_file_knows_best(0.5, 100, Some(1000), Some((600, 30)), Some(570))]
    #[case::done(1.0, 100, Some(1000), Some((60, 0)), Some(0))]
    fn table(
        #[case] fraction: f64,
        #[case] elapsed: u64,
        #[case] estimated: Option<u64>,
        #[case] file_says: Option<(u64, u64)>,
        #[case] expected: Option<u64>,
    ) {
        let known = Known {
            fraction,
            elapsed: s(elapsed),
            estimated: estimated.map(s),
            file_says: file_says.map(|(rest, ago)| (s(rest), s(ago))),
        };
        assert_eq!(left(&known).map(|left| left.as_secs()), expected);
    }

    proptest! {
        #[test]
        fn any_numbers_give_an_answer(fraction in 0.0..1.0, elapsed in 0_u64..1_000_000, all in proptest::option::of(0_u64..1_000_000)) {
            let known = Known { fraction, elapsed: s(elapsed), estimated: all.map(s), file_says: None };
            let _ = left(&known);
        }
    }
}
