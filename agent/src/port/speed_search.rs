//! Which speed is tried next, and for how long.
//!
//! Owns: the order of speeds, the patience with each, the rests between rounds. A state machine without I/O: told
//! the time and when noise is heard, it says what to do. Must not know: ports, what the printer says.
//!
//! It never gives up: a printer that is switched on hours later is found. While nothing is heard it rests between
//! rounds at the likeliest speed, and listens: a printer that starts there is understood, one that starts at another
//! speed makes noise, which ends the rest.

use std::time::Duration;

/// What printers are set to, the most common first.
pub(super) const SPEEDS: [u32; 7] = [115_200, 250_000, 230_400, 500_000, 1_000_000, 57_600, 9600];

/// Opening the port resets many boards; their boot loader waits before the firmware starts.
const BOOTING: Duration = Duration::from_secs(8);
/// A board that is up answers at once: the first round is quick, and hears the second question.
const QUICK: Duration = Duration::from_millis(1200);
/// Busy firmware says so every two seconds.
const THOROUGH: Duration = Duration::from_millis(2500);
/// Noise says that somebody is there who speaks another speed; a right one answers within this.
const AFTER_NOISE: Duration = Duration::from_millis(400);
/// At one speed the question is asked again this often: boards that start don't hear the first.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// While resting.
const ASK_RESTING: Duration = Duration::from_secs(5);
/// So short a rest is one for boards that start: they are asked as often as else.
const REST_FIRST: Duration = BOOTING;
/// Each rest is twice the one before, up to this.
const REST_LAST: Duration = Duration::from_secs(30);

/// The search never ends by itself; who doesn't want to wait for ever has seen enough after a quick round and a
/// thorough one.
pub(super) const ENOUGH_ROUNDS: u32 = 2;

/// What is to be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Set this speed, and ask.
    Try(u32),
    /// Ask again at the speed that is set.
    Ask,
}

/// A search under way.
#[derive(Debug, Clone)]
pub(super) struct SpeedSearch {
    /// The likeliest first.
    speeds: Vec<u32>,
    begun: bool,
    at: usize,
    rounds: u32,
    resting: bool,
    /// Noise was heard in this round, and in the one before.
    noisy: (bool, bool),
    /// Rests since the line was silent, or noisy.
    rests: u32,
    ask_at: Duration,
    until: Duration,
}

impl SpeedSearch {
    /// Begins with the likeliest speed, which is `known` where one was found before.
    pub(super) fn new(now: Duration, known: Option<u32>) -> Self {
        let others = SPEEDS.into_iter().filter(|speed| Some(*speed) != known);
        Self {
            speeds: known.into_iter().chain(others).collect(),
            begun: false,
            at: 0,
            rounds: 0,
            resting: false,
            noisy: (false, false),
            rests: 0,
            ask_at: now,
            // A speed that was right before is likely to be so now: noise must not disturb a boot loader.
            until: now + if known.is_some() { BOOTING } else { QUICK },
        }
    }

    /// The speed that is to be set now.
    pub(super) fn speed(&self) -> u32 {
        self.speeds.get(self.at).copied().unwrap_or(SPEEDS[0])
    }

    /// How often all speeds have been tried in vain: quickly once, then thoroughly.
    pub(super) fn rounds(&self) -> u32 {
        self.rounds
    }

    /// When [`Self::poll`] has something to say at the latest.
    pub(super) fn deadline(&self) -> Duration {
        self.until.min(self.ask_at)
    }

    /// What was heard is no text: somebody is there, at another speed.
    pub(super) fn on_noise(&mut self, now: Duration) {
        // A line that is never quiet must not keep the search, and the printer, busy for ever.
        if !(self.resting && self.noisy.0) {
            self.until = self.until.min(now + AFTER_NOISE);
        }
        if self.noisy == (false, false) {
            // Somebody has come: what was missed in this round is worth a next one soon.
            self.rests = 0;
        }
        self.noisy.0 = true;
    }

    /// What is to be done now, if anything.
    pub(super) fn poll(&mut self, now: Duration) -> Option<Step> {
        if !std::mem::replace(&mut self.begun, true) {
            self.ask_at = now + ASK_EVERY;
            return Some(Step::Try(self.speed()));
        }
        if now >= self.until {
            return Some(self.go_on(now));
        }
        (now >= self.ask_at).then(|| {
            self.ask_at = now + if self.resting && self.rests > 1 { ASK_RESTING } else { ASK_EVERY };
            Step::Ask
        })
    }

    fn go_on(&mut self, now: Duration) -> Step {
        let patience = if self.resting {
            // The likeliest speed has been listened to all the while.
            self.resting = false;
            self.noisy = (false, self.noisy.0);
            self.at = 1 % self.speeds.len();
            THOROUGH
        } else if self.at + 1 < self.speeds.len() {
            self.at += 1;
            if self.rounds == 0 { QUICK } else { THOROUGH }
        } else {
            let rest = REST_FIRST.saturating_mul(1 << self.rests.min(8)).min(REST_LAST);
            self.rounds = self.rounds.saturating_add(1);
            self.rests = self.rests.saturating_add(1);
            self.at = 0;
            self.resting = true;
            rest
        };
        self.ask_at = now + ASK_EVERY;
        self.until = now + patience;
        Step::Try(self.speed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// All steps up to `end`, with their times in ms.
    fn steps(search: &mut SpeedSearch, end: Duration, noise: impl Fn(u32) -> bool) -> Vec<(u128, Step)> {
        let mut now = Duration::ZERO;
        let mut seen = Vec::new();
        while now < end {
            while let Some(step) = search.poll(now) {
                seen.push((now.as_millis(), step));
                if noise(search.speed()) {
                    search.on_noise(now);
                }
            }
            now = search.deadline();
        }
        seen
    }

    fn tries(steps: &[(u128, Step)]) -> Vec<(u128, u32)> {
        let speed = |step: &Step| match step {
            Step::Try(speed) => Some(*speed),
            Step::Ask => None,
        };
        steps.iter().filter_map(|(at, step)| Some((*at, speed(step)?))).collect()
    }

    #[rstest]
    #[case(None, [115_200, 250_000, 230_400, 500_000, 1_000_000, 57_600, 9600].to_vec())]
    #[case(Some(250_000), [250_000, 115_200, 230_400, 500_000, 1_000_000, 57_600, 9600].to_vec())]
    #[case(Some(76_800), [76_800, 115_200, 250_000, 230_400, 500_000, 1_000_000, 57_600, 9600].to_vec())]
    fn a_known_speed_comes_first(#[case] known: Option<u32>, #[case] order: Vec<u32>) {
        let mut search = SpeedSearch::new(ms(0), known);
        let tried = tries(&steps(&mut search, ms(200_000), |_| false));
        let tried: Vec<u32> = tried.into_iter().map(|(_, speed)| speed).collect();
        assert_eq!(tried[..order.len()], order);
        assert_eq!(tried[order.len()..2 * order.len()], order, "and again in the next round");
    }

    #[test]
    fn a_silent_line_is_asked_in_rounds_that_come_less_and_less_often() {
        let mut search = SpeedSearch::new(ms(0), None);
        let tried = tries(&steps(&mut search, ms(400_000), |_| false));
        let rounds: Vec<u128> =
            tried.iter().filter(|(_, speed)| *speed == SPEEDS[0]).map(|(at, _)| at / 1000).collect();
        assert_eq!(rounds, [0, 8, 31, 62, 107, 152, 197, 242, 287, 332, 377]);
    }

    #[test]
    fn noise_makes_the_round_short_and_a_line_that_is_never_quiet_does_not_end_the_rest() {
        let mut search = SpeedSearch::new(ms(0), None);
        let tried = tries(&steps(&mut search, ms(60_000), |_| true));
        let first: Vec<u128> = tried.iter().skip(1).take(7).map(|(at, _)| *at).collect();
        assert_eq!(first, [400, 800, 1200, 1600, 2000, 2400, 2800]);
        let rests =
            tried.windows(2).skip(1).filter(|pair| pair[0].1 == SPEEDS[0]).map(|pair| pair[1].0 - pair[0].0);
        assert_eq!(rests.collect::<Vec<_>>(), [8000, 16_000]);
    }

    proptest! {
        /// A printer that is switched on at any time, at any speed, with a banner or without, is found soon.
        #[test]
        fn a_printer_is_found_whenever_it_is_switched_on(
            on_ms in 0_u64..10_000_000,
            boot_ms in 0_u64..10_000,
            speed in proptest::sample::select(SPEEDS.to_vec()),
            known in proptest::option::of(proptest::sample::select(SPEEDS.to_vec())),
            has_banner: bool,
        ) {
            let up = ms(on_ms + boot_ms);
            let mut search = SpeedSearch::new(ms(0), known);
            let mut banner = has_banner;
            let found = 'search: {
                let mut now = ms(0);
                loop {
                    while let Some(step) = search.poll(now) {
                        let is_heard = now >= up && !(banner && now == up);
                        if is_heard && search.speed() == speed {
                            break 'search now;
                        } else if is_heard {
                            // It complains about what it can't understand.
                            search.on_noise(now);
                        }
                        prop_assert!(matches!(step, Step::Ask) || now < up || search.deadline() > now);
                    }
                    now = search.deadline();
                    if banner && now >= up {
                        banner = false;
                        now = up;
                        if search.speed() == speed {
                            break 'search now;
                        }
                        search.on_noise(now);
                    }
                }
            };
            let took = found - up;
            let most = if has_banner { ms(16_000) } else { ms(45_000) };
            prop_assert!(took <= most, "{took:?}");
        }

        /// Whatever happens when: time never stands still, and noise never makes it wait longer.
        #[test]
        fn it_always_goes_on(noises in proptest::collection::vec(0_u64..3000, 0..200)) {
            let mut search = SpeedSearch::new(ms(0), None);
            let mut now = ms(0);
            for wait in noises {
                let before = search.deadline();
                now += ms(wait);
                search.on_noise(now);
                prop_assert!(search.deadline() <= before);
                let mut asked = 0;
                while search.poll(now).is_some() {
                    asked += 1;
                    prop_assert!(asked < 3);
                }
                prop_assert!(search.deadline() > now);
            }
        }
    }
}
