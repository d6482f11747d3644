//! What is given up because nobody has answered, while others write about the same job.

use stardust_protocol::CommandMessage;

use super::*;
use crate::queue::printer_command::{self, Word};

/// As long as whoever has the queue's turn keeps it, the others wait.
const KEPT_FOR: Duration = Duration::from_millis(300);

/// Of a print at work.
async fn with_a_pause_asked_for(engine: Engine) -> (TestHub, Device, Claim) {
    let hub = hub(engine).await;
    let printer = hub.pair("a").await;
    let file = hub.upload("a.gcode", GCODE).await;
    let id = hub.submit(file, None).await;
    let claim = hub.started(printer).await;
    hub.report(printer, &claim, 1, &[JobState::Printing]).await;
    control::request(&hub.app, &hub.owner, id, Wanted::Pause).await.unwrap();
    (hub, printer, claim)
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn what_is_given_up_writes_over_nothing_that_an_agent_reports_meanwhile(#[case] engine: Engine) {
    let (hub, printer, claim) = with_a_pause_asked_for(engine).await;
    let id = claim.job_id;
    hub.clock.advance(Duration::from_millis(limits::COMMAND_EXPIRY_MS as u64 + 10_000));

    // A report, in slow motion: it has its turn, and has read the job.
    let workspace = hub.owner.workspace_id;
    let mut report = hub.app.db.begin().await.unwrap();
    report.lock(&format!("queue:{workspace}")).await.unwrap();
    let mut job = store::find(&mut report, workspace, id).await.unwrap().unwrap();
    let mut sweeping = std::pin::pin!(sweep::sweep(&hub.app));
    let swept = tokio::time::timeout(KEPT_FOR, &mut sweeping).await;
    assert!(swept.is_err(), "it waits for its turn");
    job.move_to(JobState::AwaitingRemoval, hub.app.clock.now(), None);
    store::save(&mut report, &job).await.unwrap();
    report.commit().await.unwrap();
    sweeping.await.unwrap();

    assert_eq!(hub.job(id).await.state, JobState::AwaitingRemoval);
    assert!(store::open_commands(&hub.app.db, printer.printer_id).await.unwrap().is_empty());
}

/// A print that is over was printed to its end, whatever was asked of it in its last moment.
#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn a_pause_that_came_too_late_is_no_reason_of_a_finished_print(#[case] engine: Engine) {
    let (hub, printer, claim) = with_a_pause_asked_for(engine).await;
    let id = claim.job_id;
    let pause = store::open_commands(&hub.app.db, printer.printer_id).await.unwrap()[0].id.unwrap();
    hub.report(printer, &claim, 2, &[JobState::AwaitingRemoval]).await;
    let outcome = CommandOutcome::Refused { reason: "The printer is not at work on that job.".into() };
    let body = EventBody::CommandAnswered { command_id: pause, outcome };
    report::apply(&hub.app, printer, &[AgentEvent { seq: 3, at: hub.at(3), body }]).await.unwrap();
    let job = hub.job(id).await;
    assert_eq!((job.state, job.requested, job.reason), (JobState::AwaitingRemoval, None, None));
}

/// SQLite has one writer at a time, whatever is written.
#[rstest]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn heaters_are_turned_off_whoever_has_the_queues_turn(#[case] engine: Engine) {
    let hub = hub(engine).await;
    let printer = hub.pair("a").await;
    let mut other = hub.app.db.begin().await.unwrap();
    other.lock(&format!("queue:{}", hub.owner.workspace_id)).await.unwrap();
    let asked = printer_command::ask(&hub.app, &hub.owner, printer.printer_id, Command::CoolDown, KEPT_FOR);
    let word = tokio::time::timeout(Duration::from_secs(5), asked).await.expect("nobody is waited for");
    assert_eq!(word.unwrap(), Word::None);
    let open = store::open_commands(&hub.app.db, printer.printer_id).await.unwrap();
    assert!(matches!(open[..], [CommandMessage { command: Command::CoolDown, .. }]), "{open:?}");
    drop(other);
}
