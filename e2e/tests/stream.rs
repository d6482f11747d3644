//! The stream of changes: deltas, and nothing missed over a reconnect.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use serde_json::Value;
use stardust_e2e::house::TestHouse;
use stardust_e2e::stream::{Event, read};

fn is(event: &Event, resource: &str, id: &str, state: &str) -> bool {
    event.data["resource"] == resource && event.data["id"] == id && event.data["data"]["state"] == state
}

#[tokio::test]
async fn a_watcher_that_comes_back_has_missed_nothing() {
    let test = TestHouse::start(&["Ada"], 200.0).await;
    let start = read(test.client(), None, |event| event.name == "reset").await;
    let last = start.last().unwrap().id.clone();

    // All of this happens while nobody watches.
    let job = test.print("a.gcode", b"G28\nG1 X10 F3000\nM84\n".to_vec(), None).await;
    test.job_in_state(&job, "awaiting_removal").await;

    let events = read(test.client(), Some(&last), |event| is(event, "job", &job, "awaiting_removal")).await;
    assert!(events.iter().all(|event| event.name == "change"), "no reset: {events:?}");
    let of_job: Vec<_> = events.iter().filter(|event| event.data["id"] == *job).collect();
    assert_eq!(of_job[0].data["op"], "upsert");
    assert!(of_job[1..].iter().all(|event| event.data["op"] == "patch"), "{of_job:?}");
    // The patches, applied in order, are the job as it is now.
    let mut followed = of_job[0].data["data"].clone();
    for event in &of_job[1..] {
        merge(&mut followed, &event.data["data"]);
    }
    let job = test.client().job(&job).await.unwrap();
    assert_eq!(followed, job);
    let numbers: Vec<u64> =
        events.iter().map(|e| e.id.rsplit('-').next().unwrap().parse().unwrap()).collect();
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{numbers:?}");

    let stranger = read(test.client(), Some("another-run-7"), |_| true).await;
    assert_eq!(stranger[0].name, "reset");
    test.stop().await;
}

/// RFC 7396, once more, so that the hub's own is not tested with itself.
fn merge(target: &mut Value, patch: &Value) {
    if let (Value::Object(target), Value::Object(patch)) = (&mut *target, patch) {
        for (key, value) in patch {
            if value.is_null() {
                target.remove(key);
            } else {
                merge(target.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
    } else {
        *target = patch.clone();
    }
}
