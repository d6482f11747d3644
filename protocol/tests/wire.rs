//! The JSON of every message, as it stands on the wire. A change here is a change of the contract:
//! see the rule of skew in the crate's documentation.
#![allow(clippy::unwrap_used, reason = "tests")]

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use stardust_protocol::agent_api::*;
use stardust_protocol::status::StatusBody;
use stardust_protocol::telemetry::Heat;
use stardust_protocol::*;

const ID: &str = "0190a7c2-6f00-7000-8000-000000000001";

fn id<T: std::str::FromStr>() -> T
where
    T::Err: std::fmt::Debug,
{
    ID.parse().unwrap()
}

fn at() -> Timestamp {
    "2026-11-23T06:13:00.250Z".parse().unwrap()
}

/// Snapshots the JSON, reads it back, and reads it again with a field that only a newer peer would send.
fn check<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(name: &str, message: &T) {
    let mut value = serde_json::to_value(message).unwrap();
    insta::assert_json_snapshot!(name, value);
    assert_eq!(&serde_json::from_value::<T>(value.clone()).unwrap(), message);
    if let Value::Object(map) = &mut value {
        map.insert("added_in_a_later_minor".into(), json!({"x": 1}));
        assert_eq!(&serde_json::from_value::<T>(value).unwrap(), message, "unknown fields are ignored");
    }
}

fn status() -> PrinterStatus {
    PrinterStatus {
        state: PrinterState::Printing,
        message: None,
        attention: None,
        firmware: Some("Marlin 2.1.2".into()),
        agent_version: Some("0.1.0".into()),
        tools: vec![Temperature { actual: 214.8, target: 215.0 }],
        bed: Some(Temperature { actual: 60.0, target: 60.0 }),
        chamber: None,
        motion: Some(Motion {
            x: Some(104.2),
            y: Some(98.0),
            z: Some(2.4),
            fan_percent: Some(100.0),
            speed_percent: None,
            flow_percent: Some(95.0),
        }),
        job: Some(JobProgress {
            job_id: id(),
            state: JobState::Printing,
            fraction: 0.42,
            acknowledged_bytes: 420,
            total_bytes: 1000,
            elapsed_s: 600,
            left_s: Some(900),
            layer: Some(12),
        }),
        interruption: None,
        emergency_stop: None,
        preheat: None,
        halted: false,
        about_stop: false,
        may_be_hot: false,
    }
}

#[test]
fn status_messages() {
    let full = StatusMessage {
        protocol: ProtocolVersion::CURRENT,
        session: id(),
        seq: 1,
        at: at(),
        body: StatusBody::Full(status()),
    };
    check("status_full", &full);
    let asks = PrinterStatus {
        message: Some("Nozzle Parked".into()),
        attention: Some(Attention {
            id: id(),
            text: "Nozzle Parked".into(),
            buttons: vec!["Purge More".into(), "Continue".into()],
            only_at_printer: false,
        }),
        ..PrinterStatus::new(PrinterState::Attention)
    };
    check("status_attention", &StatusMessage { body: StatusBody::Full(asks), ..full.clone() });
    let asks = PrinterStatus {
        attention: Some(Attention {
            id: id(),
            text: "Press the button.".into(),
            buttons: Vec::new(),
            only_at_printer: true,
        }),
        ..PrinterStatus::new(PrinterState::Attention)
    };
    check("status_attention_at_the_printer", &StatusMessage { body: StatusBody::Full(asks), ..full.clone() });
    let cut_off = PrinterStatus {
        interruption: Some(Interruption {
            job_id: id(),
            layer: Some(12),
            height_mm: Some(2.4),
            parked: false,
            layers: vec![LayerStart { layer: 12, height_mm: 2.4 }, LayerStart { layer: 13, height_mm: 2.6 }],
            reason: None,
            refusal: None,
        }),
        ..PrinterStatus::new(PrinterState::Paused)
    };
    check("status_interruption", &StatusMessage { body: StatusBody::Full(cut_off), ..full.clone() });
    let cut_off_in_a_pause = PrinterStatus {
        interruption: Some(Interruption {
            job_id: id(),
            layer: Some(43),
            height_mm: Some(13.6),
            parked: true,
            layers: vec![LayerStart { layer: 43, height_mm: 8.6 }],
            reason: Some("The power failed.".into()),
            refusal: None,
        }),
        ..PrinterStatus::new(PrinterState::Paused)
    };
    let cut_off_in_a_pause = StatusMessage { body: StatusBody::Full(cut_off_in_a_pause), ..full.clone() };
    check("status_interruption_in_a_pause", &cut_off_in_a_pause);
    let stopped = PrinterStatus {
        emergency_stop: Some(StopReport { command_id: id(), reach: StopReach::SentAndReset, at: at() }),
        halted: true,
        about_stop: true,
        may_be_hot: true,
        ..PrinterStatus::new(PrinterState::Error)
    };
    check("status_emergency_stop", &StatusMessage { body: StatusBody::Full(stopped), ..full.clone() });
    let preheated = PrinterStatus {
        preheat: Some(PreheatReport { until: at(), reason: PreheatReason::Asked }),
        ..PrinterStatus::new(PrinterState::Idle)
    };
    check("status_preheat", &StatusMessage { body: StatusBody::Full(preheated), ..full.clone() });
    let delta = StatusMessage {
        seq: 2,
        body: StatusBody::Delta(json!({"tools": [{"actual": 215.1, "target": 215.0}]})),
        ..full
    };
    check("status_delta", &delta);
}

#[test]
fn command_messages() {
    let message = |command, id| CommandMessage {
        protocol: ProtocolVersion::CURRENT,
        id,
        at: at(),
        expires_at: id.map(|_| at().plus_millis(limits::COMMAND_EXPIRY_MS)),
        command,
    };
    check("command_wake", &message(Command::Wake, None));
    check("command_report_status", &message(Command::ReportStatus, None));
    check("command_emergency_stop", &message(Command::EmergencyStop, Some(id())));
    check("command_pause", &message(Command::Pause { job_id: id() }, Some(id())));
    check("command_resume", &message(Command::Resume { job_id: id() }, Some(id())));
    check("command_resume_from", &message(Command::ResumeFrom { job_id: id(), layer: 12 }, Some(id())));
    check("command_cancel", &message(Command::Cancel { job_id: id() }, Some(id())));
    let preheat = Preheat { nozzles_c: vec![200], bed_c: Some(60), minutes: 30 };
    check("command_preheat", &message(Command::Preheat(preheat), Some(id())));
    check("command_cool_down", &message(Command::CoolDown, Some(id())));
    check("command_answer", &message(Command::Answer { attention_id: id(), button: 1 }, Some(id())));
}

#[test]
fn a_newer_hubs_command_is_read_as_unknown() {
    let newer = json!({"kind": "dance", "tempo": 120});
    assert_eq!(serde_json::from_value::<Command>(newer).unwrap(), Command::Unknown);
}

#[test]
fn events() {
    let event = |body| AgentEvent { seq: 7, at: at(), body };
    check(
        "event_job_moved",
        &event(EventBody::JobMoved {
            job_id: id(),
            claim_id: id(),
            state: JobState::Failed,
            reason: Some("The printer was reset in mid-print.".into()),
            fraction: 0.5,
            elapsed_s: 600,
        }),
    );
    for (name, outcome) in [
        ("event_command_done", CommandOutcome::Done),
        ("event_command_expired", CommandOutcome::Expired),
        ("event_command_refused", CommandOutcome::Refused { reason: "No job is paused.".into() }),
    ] {
        check(name, &event(EventBody::CommandAnswered { command_id: id(), outcome }));
    }
    let newer = json!({"seq": 8, "at": at(), "kind": "filament_ran_out", "spool": 3});
    assert_eq!(serde_json::from_value::<AgentEvent>(newer).unwrap().body, EventBody::Unknown);
}

#[test]
fn agent_api_bodies() {
    check(
        "pair_request",
        &PairRequest {
            code: "K7QM-4TXP".into(),
            protocol: ProtocolVersion::CURRENT,
            agent_version: "0.1.0".into(),
            printer_name: "Ender left".into(),
            printer_model: Some("Ender-3".into()),
            credential: None,
        },
    );
    check(
        "pair_response",
        &PairResponse {
            workspace_id: id(),
            printer_id: id(),
            printer_name: "Ender left".into(),
            token: "t".into(),
        },
    );
    check(
        "pin_request",
        &PinRequest {
            protocol: ProtocolVersion::CURRENT,
            agent_version: "0.1.0".into(),
            printer_name: "Ender left".into(),
            printer_model: Some("Ender-3".into()),
        },
    );
    check(
        "pin_response",
        &PinResponse {
            pin: "K7QM-4TXP".into(),
            poll_token: "p".into(),
            expires_at: at(),
            expires_in_s: 900,
            poll_every_s: 3,
        },
    );
    check("pin_poll_request", &PinPollRequest { poll_token: "p".into() });
    check("pin_poll_response", &PinPollResponse { paired: None });
    check(
        "session_response",
        &SessionResponse {
            protocol: ProtocolVersion::CURRENT,
            workspace_id: id(),
            printer_id: id(),
            printer_name: "Ender left".into(),
            mqtt: MqttEndpoint { host: None, port: 1883, tls: false },
            last_event_seq: 6,
            now: at(),
        },
    );
    check(
        "claim_request",
        &ClaimRequest { protocol: ProtocolVersion::CURRENT, free_spool_bytes: Some(1 << 30) },
    );
    check("claim_response_none", &ClaimResponse { claim: None });
    check(
        "claim_response",
        &ClaimResponse {
            claim: Some(Claim {
                job_id: id(),
                claim_id: id(),
                lease_until: at(),
                file_name: "bracket.gcode".into(),
                size_bytes: 1000,
                sha256: "ab".repeat(32).parse().unwrap(),
                estimated_s: Some(3600),
            }),
        },
    );
    check("start_request", &StartRequest { claim_id: id() });
    check("start_response", &StartResponse { started_at: at() });
    check("events_response", &EventsResponse { acknowledged_seq: 7 });
    check("commands_response", &CommandsResponse { commands: vec![] });
    let bed = Temperature { actual: 60.1, target: 60.0 };
    let heat =
        Heat { tools: vec![Temperature { actual: 204.9, target: 205.0 }], bed: Some(bed), chamber: None };
    let sample = TelemetrySample {
        job_id: id(),
        number: 4_503_599_627_370_497,
        at: at(),
        fraction: 0.25,
        layer: Some(12),
        heat,
    };
    check("telemetry_request", &TelemetryRequest { samples: vec![sample] });
    check("telemetry_response", &TelemetryResponse { kept: 1 });
}

#[test]
fn secrets_do_not_reach_debug() {
    let response = PairResponse {
        workspace_id: id(),
        printer_id: id(),
        printer_name: "x".into(),
        token: "hunter2".into(),
    };
    assert!(!format!("{response:?}").contains("hunter2"));
}
