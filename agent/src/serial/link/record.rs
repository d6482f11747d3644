//! What of the line another process must know to go on with it, and going on.
//!
//! Owns: how far back lines are kept. Must not know: where.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::super::dialect::Dialect;
use super::super::numbering::Numbering;
use super::super::pace::Pace;
use super::super::patience::PROBE;
use super::super::window::Origin;
use super::Link;

/// Spurious `ok`s are taken for fewer lines than that before they are found out (see `recovery`).
const KEPT_LINES: u32 = 12;

/// A line that may have to be sent again: command, pace, origin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in super::super) struct KeptLine(
    pub(in super::super) String,
    pub(in super::super) Pace,
    pub(in super::super) Origin,
);

/// What another process must know of the line to go on with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in super::super) struct LinkRecord {
    pub(in super::super) numbering: Numbering,
    /// The last line that was accepted for certain; the base when none was.
    pub(in super::super) told: u32,
    /// The number of the next new line.
    pub(in super::super) next: u32,
    /// The lines before it, oldest first: more than the firmware may not have taken.
    pub(in super::super) lines: Vec<KeptLine>,
}

impl Link {
    /// Goes on where another process has stopped: the firmware has taken the line `told`, a question, and `owed` come
    /// next.
    pub(in super::super) fn restore(
        record: &LinkRecord,
        told: u32,
        owed: &[KeptLine],
        dialect: Dialect,
    ) -> Self {
        let mut link = Self { numbering: record.numbering.clone(), ..Self::new() };
        link.set_dialect(dialect);
        link.history.restart(told);
        // It may be asked for once more, where an answer to another line was taken for its own.
        link.history.add(PROBE, Pace::ORDINARY, Origin::Host);
        link.cursor = told + 1;
        link.told = told;
        link.owe(owed);
        link
    }

    /// The same where the numbers have to be set anew.
    pub(in super::super) fn restore_anew(
        now: Duration,
        record: &LinkRecord,
        owed: &[KeptLine],
        dialect: Dialect,
    ) -> Self {
        let mut link = Self { numbering: record.numbering.clone(), ..Self::new() };
        link.set_dialect(dialect);
        link.numbering.restart(record.told, record.next);
        link.forget();
        link.set_number(now);
        link.owe(owed);
        link
    }

    fn owe(&mut self, lines: &[KeptLine]) {
        self.own_lines += 1;
        for KeptLine(text, pace, origin) in lines {
            self.history.add(text, *pace, *origin);
        }
    }

    /// What another process must know.
    pub(in super::super) fn record(&self) -> LinkRecord {
        let next = self.history.next_number();
        let first = self.told.min(self.cursor).saturating_sub(KEPT_LINES).max(self.numbering.base()) + 1;
        let line = |number| {
            let (line, text) = (self.history.get(number)?, self.history.text(number)?);
            Some(KeptLine(text.to_owned(), line.pace, line.origin))
        };
        // Without gaps up to the last one.
        let mut lines: Vec<KeptLine> = (first..next).rev().map_while(line).collect();
        lines.reverse();
        LinkRecord { numbering: self.numbering.clone(), told: self.told, next, lines }
    }

    /// The next new line's number, and the last accepted one.
    pub(in super::super) fn numbers(&self) -> [u32; 2] {
        [self.history.next_number(), self.told]
    }

    /// Whether the firmware has shown that it follows these numbers.
    pub(in super::super) fn is_proven(&self) -> bool {
        self.told > self.numbering.base()
    }

    pub(in super::super) fn own_lines(&self) -> u64 {
        self.own_lines
    }

    /// How many lines were not answered yet.
    pub(in super::super) fn in_flight(&self) -> usize {
        self.window.len()
    }

    /// Bytes that are no line of a job's.
    pub(in super::super) fn send_raw(&mut self, bytes: &[u8]) {
        self.output.extend_from_slice(bytes);
    }

    /// More `ok`s may come than lines are in flight.
    pub(in super::super) fn be_careful(&mut self) {
        self.caution.resend_asked();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_answer_is_asked_about_as_soon_by_the_process_that_goes_on() {
        let now = Duration::from_secs(5);
        let record = LinkRecord { numbering: Numbering::default(), told: 7, next: 8, lines: Vec::new() };
        let owed = [KeptLine("G1 X1".into(), Pace::ORDINARY, Origin::Script)];
        for mut link in [
            Link::restore(&record, 7, &owed, Dialect::Marlin),
            Link::restore_anew(now, &record, &owed, Dialect::Marlin),
        ] {
            link.poll(now);
            assert_eq!(link.deadline(), Some(now + Duration::from_secs(1)));
        }
    }
}
