//! The last numbered lines, as they were sent: the firmware may ask for any of them again.
//!
//! Owns: how many are kept. Must not know: why one is asked for.

use std::collections::VecDeque;

use super::numbered::write_numbered;
use super::pace::Pace;
use super::window::Origin;

/// How many lines are kept.
const KEPT: usize = 256;

/// A numbered line.
#[derive(Debug)]
pub(super) struct SentLine {
    pub(super) bytes: Vec<u8>,
    pub(super) pace: Pace,
    pub(super) origin: Origin,
}

/// The last numbered lines, without gaps.
#[derive(Debug)]
pub(super) struct History {
    lines: VecDeque<SentLine>,
    next: u32,
}

impl History {
    /// Empty; the next line gets number 1.
    pub(super) fn new() -> Self {
        Self { lines: VecDeque::with_capacity(KEPT), next: 1 }
    }

    /// The number that the next new line gets.
    pub(super) fn next_number(&self) -> u32 {
        self.next
    }

    /// Gives a command the next number and keeps it.
    pub(super) fn add(&mut self, command: &str, pace: Pace, origin: Origin) {
        // The buffer of the line that falls out is used again: feeding a job allocates nothing here.
        let oldest = if self.lines.len() == KEPT { self.lines.pop_front() } else { None };
        let mut bytes = oldest.map_or_else(Vec::new, |line| line.bytes);
        write_numbered(&mut bytes, self.next, command);
        self.lines.push_back(SentLine { bytes, pace, origin });
        self.next += 1;
    }

    /// A line that is still kept.
    pub(super) fn get(&self, number: u32) -> Option<&SentLine> {
        let back = self.next.checked_sub(number)? as usize;
        self.lines.get(self.lines.len().checked_sub(back)?)
    }

    /// A line's command, without number and checksum.
    pub(super) fn text(&self, number: u32) -> Option<&str> {
        let bytes = &self.get(number)?.bytes;
        let from = bytes.iter().position(|byte| *byte == b' ')? + 1;
        let to = bytes.iter().rposition(|byte| *byte == b'*')?;
        std::str::from_utf8(bytes.get(from..to)?).ok()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Numbers start anew: the next new line gets this one.
    pub(super) fn restart(&mut self, next: u32) {
        self.lines.clear();
        self.next = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_under_their_numbers() {
        let mut history = History::new();
        for number in 1..=1000 {
            assert_eq!(history.next_number(), number);
            history.add(&format!("G1 X{number}"), Pace::ORDINARY, Origin::Host);
        }
        let text = |number| history.get(number).map(|line| String::from_utf8_lossy(&line.bytes).into_owned());
        assert!(text(1000).unwrap().starts_with("N1000 G1 X1000*"));
        assert!(text(800).unwrap().starts_with("N800 G1 X800*"), "200 lines back at least");
        assert_eq!(text(1001), None);
        assert_eq!(text(700), None);
        history.restart(101);
        assert_eq!((history.next_number(), history.get(100).is_none()), (101, true));
    }
}
