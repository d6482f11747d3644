//! Survival: the host is killed at any moment of a job, several times over, and another one goes on. Whatever had been
//! written when: the printer accepts exactly the commands of the file, in order, and every position is right.
//!
//! Each run is made from one number. `STARDUST_RUNS=5000 cargo test --release -p stardust-agent --test survival --
//! --nocapture` does so many, `STARDUST_SEED=17,33` only those: a failing run prints its seed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    dead_code,
    reason = "tests; parts of the exactness tests are used"
)]

mod bench;
#[path = "../exactness/dice.rs"]
mod dice;
#[path = "../exactness/faults.rs"]
mod faults;
#[path = "../exactness/oracle.rs"]
mod oracle;
mod plan;
#[path = "../exactness/wire.rs"]
mod wire;

use bench::{Bench, Outcome};
use plan::{Plan, Turn};

const RUNS: u64 = 60;

fn numbers(name: &str) -> Option<Vec<u64>> {
    let text = std::env::var(name).ok()?;
    Some(text.split(',').map(|number| number.trim().parse().unwrap()).collect())
}

fn run_all(what: &str, plan: impl Fn(u64) -> Plan, may_fail: bool) {
    let count = numbers("STARDUST_RUNS").map_or(RUNS, |runs| runs[0]);
    let seeds = numbers("STARDUST_SEED").unwrap_or_else(|| (0..count).collect());
    let (mut exact, mut failed, mut fooled, mut kills) = (0, Vec::new(), 0, 0);
    let mut wrong = Vec::new();
    for seed in seeds {
        let mut bench = Bench::new(plan(seed));
        match bench.print() {
            Ok(Outcome::Exact) => exact += 1,
            Ok(Outcome::NobodyCouldTell) => fooled += 1,
            Ok(Outcome::Failed(reason)) if may_fail => failed.push((seed, reason)),
            Ok(Outcome::Failed(reason)) => {
                wrong.push((seed, format!("failed: {reason}\n{}", bench.story(""))))
            }
            Err(story) => wrong.push((seed, story)),
        }
        kills += bench.kills;
    }
    println!(
        "{what}: {exact} exact, {} failed with a reason, {fooled} not counted, {} wrong; {kills} kills.",
        failed.len(),
        wrong.len()
    );
    for (seed, reason) in failed.iter().take(20) {
        println!("seed {seed} failed: {reason}");
    }
    for (seed, story) in &wrong {
        println!("seed {seed}: {}", story.lines().next().unwrap_or_default());
    }
    if let Some((seed, story)) = wrong.first() {
        panic!("again: STARDUST_SEED={seed} cargo nextest run -p stardust-agent --test survival\n{story}");
    }
    // A good line excuses nothing.
    let most = if may_fail { oracle::most_excused(exact + failed.len() as u64 + fooled) } else { 0 };
    assert!(fooled <= most, "{fooled} runs prove nothing; chance leaves {most} at most");
    assert!(failed.len() as u64 * 50 <= exact, "too many jobs failed by a damaged line");
}

#[test]
fn a_job_survives_its_host_on_a_good_line() {
    run_all("good line", |seed| Plan::new(seed, false, Turn::None), false);
}

#[test]
fn a_job_survives_its_host_on_a_bad_line() {
    run_all("bad line", |seed| Plan::new(seed, true, Turn::None), true);
}

#[test]
fn a_job_that_is_paused_survives_its_host() {
    run_all("pauses", |seed| Plan::new(seed, seed % 4 == 0, Turn::Pause), true);
}

#[test]
fn a_job_that_is_cancelled_is_made_safe_by_the_next_host() {
    run_all("cancels", |seed| Plan::new(seed, seed % 4 == 0, Turn::Cancel), true);
}

#[test]
fn a_printer_that_was_reset_in_the_meantime_gets_nothing_more() {
    run_all("resets", |seed| Plan::new(seed, false, Turn::Reset), false);
}

#[test]
fn a_firmware_that_does_not_count_lines_ends_the_job_and_is_made_safe() {
    for profile in plan::NOT_COUNTING {
        for seed in 0..10 {
            let mut plan = Plan { profile, ..Plan::new(seed, false, Turn::None) };
            // A message is put into parentheses there, and is not looked at by the printer.
            plan.file.retain(|line| !line.starts_with("M117"));
            plan.file.splice(0..0, ["M140 S45".to_owned(), "M104 S180".to_owned()]);
            let mut bench = Bench::new(plan);
            match bench.print() {
                Ok(Outcome::Failed(reason)) if reason.contains("does not count lines") => {
                    assert!(bench.is_made_safe(), "{profile}, seed {seed}: {}", bench.story("not safe"));
                }
                // Klipper does not extrude in the cold, which some of the files do.
                Ok(Outcome::Failed(reason)) if reason.contains("refused") => {}
                // It was killed before anything was sent, or when all was done.
                Ok(Outcome::Exact) => {}
                other => panic!("{profile}, seed {seed}: {other:?}\n{}", bench.story("")),
            }
        }
    }
}
