//! What the queue promises, on both engines.

mod asked;
mod cut_off;
mod late;
mod second_agent;
mod stopped;

use std::time::Duration;

use rstest::rstest;
use stardust_protocol::agent_api::Claim;
use stardust_protocol::status::StatusBody;
use stardust_protocol::{
    AgentEvent, Attention, AttentionId, Command, CommandOutcome, EventBody, FileId, JobId, JobState,
    PrinterId, PrinterState, PrinterStatus, ProtocolVersion, SessionId, StatusMessage, Timestamp, limits,
};

use super::answer::{PrinterAnswer, answer};
use super::job::{PrintJob, Requested};
use super::store::{self, Scope};
use super::submit::Wish;
use super::wanted::Wanted;
use super::{claim, control, report, submit, sweep};
use crate::api::auth::Device;
use crate::api::page::PageQuery;
use crate::db::testing::Engine;
use crate::error::Error;
use crate::fleet::ContactState;
use crate::testing::{TestHub, hub};

const GCODE: &str = "G28\nG1 X1 Y1 E1\n";

impl TestHub {
    async fn submit(&self, file_id: FileId, printer_id: Option<PrinterId>) -> JobId {
        let wish = Wish { file_id, printer_id, even_if_cut_off: false, idempotency_key: None };
        // The queue's order is by the millisecond.
        self.clock.advance(Duration::from_millis(1));
        submit::submit(&self.app, &self.owner, wish).await.unwrap().id
    }

    async fn claim(&self, device: Device) -> Option<Claim> {
        claim::claim(&self.app, device, u64::MAX >> 1).await.unwrap()
    }

    async fn job(&self, id: JobId) -> PrintJob {
        store::view(&self.app.db, self.owner.workspace_id, id).await.unwrap().into_view(&self.app.fleet)
    }

    async fn report(&self, device: Device, claim: &Claim, first_seq: u64, states: &[JobState]) -> u64 {
        let events: Vec<_> = (first_seq..)
            .zip(states)
            .map(|(seq, state)| AgentEvent {
                seq,
                at: self.at(seq),
                body: EventBody::JobMoved {
                    job_id: claim.job_id,
                    claim_id: claim.claim_id,
                    state: *state,
                    reason: None,
                    fraction: 0.5,
                    elapsed_s: 60,
                },
            })
            .collect();
        report::apply(&self.app, device, &events).await.unwrap()
    }

    fn at(&self, seq: u64) -> Timestamp {
        self.app.clock.now().plus_millis(seq as i64)
    }

    async fn started(&self, device: Device) -> Claim {
        let claim = self.claim(device).await.unwrap();
        claim::start(&self.app, device, claim.job_id, claim.claim_id).await.unwrap();
        claim
    }

    async fn history(&self, id: JobId) -> Vec<String> {
        let all = PageQuery::default();
        let page = store::transitions(&self.app.db, self.owner.workspace_id, id, &all).await.unwrap();
        page.items.iter().map(|moved| moved.to.to_string()).collect()
    }
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn a_job_goes_from_the_queue_to_the_cleared_bed_and_then_the_next_one_starts(#[case] engine: Engine) {
    let hub = hub(engine).await;
    let printer = hub.pair("Ender").await;
    let file = hub.upload("a.gcode", GCODE).await;
    let (first, second) = (hub.submit(file, None).await, hub.submit(file, None).await);

    let claim = hub.started(printer).await;
    assert_eq!((claim.job_id, claim.size_bytes), (first, GCODE.len() as u64));
    assert_eq!(hub.report(printer, &claim, 1, &[JobState::Printing, JobState::AwaitingRemoval]).await, 2);
    assert!(hub.claim(printer).await.is_none(), "the bed is not clear");

    let done = control::confirm_removal(&hub.app, &hub.owner, first).await.unwrap();
    assert_eq!((done.state, done.needs_removal), (JobState::Finished, false));
    assert_eq!(
        hub.history(first).await,
        ["queued", "claimed", "preparing", "printing", "awaiting_removal", "finished"]
    );
    assert_eq!(hub.claim(printer).await.unwrap().job_id, second);
    let (db, workspace, all) = (&hub.app.db, hub.owner.workspace_id, PageQuery::default());
    assert_eq!(store::list(db, workspace, Scope::History, None, &all).await.unwrap().items.len(), 1);
    assert_eq!(store::list(db, workspace, Scope::Active, None, &all).await.unwrap().items.len(), 1);
    assert_eq!(
        store::list(db, workspace, Scope::All, Some(printer.printer_id), &all).await.unwrap().items.len(),
        2
    );
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn two_printers_never_get_the_same_job(#[case] engine: Engine) {
    let hub = hub(engine).await;
    let printers = [hub.pair("a").await, hub.pair("b").await, hub.pair("c").await];
    let file = hub.upload("a.gcode", GCODE).await;
    let jobs = [hub.submit(file, None).await, hub.submit(file, None).await];
    let claims = futures::future::join_all(printers.map(|printer| hub.claim(printer))).await;
    let mut claimed: Vec<_> = claims.into_iter().flatten().map(|claim| claim.job_id).collect();
    claimed.sort();
    assert_eq!(claimed, jobs);
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn a_job_for_one_printer_waits_for_that_one(#[case] engine: Engine) {
    let hub = hub(engine).await;
    let (a, b) = (hub.pair("a").await, hub.pair("b").await);
    let file = hub.upload("a.gcode", GCODE).await;
    let for_b = hub.submit(file, Some(b.printer_id)).await;
    assert!(hub.claim(a).await.is_none());
    let too_small = claim::claim(&hub.app, b, GCODE.len() as u64 - 1).await.unwrap();
    assert!(too_small.is_none(), "the file does not fit into the spool");
    assert_eq!(hub.claim(b).await.unwrap().job_id, for_b);
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn a_lost_answer_is_asked_for_again_and_is_the_same(#[case] engine: Engine) {
    let hub = hub(engine).await;
    let printer = hub.pair("a").await;
    let file = hub.upload("a.gcode", GCODE).await;
    hub.submit(file, None).await;
    let claim = hub.claim(printer).await.unwrap();
    assert_eq!(hub.claim(printer).await.unwrap().claim_id, claim.claim_id);
    let started = claim::start(&hub.app, printer, claim.job_id, claim.claim_id).await.unwrap();
    hub.clock.advance(Duration::from_secs(5));
    assert_eq!(claim::start(&hub.app, printer, claim.job_id, claim.claim_id).await.unwrap(), started);
    assert_eq!(hub.report(printer, &claim, 1, &[JobState::Printing]).await, 1);
    assert_eq!(hub.report(printer, &claim, 1, &[JobState::Printing, JobState::Paused]).await, 2);
    assert_eq!(hub.history(claim.job_id).await, ["queued", "claimed", "preparing", "printing", "paused"]);
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn a_claim_that_ran_out_goes_back_and_its_holder_gets_no_leave_to_start(#[case] engine: Engine) {
    let hub = hub(engine).await;
    let (a, b) = (hub.pair("a").await, hub.pair("b").await);
    let file = hub.upload("a.gcode", GCODE).await;
    let job = hub.submit(file, None).await;
    let lost = hub.claim(a).await.unwrap();
    hub.clock.advance(Duration::from_millis(limits::CLAIM_LEASE_MS as u64));
    sweep::sweep(&hub.app).await.unwrap();
    assert_eq!(hub.job(job).await.state, JobState::Queued);
    let won = hub.started(b).await;
    assert_eq!(won.job_id, job);
    let refused = claim::start(&hub.app, a, job, lost.claim_id).await;
    assert!(matches!(refused, Err(Error::Conflict { code: "claim_lost", .. })), "{refused:?}");
    hub.report(a, &lost, 1, &[JobState::Failed]).await;
    assert_eq!(hub.job(job).await.state, JobState::Preparing, "the loser's word changes nothing");
    assert!(claim::object(&hub.app, a, job).await.is_err());
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn nothing_that_started_is_ever_dispatched_again(#[case] engine: Engine) {
    let hub = hub(engine).await;
    let (a, b) = (hub.pair("a").await, hub.pair("b").await);
    let file = hub.upload("a.gcode", GCODE).await;
    let job = hub.submit(file, None).await;
    hub.started(a).await;
    hub.clock.advance(Duration::from_secs(7 * 24 * 3600));
    sweep::sweep(&hub.app).await.unwrap();
    assert!(hub.claim(b).await.is_none());
    assert_eq!(hub.job(job).await.state, JobState::Preparing);
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn cancelling_before_the_start_is_at_once_and_after_it_by_the_agent(#[case] engine: Engine) {
    let hub = hub(engine).await;
    let printer = hub.pair("a").await;
    let file = hub.upload("a.gcode", GCODE).await;
    let unstarted = hub.submit(file, None).await;
    let claim = hub.claim(printer).await.unwrap();
    let outcome = control::request(&hub.app, &hub.owner, unstarted, Wanted::Cancel).await.unwrap();
    assert_eq!((outcome.job.state, outcome.waits_for_agent), (JobState::Cancelled, false));
    assert!(claim::start(&hub.app, printer, unstarted, claim.claim_id).await.is_err());

    let running = hub.submit(file, None).await;
    let claim = hub.started(printer).await;
    let outcome = control::request(&hub.app, &hub.owner, running, Wanted::Cancel).await.unwrap();
    assert!(outcome.waits_for_agent);
    let commands = store::open_commands(&hub.app.db, printer.printer_id).await.unwrap();
    assert_eq!(commands.len(), 1);
    assert_eq!(commands[0].command, Command::Cancel { job_id: running });
    let answer = AgentEvent {
        seq: 1,
        at: hub.at(1),
        body: EventBody::CommandAnswered {
            command_id: commands[0].id.unwrap(),
            outcome: CommandOutcome::Done,
        },
    };
    report::apply(&hub.app, printer, &[answer]).await.unwrap();
    assert!(store::open_commands(&hub.app.db, printer.printer_id).await.unwrap().is_empty());
    hub.report(printer, &claim, 2, &[JobState::Cancelling, JobState::Cancelled]).await;
    let job = hub.job(running).await;
    assert!(job.needs_removal, "it had started: something may lie on the bed");
    assert!(hub.claim(printer).await.is_none());
    control::confirm_removal(&hub.app, &hub.owner, running).await.unwrap();
    let again = control::confirm_removal(&hub.app, &hub.owner, running).await;
    assert!(matches!(again, Err(Error::Conflict { code: "nothing_to_remove", .. })));
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn what_an_agent_has_done_counts_however_late_it_can_say_so(#[case] engine: Engine) {
    let hub = hub(engine).await;
    let printer = hub.pair("a").await;
    let file = hub.upload("a.gcode", GCODE).await;
    let job = hub.submit(file, None).await;
    let claim = hub.started(printer).await;
    hub.report(printer, &claim, 1, &[JobState::Printing]).await;
    control::request(&hub.app, &hub.owner, job, Wanted::Pause).await.unwrap();
    let first = store::open_commands(&hub.app.db, printer.printer_id).await.unwrap()[0].id.unwrap();
    // It was done at once, and then the network went away.
    hub.clock.advance(Duration::from_millis(limits::COMMAND_EXPIRY_MS as u64 + 10_000));
    sweep::sweep(&hub.app).await.unwrap();
    assert!(hub.job(job).await.reason.unwrap().contains("did not answer"));
    control::request(&hub.app, &hub.owner, job, Wanted::Cancel).await.unwrap();
    let told = |seq, outcome| {
        let body = EventBody::CommandAnswered { command_id: first, outcome };
        AgentEvent { seq, at: hub.at(seq), body }
    };
    report::apply(&hub.app, printer, &[told(2, CommandOutcome::Done)]).await.unwrap();
    let outcome = store::outcome_of(&hub.app.db, first).await.unwrap().unwrap();
    assert_eq!(outcome, ("done".into(), None));
    let after = hub.job(job).await;
    assert_eq!((after.requested, after.reason), (Some(Requested::Cancel), None), "the cancel is still asked");
    // Whoever says it again changes nothing.
    report::apply(&hub.app, printer, &[told(3, CommandOutcome::Expired)]).await.unwrap();
    assert_eq!(store::outcome_of(&hub.app.db, first).await.unwrap().unwrap().0, "done");
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn a_pause_that_nobody_answers_is_forgotten_and_says_so(#[case] engine: Engine) {
    let hub = hub(engine).await;
    let printer = hub.pair("a").await;
    let file = hub.upload("a.gcode", GCODE).await;
    let job = hub.submit(file, None).await;
    let claim = hub.started(printer).await;
    hub.report(printer, &claim, 1, &[JobState::Printing]).await;
    control::request(&hub.app, &hub.owner, job, Wanted::Pause).await.unwrap();
    assert_eq!(hub.job(job).await.requested, Some(Requested::Pause));
    hub.clock.advance(Duration::from_millis(limits::COMMAND_EXPIRY_MS as u64 + 10_000));
    sweep::sweep(&hub.app).await.unwrap();
    let job = hub.job(job).await;
    assert_eq!((job.requested, job.state), (None, JobState::Printing));
    assert!(job.reason.unwrap().contains("did not answer"));
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn the_same_idempotency_key_is_the_same_job(#[case] engine: Engine) {
    let hub = hub(engine).await;
    let file_id = hub.upload("a.gcode", GCODE).await;
    let wish =
        |file_id| Wish { file_id, printer_id: None, even_if_cut_off: false, idempotency_key: Some("k") };
    let first = submit::submit(&hub.app, &hub.owner, wish(file_id)).await.unwrap();
    assert_eq!(submit::submit(&hub.app, &hub.owner, wish(file_id)).await.unwrap().id, first.id);
    let other = hub.upload("b.gcode", "G28\n").await;
    let reused = submit::submit(&hub.app, &hub.owner, wish(other)).await;
    assert!(matches!(reused, Err(Error::Conflict { code: "idempotency_key_reused", .. })));
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn a_file_without_its_end_is_printed_only_where_a_person_says_so(#[case] engine: Engine) {
    let hub = hub(engine).await;
    let cut_off = "; generated by PrusaSlicer 2.6.0 on 2023-11-17 at 10:00:00 UTC\nG28\nG1 X1";
    let file_id = hub.upload("a.gcode", cut_off).await;
    hub.extract(file_id).await;
    let wish = |even_if_cut_off| Wish { file_id, printer_id: None, even_if_cut_off, idempotency_key: None };
    let refused = submit::submit(&hub.app, &hub.owner, wish(false)).await;
    assert!(matches!(refused, Err(Error::Conflict { code: "file_cut_off", .. })), "{refused:?}");
    assert!(store::open(&hub.app.db).await.unwrap().is_empty(), "nothing is queued");
    submit::submit(&hub.app, &hub.owner, wish(true)).await.unwrap();
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn a_file_is_kept_while_a_job_needs_it(#[case] engine: Engine) {
    let hub = hub(engine).await;
    let file = hub.upload("a.gcode", GCODE).await;
    let job = hub.submit(file, None).await;
    let (db, workspace, now) = (&hub.app.db, hub.owner.workspace_id, hub.app.clock.now());
    let kept = crate::library::store::delete(db, now, workspace, file).await;
    assert!(matches!(kept, Err(Error::Conflict { code: "file_in_use", .. })));
    control::request(&hub.app, &hub.owner, job, Wanted::Cancel).await.unwrap();
    crate::library::store::delete(db, now, workspace, file).await.unwrap();
}

impl TestHub {
    /// The printer is connected and asks something.
    fn asks(&self, device: Device, buttons: &[&str]) -> AttentionId {
        let now = self.app.clock.now();
        let id = AttentionId::generate(now);
        let buttons = buttons.iter().map(|label| (*label).to_owned()).collect();
        let status = PrinterStatus {
            attention: Some(Attention { id, text: "Nozzle Parked".into(), buttons, only_at_printer: false }),
            ..PrinterStatus::new(PrinterState::Attention)
        };
        self.app.fleet.set_contact(device.printer_id, ContactState::Online, now);
        let message = StatusMessage {
            protocol: ProtocolVersion::CURRENT,
            session: SessionId::generate(now),
            seq: 1,
            at: now,
            body: StatusBody::Full(status),
        };
        self.app.fleet.apply(device.printer_id, message, now);
        id
    }

    /// The agent says what became of the only open command.
    async fn command_is(&self, device: Device, seq: u64, outcome: CommandOutcome) -> Command {
        let command = loop {
            let open = store::open_commands(&self.app.db, device.printer_id).await.unwrap();
            match open.into_iter().next() {
                Some(command) => break command,
                None => tokio::task::yield_now().await,
            }
        };
        let body = EventBody::CommandAnswered { command_id: command.id.unwrap(), outcome };
        report::apply(&self.app, device, &[AgentEvent { seq, at: self.at(seq), body }]).await.unwrap();
        command.command
    }
}

const LONG: Duration = Duration::from_secs(60);

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn an_answer_reaches_the_question_that_was_seen_with_no_job_at_all(#[case] engine: Engine) {
    let hub = hub(engine).await;
    let printer = hub.pair("a").await;
    let attention_id = hub.asks(printer, &["Purge More", "Continue"]);
    let wanted = PrinterAnswer { attention_id, button: 1 };
    let (told, command) = tokio::join!(
        answer(&hub.app, &hub.owner, printer.printer_id, wanted, LONG),
        hub.command_is(printer, 1, CommandOutcome::Done)
    );
    assert!(told.unwrap());
    assert_eq!(command, Command::Answer { attention_id, button: 1 });

    let reason = "The printer does not ask that any more.".to_owned();
    let (told, _) = tokio::join!(
        answer(&hub.app, &hub.owner, printer.printer_id, wanted, LONG),
        hub.command_is(printer, 2, CommandOutcome::Refused { reason })
    );
    let refused = told.unwrap_err();
    assert!(
        matches!(&refused, Error::Conflict { code: "not_asked", detail } if detail.ends_with("any more."))
    );

    let none = answer(&hub.app, &hub.owner, printer.printer_id, wanted, Duration::ZERO).await;
    assert!(!none.unwrap(), "the agent is silent");
    hub.clock.advance(Duration::from_millis(limits::COMMAND_EXPIRY_MS as u64 + 10_000));
    sweep::sweep(&hub.app).await.unwrap();
    assert!(store::open_commands(&hub.app.db, printer.printer_id).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_answer_to_something_else_is_refused_before_it_goes_anywhere() {
    let hub = hub(Engine::Sqlite).await;
    let printer = hub.pair("a").await;
    let ask = async |attention_id, button| {
        let wanted = PrinterAnswer { attention_id, button };
        answer(&hub.app, &hub.owner, printer.printer_id, wanted, LONG).await.unwrap_err()
    };
    let first = hub.asks(printer, &["Continue"]);
    let second = hub.asks(printer, &["Continue"]);
    assert!(matches!(ask(first, 0).await, Error::Conflict { code: "not_asked", .. }));
    assert!(matches!(ask(second, 1).await, Error::Invalid { code: "no_such_button", .. }));
    let plain = hub.asks(printer, &[]);
    assert!(matches!(ask(plain, 1).await, Error::Invalid { code: "no_such_button", .. }));
    hub.app.fleet.set_contact(printer.printer_id, ContactState::Lost, hub.app.clock.now());
    assert!(matches!(ask(plain, 0).await, Error::Conflict { code: "printer_out_of_reach", .. }));
    assert!(store::open_commands(&hub.app.db, printer.printer_id).await.unwrap().is_empty());
}
