//! The nozzle never goes where something stands: pauses, cancels and layer recoveries at any moment of prints of several
//! parts, together and one by one, and a plate in the simulator that sees what was extruded where.
//!
//! Each run is made from one number. `STARDUST_RUNS=1200` does so many (`make geometry`), `STARDUST_SEED=17,33` only those.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "tests"
)]

mod files;
mod print;

use std::path::{Path, PathBuf};

use files::{Order, fixture, parts_of};
use firmware_sim::firmware::{Config, Contact, ContactKind};
use firmware_sim::profile::Profile;
use print::{Loss, Print};
use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};
use rstest::rstest;
use stardust_agent::serial::firmware::Area;
use stardust_agent::serial::{JobEvent, Parking, Templates};

const CURA: &str = "cura_teapot_ender3_marlin.gcode";
const PRUSA: &str = "ps_teapot_ender3_thumbs_mix.gcode";
const MMU: &str = "ps_mmu_5tool_mk3s.gcode";
/// Three parts as a slicer has put them, with its own order, travels and clearances.
const SLICED_TOGETHER: &str = "ps_three_parts_together.gcode";
const SLICED_ONE_BY_ONE: &str = "ps_three_parts_one_by_one.gcode";

/// The files that are printed; they go with it.
struct Files {
    _folder: tempfile::TempDir,
    together: Vec<PathBuf>,
    one_by_one: Vec<PathBuf>,
}

fn files() -> Files {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, parts: usize, order: Order| {
        let path = folder.path().join(format!("{parts}_{order:?}_{name}"));
        std::fs::write(&path, parts_of(name, parts, order)).unwrap();
        path
    };
    let of =
        |order| [(CURA, 2), (PRUSA, 3), (PRUSA, 2)].map(|(name, parts)| write(name, parts, order)).to_vec();
    let (mut together, mut one_by_one) = (of(Order::Together), of(Order::OneByOne));
    together.push(fixture(SLICED_TOGETHER));
    one_by_one.push(fixture(SLICED_ONE_BY_ONE));
    Files { _folder: folder, together, one_by_one }
}

/// What its printer tells of how far it reaches, and how much of that is left above the parts; and whether it counts its lines, so that
/// another host can go on with a print.
fn machine(rng: &mut TestRng) -> (Config, Parking, bool) {
    // Parts are 6.4 mm high.
    let top = [210.0, 6.9, 9.0, 60.0][rng.random_range(0..4_usize)];
    let travel_mm = [230.0, 220.0, top];
    let area = Some(Area { min: [0.0; 3], max: travel_mm });
    let (profile, area) = match rng.random_range(0..10) {
        // What the printer's settings say, where its firmware says nothing.
        0 => ("prusa", area),
        1 => ("repetier", area),
        2 => ("klipper", area),
        3 => ("ultimaker2", area),
        4 => ("malyan", area),
        // Nobody says anything.
        5 => ("creality", None),
        // Both do.
        6 => ("marlin", area),
        // The firmware does.
        7 => ("marlin-no-emergency-parser", None),
        _ => ("marlin", None),
    };
    let config = Profile::named(profile).unwrap().config;
    // A lift that is less than what stands beside.
    let lift_mm = [1.0, 5.0][rng.random_range(0..2_usize)];
    (Config { travel_mm, ..config }, Parking { area, lift_mm, ..Parking::default() }, profile != "klipper")
}

fn lines(file: &Path) -> usize {
    std::fs::read_to_string(file).unwrap().lines().filter(|line| line.starts_with(['G', 'M'])).count()
}

#[rstest]
#[case(CURA)]
#[case(PRUSA)]
#[case(MMU)]
#[case(SLICED_TOGETHER)]
#[case(SLICED_ONE_BY_ONE)]
fn a_print_that_nobody_disturbs_meets_nothing(#[case] name: &str) {
    let config = Config { tools: 5, travel_mm: [250.0; 3], ..Config::default() };
    let mut print = Print::start(&fixture(name), config, Parking::default());
    print.run_out();
    assert_eq!(print.events.last(), Some(&JobEvent::Completed), "{}", print.story());
    // Prusa's start script goes over its purge line again, lower; tool changes ram filament in the tower.
    let of_script = |contact: &&Contact| contact.kind == ContactKind::Dropped || contact.top_mm < 0.5;
    let met = print.plate().contacts().iter().find(|contact| !(name == MMU && of_script(contact)));
    assert_eq!(met, None, "{}", print.story());
}

#[test]
fn parts_that_nobody_disturbs_meet_nothing() {
    let files = files();
    for file in files.together.iter().chain(&files.one_by_one) {
        let config = Config { travel_mm: [250.0; 3], ..Config::default() };
        let mut print = Print::start(file, config, Parking::default());
        print.run_out();
        assert_eq!(print.events.last(), Some(&JobEvent::Completed), "{}", print.story());
        assert_eq!(print.plate().contact_count(), 0, "{file:?}: {}", print.story());
        assert!(print.plate().top_mm() > 6.0, "{file:?} is {} high", print.plate().top_mm());
    }
}

#[test]
fn a_host_that_travels_before_it_lifts_is_seen() {
    let files = files();
    let templates = Templates { pause: Some("G1 X72 Y162".into()), ..Templates::default() };
    let file = &files.one_by_one[0];
    let parking = Parking { templates, ..Parking::default() };
    let mut print = Print::start(file, Config { travel_mm: [250.0; 3], ..Config::default() }, parking);
    let of_second = lines(file) * 6 / 10;
    print.run_until(|print| print.accepted > of_second);
    assert!(print.pause());
    assert!(print.plate().contact_count() > 0, "{}", print.story());
}

/// How the runs went.
#[derive(Debug, Default)]
struct Tally {
    pauses: usize,
    parked: usize,
    cancels: usize,
    recoveries: usize,
    refused: usize,
    /// Prints of parts that are printed together, one by one, and of files as a slicer has made them.
    together: usize,
    one_by_one: usize,
    sliced: usize,
}

impl Tally {
    /// Runs that have done what they are for: a host that never parks meets nothing either.
    fn is_of(&self, kind: Kind) -> bool {
        let done = match kind {
            Kind::Pauses => self.pauses > 0 && self.parked > 0,
            Kind::Cancel => self.cancels > 0,
            Kind::Recovery => self.recoveries > 0,
        };
        done && self.together > 0 && self.one_by_one > 0 && self.sliced > 0
    }
}

/// Of each kind.
const RUNS: u64 = 16;

#[rstest]
#[case::pauses(Kind::Pauses)]
#[case::cancels(Kind::Cancel)]
#[case::recoveries(Kind::Recovery)]
fn the_nozzle_never_goes_where_something_stands(#[case] kind: Kind) {
    let numbers = |name: &str| -> Option<Vec<u64>> {
        let text = std::env::var(name).ok()?;
        Some(text.split(',').map(|number| number.trim().parse().unwrap()).collect())
    };
    let count = numbers("STARDUST_RUNS").map_or(RUNS, |runs| runs[0].div_ceil(3));
    let seeds = numbers("STARDUST_SEED").unwrap_or_else(|| (0..count).collect());
    let files = files();
    let mut tally = Tally::default();
    let mut wrong = Vec::new();
    let of = seeds.len();
    for seed in seeds {
        if let Err(story) = run(kind, seed, &files, &mut tally) {
            wrong.push((seed, story));
        }
    }
    println!("{tally:?}");
    let seeds: Vec<u64> = wrong.iter().map(|(seed, _)| *seed).collect();
    assert!(wrong.is_empty(), "{} runs of {kind:?}, STARDUST_SEED={seeds:?}: {}", wrong.len(), wrong[0].1);
    assert!(of < 5 || tally.recoveries >= tally.refused, "most go on: {tally:?}");
    assert!(of < 16 || tally.is_of(kind), "{kind:?}: {tally:?}");
}

/// What is done to a print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Pauses,
    Cancel,
    Recovery,
}

fn run(kind: Kind, seed: u64, files: &Files, tally: &mut Tally) -> Result<(), String> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let (config, parking, counts_lines) = machine(&mut rng);
    // Parts that are printed one by one are refused by the layer recovery.
    let are_together = kind == Kind::Recovery && rng.random_range(0..8) > 0 || rng.random();
    let of = if are_together { &files.together } else { &files.one_by_one };
    let file = &of[rng.random_range(0..of.len())];
    *(if are_together { &mut tally.together } else { &mut tally.one_by_one }) += 1;
    tally.sliced += usize::from(file.ends_with(SLICED_TOGETHER) || file.ends_with(SLICED_ONE_BY_ONE));
    let commands = lines(file);
    let told = format!("{file:?} on {config:?}");
    let mut print = Print::start(file, config, parking);
    let check = |print: &Print, what: &str| match print.plate().contact_count() {
        0 => Ok(()),
        _ => Err(format!("seed {seed}, {what}, {told}: {}", print.story())),
    };
    match kind {
        Kind::Pauses => {
            let mut at = 0;
            while at < commands {
                at += rng.random_range(1..commands / 3);
                if !print.run_until(|print| print.accepted >= at) {
                    break;
                }
                if counts_lines && rng.random() {
                    print.kill_host();
                }
                if !print.pause() {
                    break;
                }
                tally.pauses += 1;
                let [x, y, _] = print.plate().nozzle_mm();
                tally.parked += usize::from(x < 1.0 && y > 200.0);
                check(&print, "paused")?;
                if counts_lines && rng.random() {
                    print.kill_host();
                }
                print.resume();
                print.run_until(|print| print.events.last() == Some(&JobEvent::Resumed));
                check(&print, "resumed")?;
                // What the host has sent of its own was counted, too.
                at = print.accepted;
            }
            print.run_out();
            check(&print, "printed to its end")?;
            if print.events.last() != Some(&JobEvent::Completed) {
                return Err(format!("seed {seed}: {}", print.story()));
            }
        }
        Kind::Cancel => {
            let at = rng.random_range(0..commands);
            print.run_until(|print| print.accepted >= at);
            if rng.random() {
                print.ask_to_pause();
                for _ in 0..rng.random_range(0..200) {
                    print.exchange();
                }
                if rng.random() {
                    print.resume();
                    for _ in 0..rng.random_range(0..40) {
                        print.exchange();
                    }
                }
            }
            print.cancel();
            print.run_out();
            tally.cancels += 1;
            check(&print, "cancelled")?;
        }
        Kind::Recovery => {
            let at = rng.random_range(commands / 20..commands);
            print.run_until(|print| print.accepted >= at);
            if rng.random_range(0..4) == 0 {
                print.pause();
            }
            print.lose_power([Loss::Both, Loss::Printer, Loss::Host][rng.random_range(0..3_usize)]);
            let Some(cut_off) = print.cut_off() else {
                tally.refused += 1;
                print.resume();
                print.run_out();
                return check(&print, "gone on with, or too early to");
            };
            print.wait_ready();
            let point = match print.point(&cut_off) {
                Ok(point) => point,
                Err(why) => {
                    println!("seed {seed}: {why}");
                    tally.refused += 1;
                    return Ok(());
                }
            };
            print.begin_return(&point);
            if rng.random() {
                for _ in 0..rng.random_range(0..400) {
                    print.exchange();
                }
                if rng.random() { print.kill_host() } else { print.cancel() }
            }
            print.run_out();
            tally.recoveries += 1;
            check(&print, "gone on from a layer")?;
        }
    }
    Ok(())
}
