//! An emergency stop of a printer, as people are told of it.
//!
//! Owns: how far it is, and what may follow on what: what reached the printer is never taken back. Pure.
//! Must not know: how it travels, how it is kept.

use serde::{Deserialize, Serialize};
use stardust_protocol::{
    Command, CommandId, CommandMessage, CommandOutcome, ProtocolVersion, StopReach, StopReport, Timestamp,
    limits,
};

/// An emergency stop: of the printer's firmware and heaters (`M112`), not of a job. It stands until a person says that the
/// printer is in order again, and nothing starts on the printer before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct EmergencyStop {
    /// Which one: the command to the agent.
    pub id: CommandId,
    /// Who asked for it.
    pub asked_by: String,
    /// When.
    pub asked_at: Timestamp,
    /// How far it is.
    pub state: StopState,
    /// Since when.
    pub state_since: Timestamp,
    /// Why it could not be carried out, a sentence of the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether it is in the hub's books. It goes out all the same while it can't be written there, and that is tried again; but
    /// a hub that is started anew before that does not know of it, and lets jobs start.
    pub recorded: bool,
}

/// How far an emergency stop is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StopState {
    /// It is sent to the agent again and again, and not answered yet.
    Sending,
    /// The agent has it, but the printer's port is closed: `M112` is the first thing that is sent when it is open again.
    PortClosed,
    /// `M112` was sent to the printer, which acts on it at once.
    Sent,
    /// `M112` was sent to the printer, and its board was reset by its DTR line where it is wired so.
    SentAndReset,
    /// The agent could not send it, and says why.
    Failed,
    /// The agent has not answered in time: it may be down or cut off. As far as is known the printer goes on, and somebody has to go
    /// there and switch it off. The stop is still carried out if the agent comes back soon.
    NotDelivered,
}

impl StopState {
    /// As the database has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sending => "sending",
            Self::PortClosed => "port_closed",
            Self::Sent => "sent",
            Self::SentAndReset => "sent_and_reset",
            Self::Failed => "failed",
            Self::NotDelivered => "not_delivered",
        }
    }

    /// Out of the database. What is not known may not have been delivered.
    #[must_use]
    pub fn from_db(text: &str) -> Self {
        let all = [Self::Sending, Self::PortClosed, Self::Sent, Self::SentAndReset, Self::Failed];
        all.into_iter().find(|state| state.as_str() == text).unwrap_or(Self::NotDelivered)
    }

    /// Whether `M112` has reached the printer.
    #[must_use]
    pub fn has_reached(self) -> bool {
        matches!(self, Self::Sent | Self::SentAndReset)
    }

    /// Whether nothing more comes of it.
    #[must_use]
    pub fn is_over(self) -> bool {
        self.has_reached() || self == Self::Failed
    }
}

impl EmergencyStop {
    /// Asked for just now.
    #[must_use]
    pub fn new(id: CommandId, asked_by: String, at: Timestamp) -> Self {
        let (state, reason, recorded) = (StopState::Sending, None, false);
        Self { id, asked_by, asked_at: at, state, state_since: at, reason, recorded }
    }

    /// Until when an agent carries it out.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.asked_at.plus_millis(limits::EMERGENCY_STOP_EXPIRY_MS)
    }

    /// Whether an agent that asks has to be told of it.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        !self.state.is_over() && now.as_millis() < self.expires_at().as_millis()
    }

    /// What its agent is told.
    #[must_use]
    pub fn message(&self, now: Timestamp) -> CommandMessage {
        CommandMessage {
            protocol: ProtocolVersion::CURRENT,
            id: Some(self.id),
            at: now,
            expires_at: Some(self.expires_at()),
            command: Command::EmergencyStop,
        }
    }

    /// It has come so far; false: that is no news, or less than is known already.
    pub fn move_to(&mut self, state: StopState, reason: Option<&str>, at: Timestamp) -> bool {
        if self.state == state || self.state.is_over() || state == StopState::Sending {
            return false;
        }
        (self.state, self.state_since) = (state, at);
        self.reason = reason.map(str::to_owned);
        true
    }

    /// The last word on it, or that there was none in time; whether that is news.
    pub fn settle(&mut self, state: StopState, reason: Option<&str>, at: Timestamp) -> bool {
        // A port that is closed is an answer: the agent has it.
        let has_it = state == StopState::NotDelivered && self.state == StopState::PortClosed;
        !has_it && self.move_to(state, reason, at)
    }

    /// What came of it, as its agent tells; whether that is news.
    pub fn hear_outcome(&mut self, outcome: &CommandOutcome, at: Timestamp) -> bool {
        match outcome {
            CommandOutcome::Done => self.settle(StopState::Sent, None, at),
            // What was heard live before that has no words of its agent.
            CommandOutcome::Refused { reason } if self.state == StopState::Failed => {
                let before = self.reason.replace(reason.clone());
                before.as_ref() != Some(reason)
            }
            CommandOutcome::Refused { reason } => self.settle(StopState::Failed, Some(reason), at),
            CommandOutcome::Expired => self.settle(StopState::NotDelivered, None, at),
        }
    }

    /// What the agent says live, if it is about this one; whether that is news.
    pub fn hear(&mut self, report: &StopReport, at: Timestamp) -> bool {
        if report.command_id != self.id {
            return false;
        }
        match report.reach {
            StopReach::PortClosed => self.move_to(StopState::PortClosed, None, at),
            StopReach::Sent => self.move_to(StopState::Sent, None, at),
            StopReach::SentAndReset => self.move_to(StopState::SentAndReset, None, at),
            // Its answer may say more (`hear_outcome`), or never come: an agent that can't read its journal has none to keep it in.
            StopReach::NotTaken => self.settle(StopState::Failed, Some(NOT_TAKEN), at),
            StopReach::GivenUp => self.settle(StopState::Failed, Some(OUT_OF_REACH), at),
            StopReach::Unknown => false,
        }
    }
}

/// What people are told of a stop that its agent could not bring to the printer.
const NOT_TAKEN: &str = "The printer's port takes nothing, so M112 could not be sent. Whether its board was reset by its DTR line is \
                         not known. Switch the printer off by hand.";
const OUT_OF_REACH: &str =
    "Its agent could not get at the printer's port, so M112 was not sent. Switch the printer off by hand.";

#[cfg(test)]
mod tests {
    use super::*;
    use StopState::{Failed, NotDelivered, PortClosed, Sending, Sent, SentAndReset};

    const ALL: [StopState; 6] = [Sending, PortClosed, Sent, SentAndReset, Failed, NotDelivered];

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    #[test]
    fn what_has_reached_the_printer_or_failed_for_good_stays_so_and_nothing_goes_back_to_sending() {
        for from in ALL {
            for to in ALL {
                let mut stop = EmergencyStop::new(CommandId::generate(at(0)), "Ada".into(), at(0));
                stop.move_to(from, None, at(1));
                let moves = stop.move_to(to, Some("why"), at(2));
                let may = !matches!(from, Sent | SentAndReset | Failed) && to != Sending && from != to;
                assert_eq!(moves, may, "{from:?} → {to:?}");
                assert_eq!(stop.state, if may { to } else { from });
                assert_eq!(StopState::from_db(stop.state.as_str()), stop.state);
            }
        }
    }

    #[test]
    fn only_the_word_on_this_one_counts() {
        let (this, other) = (CommandId::generate(at(0)), CommandId::generate(at(1)));
        let mut stop = EmergencyStop::new(this, "Ada".into(), at(0));
        let report = |command_id, reach| StopReport { command_id, reach, at: at(0) };
        assert!(!stop.hear(&report(other, StopReach::Sent), at(1)));
        assert!(stop.hear(&report(this, StopReach::PortClosed), at(2)));
        assert!(stop.move_to(NotDelivered, None, at(3)));
        assert!(stop.hear(&report(this, StopReach::SentAndReset), at(4)), "late is better than never");
        assert_eq!((stop.state, stop.state_since), (SentAndReset, at(4)));
    }

    /// Also where no answer follows.
    #[test]
    fn a_stop_that_did_not_reach_the_printer_has_failed_as_soon_as_its_agent_says_so() {
        for reach in [StopReach::NotTaken, StopReach::GivenUp] {
            for before in [Sending, PortClosed, NotDelivered] {
                let mut stop = EmergencyStop::new(CommandId::generate(at(0)), "Ada".into(), at(0));
                stop.move_to(before, None, at(1));
                assert!(stop.hear(&StopReport { command_id: stop.id, reach, at: at(0) }, at(2)));
                assert_eq!(stop.state, Failed);
                assert!(stop.reason.unwrap().ends_with("Switch the printer off by hand."));
            }
        }
    }

    #[test]
    fn the_words_of_its_agent_take_the_place_of_what_was_heard_live() {
        let mut stop = EmergencyStop::new(CommandId::generate(at(0)), "Ada".into(), at(0));
        assert!(stop.hear(&StopReport { command_id: stop.id, reach: StopReach::NotTaken, at: at(0) }, at(1)));
        let refused = CommandOutcome::Refused { reason: "It can't be reset either.".into() };
        assert!(stop.hear_outcome(&refused, at(2)) && !stop.hear_outcome(&refused, at(3)), "news, once");
        assert_eq!((stop.state, stop.state_since), (Failed, at(1)));
        assert_eq!(stop.reason.as_deref(), Some("It can't be reset either."));
        assert!(
            !stop.hear(&StopReport { command_id: stop.id, reach: StopReach::NotTaken, at: at(0) }, at(4))
        );
        assert_eq!(stop.reason.as_deref(), Some("It can't be reset either."), "and nothing live theirs");
    }

    #[test]
    fn an_outcome_takes_nothing_back() {
        let refused = CommandOutcome::Refused { reason: "why".into() };
        for (before, outcome, after) in [
            (Sending, CommandOutcome::Done, Sent),
            (SentAndReset, CommandOutcome::Done, SentAndReset),
            (NotDelivered, CommandOutcome::Done, Sent),
            (Sending, refused.clone(), Failed),
            (Sent, refused, Sent),
            (Sending, CommandOutcome::Expired, NotDelivered),
            (PortClosed, CommandOutcome::Expired, PortClosed),
        ] {
            let mut stop = EmergencyStop::new(CommandId::generate(at(0)), "Ada".into(), at(0));
            stop.move_to(before, None, at(1));
            stop.hear_outcome(&outcome, at(2));
            assert_eq!(stop.state, after, "{before:?}: {outcome:?}");
        }
    }

    #[test]
    fn agents_are_told_of_it_until_it_is_over_or_too_late() {
        let mut stop = EmergencyStop::new(CommandId::generate(at(0)), "Ada".into(), at(5));
        let last = stop.expires_at().as_millis() - 1;
        assert!(stop.is_open(at(5)) && stop.is_open(at(last)) && !stop.is_open(at(last + 1)));
        stop.move_to(PortClosed, None, at(6));
        assert!(stop.is_open(at(7)));
        stop.move_to(Sent, None, at(8));
        assert!(!stop.is_open(at(9)));
    }
}
