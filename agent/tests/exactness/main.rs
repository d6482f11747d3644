//! Exactness: whatever the wire does, the printer accepts exactly the commands of the file, in order.
//!
//! Each run is made from one number: file, firmware, line and faults. `STARDUST_RUNS=10000` does so many,
//! (`STARDUST_RUNS=10000 cargo test --release -p stardust-agent --test exactness -- --nocapture`),
//! `STARDUST_SEED=17,33` only those, as often as one likes: a failing run prints its seed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "tests"
)]

mod dice;
mod faults;
mod oracle;
mod run;
mod virtual_bench;
mod wire;

use std::time::Duration;

use dice::Dice;
use faults::{Fault, Rates};
use run::{Bench, Blow, Outcome, Plan};
use virtual_bench::VirtualBench;

/// Runs of an ordinary `cargo nextest run`: with our own faults, and with the simulator's, which take longer.
const RUNS: u64 = 500;
const SIMULATOR_RUNS: u64 = 200;
/// Wrong before: surplus `ok`s of a printer that lags behind were taken for the proof that everything was carried out.
const WAS_WRONG: [u64; 1] = [8406];
/// At most 1 % of the lines.
const MAX_PPM: usize = 10_000;

fn plan(seed: u64) -> Plan {
    let mut dice = Dice::new(seed);
    // Every kind alone at first, then mixes of two to all.
    let kinds = Fault::ALL.len();
    let turn = usize::try_from(seed).unwrap() % (2 * kinds);
    let chosen: Vec<Fault> = match Fault::ALL.get(turn) {
        // A storm needs something to be asked for again.
        Some(Fault::ResendStorm) => vec![Fault::ResendStorm, Fault::BitToPrinter],
        Some(fault) => vec![*fault],
        None => {
            let share = 1 + dice.below(4);
            Fault::ALL.into_iter().filter(|_| dice.below(4) < share).collect()
        }
    };
    // The rate of 1 % is that of all together; every third run is at the limit.
    let all = if seed % 3 == 0 { MAX_PPM } else { 1 + dice.below(MAX_PPM) };
    let each = u32::try_from(all / chosen.len().max(1)).unwrap();
    Plan {
        seed,
        rates: Rates(chosen.into_iter().map(|fault| (fault, each)).collect()),
        blow: (dice.below(10) == 0).then(|| [Blow::Reset, Blow::Kill, Blow::Unplug][dice.below(3)]),
        baud: [115_200, 250_000, 1_000_000][dice.below(3)],
        latency: Duration::from_micros([0, 500, 2_000, 16_000][dice.below(4)]),
        advanced_ok: dice.coin(),
        emergency_parser: dice.coin(),
        no_ok_after_resend: dice.below(4) == 0,
        second_job: dice.below(8) == 0,
        file: file(&mut dice),
    }
}

fn file(dice: &mut Dice) -> Vec<String> {
    let mut file: Vec<String> = ["G21", "G90", "M82", "G92 E0"].map(String::from).to_vec();
    if dice.below(4) == 0 {
        file.extend(["M140 S40", "M104 S50", "G28", "M109 S50"].map(String::from));
    }
    let mut e = 0.0;
    for _ in 0..100 + dice.below(500) {
        let [x, y] = [dice.below(2000), dice.below(2000)].map(|at| at as f64 / 10.0);
        e += dice.below(100) as f64 / 1000.0;
        file.push(match dice.below(60) {
            0 => format!("M106 S{}", dice.below(256)),
            1 => "G92 E0".to_owned(),
            2 => format!("G4 P{}", dice.below(50)),
            3 => format!("M117 layer {} half", dice.below(100)),
            4 => format!("M204 P{}", 500 + dice.below(1000)),
            5 => "M220 S100".to_owned(),
            6 => format!("G2 X{x} Y{y} I5 J{}", dice.below(9)),
            _ => format!("G1 X{x} Y{y} E{e:.5} F{}", 3000 + dice.below(6000)),
        });
    }
    file.push("M107".into());
    file
}

fn numbers(name: &str) -> Option<Vec<u64>> {
    let text = std::env::var(name).ok()?;
    Some(text.split(',').map(|number| number.trim().parse().unwrap()).collect())
}

fn seeds(ordinarily: u64) -> Vec<u64> {
    let count = numbers("STARDUST_RUNS").map_or(ordinarily, |runs| runs[0]);
    numbers("STARDUST_SEED").unwrap_or_else(|| (0..count).collect())
}

/// How the runs of one kind went.
#[derive(Debug, Default)]
struct Tally {
    exact: u64,
    failed: u64,
    fooled: u64,
    wrong: Vec<(u64, String)>,
}

impl Tally {
    fn count(&mut self, seed: u64, result: Result<Outcome, String>) {
        match result {
            Ok(Outcome::Exact) => self.exact += 1,
            Ok(Outcome::Failed) => self.failed += 1,
            Ok(Outcome::NobodyCouldTell) => self.fooled += 1,
            Err(story) => self.wrong.push((seed, story)),
        }
    }

    fn close(self) {
        println!(
            "{} exact, {} ended by a fault that ends a job, {} not counted because a damaged line looked like a good \
             one, {} wrong.",
            self.exact,
            self.failed,
            self.fooled,
            self.wrong.len()
        );
        for (seed, story) in &self.wrong {
            println!("seed {seed}: {}", story.lines().next().unwrap_or_default());
        }
        if let Some((seed, story)) = self.wrong.first() {
            let again = "cargo nextest run -p stardust-agent --test exactness";
            panic!("again: STARDUST_SEED={seed} {again}\n{story}");
        }
        let runs = self.exact + self.failed + self.fooled;
        let most = oracle::most_excused(runs);
        assert!(
            self.fooled <= most,
            "{} of {runs} runs prove nothing; chance leaves {most} at most",
            self.fooled
        );
    }
}

#[test]
fn the_commands_of_the_file_and_no_others_in_order() {
    let mut tally = Tally::default();
    for seed in seeds(RUNS) {
        tally.count(seed, Bench::new(plan(seed)).print());
    }
    tally.close();
}

#[test]
fn also_with_the_simulators_own_faults() {
    let mut tally = Tally::default();
    let mut seeds = seeds(SIMULATOR_RUNS);
    if numbers("STARDUST_SEED").is_none() {
        let left_out: Vec<u64> = WAS_WRONG.into_iter().filter(|seed| !seeds.contains(seed)).collect();
        seeds.extend(left_out);
    }
    for seed in seeds {
        let file = file(&mut Dice::new(seed));
        tally.count(seed, VirtualBench::new(seed, file).print());
    }
    tally.close();
}
