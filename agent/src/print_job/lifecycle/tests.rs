//! The way of a job, input by input.

use super::*;
use rstest::rstest;
use stardust_protocol::{ClaimId, Timestamp};

fn job(last: u8) -> JobId {
    format!("0190a7c2-6f00-7000-8000-0000000000{last:02x}").parse().unwrap()
}

fn claim() -> Claim {
    Claim {
        job_id: job(1),
        claim_id: "0190a7c2-6f00-7000-8000-000000000002".parse::<ClaimId>().unwrap(),
        lease_until: Timestamp::from_millis(0),
        file_name: "bracket.gcode".into(),
        size_bytes: 10,
        sha256: "ab".repeat(32).parse().unwrap(),
        estimated_s: None,
    }
}

fn running() -> Lifecycle {
    let mut life = Lifecycle::default();
    life.claimed(claim());
    life.transferred(job(1), Ok(()));
    life.leave_given(job(1));
    life
}

fn ends(state: JobState, reason: Option<&str>) -> Vec<Action> {
    vec![Action::Report { state, reason: reason.map(Into::into), ends: true }, Action::LookForWork]
}

#[test]
fn a_print_from_claim_to_removal() {
    let mut life = Lifecycle::default();
    assert_eq!(
        life.claimed(claim()),
        [
            Action::Record(Record::Claimed { claim: claim() }),
            report(JobState::Transferring, None),
            Action::Transfer
        ]
    );
    assert_eq!(life.claimed(claim()), [], "the same claim again changes nothing");
    assert_eq!(life.transferred(job(1), Ok(())), [Action::AskLeave]);
    assert_eq!(
        life.leave_given(job(1)),
        [Action::Record(Record::Started { job_id: job(1) }), Action::Print],
        "on disk before the first byte"
    );
    assert_eq!(life.leave_given(job(1)), [], "started once");
    assert_eq!(life.on_line(JobEvent::Printing), [report(JobState::Printing, None)]);
    assert_eq!(life.on_line(JobEvent::Completed), ends(JobState::AwaitingRemoval, None));
    life.let_go();
    assert_eq!(life.state(), None);
}

#[test]
fn a_pause_keeps_the_printers_reason() {
    let mut life = running();
    let reason = Some("The print file asked for a pause.".to_owned());
    assert_eq!(life.on_line(JobEvent::Pausing(reason.clone())), [report(JobState::Pausing, reason.clone())]);
    assert_eq!(life.on_line(JobEvent::Paused), [report(JobState::Paused, reason)]);
    assert_eq!(life.on_line(JobEvent::Resuming), [report(JobState::Resuming, None)]);
    assert_eq!(life.on_line(JobEvent::Resumed), [report(JobState::Printing, None)]);
}

#[rstest]
#[case::not_started(false, vec![Action::Transfer])]
#[case::started(true, vec![])]
fn after_a_restart(#[case] started: bool, #[case] expected: Vec<Action>) {
    let mut life = Lifecycle::default();
    let actions = life.restarted(Some(&Held { claim: claim(), started, reported: None, cut_off: None }));
    if started {
        let [
            Action::MakeSafe,
            Action::Report { state: JobState::Failed, reason: Some(reason), ends: true },
            _,
        ] = actions.as_slice()
        else {
            panic!("{actions:?}")
        };
        assert!(reason.starts_with("The agent was restarted in mid-print"));
    } else {
        assert_eq!(actions, expected);
    }
}

#[rstest]
#[case::nothing_new(JobState::Printing, Some(JobState::Printing), false)]
#[case::its_report_was_lost(JobState::Printing, Some(JobState::Transferring), true)]
#[case::paused(JobState::Paused, Some(JobState::Pausing), true)]
#[case::preparing_is_never_reported(JobState::Preparing, Some(JobState::Transferring), false)]
fn going_on_after_a_restart(
    #[case] state: JobState,
    #[case] reported: Option<JobState>,
    #[case] tells: bool,
) {
    let mut life = Lifecycle::default();
    let actions = life.resumed(&Held { claim: claim(), started: true, reported, cut_off: None }, state);
    let expected = if tells { vec![report(state, None)] } else { Vec::new() };
    assert_eq!((actions, life.state()), (expected, Some(state)));
    assert_eq!(life.on_line(JobEvent::Completed), ends(JobState::AwaitingRemoval, None));
}

#[test]
fn a_lost_claim_is_dropped_unprinted_but_not_once_it_has_started() {
    let mut life = Lifecycle::default();
    life.claimed(claim());
    assert_eq!(life.claim_lost(job(9)), []);
    assert!(
        life.claim_lost(job(1))
            .contains(&Action::Record(Record::Ended { job_id: job(1), claim_id: claim().claim_id }))
    );
    assert_eq!(life.claim(), None);
    assert_eq!(running().claim_lost(job(1)), []);
}

#[test]
fn a_file_that_cannot_be_had_fails_the_job() {
    let mut life = Lifecycle::default();
    life.claimed(claim());
    assert_eq!(life.transferred(job(1), Err("No room.".into())), ends(JobState::Failed, Some("No room.")));
}

#[rstest]
#[case::pause(JobState::Printing, Command::Pause { job_id: job(1) }, Some(Action::Pause))]
#[case::pause_while_heating(JobState::Preparing, Command::Pause { job_id: job(1) }, Some(Action::Pause))]
#[case::resume(JobState::Paused, Command::Resume { job_id: job(1) }, Some(Action::Resume))]
#[case::resume_too_early(JobState::Pausing, Command::Resume { job_id: job(1) }, Some(Action::Resume))]
#[case::resume_what_runs(JobState::Printing, Command::Resume { job_id: job(1) }, None)]
#[case::cancel(JobState::Paused, Command::Cancel { job_id: job(1) }, Some(Action::Stop(End::Cancelled)))]
#[case::pause_what_is_stopping(JobState::Cancelling, Command::Pause { job_id: job(1) }, None)]
#[case::another_job(JobState::Printing, Command::Pause { job_id: job(7) }, None)]
#[case::unknown(JobState::Printing, Command::Unknown, None)]
fn commands(#[case] state: JobState, #[case] command: Command, #[case] expected: Option<Action>) {
    let mut life = Lifecycle { job: Some((claim(), Phase::Running(state))), ..Lifecycle::default() };
    match (life.command(&command), expected) {
        ((CommandOutcome::Done, actions), Some(action)) => assert_eq!(actions, [action]),
        ((CommandOutcome::Refused { reason }, actions), None) => {
            assert!(actions.is_empty() && reason.ends_with('.'), "{reason}");
        }
        (other, _) => panic!("{other:?}"),
    }
}

#[test]
fn cancelling_before_the_start_prints_nothing() {
    let mut life = Lifecycle::default();
    life.claimed(claim());
    let (outcome, actions) = life.command(&Command::Cancel { job_id: job(1) });
    assert_eq!(outcome, CommandOutcome::Done);
    assert_eq!(actions.first(), Some(&Action::StopTransfer));
    assert_eq!(actions[1..], ends(JobState::Cancelled, None));
}

fn place() -> CutOff {
    CutOff {
        reason: "The printer was reset.".into(),
        layer: 12,
        height_mm: Some(2.4),
        parked: false,
        acknowledged: 1000,
        extruder_rule: stardust_gcode::modal::ExtruderRule::GoesAlong,
    }
}

fn waits() -> [Action; 2] {
    let reason = "The printer was reset. Look at the part: the print can go on from a layer, or be given up.";
    [Action::KeepPlace(place()), report(JobState::Paused, Some(reason.into()))]
}

#[test]
fn a_job_that_was_cut_off_waits_for_a_person_and_goes_on_from_a_layer() {
    let mut life = running();
    life.on_line(JobEvent::Printing);
    assert_eq!(life.on_line(JobEvent::Stopped(End::CutOff(place()))), waits());
    assert!(life.is_cut_off() && !life.is_running());
    assert_eq!(life.state(), Some(JobState::Paused));
    let (outcome, actions) = life.command(&Command::Resume { job_id: job(1) });
    assert!(matches!(outcome, CommandOutcome::Refused { reason } if reason.contains("which layer")));
    assert_eq!(actions, []);
    let (outcome, actions) = life.command(&Command::ResumeFrom { job_id: job(1), layer: 12 });
    assert_eq!((outcome, actions), (CommandOutcome::Done, vec![Action::PlanReturn(12)]));
    assert_eq!(life.return_planned(), [Action::PrintFromLayer]);
    assert_eq!(life.return_planned(), [], "once");
    assert_eq!(life.on_line(JobEvent::Resuming), [report(JobState::Resuming, None)]);
    assert_eq!(life.on_line(JobEvent::Resumed), [report(JobState::Printing, None)]);
    assert_eq!(life.on_line(JobEvent::Completed), ends(JobState::AwaitingRemoval, None));
}

#[test]
fn a_job_that_was_cut_off_may_be_given_up() {
    let mut life = running();
    life.on_line(JobEvent::Stopped(End::CutOff(place())));
    let (_, actions) = life.command(&Command::Cancel { job_id: job(1) });
    assert_eq!(actions, ends(JobState::Failed, Some("The printer was reset. It was given up.")));
}

#[test]
fn a_printer_that_is_not_ready_after_all_leaves_the_job_where_it_stood() {
    let mut life = running();
    life.on_line(JobEvent::Stopped(End::CutOff(place())));
    life.return_planned();
    assert_eq!(life.not_started(), waits());
}

#[test]
fn a_job_that_is_being_cancelled_is_not_asked_for() {
    let mut life = running();
    life.on_line(JobEvent::Printing);
    life.on_line(JobEvent::Stopping(End::Cancelled));
    assert_eq!(life.on_line(JobEvent::Stopped(End::CutOff(place()))), ends(JobState::Cancelled, None));
}

#[rstest]
#[case::told(Some(JobState::Paused), false)]
#[case::not_told_yet(Some(JobState::Printing), true)]
fn it_waits_still_after_a_restart(#[case] reported: Option<JobState>, #[case] tells: bool) {
    let mut life = Lifecycle::default();
    let held = Held { claim: claim(), started: true, reported, cut_off: Some((place(), 60)) };
    let expected = if tells { waits().to_vec() } else { vec![Action::KeepPlace(place())] };
    assert_eq!(life.restarted(Some(&held)), expected);
    assert!(life.is_cut_off());
}

#[test]
fn only_what_was_cut_off_has_layers_to_choose() {
    let (outcome, _) = running().command(&Command::ResumeFrom { job_id: job(1), layer: 2 });
    assert!(matches!(outcome, CommandOutcome::Refused { .. }));
}

#[test]
fn what_can_not_be_recorded_is_not_done() {
    let mut life = Lifecycle::default();
    let claimed = life.claimed(claim());
    let [Action::Record(record), ..] = claimed.as_slice() else { panic!("{claimed:?}") };
    assert_eq!(life.not_recorded(record, "The disk is full.".into()), []);
    assert_eq!(life.claim(), None, "the lease gives it back");

    let mut life = running();
    let started = Record::Started { job_id: job(1) };
    assert_eq!(
        life.not_recorded(&started, "The disk is full.".into()),
        ends(JobState::Failed, Some("The disk is full."))
    );
}

#[test]
fn a_job_of_which_nothing_was_sent_begins_when_the_printer_is_ready_unless_it_was_called_off() {
    let held = Held { claim: claim(), started: true, reported: None, cut_off: None };
    let waiting = || {
        let mut life = Lifecycle::default();
        life.not_begun(&held);
        life
    };
    let mut life = waiting();
    assert_eq!((life.state(), life.is_running()), (Some(JobState::Preparing), false), "nothing to stop");
    let (outcome, actions) = life.command(&Command::Pause { job_id: job(1) });
    assert!(matches!(outcome, CommandOutcome::Refused { .. }) && actions.is_empty());
    assert_eq!(life.printer_ready(), [Action::Print]);
    assert_eq!(life.printer_ready(), [], "once");
    assert!(life.is_running());

    let mut life = waiting();
    let (outcome, actions) = life.command(&Command::Cancel { job_id: job(1) });
    assert_eq!(outcome, CommandOutcome::Done);
    assert_eq!(actions[1..], ends(JobState::Cancelled, None));
    life.let_go();
    assert_eq!(life.printer_ready(), []);
}
