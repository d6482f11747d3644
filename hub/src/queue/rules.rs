//! How a job changes: pure rules, without a database or a clock.

use stardust_protocol::{JobState, Timestamp, limits};

use super::job::{JobRow, Requested};
use super::wanted::Wanted;

/// What a request of a person comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Done at once, by the hub alone: the job has moved.
    Moved,
    /// The agent has to be asked.
    AskAgent,
    /// Asked already, or so already.
    Nothing,
    /// Not possible now; a sentence for the person.
    No(String),
}

impl JobRow {
    /// Whether its bed has to be cleared.
    #[must_use]
    pub fn needs_removal(&self) -> bool {
        let ended = matches!(self.state, JobState::AwaitingRemoval | JobState::Cancelled | JobState::Failed);
        ended && self.started_at.is_some() && self.removed_at.is_none()
    }

    /// Moves it to another state. The caller has checked that it may.
    pub fn move_to(&mut self, to: JobState, at: Timestamp, reason: Option<String>) {
        use JobState as S;
        self.state = to;
        self.reason = reason;
        match to {
            S::Queued => {
                (self.printer_id, self.claim_id, self.claim_instance) = (None, None, None);
                (self.lease_until, self.claimed_at) = (None, None);
            }
            S::Claimed => self.claimed_at = Some(at),
            S::Preparing => {
                self.started_at = self.started_at.or(Some(at));
                self.lease_until = None;
            }
            S::AwaitingRemoval => {
                self.finished_at = Some(at);
                self.fraction = 1.0;
            }
            S::Finished => {
                self.removed_at = Some(at);
                self.open = false;
            }
            S::Cancelled | S::Failed => {
                self.finished_at = Some(at);
                // What has started may have left something on the bed.
                self.open = self.started_at.is_some();
            }
            _ => {}
        }
        let answered = match self.requested {
            Some(Requested::Pause) => to == S::Paused,
            Some(Requested::Resume) => matches!(to, S::Printing | S::Preparing),
            Some(Requested::Cancel) | None => false,
        };
        if answered || to.is_final() || matches!(to, S::AwaitingRemoval | S::Queued) {
            self.requested = None;
        }
    }

    /// The agent lives: the lease of a job that has not started holds on.
    pub fn renew(&mut self, now: Timestamp) {
        if self.state.is_before_start() {
            self.lease_until = Some(now.plus_millis(limits::CLAIM_LEASE_MS));
        }
    }

    /// A person asks for something.
    pub fn request(&mut self, wanted: Wanted, now: Timestamp) -> Answer {
        use JobState as S;
        let no = |text: &str| Answer::No(text.to_owned());
        let requested = wanted.requested();
        if self.requested == Some(requested) {
            return Answer::Nothing;
        }
        match (wanted, self.state) {
            (_, S::AwaitingRemoval) => no("The print is done. Clear the bed and confirm it."),
            (_, S::Finished | S::Cancelled | S::Failed) => no("The job has ended already."),
            (Wanted::Cancel, state) if !state.is_running() => {
                // Nothing was sent to a printer, and without our leave nothing will be.
                self.move_to(S::Cancelled, now, None);
                Answer::Moved
            }
            (Wanted::Cancel, S::Cancelling) => Answer::Nothing,
            (Wanted::Pause, S::Preparing | S::Printing | S::Resuming)
            | (Wanted::Resume | Wanted::ResumeFrom(_), S::Paused | S::Pausing)
            | (Wanted::Cancel, _) => {
                self.requested = Some(requested);
                Answer::AskAgent
            }
            (Wanted::Pause, S::Pausing | S::Paused) | (Wanted::Resume, S::Printing | S::Resuming) => {
                Answer::Nothing
            }
            (Wanted::Pause, _) => no("The job has not started: there is nothing to pause yet."),
            (Wanted::Resume, _) => no("The job is not paused."),
            // Not passed over in silence: whoever names a layer believes that the printer stands still.
            (Wanted::ResumeFrom(_), S::Preparing | S::Printing | S::Resuming) => {
                no("The job is at work: only a print that was cut off goes on from a layer.")
            }
            (Wanted::ResumeFrom(_), _) => no("The job is not paused."),
        }
    }

    /// A person says that the bed is clear. Returns whether there was anything to clear.
    pub fn confirm_removal(&mut self, now: Timestamp) -> bool {
        if !self.needs_removal() {
            return false;
        }
        if self.state == JobState::AwaitingRemoval {
            self.move_to(JobState::Finished, now, None);
        } else {
            (self.removed_at, self.open) = (Some(now), false);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::job::Printable;
    use proptest::prelude::*;
    use rstest::rstest;
    use stardust_protocol::{ClaimId, FileId, FileVersionId, PrinterId, UserId, WorkspaceId};

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    fn queued() -> JobRow {
        let now = at(0);
        let what = Printable {
            file_id: FileId::generate(now),
            file_version_id: FileVersionId::generate(now),
            file_name: "a.gcode".into(),
        };
        JobRow::queued(WorkspaceId::generate(now), UserId::generate(now), what, None, now)
    }

    fn in_state(state: JobState) -> JobRow {
        let mut job = queued();
        if state.is_running() {
            job.claim(PrinterId::generate(at(0)), (ClaimId::generate(at(0)), None), at(1));
            job.move_to(JobState::Preparing, at(2), None);
        }
        job.move_to(state, at(3), None);
        job
    }

    #[test]
    fn cancelling_before_the_start_is_the_hubs_to_do_and_after_it_the_agents() {
        for state in JobState::ALL {
            let mut job = in_state(state);
            let answer = job.request(Wanted::Cancel, at(9));
            let expected = match state {
                JobState::Cancelling => Answer::Nothing,
                s if s.is_running() => Answer::AskAgent,
                s if s.is_final() || s == JobState::AwaitingRemoval => continue,
                _ => Answer::Moved,
            };
            assert_eq!(answer, expected, "{state}");
            assert_eq!(job.state == JobState::Cancelled, expected == Answer::Moved, "{state}");
        }
    }

    #[test]
    fn a_bed_is_to_be_cleared_only_when_something_may_lie_on_it() {
        let mut unstarted = queued();
        unstarted.move_to(JobState::Cancelled, at(1), None);
        assert!(!unstarted.needs_removal() && !unstarted.open);
        assert!(!unstarted.confirm_removal(at(2)));
        for end in [JobState::AwaitingRemoval, JobState::Cancelled, JobState::Failed] {
            let mut job = in_state(JobState::Printing);
            job.move_to(end, at(4), None);
            assert!(job.needs_removal() && job.open, "{end}");
            assert!(job.confirm_removal(at(5)));
            assert!(!job.needs_removal() && !job.open, "{end}");
            assert!(!job.confirm_removal(at(6)), "once is enough");
            let expected = if end == JobState::AwaitingRemoval { JobState::Finished } else { end };
            assert_eq!(job.state, expected);
        }
    }

    #[test]
    fn a_request_is_over_when_the_job_has_got_there() {
        let mut job = in_state(JobState::Printing);
        assert_eq!(job.request(Wanted::Pause, at(1)), Answer::AskAgent);
        assert_eq!(job.request(Wanted::Pause, at(1)), Answer::Nothing);
        job.move_to(JobState::Pausing, at(2), None);
        assert_eq!(job.requested, Some(Requested::Pause));
        job.move_to(JobState::Paused, at(3), None);
        assert_eq!(job.requested, None);
    }

    #[rstest]
    #[case(JobState::Paused, Wanted::Resume, "ask the agent")]
    #[case(JobState::Paused, Wanted::ResumeFrom(3), "ask the agent")]
    #[case(JobState::Pausing, Wanted::ResumeFrom(3), "ask the agent")]
    #[case(JobState::Printing, Wanted::Resume, "nothing")]
    #[case(JobState::Resuming, Wanted::Resume, "nothing")]
    #[case(
        JobState::Printing,
        Wanted::ResumeFrom(3),
        "The job is at work: only a print that was cut off goes on from a layer."
    )]
    #[case(
        JobState::Resuming,
        Wanted::ResumeFrom(3),
        "The job is at work: only a print that was cut off goes on from a layer."
    )]
    #[case(JobState::Claimed, Wanted::ResumeFrom(3), "The job is not paused.")]
    #[case(JobState::Cancelling, Wanted::ResumeFrom(3), "The job is not paused.")]
    #[case(JobState::Failed, Wanted::ResumeFrom(3), "The job has ended already.")]
    #[case(
        JobState::AwaitingRemoval,
        Wanted::ResumeFrom(3),
        "The print is done. Clear the bed and confirm it."
    )]
    fn only_a_paused_job_goes_on(#[case] state: JobState, #[case] wanted: Wanted, #[case] expected: &str) {
        let mut job = in_state(state);
        let told = match job.request(wanted, at(9)) {
            Answer::AskAgent => "ask the agent".to_owned(),
            Answer::Nothing => "nothing".to_owned(),
            Answer::Moved => "moved".to_owned(),
            Answer::No(why) => why,
        };
        assert_eq!(told, expected);
        assert_eq!(job.requested.is_some(), expected == "ask the agent");
        assert_eq!(job.state, state);
    }

    fn state() -> impl Strategy<Value = JobState> {
        prop::sample::select(JobState::ALL.to_vec())
    }

    proptest! {
        /// Whatever happens in whatever order: a job that has started is never in the queue again, and is open
        /// until its bed is cleared.
        #[test]
        fn started_jobs_never_queue_again(moves in prop::collection::vec(state(), 0..24)) {
            let mut job = queued();
            for (n, to) in moves.into_iter().enumerate() {
                if job.state.may_become(to) {
                    job.move_to(to, at(n as i64), None);
                }
                if job.started_at.is_some() {
                    prop_assert!(!matches!(job.state, JobState::Queued | JobState::Claimed | JobState::Transferring));
                    prop_assert_eq!(job.open, job.removed_at.is_none());
                }
                prop_assert!(job.open || job.state.is_final());
            }
        }
    }
}
