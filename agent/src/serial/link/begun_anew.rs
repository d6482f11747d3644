//! Beginning to count anew.
//!
//! Owns: what is forgotten then, and what is still waited for. Must not know: which numbers are next ([`Numbering`] does).
//!
//! [`Numbering`]: super::super::numbering::Numbering

use std::time::Duration;

use super::super::caution::Caution;
use super::super::numbered::numbered_line;
use super::super::pace::Pace;
use super::super::window::{InFlight, Origin};
use super::Link;

impl Link {
    /// Numbers start anew for a job. What is in flight is answered in its turn, before the line that sets them: taken for that one's,
    /// an answer would be one too many for the whole job.
    pub(in super::super) fn number_job(&mut self, now: Duration) {
        let in_flight = self.window.without_numbers();
        self.numbering.restart(self.told, self.history.next_number());
        self.forget();
        in_flight.into_iter().for_each(|line| self.put_in_flight(now, line));
        self.set_number(now);
    }

    /// Numbers start anew. Everything in flight or owed is forgotten.
    pub(in super::super) fn restart_numbers(&mut self, now: Duration) {
        self.numbering.restart(self.told, self.history.next_number());
        self.forget();
        self.set_number(now);
    }

    pub(super) fn set_number(&mut self, now: Duration) {
        self.own_lines += 1;
        let base = self.numbering.base();
        let line = numbered_line(base, &format!("M110 N{base}"));
        self.output.extend_from_slice(&line);
        let (bytes, pace, origin) = (line.len(), Pace::ALONE, Origin::Host);
        self.put_in_flight(
            now,
            InFlight { number: None, bytes, pace, origin, sets_number: true, asks: false },
        );
    }

    /// Forgets everything in flight or owed: the firmware has.
    pub(in super::super) fn forget(&mut self) {
        self.window.clear();
        self.history.restart(self.numbering.base() + 1);
        self.cursor = self.numbering.base() + 1;
        self.told = self.numbering.base();
        self.recovery = self.recovery.anew();
        self.caution = Caution::default();
        self.patience.relax();
        self.accepted.clear();
        self.fault = None;
        self.plain_ok = false;
        self.plain_proofs = 0;
        self.renumber = false;
    }
}
