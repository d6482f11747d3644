//! The way of a job through its states on this agent: claim, transfer, leave to start, print, report.
//!
//! Owns: what follows from what. Pure: inputs come in, actions go out; whoever carries them out does so in order,
//! and what is to be recorded is on disk before what comes after it.
//! Must not know: the network, the disk, the serial protocol's inside.

use stardust_protocol::agent_api::Claim;
use stardust_protocol::{Command, CommandOutcome, JobId, JobState};

use crate::journal::{Held, Record};
use crate::serial::{CutOff, End, JobEvent};

/// What is to be done, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Remember it over restarts.
    Record(Record),
    /// Tell the hub that the job has moved; `ends` it for this agent or not.
    Report {
        /// Where to.
        state: JobState,
        /// Why, for people.
        reason: Option<String>,
        /// The job is over for this agent: recorded together with the event.
        ends: bool,
    },
    /// Get the file of the claim, or the rest of it.
    Transfer,
    /// Give up getting the file, if that is going on.
    StopTransfer,
    /// Ask the hub for leave to start.
    AskLeave,
    /// Feed the file to the printer.
    Print,
    /// Pause the print.
    Pause,
    /// Go on with it.
    Resume,
    /// Stop it.
    Stop(End),
    /// The printer has forgotten everything: remember where the job stands, and read its file for its layers.
    KeepPlace(CutOff),
    /// Find out how the job goes on from this layer, and then have it go on ([`Lifecycle::return_planned`]).
    PlanReturn(u32),
    /// Feed the file from the layer that was planned.
    PrintFromLayer,
    /// Heaters off, with no job.
    MakeSafe,
    /// There may be another job to claim.
    LookForWork,
    /// The same, but not at once: a hub that gives a job and takes it away again must not be asked in a loop.
    LookLater,
}

/// How far the job at hand is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Transferring,
    AskingLeave,
    /// An earlier process was given leave and has sent nothing: it begins as soon as the printer is ready.
    Waiting,
    Running(JobState),
    /// Cut off: a person has to say how it goes on.
    CutOff,
}

/// The job at hand, or none.
#[derive(Debug, Default)]
pub struct Lifecycle {
    job: Option<(Claim, Phase)>,
    /// Why the printer paused by itself.
    pause_reason: Option<String>,
    /// Where the job was cut off last, if it was.
    cut_off: Option<CutOff>,
}

impl Lifecycle {
    /// The job at hand.
    #[must_use]
    pub fn claim(&self) -> Option<&Claim> {
        self.job.as_ref().map(|(claim, _)| claim)
    }

    /// The state that this agent has the job in.
    #[must_use]
    pub fn state(&self) -> Option<JobState> {
        self.job.as_ref().map(|(_, phase)| match phase {
            Phase::Transferring | Phase::AskingLeave => JobState::Transferring,
            Phase::Waiting => JobState::Preparing,
            Phase::Running(state) => *state,
            Phase::CutOff => JobState::Paused,
        })
    }

    /// Whether it was cut off and waits for a person.
    #[must_use]
    pub fn is_cut_off(&self) -> bool {
        matches!(self.job, Some((_, Phase::CutOff)))
    }

    /// Whether something of the job goes to the printer.
    #[must_use]
    pub fn is_running(&self) -> bool {
        matches!(self.job, Some((_, Phase::Running(_))))
    }

    /// The agent has started: `held` is what its journal says.
    pub fn restarted(&mut self, held: Option<&Held>) -> Vec<Action> {
        let Some(held) = held else { return Vec::new() };
        self.job = Some((held.claim.clone(), Phase::Transferring));
        if !held.started {
            return vec![Action::Transfer];
        }
        if let Some((place, _)) = &held.cut_off {
            let mut actions = self.wait_for_a_person(place.clone());
            if held.reported == Some(JobState::Paused) {
                actions.retain(|action| !matches!(action, Action::Report { .. }));
            }
            return actions;
        }
        let reason = "The agent was restarted in mid-print and has nothing to go on by: the print could not go on. \
                      The heaters were turned off; clear the bed and print the job again.";
        let mut actions = vec![Action::MakeSafe];
        actions.extend(self.end(JobState::Failed, Some(reason.into())));
        actions
    }

    /// The agent has started and goes on with the job that its journal says: it is in this state now.
    pub fn resumed(&mut self, held: &Held, state: JobState) -> Vec<Action> {
        self.job = Some((held.claim.clone(), Phase::Running(state)));
        self.cut_off = held.cut_off.as_ref().map(|(place, _)| place.clone());
        let is_news = held.reported != Some(state) && state != JobState::Preparing;
        if is_news { vec![report(state, None)] } else { Vec::new() }
    }

    /// The agent has started, and nothing was sent of the job that its journal says is started: it begins when the printer
    /// is ready. Until then there is nothing to stop, but it can be called off.
    pub fn not_begun(&mut self, held: &Held) {
        self.job = Some((held.claim.clone(), Phase::Waiting));
    }

    /// A job could begin.
    pub fn printer_ready(&mut self) -> Vec<Action> {
        let Some((_, phase @ Phase::Waiting)) = &mut self.job else { return Vec::new() };
        *phase = Phase::Running(JobState::Preparing);
        vec![Action::Print]
    }

    /// The hub has given a job.
    pub fn claimed(&mut self, claim: Claim) -> Vec<Action> {
        match &self.job {
            // The same claim again: it was asked twice.
            Some(_) => return Vec::new(),
            None => self.job = Some((claim.clone(), Phase::Transferring)),
        }
        vec![
            Action::Record(Record::Claimed { claim }),
            report(JobState::Transferring, None),
            Action::Transfer,
        ]
    }

    /// The file is on disk and verified, or can't be had.
    pub fn transferred(&mut self, job: JobId, result: Result<(), String>) -> Vec<Action> {
        let Some((claim, phase @ Phase::Transferring)) = &mut self.job else { return Vec::new() };
        if claim.job_id != job {
            return Vec::new();
        }
        match result {
            Ok(()) => {
                *phase = Phase::AskingLeave;
                vec![Action::AskLeave]
            }
            Err(reason) => self.end(JobState::Failed, Some(reason)),
        }
    }

    /// The hub has given leave to start.
    pub fn leave_given(&mut self, job: JobId) -> Vec<Action> {
        let Some((claim, phase @ Phase::AskingLeave)) = &mut self.job else { return Vec::new() };
        if claim.job_id != job {
            return Vec::new();
        }
        *phase = Phase::Running(JobState::Preparing);
        vec![Action::Record(Record::Started { job_id: job }), Action::Print]
    }

    /// The hub has given the job to someone else, or it was cancelled: it is dropped unprinted.
    pub fn claim_lost(&mut self, job: JobId) -> Vec<Action> {
        match &self.job {
            Some((claim, Phase::Transferring | Phase::AskingLeave)) if claim.job_id == job => {
                let ended = Record::Ended { job_id: job, claim_id: claim.claim_id };
                self.job = None;
                vec![Action::StopTransfer, Action::Record(ended), Action::LookLater]
            }
            _ => Vec::new(),
        }
    }

    /// What had to be on disk before anything more is done is not: the claim is dropped, the job not started.
    pub fn not_recorded(&mut self, record: &Record, reason: String) -> Vec<Action> {
        match record {
            // The hub gives it again when its lease has run out.
            Record::Claimed { .. } => {
                self.job = None;
                Vec::new()
            }
            _ if self.job.is_some() => self.end(JobState::Failed, Some(reason)),
            _ => Vec::new(),
        }
    }

    /// The printer could not start the job.
    pub fn not_started(&mut self) -> Vec<Action> {
        if !self.is_running() {
            return Vec::new();
        }
        if let Some(place) = self.cut_off.clone() {
            // Nothing of it was sent: it stands where it stood.
            return self.wait_for_a_person(place);
        }
        let reason = "The printer was no longer ready when the job was to start; nothing was printed.";
        self.end(JobState::Failed, Some(reason.into()))
    }

    /// Something happened to the job on the line.
    pub fn on_line(&mut self, event: JobEvent) -> Vec<Action> {
        let Some((_, Phase::Running(state))) = &mut self.job else { return Vec::new() };
        let (next, reason) = match event {
            JobEvent::Printing | JobEvent::Resumed => (JobState::Printing, None),
            JobEvent::Pausing(reason) => {
                self.pause_reason.clone_from(&reason);
                (JobState::Pausing, reason)
            }
            JobEvent::Paused => (JobState::Paused, self.pause_reason.take()),
            JobEvent::Resuming => (JobState::Resuming, None),
            JobEvent::Stopping(End::Cancelled) => (JobState::Cancelling, None),
            JobEvent::Stopping(End::Failed(_) | End::CutOff(_)) => return Vec::new(),
            JobEvent::Completed => return self.end(JobState::AwaitingRemoval, None),
            JobEvent::Stopped(End::Cancelled) => return self.end(JobState::Cancelled, None),
            JobEvent::Stopped(End::Failed(reason)) => return self.end(JobState::Failed, Some(reason)),
            // Whoever has asked for its end has got it.
            JobEvent::Stopped(End::CutOff(_)) if *state == JobState::Cancelling => {
                return self.end(JobState::Cancelled, None);
            }
            JobEvent::Stopped(End::CutOff(place)) => return self.wait_for_a_person(place),
        };
        if *state == next || *state == JobState::Cancelling {
            return Vec::new();
        }
        *state = next;
        vec![report(next, reason)]
    }

    /// The hub asks for something: the outcome, and what to do.
    pub fn command(&mut self, command: &Command) -> (CommandOutcome, Vec<Action>) {
        let refused = |reason: &str| (CommandOutcome::Refused { reason: reason.into() }, Vec::new());
        let (Command::Pause { job_id }
        | Command::Resume { job_id }
        | Command::ResumeFrom { job_id, .. }
        | Command::Cancel { job_id }) = *command
        else {
            return refused("This agent does not know that command: upgrade it.");
        };
        let phase = match &self.job {
            Some((claim, phase)) if claim.job_id == job_id => *phase,
            _ => return refused("The printer is not at work on that job."),
        };
        let done = |actions| (CommandOutcome::Done, actions);
        match (command, phase) {
            (Command::ResumeFrom { layer, .. }, Phase::CutOff) => done(vec![Action::PlanReturn(*layer)]),
            (Command::ResumeFrom { .. }, _) => {
                refused("The print was not cut off: there is no layer to choose.")
            }
            (Command::Cancel { .. }, Phase::CutOff) => {
                let reason = self.cut_off.take().map(|place| place.reason).unwrap_or_default();
                done(self.end(JobState::Failed, Some(format!("{reason} It was given up."))))
            }
            (Command::Pause { .. }, Phase::CutOff) => done(Vec::new()),
            (_, Phase::CutOff) => refused(
                "The print was cut off: look at the part, and say from which layer it goes on, or give it up.",
            ),
            (Command::Cancel { .. }, Phase::Running(JobState::Cancelling)) => done(Vec::new()),
            (Command::Cancel { .. }, Phase::Running(_)) => done(vec![Action::Stop(End::Cancelled)]),
            (Command::Cancel { .. }, _) => {
                let mut actions = vec![Action::StopTransfer];
                actions.extend(self.end(JobState::Cancelled, None));
                done(actions)
            }
            (_, Phase::Transferring | Phase::AskingLeave | Phase::Waiting) => {
                refused("The job has not started yet.")
            }
            (_, Phase::Running(JobState::Cancelling)) => refused("The job is being cancelled."),
            (Command::Pause { .. }, Phase::Running(_)) => done(vec![Action::Pause]),
            (_, Phase::Running(JobState::Pausing | JobState::Paused | JobState::Resuming)) => {
                done(vec![Action::Resume])
            }
            (_, Phase::Running(_)) => refused("The job is not paused."),
        }
    }

    /// The machine is being stopped at once: a job of which nothing was sent yet has failed, and does not start. What is on the
    /// line ends there, and what was cut off stays so. `by` ends "stopped at once …".
    pub fn stopped_at_once(&mut self, by: &str) -> Vec<Action> {
        match &self.job {
            Some((_, Phase::Transferring | Phase::AskingLeave | Phase::Waiting)) => {
                let mut actions = vec![Action::StopTransfer];
                let reason = format!(
                    "The printer was stopped at once {by} before the print began; nothing was printed."
                );
                actions.extend(self.end(JobState::Failed, Some(reason)));
                actions
            }
            _ => Vec::new(),
        }
    }

    /// It is known how the job that was cut off goes on.
    pub fn return_planned(&mut self) -> Vec<Action> {
        match &mut self.job {
            Some((_, phase @ Phase::CutOff)) => *phase = Phase::Running(JobState::Paused),
            _ => return Vec::new(),
        }
        vec![Action::PrintFromLayer]
    }

    fn wait_for_a_person(&mut self, place: CutOff) -> Vec<Action> {
        if let Some((_, phase)) = &mut self.job {
            *phase = Phase::CutOff;
        }
        self.cut_off = Some(place.clone());
        let reason = place.why_it_waits();
        vec![Action::KeepPlace(place), report(JobState::Paused, Some(reason))]
    }

    fn end(&mut self, state: JobState, reason: Option<String>) -> Vec<Action> {
        // The caller reports under the claim that is still at hand, and then lets go of it.
        self.pause_reason = None;
        self.cut_off = None;
        vec![Action::Report { state, reason, ends: true }, Action::LookForWork]
    }

    /// The end of the job is on disk: the agent lets go of it.
    pub fn let_go(&mut self) {
        self.job = None;
    }
}

fn report(state: JobState, reason: Option<String>) -> Action {
    Action::Report { state, reason, ends: false }
}

#[cfg(test)]
mod tests;
