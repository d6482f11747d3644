//! The stops at once that a printer's hub has asked for.
//!
//! Owns: which are known, how far they came by what the port tells, and what is answered. Pure. Must not know: who has the port, how
//! the hub is told.

use stardust_protocol::{CommandId, CommandOutcome, StopReach, StopReport, Timestamp};

use crate::port::Reach;

/// More than these that wait for one port are not told apart.
const MOST_WAITING: usize = 8;
/// Ends "stopped at once …". Who has asked there stands in the hub's books.
pub(crate) const BY: &str = "from the hub";

/// What people are told of one that did not reach the printer.
const NOT_TAKEN: &str = "The printer's port takes nothing, so M112 could not be sent; its board was reset by its DTR line where it \
                         is wired so. Switch the printer off by hand.";
const NEITHER: &str = "The printer's port takes nothing, so M112 could not be sent, and its board could not be reset by its DTR \
                       line either. Switch the printer off by hand.";

/// The stops of this run of the agent.
#[derive(Debug, Default)]
pub(crate) struct Stops {
    /// Those that are not answered yet.
    waiting: Vec<CommandId>,
    last: Option<StopReport>,
    /// When the last one was sent, by the hub's clock.
    asked_at: Option<Timestamp>,
}

impl Stops {
    /// Takes one in, sent then; false: it is known, and being carried out.
    pub(crate) fn ask(&mut self, id: CommandId, at: Timestamp) -> bool {
        self.asked_at = self.asked_at.max(Some(at));
        if self.waiting.contains(&id) {
            return false;
        }
        self.waiting.truncate(MOST_WAITING - 1);
        self.waiting.push(id);
        true
    }

    /// The printer's port has come so far with them. Gives those that are answered by that, with the outcome.
    pub(crate) fn reached(
        &mut self,
        reach: Reach,
        at: Timestamp,
    ) -> Option<(Vec<CommandId>, CommandOutcome)> {
        let command_id = *self.waiting.last()?;
        let refused = |reason: &str| Some(CommandOutcome::Refused { reason: reason.into() });
        let (reach, outcome) = match reach {
            Reach::Waits => (StopReach::PortClosed, None),
            Reach::Sent { on_wire: true, dtr_pulsed: false } => (StopReach::Sent, Some(CommandOutcome::Done)),
            Reach::Sent { on_wire: true, dtr_pulsed: true } => {
                (StopReach::SentAndReset, Some(CommandOutcome::Done))
            }
            Reach::Sent { on_wire: false, dtr_pulsed } => {
                (StopReach::NotTaken, refused(if dtr_pulsed { NOT_TAKEN } else { NEITHER }))
            }
            Reach::GaveUp => (
                StopReach::GivenUp,
                refused(
                    "The printer's port stayed closed, so M112 was not sent. Switch the printer off by hand.",
                ),
            ),
        };
        // Since when: what is told once more has not begun just now.
        let before = self.last.filter(|last| (last.command_id, last.reach) == (command_id, reach));
        self.last = Some(StopReport { command_id, reach, at: before.map_or(at, |before| before.at) });
        outcome.map(|outcome| (std::mem::take(&mut self.waiting), outcome))
    }

    /// Whether the port has one to carry out, of which it has not said how far it came: what is heard of it until then was said
    /// before.
    pub(crate) fn is_on_its_way(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether one was sent after what was asked then: that has waited somewhere, and must not be done behind it.
    pub(crate) fn overtake(&self, asked_at: Timestamp) -> bool {
        self.asked_at.is_some_and(|stopped_at| stopped_at >= asked_at)
    }

    /// What the hub is told.
    pub(crate) fn report(&self) -> Option<StopReport> {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(ms: i64) -> CommandId {
        CommandId::generate(Timestamp::from_millis(ms))
    }

    #[test]
    fn a_stop_is_carried_out_once_however_often_it_is_asked_for_and_answered_when_it_is_on_the_wire() {
        let (mut stops, at) = (Stops::default(), Timestamp::from_millis(7));
        let (first, second) = (id(1), id(2));
        assert!(stops.ask(first, at) && !stops.ask(first, at) && stops.ask(second, at));
        assert_eq!(stops.reached(Reach::Waits, at), None, "the port is closed: nothing is answered");
        let told = |stops: &Stops| stops.report().map(|report| (report.command_id, report.reach));
        assert_eq!(told(&stops), Some((second, StopReach::PortClosed)));
        let sent = Reach::Sent { on_wire: true, dtr_pulsed: true };
        assert_eq!(stops.reached(sent, at), Some((vec![first, second], CommandOutcome::Done)));
        assert_eq!(told(&stops), Some((second, StopReach::SentAndReset)));
        assert_eq!(stops.reached(sent, at), None, "of nobody's asking");
    }

    #[test]
    fn what_did_not_reach_the_printer_is_never_called_done_nor_a_board_reset_that_was_not() {
        let not_taken = |dtr_pulsed| Reach::Sent { on_wire: false, dtr_pulsed };
        for (reach, was_reset) in [(not_taken(true), true), (not_taken(false), false), (Reach::GaveUp, false)]
        {
            let mut stops = Stops::default();
            stops.ask(id(1), Timestamp::from_millis(0));
            let (_, outcome) = stops.reached(reach, Timestamp::from_millis(0)).unwrap();
            let CommandOutcome::Refused { reason } = outcome else { panic!("{outcome:?}") };
            assert!(reason.contains("by hand"), "{reason}");
            assert_eq!(reason.contains("was reset"), was_reset, "{reason}");
        }
    }

    #[test]
    fn a_stop_that_still_waits_has_waited_since_it_was_said_first() {
        let mut stops = Stops::default();
        stops.ask(id(1), Timestamp::from_millis(0));
        for ms in [5, 9] {
            stops.reached(Reach::Waits, Timestamp::from_millis(ms));
            assert_eq!(stops.report().unwrap().at, Timestamp::from_millis(5));
        }
        stops.reached(Reach::GaveUp, Timestamp::from_millis(11));
        assert_eq!(stops.report().unwrap().at, Timestamp::from_millis(11));
    }
}
