//! Asking whether an answer was lost, and what is taken for a proof.
//!
//! Owns: what is sent to find out. Must not know: when ([`Patience`] does).
//!
//! [`Patience`]: super::super::patience::Patience

use std::time::Duration;

use super::super::pace::Pace;
use super::super::patience::{self, Awaited};
use super::super::window::Origin;
use super::Link;

/// So many `ok`s without temperatures, each of another question: this firmware reports in lines of their own. More than a printer that lags
/// behind can have sent too many: by then it has no room for what that lets in, and asks for lines again.
const PLAIN_PROOFS: u8 = 20;

impl Link {
    pub(super) fn awaited(&self) -> Awaited {
        let (longest_move, all_moves) = (self.moves.longest(), self.moves.all());
        Awaited { slow: self.window.is_slow(), longest_move, all_moves }
    }

    /// No answer for too long. Sending the same line again would tell nothing: a line that was accepted is
    /// passed over in silence. The next number does: it is answered by `ok`, or by a Resend of what is missing.
    pub(super) fn probe(&mut self, now: Duration) {
        if self.is_proven_plainly() {
            self.answers_plainly = true;
            self.patience.set_hasty(false);
            self.patience.relax();
            while !self.window.is_empty() && self.credit() {}
            return;
        }
        if self.window.take_numbering() {
            self.patience.probe(now);
            self.set_number(now);
            return;
        }
        // Urgent commands are not answered by this firmware, or found no room: nothing has to be asked for that.
        let mut are_urgent = false;
        while !self.window.is_empty() && self.window.front_number().is_none() {
            self.window.pop();
            are_urgent = true;
        }
        if are_urgent {
            self.patience.on_urgent_unanswered(now);
            return;
        }
        self.patience.probe(now);
        self.probed_by_question = self.cursor == self.history.next_number();
        if self.probed_by_question {
            self.own_lines += 1;
            self.history.add(patience::PROBE, Pace::ORDINARY, Origin::Host);
        }
        self.transmit_next(now);
        if self.probed_by_question {
            self.window.mark_question();
        }
    }

    /// Firmware of its own making answers `M105` by a plain `ok` and reports behind it. So whatever an `ok` came for, the
    /// question is asked anew, one number on, when no more of them come: had a line been lost, a Resend would come each time.
    fn is_proven_plainly(&mut self) -> bool {
        if !self.window.front_proves() || !std::mem::take(&mut self.plain_ok) {
            return false;
        }
        self.plain_proofs += 1;
        self.plain_proofs >= PLAIN_PROOFS
    }

    /// A question was answered: all before it was taken. The answers of later questions are still to come; where one of
    /// them is lost they are lines like any other.
    pub(super) fn credit_up_to_question(&mut self) {
        while !self.window.is_empty() {
            let is_question = self.window.front_asks();
            if !self.credit() || is_question {
                break;
            }
        }
        self.window.forget_questions();
    }
}
