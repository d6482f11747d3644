//! What to do with a command that has arrived, perhaps late, perhaps again.
//!
//! Owns: expiry and repeats. Must not know: what the command does.

use stardust_protocol::{Command, CommandId, CommandMessage, CommandOutcome, Timestamp};

use crate::journal::State;

/// What to do with it.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Carry it out and answer.
    CarryOut(CommandId, Command),
    /// Stop the machine at once.
    StopAtOnce(CommandId),
    /// Answer without carrying it out.
    Answer(CommandId, CommandOutcome),
    /// Look for work.
    Wake,
    /// Send the whole status.
    ReportStatus,
    /// Nothing: it is being answered already, or can't be answered.
    PassOver,
}

/// Judges a command. `hub_now`: the hub's time, as far as it is known.
#[must_use]
pub fn judge(message: &CommandMessage, journal: &State, hub_now: Timestamp) -> Verdict {
    match message.command {
        Command::Wake => return Verdict::Wake,
        Command::ReportStatus => return Verdict::ReportStatus,
        _ => {}
    }
    let Some(id) = message.id else { return Verdict::PassOver };
    if journal.answer_is_under_way(id) {
        return Verdict::PassOver;
    }
    if let Some(outcome) = journal.outcome_of(id) {
        return Verdict::Answer(id, outcome.clone());
    }
    // Never too late: this machine's idea of the hub's time may be wrong, and the hub takes it back by itself.
    if message.command == Command::EmergencyStop {
        return Verdict::StopAtOnce(id);
    }
    if message.expires_at.is_some_and(|expires_at| expires_at < hub_now) {
        return Verdict::Answer(id, CommandOutcome::Expired);
    }
    Verdict::CarryOut(id, message.command.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Record;
    use stardust_protocol::{AgentEvent, EventBody, JobId, ProtocolVersion};

    fn id<T: std::str::FromStr<Err: std::fmt::Debug>>() -> T {
        "0190a7c2-6f00-7000-8000-000000000001".parse().unwrap()
    }

    fn pause() -> CommandMessage {
        CommandMessage {
            protocol: ProtocolVersion::CURRENT,
            id: Some(id()),
            at: Timestamp::from_millis(0),
            expires_at: Some(Timestamp::from_millis(60_000)),
            command: Command::Pause { job_id: id::<JobId>() },
        }
    }

    #[test]
    fn a_command_is_carried_out_once_and_in_time() {
        let mut journal = State::default();
        let now = Timestamp::from_millis(1_000);
        assert_eq!(judge(&pause(), &journal, now), Verdict::CarryOut(id(), pause().command));
        let late = Timestamp::from_millis(60_001);
        assert_eq!(judge(&pause(), &journal, late), Verdict::Answer(id(), CommandOutcome::Expired));

        let body = EventBody::CommandAnswered { command_id: id(), outcome: CommandOutcome::Done };
        journal.apply(&Record::Event(AgentEvent { seq: 1, at: now, body }));
        journal.apply(&Record::Answered { command_id: id(), outcome: CommandOutcome::Done });
        assert_eq!(judge(&pause(), &journal, now), Verdict::PassOver, "the answer is on its way");
        journal.apply(&Record::Acknowledged { seq: 1 });
        assert_eq!(
            judge(&pause(), &journal, late),
            Verdict::Answer(id(), CommandOutcome::Done),
            "the same again"
        );
    }

    #[test]
    fn a_stop_at_once_is_never_too_late_and_answered_once() {
        let mut journal = State::default();
        let stop = CommandMessage { command: Command::EmergencyStop, ..pause() };
        let late = Timestamp::from_millis(i64::MAX / 2);
        assert_eq!(judge(&stop, &journal, late), Verdict::StopAtOnce(id()));
        journal.apply(&Record::Answered { command_id: id(), outcome: CommandOutcome::Done });
        assert_eq!(judge(&stop, &journal, late), Verdict::Answer(id(), CommandOutcome::Done));
    }

    #[test]
    fn hints_have_no_outcome() {
        let hint = |command| CommandMessage { id: None, expires_at: None, command, ..pause() };
        let journal = State::default();
        let now = Timestamp::from_millis(0);
        assert_eq!(judge(&hint(Command::Wake), &journal, now), Verdict::Wake);
        assert_eq!(judge(&hint(Command::ReportStatus), &journal, now), Verdict::ReportStatus);
        assert_eq!(judge(&hint(Command::Unknown), &journal, now), Verdict::PassOver);
    }
}
