//! A job begins on a printer whose host's disk takes as long as it likes, and is stopped at once before it has begun: what is written
//! for it all the same, that something may be hot, is settled by somebody.

use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;

use super::{NEVER, Run};
use crate::journal::Journal;
use crate::port::{Order, PortEvent, Reach};
use crate::serial::HostEvent;

/// What comes of a stop.
#[derive(Debug, PartialEq)]
enum Left {
    /// It had begun before.
    Begun,
    /// Nothing is owed.
    Nothing,
    /// Something is, as far as the agent knows, and the port has the order to settle it.
    Ordered,
}

/// The stop comes when so many pieces of disk work are done of what beginning takes. What it owes is read back as off before the disk
/// goes on.
async fn stopped_behind(pieces: usize) -> Left {
    let data = tempfile::tempdir().unwrap();
    let mut run = Run::begin(data.path()).await;
    let mut done = 0;
    let held = loop {
        match (run.place.orders.try_recv(), run.at_the_disk.try_recv()) {
            (Ok(Order::Start(..)), _) => return Left::Begun,
            (_, Ok(pass)) if done == pieces => break pass,
            (_, Ok(pass)) => {
                done += 1;
                pass.send(()).unwrap();
            }
            _ => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    };
    run.is_told_what_was_asked(2, 4, json!({"kind": "emergency_stop"})).await;
    let killed = async { while !matches!(run.place.orders.recv().await, Some(Order::Kill(_))) {} };
    timeout(NEVER, killed).await.unwrap();
    run.place.view.send_modify(|view| view.is_ready = false);
    run.place.events.send(PortEvent::Killed(Reach::Sent { on_wire: true, dtr_pulsed: true })).unwrap();
    run.place.events.send(PortEvent::Host(HostEvent::HeatSettled, 0)).unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    held.send(()).unwrap();
    let mut is_ordered = false;
    let rests = async {
        let mut at_rest = 0;
        while at_rest < 20 || !run.hub.outcomes.lock().unwrap().contains_key("04") {
            at_rest += 1;
            while let Ok(pass) = run.at_the_disk.try_recv() {
                let _ = pass.send(());
                at_rest = 0;
            }
            while let Ok(order) = run.place.orders.try_recv() {
                assert!(!matches!(order, Order::Start(..)), "{pieces}: it was stopped before");
                is_ordered |= matches!(order, Order::MakeSafe(_));
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(NEVER, rests).await.unwrap();
    let is_owed = !Journal::peek(&run.folder.journal()).heat.is_empty();
    assert!(!is_owed || is_ordered, "{pieces}: it is owed, and nobody settles it");
    if is_ordered { Left::Ordered } else { Left::Nothing }
}

/// What is written for a job may be done in one go with what comes before it, and then no stop comes between: that is another try.
#[tokio::test]
async fn what_a_job_owes_that_was_stopped_before_it_began_is_settled() {
    for _ in 0..40 {
        let mut seen = Vec::new();
        for pieces in 0.. {
            match stopped_behind(pieces).await {
                Left::Begun => break,
                left => seen.push(left),
            }
        }
        assert!(seen.len() >= 4, "{seen:?}");
        if seen.contains(&Left::Ordered) {
            return;
        }
    }
    panic!("it would be no test: a stop never came between what is written and what is begun");
}
