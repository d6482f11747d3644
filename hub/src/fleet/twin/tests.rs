//! The twin of a printer, as its agent's words come in.

use super::*;
use serde_json::json;
use stardust_protocol::ProtocolVersion;

const AT: fn() -> Timestamp = crate::accounts::testing::now;

fn fleet() -> (Fleet, PrinterId) {
    let row = PrinterRow {
        id: PrinterId::generate(AT()),
        workspace_id: WorkspaceId::generate(AT()),
        name: "Ender".into(),
        model: None,
        created_at: AT(),
        last_seen_at: None,
        version: 1,
    };
    let id = row.id;
    (Fleet::new(vec![row], Arc::new(Bus::new("run".into()))), id)
}

fn message(session: SessionId, seq: u64, body: StatusBody) -> StatusMessage {
    StatusMessage { protocol: ProtocolVersion::CURRENT, session, seq, at: AT(), body }
}

#[test]
fn deltas_follow_a_full_status_without_gaps() {
    let (fleet, id) = fleet();
    let session = SessionId::generate(AT());
    let delta = |seq| message(session, seq, StatusBody::Delta(json!({"state": "printing"})));
    assert_eq!(fleet.apply(id, delta(1), AT()), Applied::NeedsFull);
    let full = StatusBody::Full(PrinterStatus::new(PrinterState::Idle));
    assert_eq!(fleet.apply(id, message(session, 2, full), AT()), Applied::Yes(None));
    assert_eq!(fleet.apply(id, delta(4), AT()), Applied::NeedsFull);
    assert_eq!(fleet.apply(id, delta(3), AT()), Applied::Yes(None));
    let other = message(SessionId::generate(AT()), 4, StatusBody::Delta(json!({})));
    assert_eq!(fleet.apply(id, other, AT()), Applied::NeedsFull);
    let stranger = PrinterId::generate(AT());
    assert_eq!(fleet.apply(stranger, delta(5), AT()), Applied::Stranger);
}

#[test]
fn a_print_that_was_cut_off_shows_until_the_agent_takes_it_back_or_is_out_of_reach() {
    let (fleet, id) = fleet();
    let mut live = fleet.bus.subscribe(fleet.lock()[&id].row.workspace_id, None).live;
    fleet.set_contact(id, ContactState::Online, AT());
    let session = SessionId::generate(AT());
    let interruption = stardust_protocol::Interruption {
        job_id: JobId::generate(AT()),
        layer: Some(12),
        height_mm: Some(2.4),
        parked: false,
        layers: vec![stardust_protocol::LayerStart { layer: 12, height_mm: 2.4 }],
        reason: None,
        refusal: None,
    };
    let cut_off = PrinterStatus {
        interruption: Some(interruption.clone()),
        ..PrinterStatus::new(PrinterState::Paused)
    };
    fleet.apply(id, message(session, 1, StatusBody::Full(cut_off)), AT());
    assert_eq!(fleet.status_in_reach(id).unwrap().interruption, Some(interruption));
    let over = json!({"state": "printing", "interruption": null});
    fleet.apply(id, message(session, 2, StatusBody::Delta(over)), AT());
    assert_eq!(fleet.status_in_reach(id).unwrap().interruption, None);
    let changes: Vec<Value> = std::iter::from_fn(|| live.try_recv().ok())
        .map(|change| serde_json::from_str(&change.json).unwrap())
        .collect();
    assert_eq!(changes[1]["data"]["status"]["interruption"]["layers"][0]["height_mm"], 2.4);
    assert_eq!(changes[2]["data"]["status"], json!({"state": "printing", "interruption": null}));
    fleet.set_contact(id, ContactState::Lost, AT());
    assert_eq!(fleet.status_in_reach(id), None);
}

#[test]
fn a_stop_that_was_cleared_is_not_told_any_more_by_a_printer_at_rest() {
    let (fleet, id) = fleet();
    let workspace = fleet.lock()[&id].row.workspace_id;
    let shown = || fleet.printer(workspace, id).unwrap().status.unwrap().message;
    let session = SessionId::generate(AT());
    let words = Some("It did not take the stop.".to_owned());
    let told = |state, about_stop, seq| {
        let status = PrinterStatus { message: words.clone(), about_stop, ..PrinterStatus::new(state) };
        fleet.apply(id, message(session, seq, StatusBody::Full(status)), AT());
    };
    let ask = || {
        let stop = EmergencyStop::new(stardust_protocol::CommandId::generate(AT()), "Ada".into(), AT());
        fleet.set_stop(id, Some(stop.clone()));
        stop.id
    };
    told(PrinterState::Idle, true, 1);
    assert_eq!(shown(), words, "nobody has said that it is in order");
    let stop = ask();
    assert_eq!(shown(), words);
    fleet.clear_stop(id, stop);
    assert_eq!(shown(), None);
    told(PrinterState::Error, false, 2);
    assert_eq!(shown(), words, "it is not at rest");
    told(PrinterState::Idle, false, 3);
    assert_eq!(shown(), words, "it is about something else");
    told(PrinterState::Idle, true, 4);
    assert_eq!(shown(), None);
    ask();
    assert_eq!(shown(), words, "another stop");
}

#[test]
fn a_job_that_leaves_late_does_not_take_the_next_one_with_it() {
    let (fleet, id) = fleet();
    let workspace = fleet.lock()[&id].row.workspace_id;
    let on_printer = |ms| JobOnPrinter {
        id: JobId::generate(AT().plus_millis(ms)),
        state: stardust_protocol::JobState::Claimed,
        needs_removal: false,
    };
    let (first, second) = (on_printer(0), on_printer(1));
    fleet.set_job(id, first);
    fleet.set_job(id, second);
    fleet.let_go(id, first.id);
    assert_eq!(fleet.printer(workspace, id).unwrap().current_job_id, Some(second.id));
    fleet.let_go(id, second.id);
    assert_eq!(fleet.printer(workspace, id).unwrap().current_job_id, None);
}

#[test]
fn a_delta_that_makes_no_sense_asks_for_the_whole() {
    let (fleet, id) = fleet();
    let session = SessionId::generate(AT());
    fleet.apply(id, message(session, 1, StatusBody::Full(PrinterStatus::new(PrinterState::Idle))), AT());
    let nonsense = message(session, 2, StatusBody::Delta(json!({"tools": "warm"})));
    assert_eq!(fleet.apply(id, nonsense, AT()), Applied::NeedsFull);
}
