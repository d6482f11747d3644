//! Who may print a job: a claim, and the leave to start it. Pure.
//!
//! Owns: that leave is given once, to the claim that the job has at that moment, and to the very agent that holds it: a
//! claim may have been copied with a card or a folder. Must not know: the database, and which agent is listened to.

use stardust_protocol::{ClaimId, JobState, PrinterId, Timestamp};

use super::job::JobRow;
use crate::fleet::speaker::Instance;

/// What an agent that asks for leave to start is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// It may start: given now.
    Given,
    /// It may start: the answer got lost when it was given.
    GivenBefore(Timestamp),
    /// The job is not its to print.
    Lost,
    /// The same, and nobody else will print it: leave was given, and who had it does not remember.
    Forgotten,
}

impl JobRow {
    /// Gives it to a printer, and to the one agent of its that asks.
    pub fn claim(&mut self, printer: PrinterId, (claim, by): (ClaimId, Option<Instance>), now: Timestamp) {
        self.move_to(JobState::Claimed, now, None);
        (self.printer_id, self.claim_id, self.claim_instance) = (Some(printer), Some(claim), by);
        self.renew(now);
    }

    /// The printer asks again while it holds the claim. To another agent than before it is a new claim: what the other one
    /// still does under the old one counts for nothing. Returns whether it is.
    pub fn claim_again(&mut self, fresh: ClaimId, by: Option<Instance>) -> bool {
        let is_another = self.claim_instance != by;
        if is_another {
            (self.claim_id, self.claim_instance) = (Some(fresh), by);
        }
        is_another
    }

    /// An agent asks for leave to start under a claim.
    #[must_use]
    pub fn leave(&self, printer: PrinterId, claim: ClaimId, by: Option<Instance>) -> Leave {
        if self.printer_id != Some(printer) || self.claim_id != Some(claim) {
            return Leave::Lost;
        }
        let is_holder = self.claim_instance == by;
        match self.started_at {
            None if self.state.is_before_start() && is_holder => Leave::Given,
            Some(started_at) if self.state.is_running() && is_holder => Leave::GivenBefore(started_at),
            // Its machine was started anew between the leave and the first line, or this is a copy of it that knows of no
            // start. Nothing tells them apart, so nobody starts; and if nothing was heard of the start, nothing will be.
            Some(_) if self.state == JobState::Preparing => Leave::Forgotten,
            _ => Leave::Lost,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::job::Printable;
    use proptest::prelude::*;
    use rstest::rstest;
    use stardust_protocol::{FileId, FileVersionId, UserId, WorkspaceId};

    const NOW: fn() -> Timestamp = || Timestamp::from_millis(1000);

    fn queued() -> JobRow {
        let what = Printable {
            file_id: FileId::generate(NOW()),
            file_version_id: FileVersionId::generate(NOW()),
            file_name: "a.gcode".into(),
        };
        JobRow::queued(WorkspaceId::generate(NOW()), UserId::generate(NOW()), what, None, NOW())
    }

    fn instance(name: &str) -> Option<Instance> {
        Instance::from_header(name)
    }

    #[rstest]
    #[case(JobState::Claimed, "a", Leave::Given)]
    #[case(JobState::Transferring, "a", Leave::Given)]
    #[case(JobState::Preparing, "a", Leave::GivenBefore(NOW()))]
    #[case(JobState::Printing, "a", Leave::GivenBefore(NOW()))]
    #[case(JobState::Failed, "a", Leave::Lost)]
    #[case(JobState::Claimed, "b", Leave::Lost)]
    #[case(JobState::Transferring, "", Leave::Lost)]
    #[case(JobState::Preparing, "b", Leave::Forgotten)]
    #[case(JobState::Printing, "b", Leave::Lost)]
    #[case(JobState::AwaitingRemoval, "b", Leave::Lost)]
    fn leave_is_for_the_agent_that_holds_the_claim(
        #[case] state: JobState,
        #[case] asks: &str,
        #[case] expected: Leave,
    ) {
        let (printer, claim) = (PrinterId::generate(NOW()), ClaimId::generate(NOW()));
        let mut job = queued();
        job.claim(printer, (claim, instance("a")), NOW());
        if !state.is_before_start() {
            job.move_to(JobState::Preparing, NOW(), None);
        }
        if state != job.state {
            job.move_to(state, NOW(), None);
        }
        assert_eq!(job.leave(printer, claim, instance(asks)), expected);
        assert_eq!(job.leave(printer, ClaimId::generate(NOW()), instance("a")), Leave::Lost);
        assert_eq!(job.leave(PrinterId::generate(NOW()), claim, instance("a")), Leave::Lost);
    }

    /// What can happen to a job that two agents with one credential are after.
    #[derive(Debug, Clone, Copy)]
    enum Step {
        /// One of them asks for a job.
        Claim(usize),
        /// One of them asks for leave, under one of the claims that it knows.
        Start(usize, usize),
        /// The folder of the one is copied over the other's, with all the claims in it.
        Copy(usize),
        /// The lease runs out.
        Requeue,
        /// The one that was given leave says that it prints.
        Report,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0_usize..3).prop_map(Step::Claim),
            ((0_usize..3), (0_usize..4)).prop_map(|(agent, claim)| Step::Start(agent, claim)),
            (0_usize..3).prop_map(Step::Copy),
            Just(Step::Requeue),
            Just(Step::Report),
        ]
    }

    proptest! {
        /// In whatever order, and whatever they know of each other's claims: one agent at most is given leave. The third one
        /// is old and does not say who it is. Which of them is listened to is not even asked here: a hub that was started
        /// anew listens to whoever comes first.
        #[test]
        fn one_agent_at_most_is_given_leave(steps in prop::collection::vec(step(), 0..60)) {
            let agents = [instance("a"), instance("b"), None];
            let printer = PrinterId::generate(NOW());
            let mut known: [Vec<ClaimId>; 3] = Default::default();
            let mut given: Option<usize> = None;
            let mut job = queued();
            for step in steps {
                match step {
                    Step::Claim(agent) => {
                        let fresh = ClaimId::generate(NOW());
                        if job.state == JobState::Queued {
                            job.claim(printer, (fresh, agents[agent]), NOW());
                        } else if job.state.is_before_start() {
                            job.claim_again(fresh, agents[agent]);
                        } else {
                            continue;
                        }
                        known[agent].extend(job.claim_id);
                    }
                    Step::Start(agent, claim) => {
                        let Some(claim) = known[agent].iter().rev().nth(claim).copied() else { continue };
                        match job.leave(printer, claim, agents[agent]) {
                            Leave::Given => {
                                prop_assert_eq!(given, None);
                                given = Some(agent);
                                job.move_to(JobState::Preparing, NOW(), None);
                            }
                            Leave::GivenBefore(_) => prop_assert_eq!(given, Some(agent)),
                            Leave::Forgotten => {
                                prop_assert!(given.is_some_and(|given| given != agent));
                                job.move_to(JobState::Failed, NOW(), None);
                            }
                            Leave::Lost => {}
                        }
                    }
                    Step::Copy(from) => {
                        let copied = known[from].clone();
                        known[(from + 1) % 2].extend(copied);
                    }
                    Step::Requeue if job.state.is_before_start() => job.move_to(JobState::Queued, NOW(), None),
                    Step::Report if job.state == JobState::Preparing => job.move_to(JobState::Printing, NOW(), None),
                    Step::Requeue | Step::Report => {}
                }
            }
        }
    }
}
