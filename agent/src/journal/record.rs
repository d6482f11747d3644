//! The lines of the journal, and the state that they add up to.
//!
//! Owns: what has to be remembered over restarts. Must not know: files.

use std::collections::VecDeque;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use stardust_protocol::agent_api::Claim;
use stardust_protocol::{
    AgentEvent, ClaimId, CommandId, CommandOutcome, EventBody, JobId, JobState, Timestamp,
};

use super::debts::{Debts, HeatOwed};
use crate::serial::{CutOff, Heaters};

/// Outcomes are remembered for this many commands: a repeat of an older one has expired anyway.
const REMEMBERED_COMMANDS: usize = 128;

/// Claims that are over are remembered: a hub that has not heard of the end yet may offer one again.
const REMEMBERED_CLAIMS: usize = 64;

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// There is a journal, and nothing in it yet: one without a record is none.
    Begun,
    /// Events are numbered from here on.
    CountFrom {
        /// The next event's number.
        next_seq: u64,
    },
    /// Something happened that the hub has to learn.
    Event(AgentEvent),
    /// Events are numbered from here on before the hub has said which numbers it knows: none of them is delivered.
    Uncounted {
        /// The first one's number.
        from: u64,
    },
    /// The hub has said it. It may know numbers that an earlier process gave and could not write down.
    Counted {
        /// Events from this number on, those that were not counted …
        from: u64,
        /// … got numbers that are so much higher.
        by: u64,
    },
    /// The hub has applied all events up to this number.
    Acknowledged {
        /// The number.
        seq: u64,
    },
    /// A job was claimed: written before anything of it is downloaded.
    Claimed {
        /// The claim.
        claim: Claim,
    },
    /// A job, or a person, is about to heat the printer at this port: written before the first byte goes to it. It stands until
    /// [`Record::HeatSettled`], also when the job has ended. A person's takes the place of one at the same port; a job's that of all.
    HeatOwed {
        /// The port, for who can't read the printer's settings.
        port: PathBuf,
        /// Its speed, bits a second, where a person has set it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        baud: Option<u32>,
        /// Not a job heats it, but a person: nothing is moved when it is turned off.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        in_place: bool,
        /// It was told to stop at once, and nobody knows yet whether it has: also a print from its memory card goes on then in
        /// spite of that.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        stopped: bool,
        /// What gets hot, beside the heaters that the printer tells of. Agents before 0.2 have not written it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        heaters: Option<Heaters>,
    },
    /// With no job at work all heaters' targets were read back as 0.
    HeatSettled {
        /// What was owed at this port; empty: where nobody knows the port. None, as agents before 0.2 have written it: what was owed
        /// last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        port: Option<PathBuf>,
    },
    /// The hub has given leave to start: written before the first byte goes to the printer.
    Started {
        /// The job.
        job_id: JobId,
    },
    /// The printer has forgotten everything in mid-job: where it was. It stands until the job has ended, also when it has
    /// gone on.
    CutOff {
        /// The job.
        job_id: JobId,
        /// Where it stands.
        place: CutOff,
        /// Seconds printed until then.
        printed_s: u64,
    },
    /// The state that was reported last of the job at hand. Only at the beginning of a journal: events tell it else.
    Reached {
        /// The job.
        job_id: JobId,
        /// Its state.
        state: JobState,
    },
    /// The job is over for this agent, or was dropped unprinted.
    Ended {
        /// The job.
        job_id: JobId,
        /// The claim: it is never taken again.
        claim_id: ClaimId,
    },
    /// A command was answered.
    Answered {
        /// The command.
        command_id: CommandId,
        /// The answer.
        outcome: CommandOutcome,
    },
    /// Written by a newer agent.
    #[serde(other)]
    Unknown,
}

/// The job that this agent holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// The claim.
    pub claim: Claim,
    /// Whether something of it may have gone to the printer.
    pub started: bool,
    /// The state that was reported last, to the hub or to the outbox.
    pub reported: Option<JobState>,
    /// Where it was cut off last, if it was, and the seconds printed until then.
    pub cut_off: Option<(CutOff, u64)>,
}

/// What the journal says now.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// The next event's number.
    pub next_seq: u64,
    /// Whether nothing was ever numbered here: the hub's count is then the right one.
    pub is_fresh: bool,
    /// Events from this number on were numbered before the hub has said which numbers it knows.
    pub uncounted_from: Option<u64>,
    /// Events that the hub has not acknowledged, oldest first.
    pub outbox: VecDeque<AgentEvent>,
    /// The job at hand.
    pub held: Option<Held>,
    /// From the start of a job until all targets were read back as 0.
    pub heat: Debts,
    answered: VecDeque<(CommandId, CommandOutcome)>,
    ended: VecDeque<(JobId, ClaimId)>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            next_seq: 1,
            is_fresh: true,
            uncounted_from: None,
            outbox: VecDeque::new(),
            held: None,
            heat: Debts::default(),
            answered: VecDeque::new(),
            ended: VecDeque::new(),
        }
    }
}

impl State {
    /// Takes a record.
    pub fn apply(&mut self, record: &Record) {
        match record {
            Record::CountFrom { next_seq } => {
                self.next_seq = *next_seq;
                self.is_fresh = false;
            }
            Record::Event(event) => {
                self.next_seq = event.seq + 1;
                self.is_fresh = false;
                if let EventBody::JobMoved { job_id, state, .. } = &event.body {
                    self.reached(*job_id, *state);
                }
                self.outbox.push_back(event.clone());
            }
            Record::Uncounted { from } => self.uncounted_from = self.uncounted_from.or(Some(*from)),
            Record::Counted { from, by } => {
                self.uncounted_from = None;
                self.outbox.iter_mut().filter(|event| event.seq >= *from).for_each(|event| event.seq += by);
                self.next_seq += by;
                self.is_fresh = false;
            }
            Record::Acknowledged { seq } => self.outbox.retain(|event| event.seq > *seq),
            Record::Claimed { claim } => {
                let claim = claim.clone();
                self.held = Some(Held { claim, started: false, reported: None, cut_off: None });
            }
            Record::HeatOwed { port, baud, in_place, stopped, heaters } => {
                let port = Some(port.clone()).filter(|port| !port.as_os_str().is_empty());
                let (baud, in_place, stopped) = (*baud, *in_place, *stopped);
                let heaters = heaters.clone().unwrap_or_else(Heaters::unknown);
                self.heat.take_on(HeatOwed { port, baud, in_place, stopped, heaters });
            }
            Record::HeatSettled { port } => self.heat.settle(port.as_deref()),
            Record::Started { job_id } => {
                self.heat.assume();
                if let Some(held) = self.held.as_mut().filter(|held| held.claim.job_id == *job_id) {
                    held.started = true;
                }
            }
            Record::CutOff { job_id, place, printed_s } => {
                if let Some(held) = self.held.as_mut().filter(|held| held.claim.job_id == *job_id) {
                    // Its state may be as before, as in a pause: that it was cut off is told all the same.
                    if held.cut_off.as_ref().is_none_or(|(before, _)| before != place) {
                        held.reported = None;
                    }
                    held.cut_off = Some((place.clone(), *printed_s));
                }
            }
            Record::Reached { job_id, state } => self.reached(*job_id, *state),
            Record::Ended { job_id, claim_id } => {
                self.held = self.held.take().filter(|held| held.claim.claim_id != *claim_id);
                if self.ended.len() == REMEMBERED_CLAIMS {
                    self.ended.pop_front();
                }
                self.ended.push_back((*job_id, *claim_id));
            }
            Record::Answered { command_id, outcome } => {
                if self.answered.len() == REMEMBERED_COMMANDS {
                    self.answered.pop_front();
                }
                self.answered.push_back((*command_id, outcome.clone()));
            }
            Record::Begun | Record::Unknown => {}
        }
    }

    fn reached(&mut self, job: JobId, state: JobState) {
        if let Some(held) = self.held.as_mut().filter(|held| held.claim.job_id == job) {
            held.reported = Some(state);
        }
    }

    /// The next event, with its number.
    #[must_use]
    pub fn number(&self, at: Timestamp, body: EventBody) -> AgentEvent {
        AgentEvent { seq: self.next_seq, at, body }
    }

    /// How a command was answered, if it was.
    #[must_use]
    pub fn outcome_of(&self, command: CommandId) -> Option<&CommandOutcome> {
        self.answered.iter().find(|(id, _)| *id == command).map(|(_, outcome)| outcome)
    }

    /// Whether the answer to a command is still on its way to the hub.
    #[must_use]
    pub fn answer_is_under_way(&self, command: CommandId) -> bool {
        let answers = |event: &AgentEvent| matches!(&event.body, EventBody::CommandAnswered { command_id, .. } if *command_id == command);
        self.outbox.iter().any(answers)
    }

    /// Whether this claim is over: nothing of it is ever printed again.
    #[must_use]
    pub fn has_ended(&self, claim: ClaimId) -> bool {
        self.ended.iter().any(|(_, ended)| *ended == claim)
    }

    /// The fewest records that add up to this state.
    pub(super) fn compacted(&self) -> Vec<Record> {
        let mut records = Vec::new();
        if !self.is_fresh {
            let first = self.outbox.front().map_or(self.next_seq, |event| event.seq);
            records.push(Record::CountFrom { next_seq: first });
        }
        records.extend(self.uncounted_from.map(|from| Record::Uncounted { from }));
        records.extend(self.outbox.iter().cloned().map(Record::Event));
        if self.outbox.back().is_some_and(|last| last.seq + 1 != self.next_seq) {
            records.push(Record::CountFrom { next_seq: self.next_seq });
        }
        for (command_id, outcome) in &self.answered {
            records.push(Record::Answered { command_id: *command_id, outcome: outcome.clone() });
        }
        for (job_id, claim_id) in &self.ended {
            records.push(Record::Ended { job_id: *job_id, claim_id: *claim_id });
        }
        // Before the start of a job, which owes whatever there may be where nothing is written down.
        records.extend(self.heat.iter().cloned().map(Record::from));
        if let Some(held) = &self.held {
            records.push(Record::Claimed { claim: held.claim.clone() });
            if held.started {
                records.push(Record::Started { job_id: held.claim.job_id });
            }
            if let Some((place, printed_s)) = &held.cut_off {
                let (job_id, place, printed_s) = (held.claim.job_id, place.clone(), *printed_s);
                records.push(Record::CutOff { job_id, place, printed_s });
            }
            if let Some(state) = held.reported {
                records.push(Record::Reached { job_id: held.claim.job_id, state });
            }
        }
        if self.heat.is_empty() && self.held.as_ref().is_some_and(|held| held.started) {
            records.push(HeatOwed::default().settled());
        }
        if records.is_empty() {
            records.push(Record::Begun);
        }
        records
    }
}
