//! A printer that was stopped in an emergency: nothing starts or goes on there until a person says that it is in order again.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};
use stardust_protocol::{CommandId, CommandMessage, Preheat, ProtocolVersion};

use super::*;
use crate::queue::{self, dispatch};
use crate::stop::deliver::{self, Pace};
use crate::waiting_agents::Found;

/// All that an agent can be asked, and whether something starts or goes on by that.
fn all(job_id: JobId, attention_id: AttentionId) -> Vec<(Command, bool)> {
    let preheat = Preheat { nozzles_c: Vec::new(), bed_c: Some(60), minutes: 30 };
    vec![
        (Command::Pause { job_id }, false),
        (Command::Resume { job_id }, true),
        (Command::ResumeFrom { job_id, layer: 12 }, true),
        (Command::Cancel { job_id }, false),
        (Command::Answer { attention_id, button: 0 }, true),
        (Command::Preheat(preheat), true),
        (Command::CoolDown, false),
    ]
}

async fn with_a_paused_job(engine: Engine) -> (TestHub, Device, JobId) {
    let hub = hub(engine).await;
    let printer = hub.pair("Ada").await;
    let file = hub.upload("a.gcode", GCODE).await;
    let job = hub.submit(file, None).await;
    let claim = hub.started(printer).await;
    hub.report(printer, &claim, 1, &[JobState::Printing, JobState::Paused]).await;
    (hub, printer, job)
}

impl TestHub {
    async fn stops(&self, device: Device) {
        deliver::ask(&self.app, &self.owner, &[device.printer_id], Pace::URGENT).await;
    }

    async fn clears(&self, device: Device) {
        let path = format!("/api/v1/printers/{}/emergency-stop/clear", device.printer_id);
        assert_eq!(self.ask(Request::post(path), Body::empty()).await.0, StatusCode::OK);
    }

    /// As whoever has looked before the stop, and writes behind it.
    async fn writes(&self, device: Device, job: Option<JobId>, command: &Command) -> CommandId {
        let now = self.app.clock.now();
        let id = CommandId::generate(now);
        let message = CommandMessage {
            protocol: ProtocolVersion::CURRENT,
            id: Some(id),
            at: now,
            expires_at: None,
            command: command.clone(),
        };
        let mut tx = self.app.db.begin().await.unwrap();
        let (workspace, by) = (self.owner.workspace_id, (device.printer_id, self.owner.user_id));
        store::add_command(&mut tx, workspace, job, by, &message).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    /// What its agent finds.
    async fn finds_open(&self, device: Device) -> Vec<Command> {
        let open = dispatch::open_commands(&self.app, device.printer_id).await.unwrap();
        open.into_iter().map(|message| message.command).collect()
    }

    async fn answered(&self, path: String, body: &Value) -> (StatusCode, Option<String>) {
        let request = Request::post(format!("/api/v1/{path}"))
            .header(axum::http::header::CONTENT_TYPE, "application/json");
        let (status, told) = self.ask(request, Body::from(body.to_string())).await;
        (status, told["code"].as_str().map(str::to_owned))
    }
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn nothing_that_starts_something_passes_a_stop_or_is_done_after_it(#[case] engine: Engine) {
    let (hub, printer, job) = with_a_paused_job(engine).await;
    control::request(&hub.app, &hub.owner, job, Wanted::ResumeFrom(12)).await.unwrap();
    assert_eq!(hub.finds_open(printer).await, [Command::ResumeFrom { job_id: job, layer: 12 }]);

    hub.stops(printer).await;
    assert_eq!(
        hub.finds_open(printer).await,
        [Command::EmergencyStop],
        "what was asked before is not passed on"
    );
    let written = async {
        while hub.job(job).await.requested.is_some() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), written).await.expect("nobody waits for it any more");
    assert!(hub.job(job).await.reason.unwrap().contains("stopped at once"));

    let asked = all(job, AttentionId::generate(hub.app.clock.now()));
    hub.app.waiting_agents.next(printer.printer_id, Duration::ZERO).await;
    for (command, starts_something) in &asked {
        let id = hub.writes(printer, None, command).await;
        assert_eq!(hub.finds_open(printer).await.contains(command), !starts_something, "{command:?}");
        dispatch::send_command(&hub.app, hub.owner.workspace_id, id).await.unwrap();
        let said = match hub.app.waiting_agents.next(printer.printer_id, Duration::ZERO).await {
            Found::Said(said) => said.iter().any(|message| message.command == *command),
            _ => false,
        };
        assert_eq!(said, !starts_something, "{command:?}");
    }
    hub.clears(printer).await;
    for (command, starts_something) in asked {
        let open = hub.finds_open(printer).await;
        assert_eq!(open.contains(&command), !starts_something, "cleared: {command:?}");
    }
}

/// By whoever has looked before the stop, and writes behind it; when it is cleared, nothing waits for that any more.
#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn going_on_that_was_asked_for_behind_a_stop_is_over_when_that_is_cleared(#[case] engine: Engine) {
    let (hub, printer, id) = with_a_paused_job(engine).await;
    hub.stops(printer).await;
    let command = hub.writes(printer, Some(id), &Command::Resume { job_id: id }).await;
    let mut tx = hub.app.db.begin().await.unwrap();
    let mut job = store::find(&mut tx, hub.owner.workspace_id, id).await.unwrap().unwrap();
    job.requested = Some(Requested::Resume);
    store::save(&mut tx, &job).await.unwrap();
    tx.commit().await.unwrap();

    hub.clears(printer).await;
    let job = hub.job(id).await;
    assert!(job.requested.is_none() && job.reason.as_ref().unwrap().contains("stopped at once"), "{job:?}");
    // It was carried out all the same, as its agent says in the end.
    let body = EventBody::CommandAnswered { command_id: command, outcome: CommandOutcome::Done };
    report::apply(&hub.app, printer, &[AgentEvent { seq: 9, at: hub.at(9), body }]).await.unwrap();
    assert_eq!(hub.job(id).await.reason, None);
}

/// A resume that is overtaken takes nothing along that was asked for after it.
#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn what_ends_a_print_stays_asked_for(#[case] engine: Engine) {
    let (hub, printer, job) = with_a_paused_job(engine).await;
    for wanted in [Wanted::Resume, Wanted::Cancel] {
        control::request(&hub.app, &hub.owner, job, wanted).await.unwrap();
    }
    hub.stops(printer).await;
    let written = async {
        let resumes = || async {
            let open = queue::store::open_commands(&hub.app.db, printer.printer_id).await.unwrap();
            open.iter().any(|message| matches!(message.command, Command::Resume { .. }))
        };
        while resumes().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), written).await.expect("the resume is withdrawn");
    let job = hub.job(job).await;
    assert_eq!((job.requested, job.reason), (Some(Requested::Cancel), None));
}

#[tokio::test]
async fn whoever_wants_to_start_something_on_a_stopped_printer_is_told_to_say_first_that_it_is_in_order() {
    let (hub, printer, job) = with_a_paused_job(Engine::Sqlite).await;
    let now = hub.app.clock.now();
    hub.app.fleet.set_contact(printer.printer_id, ContactState::Online, now);
    let asks = [
        (format!("jobs/{job}/resume"), json!({"from_layer": 12})),
        (format!("jobs/{job}/resume"), json!({})),
        (
            format!("printers/{}/answer", printer.printer_id),
            json!({"attention_id": AttentionId::generate(now)}),
        ),
        (format!("printers/{}/preheat", printer.printer_id), json!({"bed_c": 60})),
    ];
    hub.stops(printer).await;
    for (path, body) in &asks {
        let told = hub.answered(path.clone(), body).await;
        assert_eq!(told, (StatusCode::CONFLICT, Some("stopped".into())), "{path} {body}");
    }
    assert_eq!(hub.finds_open(printer).await, [Command::EmergencyStop]);
    // To stop something is never refused.
    let (paused, _) = hub.answered(format!("jobs/{job}/pause"), &json!({})).await;
    assert!(paused.is_success(), "{paused}");

    hub.clears(printer).await;
    let (path, body) = &asks[0];
    assert_eq!(hub.answered(path.clone(), body).await.0, StatusCode::ACCEPTED);
    assert_eq!(hub.finds_open(printer).await, [Command::ResumeFrom { job_id: job, layer: 12 }]);
}
