//! The hub is killed at each step of a job, and comes back: in the end its history equals the agent's journal, and the
//! printer has done what the file says, once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fmt::Write as _;
use std::time::Duration;

use rstest::rstest;
use serde_json::Value;
use stardust_demo::wait;
use stardust_e2e::books;
use stardust_e2e::house::{PATIENCE, TestHouse};
use stardust_e2e::journal;

/// What a person asks for, and in which state.
type Asks = &'static [(&'static str, &'static str)];

const NOTHING: Asks = &[];
const A_PAUSE: Asks = &[("printing", "pause"), ("paused", "resume")];
const A_CANCEL: Asks = &[("printing", "cancel")];

/// Whether this stands in the agent's journal, in this order: kinds of records, or states that the job has come to.
fn has_seen(records: &[Value], seen: &[&str]) -> bool {
    let mut records = records.iter();
    seen.iter().all(|word| records.any(|record| record["record"] == *word || record["state"] == *word))
}

/// Each move is another one: a lost or doubled command shows. Without heating, which only takes time.
fn file(moves: u32) -> (Vec<u8>, Vec<String>) {
    let mut text = "M302 P1\nG28\nG90\nM82\nG92 E0\n".to_owned();
    for step in 1..=moves {
        let x = 100.0 + f64::from(step % 2) * 5.0;
        writeln!(
            text,
            "G1 X{x:.3} Y{:.3} E{:.3} F3600",
            50.0 + f64::from(step) / 10.0,
            f64::from(step) / 20.0
        )
        .unwrap();
    }
    text += "M104 S0\nM84\n";
    let commands = text.lines().map(str::to_owned).collect();
    (text.into_bytes(), commands)
}

fn extruding(commands: &[String]) -> Vec<&String> {
    commands.iter().filter(|command| command.starts_with("G1 X") && command.contains(" E")).collect()
}

#[rstest]
#[case::claimed(&["claimed"], NOTHING)]
#[case::transferring(&["transferring"], NOTHING)]
// As soon as the hub has heard of the transfer it is asked for leave to start.
#[case::start_asked(&["transferring", "acknowledged"], NOTHING)]
#[case::started(&["started"], NOTHING)]
#[case::printing(&["printing"], NOTHING)]
#[case::pausing(&["pausing"], A_PAUSE)]
#[case::paused(&["paused"], A_PAUSE)]
#[case::resuming(&["resuming"], A_PAUSE)]
#[case::printing_again(&["resuming", "printing"], A_PAUSE)]
#[case::awaiting_removal(&["awaiting_removal"], NOTHING)]
#[case::cancelling(&["cancelling"], A_CANCEL)]
#[tokio::test]
async fn a_hub_that_is_killed_at_a_step_of_a_job_has_the_whole_story_in_the_end(
    #[case] step: &[&str],
    #[case] asks: Asks,
) {
    let mut test = TestHouse::start(&["Ada"], 30.0).await;
    // Whoever asks for something must not be too late.
    let (bytes, commands) = file(if asks == NOTHING { 60 } else { 600 });
    let job = test.print("short.gcode", bytes, None).await;
    let told = kill_at(&mut test, step, asks, &job).await;

    let printed = match asks {
        // Cut short: there is no end to make sure of.
        A_CANCEL => wait::until("a job in the printer's journal", PATIENCE, async || {
            journal::jobs(&journal::read(&test.journal("Ada"))).into_iter().next()
        })
        .await
        .unwrap(),
        _ => test.printed("Ada", 1, 1).await.remove(0),
    };
    match asks {
        NOTHING => assert_eq!(printed, commands),
        A_CANCEL => assert!(extruding(&commands).starts_with(&extruding(&printed)), "{printed:?}"),
        _ => assert_eq!(extruding(&printed), extruding(&commands)),
    }
    let mut states: Vec<_> = told.iter().map(|(state, _)| state.as_str()).collect();
    states.sort_unstable();
    states.dedup();
    // Only a print that went on after a pause comes to the same state again.
    assert_eq!(told.len() - states.len(), usize::from(asks == A_PAUSE), "{told:?}");
    test.stop().await;
}

/// Kills the hub at this step, and waits until the job is over. The agent's journal of it, which is the hub's history too.
async fn kill_at(test: &mut TestHouse, step: &[&str], asks: Asks, job: &str) -> Vec<(String, String)> {
    let path = test.agent_journal("Ada");
    let (mut asks, mut was_killed) = (asks.iter(), false);
    let end = if asks.as_slice() == A_CANCEL { "cancelled" } else { "awaiting_removal" };
    let mut ask = asks.next();
    // Some steps last for milliseconds.
    let mut looks = tokio::time::interval(Duration::from_millis(1));
    let until = tokio::time::Instant::now() + PATIENCE;
    loop {
        let records = books::read(&path);
        if !was_killed && has_seen(&records, step) {
            test.house.hub.kill().await.unwrap();
            test.house.hub.restart().await.unwrap();
            was_killed = true;
        } else if let Some((when, what)) = ask.filter(|(when, _)| has_seen(&records, &[when])) {
            test.job_in_state(job, when).await;
            test.client().ask(job, what).await.unwrap();
            ask = asks.next();
        } else if was_killed && has_seen(&records, &[end]) {
            break;
        }
        assert!(tokio::time::Instant::now() < until, "{records:?}");
        looks.tick().await;
    }
    test.job_in_state(job, end).await;
    let told = books::moves(&books::read(&path), job);
    books::assert_alike(&test.client().transitions(job).await.unwrap(), &told);
    told
}
