//! Guessing pairing codes and PINs is not worth while: so many tries in a window, for each who asks and for all.
//!
//! A try is taken before the secret is looked at, and given back when it was right: requests side by side gain
//! nothing. Kept in memory: a restart of the hub forgives. Must not know: what is guessed.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use stardust_protocol::UserId;

use crate::error::Error;

/// As long as a code holds.
const WINDOW: Duration = Duration::from_secs(600);
/// Mistypings of one person, and no more.
const TRIES: u32 = 10;
/// Of all addresses together. There are 30⁸ codes: while a hundred of them hold, an attacker with many addresses hits
/// one in a century. A lower number would let him lock everybody out.
const TRIES_OF_ALL: u32 = 1000;
/// PINs that agents behind one address may ask for: a farm behind one router gets its PINs.
const PINS: u32 = 120;
/// And all agents together.
const PINS_OF_ALL: u32 = 10_000;

/// Nobody has this address: it stands for all of them. Its limit also bounds how many there are to remember.
const ALL: IpAddr = IpAddr::V4(Ipv4Addr::BROADCAST);

/// Who tries what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Attempt {
    /// Someone at this address tries a pairing code.
    Code(IpAddr),
    /// This member tries a PIN.
    Pin(UserId),
    /// An agent at this address asks for a PIN.
    NewPin(IpAddr),
}

impl Attempt {
    fn limit(self) -> u32 {
        match self {
            Self::Code(_) | Self::Pin(_) => TRIES,
            Self::NewPin(_) => PINS,
        }
    }

    /// Everybody who tries the same kind of thing. Members are known, and few enough by themselves.
    fn all_together(self) -> Option<(Self, u32)> {
        match self {
            Self::Code(_) => Some((Self::Code(ALL), TRIES_OF_ALL)),
            Self::NewPin(_) => Some((Self::NewPin(ALL), PINS_OF_ALL)),
            Self::Pin(_) => None,
        }
    }

    /// Who is counted, and up to what.
    fn counted(self) -> impl Iterator<Item = (Self, u32)> {
        std::iter::once((self.merged(), self.limit())).chain(self.all_together())
    }

    /// One customer has a whole /64 of IPv6.
    fn merged(self) -> Self {
        match self {
            Self::Code(address) => Self::Code(network(address)),
            Self::NewPin(address) => Self::NewPin(network(address)),
            Self::Pin(_) => self,
        }
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[derive(Debug, Clone, Copy)]
struct Window {
    began: Duration,
    tries: u32,
}

/// The tries of the last minutes.
#[derive(Debug, Default)]
pub struct Attempts(Mutex<HashMap<Attempt, Window>>);

impl Attempts {
    /// Takes a try. `now` is a time that never jumps.
    ///
    /// # Errors
    /// There have been too many.
    pub fn take(&self, now: Duration, who: Attempt) -> Result<(), Error> {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        windows.retain(|_, window| now < window.began + WINDOW);
        for (key, limit) in who.counted() {
            if let Some(window) = windows.get(&key).filter(|window| window.tries >= limit) {
                let minutes = (window.began + WINDOW).saturating_sub(now).as_secs().div_ceil(60).max(1);
                tracing::warn!(attempt = ?key, "too many attempts at pairing");
                return Err(Error::TooMany {
                    detail: format!(
                        "Too many attempts at pairing. Nothing was used up; try again in {minutes} minutes."
                    ),
                });
            }
        }
        for (key, _) in who.counted() {
            windows.entry(key).or_insert(Window { began: now, tries: 0 }).tries += 1;
        }
        Ok(())
    }

    /// Gives a try back: it was right.
    pub fn give_back(&self, who: Attempt) {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, _) in who.counted() {
            if let Some(window) = windows.get_mut(&key) {
                window.tries = window.tries.saturating_sub(1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn minutes(minutes: u64) -> Duration {
        Duration::from_secs(60 * minutes)
    }

    fn at(address: &str) -> Attempt {
        Attempt::Code(address.parse().unwrap())
    }

    #[test]
    fn ten_wrong_ones_in_ten_minutes_and_no_more() {
        let attempts = Attempts::default();
        for _ in 0..TRIES {
            attempts.take(minutes(1), at("192.0.2.1")).unwrap();
        }
        let error = attempts.take(minutes(2), at("192.0.2.1")).unwrap_err().to_string();
        assert!(error.contains("9 minutes"), "{error}");
        attempts.take(minutes(2), at("192.0.2.2")).unwrap();
        attempts.take(minutes(11), at("192.0.2.1")).unwrap();
    }

    #[rstest]
    #[case("2001:db8::1", "2001:db8::ffff:2", true)]
    #[case("2001:db8:0:1::1", "2001:db8:0:2::1", false)]
    #[case("192.0.2.1", "::ffff:192.0.2.1", true)]
    #[case("192.0.2.1", "192.0.2.2", false)]
    fn who_is_the_same(#[case] one: &str, #[case] two: &str, #[case] same: bool) {
        assert_eq!(at(one).merged() == at(two).merged(), same);
    }

    #[test]
    fn many_addresses_together_have_a_limit_too() {
        let attempts = Attempts::default();
        let address = |n: u32| Attempt::Code(Ipv4Addr::from(n).into());
        let taken = (0..5000).take_while(|n| attempts.take(minutes(1), address(*n)).is_ok()).count();
        assert_eq!(taken, TRIES_OF_ALL as usize);
        assert!(attempts.0.lock().unwrap().len() <= TRIES_OF_ALL as usize + 1);
    }

    proptest! {
        /// However tries come: of those that are not given back, no window holds more than the limit.
        #[test]
        fn no_window_holds_more_wrong_ones_than_the_limit(steps in proptest::collection::vec((0u64..90, any::<bool>()), 1..200)) {
            let attempts = Attempts::default();
            let (mut now, mut wrong) = (0, Vec::new());
            for (pause, right) in steps {
                now += pause;
                if attempts.take(Duration::from_secs(now), at("192.0.2.1")).is_ok() {
                    if right { attempts.give_back(at("192.0.2.1")) } else { wrong.push(now) }
                }
            }
            // Fixed windows: two of them can meet, so twice the limit in any ten minutes at the very most.
            for from in &wrong {
                let within = wrong.iter().filter(|at| (*from..*from + 600).contains(at)).count();
                prop_assert!(within <= 2 * TRIES as usize, "{within}");
            }
        }
    }
}
