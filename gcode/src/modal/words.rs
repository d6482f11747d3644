//! The numbers of one command by letter, read in one pass.
//!
//! Owns: which of several equal letters counts, and the bound on numbers. Must not know: what they mean.

use crate::command::Command;

/// Numbers beyond this are taken for this: sums stay finite. No printer is a kilometre long, but E may count the
/// cubic millimetres of many spools.
const GREATEST: f64 = 1e9;

/// The numbers of a command by letter. Of several with the same letter the last one counts, as in Marlin's
/// parser, which keeps one place a letter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words {
    values: [f64; 26],
    /// Letters that are there, and those of them that have a number: one bit each.
    seen: u32,
    valued: u32,
}

impl Words {
    pub(crate) fn of(command: &Command<'_>) -> Self {
        let mut words = Self { values: [0.0; 26], seen: 0, valued: 0 };
        for (letter, value) in command.params() {
            let index = usize::from(letter.wrapping_sub(b'A'));
            let Some(place) = words.values.get_mut(index) else { continue };
            words.seen |= 1 << index;
            match value {
                Some(value) => {
                    *place = value.clamp(-GREATEST, GREATEST);
                    words.valued |= 1 << index;
                }
                None => words.valued &= !(1 << index),
            }
        }
        words
    }

    /// The number behind a letter.
    pub(crate) fn get(&self, letter: u8) -> Option<f64> {
        let index = usize::from(letter.wrapping_sub(b'A'));
        let value = self.values.get(index)?;
        (self.valued >> index & 1 == 1).then_some(*value)
    }

    /// Whether a letter is there, with a number or without.
    pub(crate) fn has(&self, letter: u8) -> bool {
        self.seen.checked_shr(u32::from(letter.wrapping_sub(b'A'))).is_some_and(|bits| bits & 1 == 1)
    }

    /// A whole number that isn't negative, such as a tool's or a fan's.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
    pub(crate) fn index(&self, letter: u8) -> Option<u32> {
        self.get(letter).filter(|value| *value >= 0.0).map(|value| value as u32)
    }
}
