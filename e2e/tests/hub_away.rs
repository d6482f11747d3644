//! The hub is away for the whole of a print: the print goes on from the spool, and when the hub is back it learns all of
//! it, in order, once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use serde_json::Value;
use stardust_demo::wait;
use stardust_e2e::books;
use stardust_e2e::gcode::{commands, fixture};
use stardust_e2e::house::{PATIENCE, TestHouse};
use stardust_e2e::journal;

const FILE: &str = "cura_teapot_ender3_marlin.gcode";
/// A pause may be carried out so long after it was asked for, and no later.
const TOO_LATE: Duration = Duration::from_secs(60);
const WHOLE: [&str; 6] = ["queued", "claimed", "transferring", "preparing", "printing", "awaiting_removal"];

/// Waits until the printer has done everything that the file says.
async fn printed(test: &TestHouse, patience: Duration) {
    let (path, expected) = (test.journal("Ada"), commands(&fixture(FILE)));
    wait::until("the print to end without a hub", patience, async || {
        let jobs = journal::jobs(&journal::read(&path));
        (jobs.last()?.len() >= expected.len()).then_some(())
    })
    .await
    .unwrap();
}

/// The printer has done what the file says, once, and the hub knows that it is done.
async fn assert_one_print(test: &TestHouse, job: &str) {
    test.job_in_state(job, "awaiting_removal").await;
    assert_eq!(test.history(job).await, WHOLE);
    let prints = journal::prints(&journal::read(&test.journal("Ada")));
    assert_eq!(prints.len(), 1);
    // Between the file's commands stand only questions of the host, as those of one that was started in mid-print.
    journal::compare(&prints[0], &commands(&fixture(FILE))).unwrap();
}

#[tokio::test]
async fn a_print_whose_hub_was_away_from_its_start_to_its_end_is_told_in_full_afterwards() {
    let mut test = TestHouse::start(&["Ada"], 400.0).await;
    let job = test.print(FILE, std::fs::read(fixture(FILE)).unwrap(), None).await;
    let at = test.agent_journal("Ada");
    wait::until("leave to start", PATIENCE, async || {
        books::read(&at).iter().any(|record| record["record"] == "started").then_some(())
    })
    .await
    .unwrap();
    test.house.hub.kill().await.unwrap();
    printed(&test, PATIENCE).await;
    // Kept while there was nobody to tell: the hub can only have the times from here.
    let told = wait::until("the end in the agent's journal", PATIENCE, async || {
        let told = books::moves(&books::read(&at), &job);
        (told.last()?.0 == "awaiting_removal").then_some(told)
    })
    .await
    .unwrap();
    test.house.hub.restart().await.unwrap();
    assert_one_print(&test, &job).await;
    books::assert_alike(&test.client().transitions(&job).await.unwrap(), &told);
    // Taken when the print had begun, and there was nobody to tell.
    let path = format!("/api/v1/jobs/{job}/telemetry");
    let points = wait::until("what the agent saw of the print", PATIENCE, async || {
        let telemetry = test.client().get(&path).await.unwrap();
        telemetry["points"].as_array().filter(|points| !points.is_empty()).cloned()
    })
    .await
    .unwrap();
    assert!(points.iter().all(|point| point["tools"][0]["actual"].as_f64().is_some()), "{points:?}");
    test.stop().await;
}

/// The agent is away when the pause is asked for, and the hub when the agent is back: nobody can carry it out in time.
#[tokio::test]
async fn a_pause_that_nobody_could_bring_in_time_is_not_carried_out() {
    // As slow as the pause takes to be too late, about.
    let mut test = TestHouse::start(&["Ada"], 25.0).await;
    let job = test.print(FILE, std::fs::read(fixture(FILE)).unwrap(), None).await;
    test.job_beyond(&job, 0.0).await;
    let at = test.agent_journal("Ada");
    // Its next start leaves only what it needs there.
    let before = books::moves(&books::read(&at), &job);
    test.house.stations[0].agent.kill().await.unwrap();
    let asked = test.client().ask(&job, "pause").await.unwrap();
    assert_eq!(asked["requested"], "pause", "{asked}");
    let asked = tokio::time::Instant::now();
    test.house.hub.kill().await.unwrap();
    test.house.stations[0].agent.restart().await.unwrap();
    printed(&test, 2 * PATIENCE).await;
    wait::until("the pause to be too late", PATIENCE, async || (asked.elapsed() > TOO_LATE).then_some(()))
        .await
        .unwrap();
    test.house.hub.restart().await.unwrap();

    // Whoever is first: the agent, which is asked when it is back, or the hub, which gives it ten seconds for that.
    wait::until("the pause to be over", PATIENCE, async || {
        let job = test.client().job(&job).await.unwrap();
        job.get("requested").is_none_or(Value::is_null).then_some(())
    })
    .await
    .unwrap();
    assert_one_print(&test, &job).await;
    let records = books::read(&at);
    let answer = records.iter().find(|record| record["record"] == "answered");
    assert!(answer.is_none_or(|answer| answer["outcome"]["outcome"] == "expired"), "{answer:?}");
    // What the hub did not know when the agent was killed stands in both.
    let after = books::moves(&records, &job).into_iter().filter(|moved| !before.contains(moved));
    let told: Vec<_> = before.iter().cloned().chain(after).collect();
    books::assert_alike(&test.client().transitions(&job).await.unwrap(), &told);
    test.stop().await;
}
