//! Agents and a hub on a virtual network and clock. Whatever the network loses, doubles or brings late, and whoever is killed
//! when: in the end the hub's history is the agents' journals, no job has run twice, and each printer takes the next one.
//!
//! Real are the agent's printer task with its journal, spool, deliveries and calls, and the hub's routes, queue, outbox and
//! database. What stands in says so: the network ([`network`]), the printer ([`printer`]), the MQTT link ([`live_link`]).
//!
//! Each run is made from one number. `STARDUST_RUNS=2000` does so many, `STARDUST_SEED=17,33` only those, as often as one
//! likes: a failing run prints its seed and its story.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "tests"
)]

mod counts;
mod dice;
mod download;
mod evidence;
mod hub_house;
mod life;
mod live_link;
mod network;
mod oracle;
mod oracle_tests;
mod people;
mod plan;
mod printer;
mod process;
mod run;
mod samples;
mod tally;
mod template;
mod time;
mod trace;
mod weather;
mod world;

use std::time::Duration;

use plan::{Plan, Side};
use run::run;
use stardust_protocol::JobState;
use tally::{Tally, seeds};

/// Runs of an ordinary `cargo nextest run`.
const RUNS: u64 = 40;

#[test]
fn the_hubs_history_is_the_journal_and_no_job_runs_twice() {
    let seeds = seeds(RUNS);
    let tally =
        Tally::of(seeds.iter().map(|seed| (format!("STARDUST_SEED={seed}"), Plan::of(*seed))).collect());
    tally.close("the_hubs_history_is_the_journal_and_no_job_runs_twice", true);
}

#[test]
fn the_hub_may_be_killed_at_each_transition() {
    let mut plans = Vec::new();
    let stories = 1 + seeds(RUNS).len() as u64 / 400;
    for story in 0..stories {
        let undisturbed = run(Plan::hub_dies_at(story, None), false);
        assert_eq!(undisturbed.wrong, Vec::<String>::new());
        let moves = undisturbed.moving;
        // In some stories people cancel before anything starts; the first has two whole prints.
        let enough = if story == 0 { 10 } else { 3 };
        assert!(moves.len() >= enough, "story {story}: {} calls", moves.len());
        for call in moves {
            for side in [Side::Before, Side::After] {
                let name = format!("story {story}, killed {side:?} call {call}");
                plans.push((name, Plan::hub_dies_at(story, Some((call, side)))));
            }
        }
    }
    let (count, tally) = (plans.len() as u64, Tally::of(plans));
    let kills =
        tally.counts.hub_kills_before_a_call_was_applied + tally.counts.hub_kills_after_a_call_was_applied;
    assert_eq!(kills, count, "each run kills the hub once");
    tally.close("the_hub_may_be_killed_at_each_transition", false);
}

/// However long the hub is away, what the agent saw is there in the end: thinned, over the whole of the print.
#[test]
fn how_a_print_went_is_told_when_the_hub_is_back() {
    // A week takes a minute even here: where the runs are many.
    let days = if seeds(RUNS).len() as u64 > RUNS { 7 } else { 1 };
    for print in [6, days * 24].map(|hours| Duration::from_secs(hours * 3600)) {
        let outcome = run(Plan::long_print_without_a_hub(print), false);
        assert_eq!(outcome.wrong, Vec::<String>::new());
        assert_eq!(outcome.counts.hub_kills_when_a_print_begins, 1);
        let job = &outcome.jobs[0];
        let when = |state| job.history.iter().find(|moved| moved.to == state).unwrap().at;
        let (began, ended) = (when(JobState::Preparing), when(JobState::AwaitingRemoval));
        let printed = ended.millis_since(began);
        assert!(printed >= print.as_millis() as i64, "{printed}");
        let seen: Vec<i64> = job.samples.iter().map(|kept| kept.at.millis_since(began)).collect();
        println!("{} samples of {print:?}", seen.len());
        assert!((250..=520).contains(&seen.len()), "{}", seen.len());
        assert!(seen[0] < 60_000, "from the beginning: {}", seen[0]);
        let gaps = seen.windows(2).map(|pair| pair[1] - pair[0]).chain([printed - seen[seen.len() - 1]]);
        let longest = gaps.max().unwrap();
        assert!(longest <= printed / 30, "over the whole of the print: {longest}");
    }
}

#[test]
fn the_same_seed_does_the_same() {
    for seed in 0..8 {
        let [one, other] = [0, 1].map(|_| run(Plan::of(seed), true));
        assert!(one.trace.len() > 50, "seed {seed}: {} lines", one.trace.len());
        for (line, (one, other)) in one.trace.iter().zip(&other.trace).enumerate() {
            assert_eq!(one, other, "seed {seed}, line {line}");
        }
        assert_eq!(one.trace.len(), other.trace.len(), "seed {seed}");
    }
}
