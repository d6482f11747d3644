//! A print that was cut off is to go on from a layer, and its file is read for that on a disk that takes as long as it likes.

use serde_json::{Value, json};
use stardust_protocol::StatusMessage;
use tokio::time::timeout;

use super::{Duration, Journal, NEVER, Order, Run, digest, paired};
use crate::journal::Record;
use crate::port::{PortEvent, Reach};
use crate::serial::CutOff;

const LAYERS: &str = "M109 S205\nG28\nG1 Z15\nG92 E0\n;LAYER:0\nG0 X1 Y1 Z0.3\nG1 X9 E1\n;LAYER:1\nG0 X1 Z0.5\nG1 X9 E2\n\
                      ;LAYER:2\nG0 X1 Z0.7\nG1 X9 E3\n";
const JOB: &str = "0190a7c2-6f00-7000-8000-000000000001";

/// An earlier process has left it, cut off in its second layer.
fn is_left_cut_off(data: &std::path::Path) {
    let folder = paired(data);
    let claim = serde_json::from_value(json!({
        "job_id": JOB, "claim_id": "0190a7c2-6f00-7000-8000-000000000002", "lease_until": "2026-11-23T06:13:00.250Z",
        "file_name": "a.gcode", "size_bytes": LAYERS.len(), "sha256": digest(LAYERS)
    }));
    std::fs::create_dir_all(folder.spool()).unwrap();
    std::fs::write(folder.spool().join(format!("{}.gcode", digest(LAYERS))), LAYERS).unwrap();
    let job_id = JOB.parse().unwrap();
    let place = CutOff {
        reason: "The power failed.".into(),
        layer: 2,
        height_mm: Some(0.5),
        parked: false,
        acknowledged: 90,
        extruder_rule: serde_json::from_value(json!("goes_along")).unwrap(),
    };
    let mut journal = folder.open_journal().unwrap();
    let claimed = Record::Claimed { claim: claim.unwrap() };
    journal
        .append(&[claimed, Record::Started { job_id }, Record::CutOff { job_id, place, printed_s: 60 }])
        .unwrap();
}

impl Run {
    async fn shows(&mut self, text: &str) -> StatusMessage {
        loop {
            self.clock.advance(Duration::from_millis(500));
            self.place.view.send_modify(|_| ());
            if let Ok(status) = timeout(Duration::from_millis(20), self.far_end.statuses.recv()).await {
                let status = status.unwrap();
                if serde_json::to_string(&status).unwrap().contains(text) {
                    return status;
                }
            }
        }
    }

    async fn next_that(&mut self, is_it: impl Fn(&Order) -> bool) -> Order {
        let next = async {
            loop {
                let order = self.place.orders.recv().await.unwrap();
                if is_it(&order) {
                    return order;
                }
            }
        };
        timeout(NEVER, next).await.unwrap()
    }
}

fn from_layer(layer: u32) -> Value {
    json!({"kind": "resume_from", "job_id": JOB, "layer": layer})
}

#[tokio::test]
async fn what_was_found_out_for_a_print_that_is_stopped_at_once_meanwhile_starts_nothing() {
    let data = tempfile::tempdir().unwrap();
    is_left_cut_off(data.path());
    let mut run = Run::begin_with(data.path(), false).await;
    timeout(NEVER, run.shows(r#""layer":3"#)).await.expect("its layers are offered");

    run.is_told_what_was_asked(1, 3, from_layer(2)).await;
    run.is_told_what_was_asked(2, 4, json!({"kind": "emergency_stop"})).await;
    run.next_that(|order| matches!(order, Order::Kill(_))).await;
    run.place.events.send(PortEvent::Killed(Reach::Sent { on_wire: true, dtr_pulsed: true })).unwrap();
    let told = timeout(NEVER, run.shows("did not go on from layer 2")).await.expect("that is said");
    assert!(serde_json::to_string(&told).unwrap().contains("The power failed."), "{told:?}");
    // One that was asked for before the stop and has waited somewhere, and one behind it.
    run.is_told_what_was_asked(1, 5, from_layer(2)).await;
    run.is_told_what_was_asked(9, 6, from_layer(3)).await;

    let started = async {
        loop {
            while let Ok(pass) = run.at_the_disk.try_recv() {
                let _ = pass.send(());
            }
            match run.place.orders.try_recv() {
                Ok(Order::StartAt(_, _, point)) => return point.layer,
                Ok(order) => assert!(!matches!(order, Order::Start(..)), "{order:?}"),
                Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        }
    };
    assert_eq!(timeout(NEVER, started).await.unwrap(), 3, "what was planned before the stop");
    let answered = async {
        while run.hub.outcomes.lock().unwrap().len() < 4 {
            while let Ok(pass) = run.at_the_disk.try_recv() {
                let _ = pass.send(());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(NEVER, answered).await.unwrap();
    let outcomes = run.hub.outcomes.lock().unwrap().clone();
    assert_eq!(
        (&outcomes["04"], &outcomes["05"], &outcomes["06"]),
        (&json!("done"), &json!("refused"), &json!("done"))
    );
    assert!(Journal::peek(&run.folder.journal()).held.is_some_and(|held| held.cut_off.is_some()));
}

/// The stop comes when so many pieces of disk work are done of what going on takes. Whether it had begun before.
async fn begins_before_a_stop_behind(pieces: usize) -> bool {
    let data = tempfile::tempdir().unwrap();
    is_left_cut_off(data.path());
    let mut run = Run::begin_with(data.path(), false).await;
    timeout(NEVER, run.shows(r#""layer":3"#)).await.expect("its layers are offered");
    run.is_told_what_was_asked(1, 3, from_layer(2)).await;
    let mut done = 0;
    let held = loop {
        match (run.place.orders.try_recv(), run.at_the_disk.try_recv()) {
            (Ok(Order::StartAt(..)), _) => return true,
            (_, Ok(pass)) if done == pieces => break pass,
            (_, Ok(pass)) => {
                done += 1;
                pass.send(()).unwrap();
            }
            _ => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    };
    run.is_told_what_was_asked(2, 4, json!({"kind": "emergency_stop"})).await;
    run.next_that(|order| matches!(order, Order::Kill(_))).await;
    run.place.events.send(PortEvent::Killed(Reach::Sent { on_wire: true, dtr_pulsed: true })).unwrap();
    held.send(()).unwrap();
    let told = async {
        let (mut said, mut at_rest) = (false, 0);
        while !said || at_rest < 10 || !run.hub.outcomes.lock().unwrap().contains_key("04") {
            at_rest += 1;
            while let Ok(pass) = run.at_the_disk.try_recv() {
                let _ = pass.send(());
                at_rest = 0;
            }
            while let Ok(order) = run.place.orders.try_recv() {
                assert!(!matches!(order, Order::Start(..) | Order::StartAt(..)), "{pieces}: {order:?}");
            }
            run.clock.advance(Duration::from_millis(500));
            run.place.view.send_modify(|_| ());
            if let Ok(Some(status)) = timeout(Duration::from_millis(20), run.far_end.statuses.recv()).await {
                said |= serde_json::to_string(&status).unwrap().contains("did not go on from layer 2");
            }
        }
    };
    timeout(NEVER, told).await.unwrap_or_else(|_| panic!("{pieces}: that it did not go on is said"));
    false
}

#[tokio::test]
async fn a_stop_at_any_moment_before_it_has_begun_calls_it_off() {
    let mut pieces = 0;
    while !begins_before_a_stop_behind(pieces).await {
        pieces += 1;
    }
    assert!(pieces >= 4, "{pieces} moments");
}
