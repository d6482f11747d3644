//! Where line numbers begin.
//!
//! `M110` sets them, but on its way it may become a line that does nothing and is answered by `ok` all the same.
//! The firmware then goes on from its old number, and lines with numbers just passed it takes for repeats: it
//! drops them without a word. So new numbers never begin near the old ones: whatever the firmware asks for then
//! shows that it did not take the `M110`.
//! Owns: the choice of the first number. Must not know: what is sent.

use serde::{Deserialize, Serialize};

use super::window::MAX_LINES;

/// Further apart than what may be in flight, and the two that are passed over in silence.
const APART: u32 = 2 * MAX_LINES as u32;
/// A number that people can count from. Never zero: a firmware that is there was reset.
const ROUND: u32 = 100;

/// The numbers in use, and those that the firmware may still be at.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Numbering {
    base: u32,
    /// The firmware's last number, at least and at most, in case it did not take the last `M110`.
    stale: (u32, u32),
    /// Numbers that were left by an earlier process: none of these is used again.
    #[serde(default, skip_serializing_if = "is_zero")]
    left: u32,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Numbering {
    /// What `M110` sets: the first line has the number after it.
    pub(super) fn base(&self) -> u32 {
        self.base
    }

    /// None of the numbers up to this one is used: somebody may take them for those of a job that is over.
    pub(super) fn leave_out(&mut self, last: u32) {
        self.left = self.left.max(last);
    }

    /// For a firmware of which nothing is known.
    pub(super) fn anew(&self) -> Self {
        Self { left: self.left, ..Self::default() }
    }

    /// Whether a request for this line comes of the old numbers. `told`: the last line taken for accepted: by a stray
    /// `ok` it may be one of the first without truth.
    pub(super) fn is_stale(&self, number: u32, told: u32) -> bool {
        let last = number.saturating_sub(1);
        told <= self.base + MAX_LINES as u32 && (self.stale.0..=self.stale.1).contains(&last)
    }

    /// Numbers begin anew. `told`: the last line that was accepted for certain; `next`: the first not yet sent.
    pub(super) fn restart(&mut self, told: u32, next: u32) {
        let last = next.saturating_sub(1);
        self.stale = if told > self.base {
            (told, last)
        } else {
            // Nothing shows that these numbers were taken up.
            (self.stale.0.min(self.base), self.stale.1.max(last))
        };
        let (low, high) = self.stale;
        let first = (self.left + 1).next_multiple_of(ROUND);
        self.base =
            if low > first + APART { first } else { (high + APART).next_multiple_of(ROUND).max(first) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_long_job_is_followed_from_a_hundred_and_a_short_one_from_further_on() {
        let mut numbering = Numbering::default();
        numbering.restart(3, 4);
        assert_eq!(numbering.base(), 100, "behind the greeting");
        numbering.restart(5_100, 5_101);
        assert_eq!(numbering.base(), 100, "never from zero");
        numbering.restart(102, 106);
        assert_eq!(numbering.base(), 200);
        numbering.restart(200, 201);
        assert_eq!(numbering.base(), 300, "nothing was accepted: it may be at 102 to 200");
    }

    #[test]
    fn numbers_that_were_left_are_not_used_again() {
        let mut numbering = Numbering::default();
        numbering.leave_out(12_345);
        numbering = numbering.anew();
        for (told, next) in [(0, 1), (12_403, 12_404), (50_000, 50_001), (12_402, 12_410)] {
            numbering.restart(told, next);
            assert!(numbering.base() >= 12_400, "{}", numbering.base());
        }
        assert_eq!(numbering.base(), 12_500, "apart from the ones before, too");
    }

    #[test]
    fn a_request_of_the_old_numbers_is_known() {
        let mut numbering = Numbering::default();
        numbering.restart(3, 6);
        assert!(numbering.is_stale(4, 100) && numbering.is_stale(6, 101));
        assert!(!numbering.is_stale(7, 100) && !numbering.is_stale(101, 100), "not of those");
        assert!(!numbering.is_stale(4, 105), "lines were accepted since: the request is damaged");
    }

    proptest! {
        /// Where the firmware did not take the M110, none of the first lines is passed over or taken.
        #[test]
        fn old_and_new_numbers_are_apart(epochs in prop::collection::vec((0_u32..300, 0_u32..6), 1..20)) {
            let mut numbering = Numbering::default();
            for (accepted, more) in epochs {
                let before = numbering.base();
                let told = before + accepted;
                numbering.restart(told, told + more + 1);
                let last = if accepted > 0 { told..=told + more } else { before..=before + more };
                let first = numbering.base() + 1;
                for last in last {
                    prop_assert!(last + 1 < first || last > first + MAX_LINES as u32, "{last} and {first}");
                }
            }
        }
    }
}
