//! What must be so when everything was delivered. Pure: it judges the evidence, and can be wrong about nothing else.

use std::collections::BTreeMap;

use stardust_hub::queue::job::JobTransition;
use stardust_protocol::{Command, CommandOutcome, EventBody, JobState, Timestamp};

use crate::evidence::{CommandEvidence, Evidence, Given, JobEvidence, PrinterEvidence};
use crate::samples;
use crate::time::at;

/// The agent learns the hub's time from an answer that may be so long on its way.
const HUB_TIME_IS_KNOWN_TO_MS: i64 = 20_000;

/// A move of a job, as agent and hub must agree on it.
type Move = (JobState, Timestamp, Option<String>);

/// Everything that is not as it must be.
pub(crate) fn judge(evidence: &Evidence) -> Vec<String> {
    let mut wrong = Vec::new();
    for (index, printer) in evidence.printers.iter().enumerate() {
        delivered(printer, &mut wrong);
        told(evidence, index, &mut wrong);
    }
    starts(evidence, &mut wrong);
    for job in &evidence.jobs {
        history(evidence, job, &mut wrong);
    }
    for command in &evidence.commands {
        outcome(evidence, command, &mut wrong);
    }
    orders(evidence, &mut wrong);
    samples::judge(evidence, &mut wrong);
    wrong
}

/// Each event exactly once and in order: the numbers have no gaps, and the hub has come to the last.
fn delivered(printer: &PrinterEvidence, wrong: &mut Vec<String>) {
    let name = &printer.name;
    wrong.extend(printer.journal.contradictions.iter().map(|what| format!("{name}: {what}")));
    let numbers: Vec<u64> = printer.journal.events.keys().copied().collect();
    let expected: Vec<u64> = (1..=numbers.len() as u64).collect();
    if numbers != expected {
        wrong.push(format!("{name}: the numbers of the events have gaps: {numbers:?}"));
    }
    if printer.last_seq_at_the_hub != numbers.len() as u64 {
        let (hub, agent) = (printer.last_seq_at_the_hub, numbers.len());
        wrong.push(format!("{name}: the hub has applied {hub} events, the agent has written {agent}"));
    }
    if printer.undelivered > 0 {
        wrong.push(format!("{name}: {} events were never acknowledged", printer.undelivered));
    }
}

/// What the hub was told is what the journal says; the time may be set right on the way, but is no future.
fn told(evidence: &Evidence, index: usize, wrong: &mut Vec<String>) {
    let printer = &evidence.printers[index];
    for (seq, event) in &printer.journal.events {
        let told = evidence.seen.told.get(&(index, *seq));
        let same = told.is_some_and(|told| told.event.body == event.body);
        if !same {
            wrong.push(format!(
                "{}: of event {seq} the hub was told {told:?}, the journal says {event:?}",
                printer.name
            ));
        }
        if let Some(told) =
            told.filter(|told| told.event.at > at(told.at_ms).plus_millis(HUB_TIME_IS_KNOWN_TO_MS))
        {
            wrong.push(format!("{}: event {seq} was told from the future: {told:?}", printer.name));
        }
    }
}

fn starts(evidence: &Evidence, wrong: &mut Vec<String>) {
    let seen = &evidence.seen;
    for (at, start) in seen.starts.iter().enumerate() {
        let Given { job, claim, .. } = start.what;
        let mut must = |is: bool, what: &str| {
            if !is {
                wrong.push(format!("job {job} (claim {claim}) was started {what}"));
            }
        };
        must(seen.starts[..at].iter().all(|before| before.what.job != job), "twice");
        must(seen.leaves.contains(&start.what), "without leave");
        must(start.was_clear, "on a bed that was not clear");
        must(start.was_written, "before its start was written down");
        must(start.is_whole, "with another file");
        let is_cancel = |command: &&CommandEvidence| command.command == Command::Cancel { job_id: job };
        let cancelled = evidence.commands.iter().filter(is_cancel);
        let before = cancelled.map(|command| command.id).any(|id| start.done_before.contains(&id));
        must(!before, "after the agent had cancelled it");
    }
    for leave in &seen.leaves {
        if seen.leaves.iter().any(|other| other.job == leave.job && other.claim != leave.claim) {
            wrong.push(format!("leave to start job {} was given to two claims", leave.job));
        }
    }
}

/// The hub's history of a job is the journal's moves, under each claim that it had.
fn history(evidence: &Evidence, job: &JobEvidence, wrong: &mut Vec<String>) {
    let id = job.id;
    if job.is_open || !job.state.is_final() {
        wrong.push(format!("job {id} has not come to its end: {}", job.state));
    }
    let claims: Vec<&Given> = evidence.seen.claims.iter().filter(|given| given.job == id).collect();
    let claimed = |moved: &JobTransition| moved.to == JobState::Claimed;
    let begins: Vec<usize> = (0..job.history.len()).filter(|at| claimed(&job.history[*at])).collect();
    if claims.len() != begins.len() {
        wrong.push(format!("job {id} was claimed {} times, its history says {}", claims.len(), begins.len()));
        return;
    }
    let prepared = job.history.iter().filter(|moved| moved.to == JobState::Preparing).count();
    let leaves = evidence.seen.leaves.iter().filter(|leave| leave.job == id).count();
    if prepared > 1 || prepared != leaves {
        wrong.push(format!("job {id}: {prepared} starts in its history, {leaves} leaves given"));
    }
    for (nth, (given, begin)) in claims.iter().zip(&begins).enumerate() {
        let end = begins.get(nth + 1).copied().unwrap_or(job.history.len());
        part(evidence, job, given, &job.history[*begin..end], nth + 1 == begins.len(), wrong);
    }
}

/// What happened to a job under one claim.
fn part(
    evidence: &Evidence,
    job: &JobEvidence,
    given: &Given,
    history: &[JobTransition],
    is_last: bool,
    wrong: &mut Vec<String>,
) {
    let printer = &evidence.printers[given.printer];
    let told = moves(evidence, given);
    let (mut since, mut applied, mut expected) = (None, Vec::new(), Vec::new());
    for moved in history {
        if matches!(moved.to, JobState::Claimed | JobState::Preparing) {
            since = Some(moved.at);
        } else if moved.by.as_deref() == Some(&printer.name) {
            expected.extend(told.get(applied.len()).map(|told| told.believed(since)));
            applied.push((moved.to, moved.at, moved.reason.clone()));
        }
    }
    // The hub may have taken the job away before it started: what the agent then says of it changes nothing.
    let taken_away = |moved: &JobTransition| {
        moved.to == JobState::Queued
            || moved.to == JobState::Cancelled && moved.by.as_deref() != Some(&printer.name)
    };
    let is_taken = history.iter().any(taken_away);
    if applied != expected || (!is_taken && applied.len() != told.len()) {
        let told: Vec<_> = told.iter().map(|told| told.believed(since)).collect();
        wrong.push(format!(
            "job {} under claim {}: the hub's history is not the journal's.\n  hub:     {applied:?}\n  journal: {told:?}",
            job.id, given.claim
        ));
        return;
    }
    let last = applied.len().checked_sub(1).and_then(|at| told.get(at)).filter(|_| is_last);
    if let Some(last) = last {
        let fraction = if last.state == JobState::AwaitingRemoval { 1.0 } else { last.fraction };
        if (job.fraction - fraction).abs() > 1e-9 || job.elapsed_s != last.elapsed_s {
            let (hub, agent) = ((job.fraction, job.elapsed_s), (fraction, last.elapsed_s));
            wrong.push(format!("job {} came to {hub:?}, the journal says {agent:?}", job.id));
        }
    }
}

/// A move of the journal, with the times of its delivery.
struct Moved {
    state: JobState,
    reason: Option<String>,
    fraction: f64,
    elapsed_s: u64,
    told_at: Timestamp,
    applied_at: Timestamp,
}

impl Moved {
    /// As the hub has to write it down: no move is in the future, or before the job was this printer's.
    fn believed(&self, since: Option<Timestamp>) -> Move {
        let at = since.map_or(self.told_at, |since| self.told_at.max(since));
        (self.state, at.min(self.applied_at), self.reason.clone())
    }
}

fn moves(evidence: &Evidence, given: &Given) -> Vec<Moved> {
    let events = evidence.printers[given.printer].journal.events.iter();
    let of_claim = events.filter_map(|(seq, event)| match &event.body {
        EventBody::JobMoved { claim_id, state, reason, fraction, elapsed_s, .. }
            if *claim_id == given.claim =>
        {
            // Never told: that is found elsewhere.
            let told = evidence.seen.told.get(&(given.printer, *seq));
            Some(Moved {
                state: *state,
                reason: reason.clone(),
                fraction: *fraction,
                elapsed_s: *elapsed_s,
                told_at: told.map_or(event.at, |told| told.event.at),
                applied_at: told.map_or(event.at, |told| at(told.at_ms)),
            })
        }
        _ => None,
    });
    of_claim.collect()
}

/// Every command has one outcome: the agent's, or expired where the agent has never answered.
fn outcome(evidence: &Evidence, command: &CommandEvidence, wrong: &mut Vec<String>) {
    let id = command.id;
    let mut told = Vec::new();
    for (nth, printer) in evidence.printers.iter().enumerate() {
        for event in printer.journal.events.values() {
            if let EventBody::CommandAnswered { command_id, outcome } = &event.body
                && *command_id == id
            {
                told.push((nth, name(outcome)));
            }
        }
    }
    let Some(outcome) = &command.outcome else {
        return wrong.push(format!("command {id} has no outcome"));
    };
    let expected = told.first().map_or("expired", |(_, outcome)| outcome);
    if told.iter().any(|(printer, outcome)| *printer != command.printer || *outcome != expected) {
        wrong.push(format!("command {id} was answered differently or by another: {told:?}"));
    }
    if outcome != expected {
        wrong.push(format!(
            "command {id} {:?}: the hub says {outcome}, the agent {expected}",
            command.command
        ));
    }
}

fn name(outcome: &CommandOutcome) -> &'static str {
    match outcome {
        CommandOutcome::Done => "done",
        CommandOutcome::Expired => "expired",
        CommandOutcome::Refused { .. } => "refused",
    }
}

/// A printer is told to pause or to go on once for each command, and never after it has expired.
fn orders(evidence: &Evidence, wrong: &mut Vec<String>) {
    let mut used: BTreeMap<_, ()> = BTreeMap::new();
    for order in &evidence.seen.orders {
        let fits = |command: &&CommandEvidence| {
            let same_kind = match command.command {
                Command::Pause { .. } => order.is_pause,
                Command::Resume { .. } => !order.is_pause,
                _ => false,
            };
            let in_time = command.created_ms <= order.at_ms
                && command.expires_ms.is_none_or(|expires| order.at_ms <= expires);
            same_kind && command.printer == order.printer && in_time && !used.contains_key(&command.id)
        };
        // The oldest first: an order fits the command that expires soonest.
        match evidence.commands.iter().filter(fits).min_by_key(|command| command.expires_ms) {
            Some(command) => drop(used.insert(command.id, ())),
            None => wrong.push(format!("{order:?}: no command asks for that, or it had expired")),
        }
    }
}
