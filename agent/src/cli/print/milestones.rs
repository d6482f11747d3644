//! How often a log is told that a print goes on.
//!
//! Owns: that it is a few lines for each print: at each tenth of the file, and where that takes long. Pure. Must not know: the words.

use std::time::Duration;

/// A line at each tenth.
const PARTS: u64 = 10;
/// No more than so long without a line: whoever looks into the log sees that it goes on.
const AT_LEAST_EVERY: Duration = Duration::from_secs(5 * 60);

/// What was told last, and when.
#[derive(Debug, Default)]
pub(super) struct Milestones {
    part: u64,
    told_at: Option<Duration>,
}

impl Milestones {
    /// Whether there is something to tell now, that many bytes of the file being done. The end of the file is told by whoever
    /// tells what came of the print.
    pub(super) fn is_due(&mut self, done: u64, size: u64, now: Duration) -> bool {
        // The begin is told by nobody: it is when the print is looked at first.
        let told_at = *self.told_at.get_or_insert(now);
        let part =
            u64::try_from(u128::from(done) * u128::from(PARTS) / u128::from(size.max(1))).unwrap_or(PARTS);
        let is_due = (part > self.part && part < PARTS) || now.saturating_sub(told_at) >= AT_LEAST_EVERY;
        if is_due {
            (self.part, self.told_at) = (self.part.max(part), Some(now));
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tenth_and_every_five_minutes_and_no_more() {
        let mut milestones = Milestones::default();
        let mut is_due = |done, s| milestones.is_due(done, 1000, Duration::from_secs(s));
        let told = [
            (0, 7),
            (99, 8),
            (100, 9),
            (150, 10),
            (150, 308),
            (150, 309),
            (150, 310),
            (420, 311),
            (400, 312),
            (1000, 313),
        ];
        let due: Vec<_> = told.into_iter().filter(|(done, s)| is_due(*done, *s)).collect();
        assert_eq!(due, [(100, 9), (150, 309), (420, 311)]);
        assert!(!Milestones::default().is_due(0, 0, Duration::ZERO), "an empty file");
    }
}
