//! Which agent speaks for a printer, when more than one uses its credential: pure.
//!
//! Owns: that one is listened to until it has been silent for a while, whatever the others do. Must not know: clocks, HTTP,
//! and what is said.

use std::time::Duration;

use stardust_protocol::limits;

use crate::secret;

const SILENCE: Duration = Duration::from_millis(limits::INSTANCE_SILENCE_MS.unsigned_abs());

/// An agent, among those with the same credential: the hash of what it calls itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instance(u128);

impl Instance {
    /// From what the agent sent; `None` if it is not of the contract's form.
    #[must_use]
    pub fn from_header(text: &str) -> Option<Self> {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if text.is_empty() || text.len() > limits::MAX_INSTANCE_CHARS || !visible {
            return None;
        }
        secret::hash(text).get(..32).and_then(|digits| digits.parse().ok())
    }
}

impl std::fmt::Display for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl std::str::FromStr for Instance {
    type Err = std::num::ParseIntError;

    fn from_str(digits: &str) -> Result<Self, Self::Err> {
        u128::from_str_radix(digits, 16).map(Self)
    }
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// It is the speaker's.
    Speaks,
    /// The caller is the speaker from now on.
    TakesOver,
    /// The caller does not say who it is: it is of an older version, and the lease and the claim's number guard what it
    /// does, as they always did.
    Unnamed,
    /// Another one speaks.
    Refused,
}

/// Who speaks for one printer. After a start of the hub: whoever comes first.
#[derive(Debug, Clone, Copy, Default)]
pub struct Speaker {
    instance: Option<Instance>,
    last_heard: Duration,
    /// Its MQTT connection stands.
    connected: bool,
}

impl Speaker {
    /// Somebody calls.
    pub fn hears(&mut self, caller: Option<Instance>, now: Duration) -> Heard {
        let Some(caller) = caller else { return Heard::Unnamed };
        let silent = !self.connected && now.saturating_sub(self.last_heard) >= SILENCE;
        let heard = match self.instance {
            Some(speaking) if speaking == caller => Heard::Speaks,
            Some(_) if !silent => return Heard::Refused,
            _ => Heard::TakesOver,
        };
        (self.instance, self.last_heard) = (Some(caller), now);
        heard
    }

    /// Its MQTT connection has come or gone: as long as it stands, the agent is there, however little it says. It is the
    /// speaker's own: where MQTT is, only an agent that was listened to is told.
    pub fn connection(&mut self, stands: bool, now: Duration) {
        self.connected = stands;
        self.last_heard = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn instance(name: &str) -> Option<Instance> {
        Some(Instance::from_header(name).unwrap())
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn names_of_the_contracts_form_are_kept_as_hashes() {
        for bad in ["", "two words", "ümlaut", "tab\t", &"x".repeat(65)] {
            assert_eq!(Instance::from_header(bad), None, "{bad:?}");
        }
        let instance = Instance::from_header(&"x".repeat(64)).unwrap();
        assert_eq!(instance.to_string().parse(), Ok(instance));
        assert_ne!(Some(instance), Instance::from_header("x"));
    }

    #[test]
    fn the_first_is_listened_to_until_it_is_silent() {
        let (a, b) = (instance("a"), instance("b"));
        let mut speaker = Speaker::default();
        for (seconds, caller, expected) in [
            (0, a, Heard::TakesOver),
            (59, b, Heard::Refused),
            (59, a, Heard::Speaks),
            (118, b, Heard::Refused),
            (118, None, Heard::Unnamed),
            // An old agent says nothing about the new one.
            (119, b, Heard::TakesOver),
            (120, a, Heard::Refused),
            (178, a, Heard::Refused),
            (179, a, Heard::TakesOver),
        ] {
            assert_eq!(speaker.hears(caller, at(seconds)), expected, "{seconds} s: {caller:?}");
        }
    }

    #[test]
    fn one_that_is_connected_over_mqtt_is_not_silent() {
        let (a, b) = (instance("a"), instance("b"));
        let mut speaker = Speaker::default();
        assert_eq!(speaker.hears(a, at(0)), Heard::TakesOver);
        speaker.connection(true, at(1));
        assert_eq!(speaker.hears(b, at(3600)), Heard::Refused);
        speaker.connection(false, at(3600));
        assert_eq!(speaker.hears(b, at(3659)), Heard::Refused);
        assert_eq!(speaker.hears(b, at(3660)), Heard::TakesOver);
    }

    proptest! {
        /// However two agents call: between calls of one that were listened to, the other was listened to only after a
        /// silence.
        #[test]
        fn they_never_take_turns(calls in prop::collection::vec((0_u64..100, any::<bool>()), 0..200)) {
            let names = [instance("a"), instance("b")];
            let mut speaker = Speaker::default();
            let mut last: Option<(Option<Instance>, u64)> = None;
            let mut now = 0;
            for (step, first) in calls {
                now += step;
                let caller = names[usize::from(first)];
                if speaker.hears(caller, at(now)) != Heard::Refused {
                    if let Some((before, heard)) = last && before != caller {
                        prop_assert!(now - heard >= SILENCE.as_secs());
                    }
                    last = Some((caller, now));
                } else {
                    let (before, heard) = last.unwrap();
                    prop_assert!(before != caller && now - heard < SILENCE.as_secs());
                }
            }
        }
    }
}
