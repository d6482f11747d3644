//! A job is resumed whose printer asks something: not the job is paused, and its agent knows which answer goes on.

use super::*;

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn its_agent_is_asked_to_go_on_and_whoever_asked_hears_its_word(#[case] engine: Engine) {
    let hub = hub(engine).await;
    let printer = hub.pair("a").await;
    let file = hub.upload("a.gcode", GCODE).await;
    let id = hub.submit(file, None).await;
    let claim = hub.started(printer).await;
    hub.report(printer, &claim, 1, &[JobState::Printing]).await;
    let resume = async || control::request(&hub.app, &hub.owner, id, Wanted::Resume).await;

    // Nothing is asked: there is nothing to go on with.
    assert!(!resume().await.unwrap().waits_for_agent);
    assert!(store::open_commands(&hub.app.db, printer.printer_id).await.unwrap().is_empty());

    hub.asks(printer, &["PurgeMore", "Continue"]);
    let (told, command) = tokio::join!(resume(), hub.command_is(printer, 2, CommandOutcome::Done));
    assert!(!told.unwrap().waits_for_agent, "it is done");
    assert_eq!(command, Command::Resume { job_id: id });

    hub.asks(printer, &["Red", "Blue"]);
    let reason = "Choose one: Red, Blue.".to_owned();
    let (told, _) = tokio::join!(
        resume(),
        hub.command_is(printer, 3, CommandOutcome::Refused { reason: reason.clone() })
    );
    assert!(matches!(
        told.map(drop),
        Err(Error::Conflict { code: "not_possible_now", detail }) if detail == reason
    ));
    assert_eq!(hub.job(id).await.state, JobState::Printing);
}
