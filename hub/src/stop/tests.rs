//! What an emergency stop promises, on both engines.

mod pace;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use rstest::rstest;
use serde_json::{Value, json};
use stardust_protocol::status::StatusBody;
use stardust_protocol::{
    AgentEvent, Command, CommandId, CommandOutcome, EventBody, PrinterId, PrinterState, PrinterStatus,
    ProtocolVersion, SessionId, StatusMessage, StopReach, StopReport,
};

use super::deliver::{self, Pace};
use super::{books, store};
use crate::accounts::sessions;
use crate::api::auth::{COOKIE, Device};
use crate::db::testing::Engine;
use crate::fleet::ContactState;
use crate::fleet::emergency::{EmergencyStop, StopState};
use crate::params;
use crate::queue::submit::{self, Wish};
use crate::queue::{self, claim, dispatch, report};
use crate::testing::{TestHub, hub};
use crate::waiting_agents::Found;

const LONG: Duration = Duration::from_secs(30);

impl TestHub {
    fn stop(&self, device: Device) -> EmergencyStop {
        self.app.fleet.stop(device.printer_id).unwrap()
    }

    /// What the agent finds when it asks.
    async fn open(&self, device: Device) -> Vec<(CommandId, Command)> {
        let open = queue::store::open_commands(&self.app.db, device.printer_id).await.unwrap();
        open.into_iter().map(|message| (message.id.unwrap(), message.command)).collect()
    }

    async fn answers(&self, device: Device, outcome: CommandOutcome) {
        let (command_id, _) = self.open(device).await[0];
        let body = EventBody::CommandAnswered { command_id, outcome };
        let event = AgentEvent { seq: 1, at: self.app.clock.now(), body };
        report::apply(&self.app, device, &[event]).await.unwrap();
    }

    fn tells(&self, device: Device, seq: u64, reach: StopReach) {
        let now = self.app.clock.now();
        let report = StopReport { command_id: self.stop(device).id, reach, at: now };
        let status = PrinterStatus { emergency_stop: Some(report), ..PrinterStatus::new(PrinterState::Idle) };
        let message = StatusMessage {
            protocol: ProtocolVersion::CURRENT,
            session: SessionId::generate(now),
            seq,
            at: now,
            body: StatusBody::Full(status),
        };
        self.app.fleet.apply(device.printer_id, message, now);
    }

    async fn reaches(&self, device: Device, state: StopState) {
        let written = async {
            // In the books of some printer, and of this one in memory, whichever is first.
            let in_books =
                async || store::all(&self.app.db).await.unwrap().iter().any(|(_, stop)| stop.state == state);
            while !in_books().await || self.stop(device).state != state {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LONG, written).await.unwrap();
    }

    async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let request = Request::post(format!("/api/v1/printers/{path}"))
            .header(header::CONTENT_TYPE, "application/json");
        self.ask(request, Body::from(body.to_string())).await
    }
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn a_stop_stands_until_a_person_clears_it_and_nothing_starts_before(#[case] engine: Engine) {
    let hub = hub(engine).await;
    let printer = hub.pair("Ada").await;
    let file_id = hub.upload("a.gcode", "G28\nG1 X1 Y1 E1\n").await;
    let wish = Wish { file_id, printer_id: None, even_if_cut_off: false, idempotency_key: None };
    submit::submit(&hub.app, &hub.owner, wish).await.unwrap();
    let claimed = claim::claim(&hub.app, printer, u64::MAX >> 1).await.unwrap().unwrap();

    deliver::ask(&hub.app, &hub.owner, &[printer.printer_id], Pace::URGENT).await;
    // Once more while it is under way: the same one.
    deliver::ask(&hub.app, &hub.owner, &[printer.printer_id], Pace::URGENT).await;
    let open = hub.open(printer).await;
    assert_eq!(open, [(hub.stop(printer).id, Command::EmergencyStop)]);
    hub.answers(printer, CommandOutcome::Done).await;
    hub.reaches(printer, StopState::Sent).await;
    hub.app.fleet.set_contact(printer.printer_id, ContactState::Online, hub.app.clock.now());
    let shown = hub.app.fleet.printer(hub.owner.workspace_id, printer.printer_id).unwrap();
    assert_eq!(
        (shown.state, shown.emergency_stop.unwrap().asked_by.as_str()),
        (PrinterState::Error, "Owner")
    );

    let leave = claim::start(&hub.app, printer, claimed.job_id, claimed.claim_id).await;
    assert!(leave.is_err(), "what was claimed before does not start");
    assert!(claim::claim(&hub.app, printer, u64::MAX >> 1).await.unwrap().is_none());
    assert_eq!(hub.app.fleet.ready_for_a_job(hub.owner.workspace_id, |_| true), []);

    // After a restart of the hub, too.
    hub.app.fleet.set_stop(printer.printer_id, None);
    super::load(&hub.app).await.unwrap();
    assert_eq!(hub.stop(printer).state, StopState::Sent);

    let path = format!("{}/emergency-stop/clear", printer.printer_id);
    assert_eq!(hub.post(&path, &json!({})).await.0, StatusCode::OK);
    let (status, problem) = hub.post(&path, &json!({})).await;
    assert_eq!((status, problem["code"].as_str()), (StatusCode::CONFLICT, Some("not_stopped")));
    assert!(store::all(&hub.app.db).await.unwrap().is_empty());
    let again = claim::claim(&hub.app, printer, u64::MAX >> 1).await.unwrap().unwrap();
    assert_eq!(again.job_id, claimed.job_id);
    claim::start(&hub.app, printer, again.job_id, again.claim_id).await.unwrap();
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn the_agents_live_word_is_enough_and_its_refusal_is_passed_on(#[case] engine: Engine) {
    let hub = hub(engine).await;
    let (one, other) = (hub.pair("One").await, hub.pair("Other").await);
    deliver::ask(&hub.app, &hub.owner, &[one.printer_id, other.printer_id], Pace::URGENT).await;
    hub.tells(one, 1, StopReach::PortClosed);
    hub.reaches(one, StopState::PortClosed).await;
    hub.tells(one, 2, StopReach::SentAndReset);
    hub.reaches(one, StopState::SentAndReset).await;
    hub.answers(other, CommandOutcome::Refused { reason: "The port is stuck.".into() }).await;
    hub.reaches(other, StopState::Failed).await;
    assert_eq!(hub.stop(other).reason.as_deref(), Some("The port is stuck."));
    assert_eq!(hub.stop(one).state, StopState::SentAndReset);
}

/// An agent that can't read its journal answers live alone, and asks for what is open when that is mended.
#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn a_stop_that_is_over_or_cleared_is_not_found_open_any_more(#[case] engine: Engine) {
    let hub = hub(engine).await;
    let printer = hub.pair("Ada").await;
    for (seq, reach) in (1..).zip([StopReach::GivenUp, StopReach::NotTaken, StopReach::Sent]) {
        deliver::ask(&hub.app, &hub.owner, &[printer.printer_id], Pace::URGENT).await;
        hub.tells(printer, seq, reach);
        while !hub.open(printer).await.is_empty() {
            tokio::task::yield_now().await;
        }
        hub.app.fleet.set_stop(printer.printer_id, None);
    }
    // As a hub of before has left them: none of them was answered, and another one followed.
    for _ in 0..2 {
        hub.app.fleet.set_stop(printer.printer_id, None);
        deliver::ask(&hub.app, &hub.owner, &[printer.printer_id], Pace::URGENT).await;
    }
    assert_eq!(hub.open(printer).await.len(), 2);
    let path = format!("{}/emergency-stop/clear", printer.printer_id);
    assert_eq!(hub.post(&path, &json!({})).await.0, StatusCode::OK);
    assert_eq!(hub.open(printer).await, []);
}

#[tokio::test]
async fn what_nobody_answers_is_said_to_be_undelivered_and_still_arrives() {
    let hub = hub(Engine::Sqlite).await;
    let printer = hub.pair("Ada").await;
    let (again, later) = (Duration::from_millis(5), Duration::from_millis(20));
    let pace = Pace { again, given_up_after: Duration::from_millis(200), later };
    deliver::ask(&hub.app, &hub.owner, &[printer.printer_id], pace).await;
    hub.reaches(printer, StopState::NotDelivered).await;
    assert_eq!(hub.open(printer).await.len(), 1, "the agent finds it when it is back");
    assert!(!deliver::settled(&hub.app, &[printer.printer_id], LONG).await);
    hub.tells(printer, 1, StopReach::Sent);
    hub.reaches(printer, StopState::Sent).await;
    assert!(deliver::settled(&hub.app, &[printer.printer_id], LONG).await);
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn several_and_all_are_stopped_and_strangers_are_named(#[case] engine: Engine) {
    let hub = hub(engine).await;
    let (one, other, third) = (hub.pair("One").await, hub.pair("Other").await, hub.pair("Third").await);
    let stranger = PrinterId::generate(hub.app.clock.now());
    let asked = json!({"ids": [one.printer_id, other.printer_id, stranger]});
    let (status, told) = hub.post("emergency-stop", &asked).await;
    assert_eq!(status, StatusCode::ACCEPTED, "nobody has answered");
    let stops: Vec<_> =
        told["printers"].as_array().unwrap().iter().map(|it| &it["emergency_stop"]["state"]).collect();
    assert_eq!(stops, ["sending", "sending"]);
    assert_eq!(told["unknown"], json!([stranger]));
    assert!(hub.app.fleet.stop(third.printer_id).is_none());
    for device in [one, other] {
        hub.answers(device, CommandOutcome::Done).await;
    }
    hub.reaches(one, StopState::Sent).await;
    let all = json!({"all": true});
    let (everyone, ()) = tokio::join!(hub.post("emergency-stop", &all), async {
        for device in [one, other, third] {
            while hub.open(device).await.is_empty() {
                tokio::task::yield_now().await;
            }
            hub.tells(device, 1, StopReach::Sent);
        }
    });
    assert_eq!(everyone.0, StatusCode::OK);
    assert_eq!(everyone.1["printers"].as_array().unwrap().len(), 3);
    // Who has seen one that was removed meanwhile is told so, too.
    let (status, told) = hub.post("emergency-stop", &json!({"all": true, "ids": [stranger]})).await;
    assert_eq!((status, &told["unknown"]), (StatusCode::ACCEPTED, &json!([stranger])));
    assert_eq!(told["printers"].as_array().unwrap().len(), 3);
    let (status, problem) = hub.post("emergency-stop", &json!({})).await;
    assert_eq!((status, &problem["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("no_printers")));
    let nobody = PrinterId::generate(hub.app.clock.now());
    assert_eq!(hub.post(&format!("{nobody}/emergency-stop"), &json!({})).await.0, StatusCode::NOT_FOUND);
}

/// Its rows can be read, but not written: the disk is full, or somebody else holds a lock.
#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn what_can_not_be_written_down_is_sent_all_the_same_and_written_when_it_can_be(
    #[case] engine: Engine,
) {
    let hub = hub(engine).await;
    let (one, other) = (hub.pair("One").await, hub.pair("Other").await);
    let passwords = &hub.app.passwords;
    let hash = passwords.hash("right".into()).await.unwrap();
    let mut tx = hub.app.db.begin().await.unwrap();
    let sql = "UPDATE users SET password_hash = $1";
    tx.execute(sql, params![hash]).await.unwrap();
    tx.commit().await.unwrap();
    let (now, email) = (hub.app.clock.now(), "owner@example.org");
    let session = sessions::sign_in(&hub.app.db, passwords, now, email, "right".into()).await.unwrap();
    let cookie = (header::COOKIE, format!("{COOKIE}={}", session.token));
    let bearer = (header::AUTHORIZATION, format!("Bearer {}", hub.token().await));
    let stranger = (header::AUTHORIZATION, "Bearer sdu_nobody".to_owned());
    for device in [one, other] {
        hub.app.waiting_agents.next(device.printer_id, Duration::ZERO).await;
    }
    let ask = async |device: Device, (name, value): &(header::HeaderName, String)| {
        let path = format!("/api/v1/printers/{}/emergency-stop", device.printer_id);
        hub.answer_to(Request::post(path).header(name, value), Body::from("{}")).await
    };

    let lock = hub.db.lock_writes().await;
    // What others want to write waits as well.
    let stuck: Vec<_> = (0..20)
        .map(|_| {
            let app = Arc::clone(&hub.app);
            tokio::spawn(async move { report::apply(&app, one, &[]).await })
        })
        .collect();
    assert_eq!(ask(one, &stranger).await.0, StatusCode::UNAUTHORIZED, "nothing fails open");
    assert!(hub.app.fleet.stop(one.printer_id).is_none());
    for (device, by) in [(one, &cookie), (other, &bearer)] {
        let (answered, told) = tokio::join!(ask(device, by), async {
            let said = hub.app.waiting_agents.next(device.printer_id, LONG).await;
            assert!(
                matches!(&said, Found::Said(said) if said[0].command == Command::EmergencyStop),
                "{said:?}"
            );
            // Whoever only looks finds it, too.
            assert_eq!(dispatch::open_commands(&hub.app, device.printer_id).await.unwrap().len(), 1);
            let body =
                EventBody::CommandAnswered { command_id: hub.stop(device).id, outcome: CommandOutcome::Done };
            let events = [AgentEvent { seq: 1, at: now, body }];
            let told = report::apply(&hub.app, device, &events);
            tokio::time::timeout(Duration::from_millis(100), told).await
        });
        assert!(!matches!(told, Ok(Ok(_))), "that can't be written either");
        let stop = &answered.1["emergency_stop"];
        assert_eq!(
            (answered.0, &stop["state"], &stop["recorded"]),
            (StatusCode::OK, &json!("sent"), &json!(false))
        );
        // It has not waited until a write is given up: those that were begun before are still waiting.
        assert!(stuck.iter().all(|write| !write.is_finished()));
    }
    lock.release().await;
    let written = async {
        let all_is_written = async || {
            let rows = store::all(&hub.app.db).await.unwrap();
            rows.iter().filter(|(_, stop)| stop.state == StopState::Sent).count() == 2
        };
        while !(all_is_written().await && hub.stop(one).recorded && hub.stop(other).recorded) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(LONG, written).await.unwrap();
    for stuck in stuck {
        let _ = stuck.await;
    }
}

/// A person looks at one stop, and somebody else stops the printer once more before that person clears it.
#[tokio::test]
async fn a_stop_that_nobody_has_seen_is_not_cleared() {
    let hub = hub(Engine::Sqlite).await;
    let printer = hub.pair("Ada").await;
    let path = format!("{}/emergency-stop/clear", printer.printer_id);
    deliver::ask(&hub.app, &hub.owner, &[printer.printer_id], Pace::URGENT).await;
    let seen = hub.stop(printer).id;
    hub.answers(printer, CommandOutcome::Done).await;
    deliver::ask(&hub.app, &hub.owner, &[printer.printer_id], Pace::URGENT).await;
    let unseen = hub.stop(printer).id;
    assert_ne!(seen, unseen);

    let (status, problem) = hub.post(&path, &json!({"stop_id": seen})).await;
    assert_eq!((status, problem["code"].as_str()), (StatusCode::CONFLICT, Some("another_stop")));
    assert_eq!(hub.stop(printer).id, unseen, "it stands");
    assert_eq!(hub.post(&path, &json!({"stop_id": unseen})).await.0, StatusCode::OK);
    let (status, problem) = hub.post(&path, &json!({"stop_id": unseen})).await;
    assert_eq!((status, problem["code"].as_str()), (StatusCode::CONFLICT, Some("not_stopped")));

    // Clients of earlier releases send no body.
    deliver::ask(&hub.app, &hub.owner, &[printer.printer_id], Pace::URGENT).await;
    let request = Request::post(format!("/api/v1/printers/{path}"));
    assert_eq!(hub.ask(request, Body::empty()).await.0, StatusCode::OK);
}

/// It could not be written down before a person cleared it, and is not when that is tried again.
#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn what_was_cleared_is_not_written_down_behind_that(#[case] engine: Engine) {
    let hub = hub(engine).await;
    let printer = hub.pair("Ada").await;
    let now = hub.app.clock.now();
    let stop = EmergencyStop::new(CommandId::generate(now), "Owner".into(), now);
    hub.app.fleet.set_stop(printer.printer_id, Some(stop.clone()));
    let lock = hub.db.lock_writes().await;
    let recorder = books::record(&hub.app, &hub.owner, vec![(printer.printer_id, stop.id)]);
    let begun = async {
        while hub.app.stop_books.try_lock().is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, begun).await.expect("it is being written");
    // Its turn ends when the database gives up waiting for the lock; behind that it rests before it tries again.
    drop(tokio::time::timeout(LONG, hub.app.stop_books.lock()).await.expect("that has failed"));
    assert!(!hub.stop(printer).recorded && !recorder.is_finished());
    lock.release().await;
    books::clear(&hub.app, printer.printer_id, &stop).await.unwrap();
    tokio::time::timeout(LONG, recorder).await.expect("it is not tried for ever").unwrap();
    assert!(hub.app.fleet.stop(printer.printer_id).is_none());
    assert!(store::all(&hub.app.db).await.unwrap().is_empty());
    assert!(hub.open(printer).await.is_empty(), "nobody carries it out");
}
