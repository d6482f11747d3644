//! How many lines may be in flight, by how the line has behaved.
//!
//! Owns: when to fall back to one line at a time. Must not know: what is in flight.

use super::window::MAX_LINES;

/// After a resend, this many lines go one by one.
const CAREFUL_LINES: u32 = 200;

/// Resends below this number say nothing about the rate.
const RATE_MATTERS_FROM: u32 = 5;

/// Counts what was sent and what had to be sent again.
#[derive(Debug, Default)]
pub(super) struct Caution {
    careful: u32,
    sent: u32,
    resends: u32,
}

impl Caution {
    pub(super) fn line_sent(&mut self) {
        self.sent = self.sent.saturating_add(1);
        self.careful = self.careful.saturating_sub(1);
    }

    pub(super) fn resend_asked(&mut self) {
        self.resends = self.resends.saturating_add(1);
        self.careful = CAREFUL_LINES;
    }

    /// One after a resend, and for the rest of the job when resends pass 1 %.
    pub(super) fn max_lines(&self) -> usize {
        let too_often =
            self.resends >= RATE_MATTERS_FROM && u64::from(self.resends) * 100 > u64::from(self.sent);
        if self.careful > 0 || too_often { 1 } else { MAX_LINES }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resend_slows_down_for_a_while_and_many_for_good() {
        let mut caution = Caution::default();
        let send = |caution: &mut Caution, lines| (0..lines).for_each(|_| caution.line_sent());
        send(&mut caution, 1000);
        assert_eq!(caution.max_lines(), 4);
        caution.resend_asked();
        send(&mut caution, 199);
        assert_eq!(caution.max_lines(), 1);
        send(&mut caution, 1);
        assert_eq!(caution.max_lines(), 4);
        (0..14).for_each(|_| caution.resend_asked());
        send(&mut caution, 200);
        assert_eq!(caution.max_lines(), 1, "15 resends in 1,400 lines");
    }
}
