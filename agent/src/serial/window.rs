//! What is in flight: lines sent that the firmware has not answered yet.
//!
//! Owns: the room in the firmware's buffers. Must not know: what is sent next, or why.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::pace::Pace;

/// The receive buffer of an AVR Marlin holds 128 bytes, one of them always free.
const MAX_BYTES: usize = 127;

/// Marlin's command queue (`BUFSIZE`).
pub(super) const MAX_LINES: usize = 4;

/// Where a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Origin {
    /// The file being printed.
    File {
        /// Byte offset behind the line in the file.
        end: u64,
    },
    /// The host's own scripts: pause, park, resume, cancel.
    Script,
    /// The host's own needs: numbering, reports, probing for a lost `ok`.
    Host,
}

/// A line in flight.
#[derive(Debug, Clone)]
pub(super) struct InFlight {
    /// None: sent without a number.
    pub(super) number: Option<u32>,
    pub(super) bytes: usize,
    pub(super) pace: Pace,
    pub(super) origin: Origin,
    /// It is the `M110` that sets the numbers.
    pub(super) sets_number: bool,
    /// It was sent to find out whether an answer was lost.
    pub(super) asks: bool,
}

/// The lines in flight, oldest first.
#[derive(Debug, Default)]
pub(super) struct Window {
    lines: VecDeque<InFlight>,
    bytes: usize,
}

impl Window {
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Whether there is something, and all of it is the host's own.
    pub(super) fn is_own(&self) -> bool {
        !self.is_empty() && self.lines.iter().all(|line| line.origin == Origin::Host)
    }

    /// Whether a line may join those in flight. The first always may.
    pub(super) fn has_room(&self, bytes: usize, pace: Pace, max_lines: usize) -> bool {
        self.lines.is_empty()
            || !pace.alone
                && self.lines.iter().all(|line| !line.pace.alone)
                && self.lines.len() < max_lines
                && self.bytes + bytes <= MAX_BYTES
    }

    pub(super) fn push(&mut self, line: InFlight) {
        self.bytes += line.bytes;
        self.lines.push_back(line);
    }

    /// The oldest line has been answered.
    pub(super) fn pop(&mut self) -> Option<InFlight> {
        let line = self.lines.pop_front()?;
        self.bytes -= line.bytes;
        Some(line)
    }

    /// What was sent last was sent to find out whether an answer was lost.
    pub(super) fn mark_question(&mut self) {
        if let Some(last) = self.lines.back_mut() {
            last.asks = true;
        }
    }

    pub(super) fn contains(&self, number: u32) -> bool {
        self.lines.iter().any(|line| line.number == Some(number))
    }

    pub(super) fn front_number(&self) -> Option<u32> {
        self.lines.front().and_then(|line| line.number)
    }

    /// Whether the oldest line is answered by temperatures and nothing else.
    pub(super) fn front_proves(&self) -> bool {
        self.lines.front().is_some_and(|line| line.pace.proves)
    }

    pub(super) fn forget_questions(&mut self) {
        self.lines.iter_mut().for_each(|line| line.asks = false);
    }

    /// Whether the oldest line was sent to find out whether an answer was lost.
    pub(super) fn front_asks(&self) -> bool {
        self.lines.front().is_some_and(|line| line.asks)
    }

    /// Whether one of the lines may take minutes.
    pub(super) fn is_slow(&self) -> bool {
        self.lines.iter().any(|line| line.pace.slow)
    }

    /// Whether one of the lines waits for a temperature or a person.
    pub(super) fn is_waiting(&self) -> bool {
        self.lines.iter().any(|line| line.pace.waits)
    }

    /// The firmware has thrown away every line from `number` on: how many there were.
    pub(super) fn drop_from(&mut self, number: u32) -> usize {
        let before = self.lines.len();
        self.lines.retain(|line| line.number.is_none_or(|n| n < number));
        self.bytes = self.lines.iter().map(|line| line.bytes).sum();
        before - self.lines.len()
    }

    /// Takes out the line that sets the numbers; false when none is in flight.
    pub(super) fn take_numbering(&mut self) -> bool {
        let Some(at) = self.lines.iter().position(|line| line.sets_number) else { return false };
        let taken = self.lines.remove(at);
        self.bytes -= taken.map_or(0, |line| line.bytes);
        true
    }

    /// The lines in flight, as ones that nothing is known of but that they will be answered.
    pub(super) fn without_numbers(&self) -> Vec<InFlight> {
        let without =
            |line: &InFlight| InFlight { number: None, sets_number: false, asks: false, ..line.clone() };
        self.lines.iter().map(without).collect()
    }

    pub(super) fn clear(&mut self) {
        self.lines.clear();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(number: u32, bytes: usize, pace: Pace) -> InFlight {
        InFlight { number: Some(number), bytes, pace, origin: Origin::Host, sets_number: false, asks: false }
    }

    #[test]
    fn room_is_counted_in_bytes_and_in_lines() {
        let mut window = Window::default();
        assert!(window.has_room(500, Pace::SLOW, 4), "an empty line takes anything");
        window.push(line(1, 60, Pace::ORDINARY));
        assert!(window.has_room(67, Pace::ORDINARY, 4));
        assert!(!window.has_room(68, Pace::ORDINARY, 4));
        assert!(!window.has_room(5, Pace::ALONE, 4));
        assert!(!window.has_room(5, Pace::ORDINARY, 1));
        for number in 2..=4 {
            window.push(line(number, 10, Pace::ORDINARY));
        }
        assert!(!window.has_room(5, Pace::ORDINARY, 4), "four lines fill the queue");
        assert_eq!(window.pop().and_then(|line| line.number), Some(1));
        assert!(window.has_room(90, Pace::ORDINARY, 4));
    }

    #[test]
    fn nothing_joins_a_line_that_goes_alone() {
        let mut window = Window::default();
        window.push(line(1, 10, Pace::SLOW));
        assert!(!window.has_room(5, Pace::ORDINARY, 4));
        assert!(window.is_slow());
    }
}
