//! Nothing stays hot with nobody there: agents that are killed, stopped, handed over to nobody or started with settings that
//! can't be read, cables that are pulled while the printer keeps its power, jobs that end in every way. Whatever happened: a
//! printer that an agent has been able to reach for 60 s with no job at work has every target at 0, read at the printer, but
//! for what a person has preheated and for the bed of an interrupted print, for as long as that was said to be. A stop at once
//! whose lines are damaged on their way, once or every time, is no exception. And what waits for a person does not keep a nozzle hot for
//! longer than the settings say, wherever the agent can end the wait: firmware without a parser for M108 hears nothing while it waits, until
//! somebody presses its button.
//!
//! Real are the agent's printer task with its journal, trail, spool and serial host, what makes a printer safe that can't be
//! driven, and the simulated firmware behind its line. What stands in says so: the hub ([`hub`]), the thread that drives
//! the port ([`port`]).
//!
//! Each run is made from one number. `STARDUST_RUNS=5000` does so many, `STARDUST_SEED=17,33` only those: a failing run prints
//! its seed and its story.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "tests"
)]

#[path = "../protocol/dice.rs"]
mod dice;
mod eye;
mod house;
mod hub;
mod plan;
mod port;
mod process;

use house::{Outcome, run};
use plan::{Broken, Plan};

/// Runs of an ordinary `cargo nextest run`.
const RUNS: u64 = 25;

/// Runs in which each part of the rule is needed; most need only some.
const TELLING: [u64; 8] = [3, 1, 22, 182, 75, 37, 25, 45];

fn seeds() -> Vec<u64> {
    let numbers = |name: &str| -> Option<Vec<u64>> {
        let text = std::env::var(name).ok()?;
        Some(text.split(',').map(|number| number.trim().parse().unwrap()).collect())
    };
    let count = numbers("STARDUST_RUNS").map_or(RUNS, |runs| runs[0]);
    numbers("STARDUST_SEED").unwrap_or_else(|| (0..count).collect())
}

#[test]
fn with_no_job_at_work_every_target_is_0_within_a_minute() {
    let mut told = std::collections::BTreeMap::<&str, u64>::new();
    let mut wrong = Vec::new();
    for seed in seeds() {
        let Outcome { counts, hot, .. } = run(&Plan::of(seed), false);
        counts.into_iter().for_each(|(what, count)| *told.entry(what).or_default() += count);
        if let Some(hot) = hot {
            wrong.push((seed, hot));
        }
    }
    println!("{told:?}; {} wrong", wrong.len());
    if let Some((seed, hot)) = wrong.first() {
        let story = run(&Plan::of(*seed), true).story;
        let all: Vec<u64> = wrong.iter().map(|(seed, _)| *seed).collect();
        panic!(
            "wrong: {all:?}; again: STARDUST_SEED={seed} cargo nextest run -E 'binary(heat)'\n{hot}\n{story}"
        );
    }
    // A run in which nothing was ever hot, or nobody was ever killed, would show nothing.
    if told.get("runs").is_some_and(|runs| *runs >= RUNS) {
        for what in [
            "heated",
            "killed",
            "unplugged",
            "one unplugged",
            "stopped",
            "unreadable",
            "handed over",
            "rebooted",
            "rebooted beside a trail",
            "jobs ended",
            "unable",
            "revoked",
            "hot by a person",
            "bed kept warm",
            "port changed",
            "stopped at once",
            "stop not taken",
            "somebody came",
            "cooled in a wait",
        ] {
            assert!(told.get(what).is_some_and(|count| *count > 0), "never {what}: {told:?}");
        }
    }
}

/// The same runs with the rule broken on purpose are found out.
#[test]
fn a_broken_rule_is_found_out() {
    for broken in Broken::ALL {
        let breaks = |seed: &u64| run(&Plan { broken: Some(broken), ..Plan::of(*seed) }, false).hot.is_some();
        let found = TELLING.iter().find(|seed| breaks(seed));
        println!("{broken:?}: seed {found:?}");
        assert!(found.is_some(), "{broken:?}");
    }
}
