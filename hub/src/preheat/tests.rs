//! What people are promised of heat without a job, on both engines.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use rstest::rstest;
use serde_json::{Value, json};
use stardust_protocol::status::StatusBody;
use stardust_protocol::{
    AgentEvent, Command, CommandOutcome, EventBody, Preheat, PreheatReason, PreheatReport, PrinterId,
    PrinterState, PrinterStatus, ProtocolVersion, SessionId, StatusMessage, Temperature,
};

use crate::api::auth::Device;
use crate::db::testing::Engine;
use crate::fleet::ContactState;
use crate::queue::printer_command::{self, Word};
use crate::queue::submit::{self, Wish};
use crate::queue::wanted::Wanted;
use crate::queue::{self, control, report};
use crate::stop::deliver::{self, Pace};
use crate::testing::{TestHub, hub};
use crate::waiting_agents::Found;

impl TestHub {
    async fn wants(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let request = Request::post(format!("/api/v1/printers/{path}"))
            .header(header::CONTENT_TYPE, "application/json");
        self.ask(request, Body::from(body.to_string())).await
    }

    /// What the agent finds when it asks, once there is something; it answers so.
    async fn agent_answers(&self, device: Device, seq: u64, outcome: CommandOutcome) -> Command {
        loop {
            let open = queue::store::open_commands(&self.app.db, device.printer_id).await.unwrap();
            if let Some(message) = open.into_iter().next() {
                let body = EventBody::CommandAnswered { command_id: message.id.unwrap(), outcome };
                let event = AgentEvent { seq, at: self.app.clock.now(), body };
                report::apply(&self.app, device, &[event]).await.unwrap();
                return message.command;
            }
            tokio::task::yield_now().await;
        }
    }

    /// What the agent finds when it asks.
    async fn finds(&self, device: Device) -> Vec<Command> {
        let open = queue::dispatch::open_commands(&self.app, device.printer_id).await.unwrap();
        open.into_iter().map(|message| message.command).collect()
    }

    fn is(&self, device: Device, seq: u64, status: PrinterStatus) {
        let now = self.app.clock.now();
        self.app.fleet.set_contact(device.printer_id, ContactState::Online, now);
        let session = SessionId::generate(now);
        let (protocol, body) = (ProtocolVersion::CURRENT, StatusBody::Full(status));
        self.app.fleet.apply(device.printer_id, StatusMessage { protocol, session, seq, at: now, body }, now);
    }
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn an_idle_printer_is_preheated_and_its_agents_word_is_passed_on(#[case] engine: Engine) {
    let hub = hub(engine).await;
    let printer = hub.pair("Ada").await;
    let path = format!("{}/preheat", printer.printer_id);
    let wanted = json!({"nozzles_c": [200], "bed_c": 60});
    let (status, problem) = hub.wants(&path, &wanted).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("printer_out_of_reach")));

    let until = hub.app.clock.now().plus_millis(1_800_000);
    let preheat = Some(PreheatReport { until, reason: PreheatReason::Asked });
    hub.is(printer, 1, PrinterStatus { preheat, ..PrinterStatus::new(PrinterState::Idle) });
    let (answered, asked) =
        tokio::join!(hub.wants(&path, &wanted), hub.agent_answers(printer, 1, CommandOutcome::Done));
    assert_eq!(asked, Command::Preheat(Preheat { nozzles_c: vec![200], bed_c: Some(60), minutes: 30 }));
    assert_eq!(answered.0, StatusCode::OK);
    assert_eq!(answered.1["status"]["preheat"], json!({"until": until, "reason": "asked"}));

    // An agent that is older than the command says so.
    let upgrade = CommandOutcome::Refused { reason: "Upgrade it.".into() };
    let (answered, _) = tokio::join!(hub.wants(&path, &wanted), hub.agent_answers(printer, 2, upgrade));
    assert_eq!(answered.0, StatusCode::CONFLICT);
    assert_eq!(
        (&answered.1["code"], &answered.1["detail"]),
        (&json!("refused_by_printer"), &json!("Upgrade it."))
    );

    let path = format!("{}/cool-down", printer.printer_id);
    let nothing = json!({});
    let (answered, asked) =
        tokio::join!(hub.wants(&path, &nothing), hub.agent_answers(printer, 3, CommandOutcome::Done));
    assert_eq!((answered.0, asked), (StatusCode::OK, Command::CoolDown));
}

#[tokio::test]
async fn what_makes_no_sense_or_is_not_the_time_for_it_reaches_no_agent() {
    let hub = hub(Engine::Sqlite).await;
    let printer = hub.pair("Ada").await;
    let path = format!("{}/preheat", printer.printer_id);
    hub.is(printer, 1, PrinterStatus::new(PrinterState::Idle));
    for (wanted, code) in [
        (json!({}), "nothing_to_heat"),
        (json!({"bed_c": 60, "minutes": 0}), "bad_preheat_time"),
        (json!({"bed_c": 60, "minutes": 241}), "bad_preheat_time"),
        (json!({"bed_c": 151}), "too_hot"),
        (json!({"nozzles_c": [351]}), "too_hot"),
    ] {
        let (status, problem) = hub.wants(&path, &wanted).await;
        assert_eq!((status, &problem["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!(code)), "{wanted}");
    }
    let wanted = json!({"bed_c": 60});
    for state in [PrinterState::Printing, PrinterState::Paused, PrinterState::Error, PrinterState::Attention]
    {
        hub.is(printer, 1, PrinterStatus::new(state));
        let (status, problem) = hub.wants(&path, &wanted).await;
        assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("not_idle")), "{state}");
    }
    let nobody = PrinterId::generate(hub.app.clock.now());
    assert_eq!(hub.wants(&format!("{nobody}/preheat"), &wanted).await.0, StatusCode::NOT_FOUND);
    assert_eq!(hub.wants(&format!("{nobody}/cool-down"), &json!({})).await.0, StatusCode::NOT_FOUND);
    assert_eq!(queue::store::open_commands(&hub.app.db, printer.printer_id).await.unwrap(), []);
}

/// It could not be cooled down from here any more.
#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn a_printer_that_is_being_heated_is_not_removed(#[case] engine: Engine) {
    let hub = hub(engine).await;
    let (printer, away) = (hub.pair("Ada").await, hub.pair("Bea").await);
    let set = |target| PrinterStatus {
        tools: vec![Temperature { actual: 100.0, target }],
        ..PrinterStatus::new(PrinterState::Idle)
    };
    let remove = async |device: Device| {
        let path = format!("/api/v1/printers/{}", device.printer_id);
        let token = hub.token().await;
        let request = Request::delete(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
        hub.answer_to(request, Body::empty()).await
    };
    for device in [printer, away] {
        hub.is(device, 1, set(200.0));
    }
    let (status, problem) = remove(printer).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("printer_hot")), "{problem}");
    // A job comes first: it has to be cancelled.
    let file_id = hub.upload("a.gcode", "G28\nG1 X1 Y1 E1\n").await;
    let wish =
        Wish { file_id, printer_id: Some(printer.printer_id), even_if_cut_off: false, idempotency_key: None };
    let job = submit::submit(&hub.app, &hub.owner, wish).await.unwrap();
    hub.is(printer, 2, set(0.0));
    let (status, problem) = remove(printer).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("printer_busy")), "{problem}");
    control::request(&hub.app, &hub.owner, job.id, Wanted::Cancel).await.unwrap();
    assert_eq!(remove(printer).await.0, StatusCode::NO_CONTENT);
    // Out of reach: nobody can tell, and its agent cools it when it is back.
    hub.app.fleet.set_contact(away.printer_id, ContactState::Lost, hub.app.clock.now());
    assert_eq!(remove(away).await.0, StatusCode::NO_CONTENT);
}

/// It waits for the worker that would pass it on, or for the agent, while the stop goes past it.
#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn a_stop_at_once_takes_back_what_was_asked_before_it(#[case] engine: Engine) {
    let hub = hub(engine).await;
    let (printer, other) = (hub.pair("Ada").await, hub.pair("Bea").await);
    for device in [printer, other] {
        hub.is(device, 1, PrinterStatus::new(PrinterState::Idle));
    }
    let path = |device: Device| format!("{}/preheat", device.printer_id);
    let (path, others) = (path(printer), path(other));
    let wanted = json!({"bed_c": 60});
    let stopped = async {
        for device in [printer, other] {
            while hub.finds(device).await.is_empty() {
                tokio::task::yield_now().await;
            }
        }
        deliver::ask(&hub.app, &hub.owner, &[printer.printer_id], Pace::URGENT).await;
        let left = (hub.finds(printer).await, hub.finds(other).await);
        hub.agent_answers(other, 1, CommandOutcome::Done).await;
        left
    };
    let (refused, heated, (of_the_stopped, of_the_other)) =
        tokio::join!(hub.wants(&path, &wanted), hub.wants(&others, &wanted), stopped);
    assert_eq!(of_the_stopped, [Command::EmergencyStop]);
    assert!(matches!(of_the_other[..], [Command::Preheat(_)]), "{of_the_other:?}");
    assert_eq!((refused.0, &refused.1["code"]), (StatusCode::CONFLICT, &json!("stopped")));
    assert_eq!(heated.0, StatusCode::OK);

    // One that was let through before the stop and comes to be written down behind it: it is not.
    let preheat = Command::Preheat(Preheat { nozzles_c: Vec::new(), bed_c: Some(60), minutes: 30 });
    hub.app.waiting_agents.next(printer.printer_id, Duration::ZERO).await;
    let patience = Duration::from_millis(1);
    let word =
        printer_command::ask(&hub.app, &hub.owner, printer.printer_id, preheat, patience).await.unwrap();
    assert_eq!(word, Word::Stopped);
    let written = queue::store::open_commands(&hub.app.db, printer.printer_id).await.unwrap();
    assert!(written.iter().all(|message| message.command == Command::EmergencyStop), "{written:?}");
    assert_eq!(hub.finds(printer).await, [Command::EmergencyStop]);
    let said = hub.app.waiting_agents.next(printer.printer_id, Duration::ZERO).await;
    let Found::Said(said) = said else { panic!("it has asked before") };
    assert!(said.iter().all(|message| message.command == Command::EmergencyStop), "{said:?}");
}

/// MQTT does not reach it: it asks over HTTPS, and waits there.
#[tokio::test]
async fn an_agent_that_only_waits_is_cooled_down_and_woken_for_a_job_and_not_preheated_blindly() {
    let hub = hub(Engine::Sqlite).await;
    let (printer, gone) = (hub.pair("Ada").await, hub.pair("Bea").await);
    hub.app.waiting_agents.next(printer.printer_id, Duration::ZERO).await;
    let wanted = json!({"bed_c": 60});
    let (status, problem) = hub.wants(&format!("{}/preheat", printer.printer_id), &wanted).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("no_live_data")));

    let path = |device: Device| format!("{}/cool-down", device.printer_id);
    let (path, nothing) = ((path(printer), path(gone)), json!({}));
    let (cooled, asked) =
        tokio::join!(hub.wants(&path.0, &nothing), hub.agent_answers(printer, 1, CommandOutcome::Done));
    assert_eq!((cooled.0, asked), (StatusCode::OK, Command::CoolDown));
    let (status, problem) = hub.wants(&path.1, &nothing).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("printer_out_of_reach")));

    queue::dispatch::wake(&hub.app, hub.owner.workspace_id, None).await;
    let Found::Said(said) = hub.app.waiting_agents.next(printer.printer_id, Duration::ZERO).await else {
        panic!("it has asked before")
    };
    assert!(said.iter().any(|message| message.command == Command::Wake), "{said:?}");
}
