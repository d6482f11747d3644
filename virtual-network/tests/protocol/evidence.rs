//! What a run leaves behind, and what was seen of it while it went on: all that the oracle judges by.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use stardust_agent::journal::Record;
use stardust_hub::queue::job::JobTransition;
use stardust_protocol::{
    AgentEvent, ClaimId, Command, CommandId, CommandOutcome, JobId, JobState, TelemetrySample,
};

use crate::samples::{Kept, ToldSample, ToldSamples};

/// Everything.
#[derive(Debug, Clone, Default)]
pub(crate) struct Evidence {
    pub(crate) printers: Vec<PrinterEvidence>,
    pub(crate) seen: Seen,
    pub(crate) jobs: Vec<JobEvidence>,
    pub(crate) commands: Vec<CommandEvidence>,
}

/// Of a printer: the agent's journal over all its processes, and how far the hub has come with it.
#[derive(Debug, Clone, Default)]
pub(crate) struct PrinterEvidence {
    pub(crate) name: String,
    pub(crate) journal: JournalFile,
    pub(crate) undelivered: usize,
    pub(crate) last_seq_at_the_hub: u64,
    /// The agent has kept some for its next process.
    pub(crate) has_untold_samples: bool,
}

/// Of a job: as the hub has it.
#[derive(Debug, Clone)]
pub(crate) struct JobEvidence {
    pub(crate) id: JobId,
    pub(crate) state: JobState,
    pub(crate) is_open: bool,
    pub(crate) fraction: f64,
    pub(crate) elapsed_s: u64,
    pub(crate) history: Vec<JobTransition>,
    pub(crate) samples: Vec<Kept>,
}

/// Of a command: as the hub has it.
#[derive(Debug, Clone)]
pub(crate) struct CommandEvidence {
    pub(crate) id: CommandId,
    pub(crate) printer: usize,
    pub(crate) command: Command,
    pub(crate) created_ms: i64,
    pub(crate) expires_ms: Option<i64>,
    pub(crate) outcome: Option<String>,
}

/// Seen on the way.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    /// Claims in the order in which the hub has made them.
    pub(crate) claims: Vec<Given>,
    /// Leaves to start.
    pub(crate) leaves: Vec<Given>,
    pub(crate) starts: Vec<Start>,
    pub(crate) orders: Vec<Ordered>,
    /// Events as the hub was told of them, when it applied them, by printer and number.
    pub(crate) told: BTreeMap<(usize, u64), Told>,
    pub(crate) samples: ToldSamples,
}

/// An event as it arrived at the hub first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Told {
    pub(crate) at_ms: i64,
    pub(crate) event: AgentEvent,
}

/// Given to a printer by the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) printer: usize,
    pub(crate) job: JobId,
    pub(crate) claim: ClaimId,
}

/// A printer has begun to print.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    pub(crate) what: Given,
    /// The bed was clear.
    pub(crate) was_clear: bool,
    /// The journal said so before.
    pub(crate) was_written: bool,
    /// What came was the print file.
    pub(crate) is_whole: bool,
    /// Commands that the agent had carried out by then.
    pub(crate) done_before: BTreeSet<CommandId>,
}

/// A printer was told to pause or to go on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ordered {
    pub(crate) at_ms: i64,
    pub(crate) printer: usize,
    pub(crate) is_pause: bool,
}

impl Seen {
    pub(crate) fn claim(&mut self, printer: usize, job: JobId, claim: ClaimId) {
        let given = Given { printer, job, claim };
        if !self.claims.contains(&given) {
            self.claims.push(given);
        }
    }

    /// The hub has taken events; those that it knows already change nothing.
    pub(crate) fn told(&mut self, at_ms: i64, printer: usize, events: Vec<AgentEvent>) {
        for event in events {
            self.told.entry((printer, event.seq)).or_insert(Told { at_ms, event });
        }
    }

    /// The hub has taken samples.
    pub(crate) fn sampled(&mut self, at_ms: i64, samples: Vec<TelemetrySample>) {
        for sample in samples {
            let place = (sample.job_id, sample.number);
            self.samples.entry(place).or_insert(ToldSample { at_ms, sample });
        }
    }

    /// Whether this is the first for the claim.
    pub(crate) fn leave(&mut self, printer: usize, claim: ClaimId) -> bool {
        let given = self.claims.iter().find(|given| given.claim == claim && given.printer == printer);
        let given = *given.expect("leave to start was given to a claim that was never given");
        let is_first = !self.leaves.contains(&given);
        if is_first {
            self.leaves.push(given);
        }
        is_first
    }
}

/// A journal over all its rewritings.
#[derive(Debug, Clone, Default)]
pub(crate) struct JournalFile {
    pub(crate) events: BTreeMap<u64, AgentEvent>,
    pub(crate) answers: BTreeMap<CommandId, CommandOutcome>,
    /// What was written twice and differently.
    pub(crate) contradictions: Vec<String>,
}

impl JournalFile {
    /// Takes what is in the file now: it is rewritten only when a process begins.
    pub(crate) fn collect(&mut self, path: &Path) {
        let text = std::fs::read(path).unwrap_or_default();
        for line in text.split(|byte| *byte == b'\n') {
            match serde_json::from_slice(line) {
                Ok(Record::Event(event)) => self.event(event),
                Ok(Record::Answered { command_id, outcome }) => {
                    let before = self.answers.insert(command_id, outcome.clone());
                    if before.is_some_and(|before| before != outcome) {
                        self.contradictions.push(format!("command {command_id} was answered differently"));
                    }
                }
                // Something else, or torn.
                _ => {}
            }
        }
    }

    pub(crate) fn event(&mut self, event: AgentEvent) {
        let seq = event.seq;
        if self.events.insert(seq, event.clone()).is_some_and(|before| before != event) {
            self.contradictions.push(format!("two events have the number {seq}"));
        }
    }

    /// The commands that were carried out.
    pub(crate) fn done(&self) -> BTreeSet<CommandId> {
        let done = self.answers.iter().filter(|(_, outcome)| **outcome == CommandOutcome::Done);
        done.map(|(id, _)| *id).collect()
    }
}
