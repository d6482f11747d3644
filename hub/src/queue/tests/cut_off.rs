//! A print that was cut off: from which layer it goes on, asked over HTTP as people do.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use rstest::rstest;
use serde_json::Value;
use stardust_protocol::{Interruption, LayerStart};

use super::*;

impl TestHub {
    /// The agent has said that the power failed at layer 12.
    fn is_cut_off(&self, device: Device, job_id: JobId) {
        let now = self.app.clock.now();
        let status = PrinterStatus {
            interruption: Some(Interruption {
                job_id,
                layer: Some(12),
                height_mm: Some(2.4),
                parked: false,
                layers: [(12, 2.4), (13, 2.6)]
                    .map(|(layer, height_mm)| LayerStart { layer, height_mm })
                    .to_vec(),
                reason: None,
                refusal: None,
            }),
            ..PrinterStatus::new(PrinterState::Paused)
        };
        self.says(device, status, now);
    }

    fn says(&self, device: Device, status: PrinterStatus, now: Timestamp) {
        self.app.fleet.set_contact(device.printer_id, ContactState::Online, now);
        let message = StatusMessage {
            protocol: ProtocolVersion::CURRENT,
            session: SessionId::generate(now),
            seq: 1,
            at: now,
            body: StatusBody::Full(status),
        };
        self.app.fleet.apply(device.printer_id, message, now);
    }

    async fn cut_off_job(&self) -> (Device, JobId) {
        let printer = self.pair("a").await;
        let file = self.upload("a.gcode", GCODE).await;
        let job = self.submit(file, None).await;
        let claim = self.started(printer).await;
        self.report(printer, &claim, 1, &[JobState::Printing, JobState::Paused]).await;
        (printer, job)
    }

    /// What the hub answers to `POST …/resume` with this body.
    async fn resume(&self, job: JobId, body: Option<&str>) -> (StatusCode, Value) {
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_owned()));
        self.ask(Request::post(format!("/api/v1/jobs/{job}/resume")), body).await
    }

    async fn asked(&self, device: Device) -> Vec<Command> {
        let open = store::open_commands(&self.app.db, device.printer_id).await.unwrap();
        open.into_iter().map(|message| message.command).collect()
    }
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn a_print_that_was_cut_off_goes_on_from_the_layer_that_is_named(#[case] engine: Engine) {
    let hub = hub(engine).await;
    let (printer, job) = hub.cut_off_job().await;
    hub.is_cut_off(printer, job);
    for (body, status, code) in [
        (None, StatusCode::CONFLICT, "needs_layer"),
        (Some("{}"), StatusCode::CONFLICT, "needs_layer"),
        (Some(r#"{"from_layer": 14}"#), StatusCode::UNPROCESSABLE_ENTITY, "no_such_layer"),
        (Some(r#"{"from_layer": 0}"#), StatusCode::UNPROCESSABLE_ENTITY, "no_such_layer"),
        (Some(r#"{"from_layer": -1}"#), StatusCode::BAD_REQUEST, "bad_request"),
        (Some("layer 12"), StatusCode::BAD_REQUEST, "bad_request"),
    ] {
        let (answered, problem) = hub.resume(job, body).await;
        assert_eq!((answered, problem["code"].as_str()), (status, Some(code)), "{body:?}: {problem}");
        assert!(hub.asked(printer).await.is_empty(), "{body:?} went to the printer");
    }

    let from_13 = Some(r#"{"from_layer": 13}"#);
    let (answered, told) = hub.resume(job, from_13).await;
    assert_eq!((answered, told["requested"].as_str()), (StatusCode::ACCEPTED, Some("resume")));
    assert_eq!(hub.asked(printer).await, [Command::ResumeFrom { job_id: job, layer: 13 }]);
    assert_eq!(hub.resume(job, from_13).await.0, StatusCode::ACCEPTED, "the same again is the same");
    let (answered, problem) = hub.resume(job, Some(r#"{"from_layer": 12}"#)).await;
    assert_eq!((answered, problem["code"].as_str()), (StatusCode::CONFLICT, Some("not_possible_now")));
    assert_eq!(hub.asked(printer).await.len(), 1, "one way only");

    let reason = "The nozzle can't be that low.".to_owned();
    hub.command_is(printer, 3, CommandOutcome::Refused { reason: reason.clone() }).await;
    let told = hub.job(job).await;
    assert_eq!((told.requested, told.reason, told.state), (None, Some(reason), JobState::Paused));
    assert_eq!(hub.resume(job, Some(r#"{"from_layer": 12}"#)).await.0, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn an_agent_that_is_away_decides_later_and_not_too_late() {
    let hub = hub(Engine::Sqlite).await;
    let (printer, job) = hub.cut_off_job().await;
    hub.is_cut_off(printer, job);
    hub.app.fleet.set_contact(printer.printer_id, ContactState::Lost, hub.app.clock.now());
    assert_eq!(hub.resume(job, Some(r#"{"from_layer": 99}"#)).await.0, StatusCode::ACCEPTED);
    assert_eq!(hub.asked(printer).await, [Command::ResumeFrom { job_id: job, layer: 99 }]);
    hub.clock.advance(Duration::from_millis(limits::RESUME_FROM_EXPIRY_MS as u64 + 10_000));
    sweep::sweep(&hub.app).await.unwrap();
    let told = hub.job(job).await;
    assert_eq!((told.requested, told.state), (None, JobState::Paused));
    assert!(told.reason.unwrap().contains("did not answer"));
}

#[tokio::test]
async fn a_print_that_can_not_go_on_can_be_given_up() {
    let hub = hub(Engine::Sqlite).await;
    let (printer, job) = hub.cut_off_job().await;
    let now = hub.app.clock.now();
    let interruption = Interruption {
        job_id: job,
        layer: None,
        height_mm: None,
        parked: false,
        layers: Vec::new(),
        reason: None,
        refusal: Some("The file has no layers.".into()),
    };
    let refused =
        PrinterStatus { interruption: Some(interruption), ..PrinterStatus::new(PrinterState::Paused) };
    hub.says(printer, refused, now);
    for body in [None, Some(r#"{"from_layer": 1}"#)] {
        let (answered, problem) = hub.resume(job, body).await;
        assert_eq!((answered, problem["code"].as_str()), (StatusCode::CONFLICT, Some("cannot_go_on")));
        assert_eq!(problem["detail"], "The file has no layers. Cancel the job to give it up.");
    }
    let given_up = control::request(&hub.app, &hub.owner, job, Wanted::Cancel).await.unwrap();
    assert!(given_up.waits_for_agent);
    assert_eq!(hub.asked(printer).await, [Command::Cancel { job_id: job }]);
}

/// The agent says of a paused job that it is paused, and why: its printer has lost its power in the pause.
#[tokio::test]
async fn that_a_print_was_cut_off_while_it_was_paused_is_told_too() {
    let hub = hub(Engine::Sqlite).await;
    let printer = hub.pair("a").await;
    let file = hub.upload("a.gcode", GCODE).await;
    let job = hub.submit(file, None).await;
    let claim = hub.started(printer).await;
    hub.report(printer, &claim, 1, &[JobState::Printing, JobState::Paused]).await;
    assert_eq!(hub.job(job).await.reason, None);
    let again = |reason: Option<&str>| EventBody::JobMoved {
        job_id: job,
        claim_id: claim.claim_id,
        state: JobState::Paused,
        reason: reason.map(str::to_owned),
        fraction: 0.5,
        elapsed_s: 60,
    };
    let reason = "The printer lost its power.";
    for (seq, told) in [(3, Some(reason)), (4, None)] {
        let event = AgentEvent { seq, at: hub.at(seq), body: again(told) };
        report::apply(&hub.app, printer, &[event]).await.unwrap();
        let job = hub.job(job).await;
        assert_eq!((job.state, job.reason.as_deref()), (JobState::Paused, Some(reason)));
    }
}

#[tokio::test]
async fn a_paused_print_goes_on_as_ever_with_any_kind_of_empty_body() {
    for body in [None, Some(""), Some(" \n"), Some("{}"), Some(r#"{"from_layer": null}"#)] {
        let hub = hub(Engine::Sqlite).await;
        let (printer, job) = hub.cut_off_job().await;
        assert_eq!(hub.resume(job, body).await.0, StatusCode::ACCEPTED, "{body:?}");
        assert_eq!(hub.asked(printer).await, [Command::Resume { job_id: job }], "{body:?}");
    }
}

#[tokio::test]
async fn what_clients_see_of_it() {
    let hub = hub(Engine::Sqlite).await;
    let (printer, job) = hub.cut_off_job().await;
    hub.is_cut_off(printer, job);
    let path = format!("/api/v1/printers/{}", printer.printer_id);
    let (_, mut told) = hub.ask(Request::get(path), Body::empty()).await;
    let interruption = told["status"]["interruption"].as_object_mut().unwrap();
    assert_eq!(interruption.remove("job_id").unwrap(), job.to_string());
    insta::assert_json_snapshot!(told["status"], @r#"
    {
      "interruption": {
        "height_mm": 2.4,
        "layer": 12,
        "layers": [
          {
            "height_mm": 2.4,
            "layer": 12
          },
          {
            "height_mm": 2.6,
            "layer": 13
          }
        ]
      },
      "state": "paused",
      "tools": []
    }
    "#);
    let (_, problem) = hub.resume(job, None).await;
    insta::assert_json_snapshot!(problem, @r#"
    {
      "code": "needs_layer",
      "detail": "The print was cut off at layer 12, 2.40 mm: the printer does not know where it stands. Look at the part, then say from which layer it goes on (layers 12 to 13), or cancel the job to give it up.",
      "status": 409,
      "title": "Conflict",
      "type": "urn:stardust:problem:needs_layer"
    }
    "#);
}
