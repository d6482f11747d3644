//! Firmwares that say less than others, or something else: a whole, faultless print is printed on them all the same.

use std::time::Duration;

use firmware_sim::faults::FaultPlan;
use firmware_sim::firmware::{Config, KeepAlive};
use rstest::rstest;
use stardust_agent::serial::{End, HeatOutOfReach, JobEvent};

use super::bench::{Bench, file};

fn texts(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

fn failure(end: JobEvent) -> String {
    match end {
        JobEvent::Stopped(End::Failed(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

/// More moves than fit into the planner, of two minutes each.
fn slow_moves() -> Vec<String> {
    let mut file = texts(&["G28", "G90", "G1 F100"]);
    file.extend((0..25).map(|at| format!("G1 X{}", if at % 2 == 0 { 200 } else { 0 })));
    file.extend(texts(&["G2 X0 Y0 I50 J0 F100", "M107"]));
    file
}

#[rstest]
#[case::reports_temperatures("marlin", KeepAlive::NotInMoves)]
#[case::never_says_busy("marlin", KeepAlive::Never)]
#[case::without_emergency_parser("marlin-no-emergency-parser", KeepAlive::NotInMoves)]
#[case::old_and_mute("ultimaker2", KeepAlive::Always)]
#[case::closed_and_mute("malyan", KeepAlive::Always)]
#[case::prusa("prusa", KeepAlive::NotInMoves)]
#[case::repetier("repetier", KeepAlive::NotInMoves)]
fn a_printer_in_a_slow_move_is_not_given_up(#[case] profile: &str, #[case] keep_alive: KeepAlive) {
    let mut bench = Bench::connect_to(profile, &FaultPlan::none(), |config| config.keep_alive = keep_alive);
    let file = slow_moves();
    bench.start(&file);
    assert_eq!(bench.finish(), JobEvent::Completed, "{}", bench.story("it was given up"));
    assert_eq!(bench.printed(), file);
}

#[rstest]
#[case::report_behind_ok(|config: &mut Config| config.reports_behind_ok = true)]
#[case::no_sensors(|config: &mut Config| config.no_sensors = true)]
#[case::both(|config: &mut Config| { config.reports_behind_ok = true; config.no_sensors = true; })]
fn a_faultless_print_on_firmware_of_its_own_making(
    #[case] build: fn(&mut Config),
    #[values("marlin", "creality", "ultimaker2")] profile: &str,
) {
    let mut bench = Bench::connect_to(profile, &FaultPlan::none(), build);
    let mut file = file(200);
    // What waits for a temperature waits for ever where there is none.
    file.retain(|line| !["M104", "M109", "M140", "M190"].iter().any(|code| line.starts_with(code)));
    bench.start(&file);
    assert_eq!(bench.finish(), JobEvent::Completed, "{}", bench.story("a whole print failed"));
    assert_eq!(bench.printed(), file);
    bench.run_until("ready for the next", |bench| bench.host.is_ready());
}

#[test]
fn a_locked_printer_is_sent_no_job_until_somebody_unlocks_it() {
    let mut bench = Bench::greet("marlin", &FaultPlan::none(), |config| config.locked = true);
    bench.wait(Duration::from_secs(60));
    assert!(!bench.host.is_ready());
    let text = bench.host.attention_text().unwrap();
    assert!(text.contains("unlock it") && !text.contains("heaters"), "nothing of ours is on: {text}");
    assert!(!bench.try_start(&file(200)));
    bench.printer.lock(false);
    bench.run_until("ready", |bench| bench.host.is_ready());
    assert_eq!(bench.host.attention_text(), None);
    assert!(bench.host.firmware().name.is_some(), "it is greeted anew");
    let file = file(200);
    bench.start(&file);
    assert_eq!(bench.finish(), JobEvent::Completed);
    assert_eq!(bench.printed(), file);
}

#[rstest]
#[case::somebody_comes(true)]
#[case::nobody_comes(false)]
fn a_printer_that_is_locked_in_mid_print_takes_no_more_of_it_and_is_cold_as_soon_as_it_is_unlocked(
    #[case] comes: bool,
) {
    let mut bench = Bench::connect("marlin", &FaultPlan::none(), 1);
    bench.start(&file(800));
    bench.printed_so_many(100);
    assert!(bench.printer.targets().nozzles[0] > 0.0, "it is hot");
    let moves =
        |bench: &Bench| bench.printer.accepted().iter().filter(|one| one.text.starts_with("G1")).count();
    let before = moves(&bench);
    bench.printer.lock(true);
    let reason = failure(bench.finish());
    assert!(reason.contains("locked") && reason.contains("Unlock it"), "{reason}");
    bench.wait(Duration::from_secs(300));
    assert!(moves(&bench) <= before + 4, "what was in flight, and nothing more of the job");
    assert!(bench.printer.targets().nozzles[0] > 0.0, "it is hot still");
    let text = bench.host.attention_text().unwrap();
    assert!(text.contains("heaters may be on"), "{text}");
    assert_eq!(bench.host.heat_out_of_reach(), Some(HeatOutOfReach::Locked));
    let asked = bench.printer.accepted().len();
    bench.wait(Duration::from_secs(200));
    assert!(bench.printer.accepted().len() <= asked + 101, "every other second, whether it is unlocked");
    assert!(!bench.host.is_ready());
    if !comes {
        // A locked printer takes no order, so its own dead-man is what is left.
        bench.wait(Duration::from_secs(400));
        assert!(bench.printer.is_halted(), "{:?}", bench.printer.targets());
        return;
    }
    bench.printer.lock(false);
    bench.run_until("ready", |bench| bench.host.is_ready());
    assert!(bench.printer.targets().nozzles.iter().all(|target| *target == 0.0), "as the printer has it");
    assert_eq!(bench.printer.targets().bed, 0.0);
}

#[rstest]
fn a_line_that_never_comes_through_is_named_after_ten_tries(
    #[values("marlin", "marlin-avr", "prusa", "repetier", "malyan", "ultimaker2", "creality")] profile: &str,
) {
    let mut bench = Bench::connect(profile, &FaultPlan::none(), 1);
    bench.spoils = Some("X77.7");
    let mut all = texts(&["G28", "G90"]);
    all.extend((0..60).map(|at| format!("G1 X{at} F6000")));
    all.insert(30, "G1 X77.7".to_owned());
    all.push("M107".to_owned());
    bench.start(&all);
    let began = bench.now();
    let reason = failure(bench.finish());
    assert!(reason.contains("G1 X77.7"), "{}", bench.story(&reason));
    let took = bench.now() - began;
    assert!(took < Duration::from_secs(60), "{took:?}: {}", bench.story("it takes too long"));
}

/// Klipper stays where it is when its controller is started anew, and says so: what it was at is lost, and it takes the next job.
/// Behind a stop at once it is the only sign that it can be used again.
#[test]
fn klipper_that_is_started_anew_is_greeted_anew() {
    let mut bench = Bench::connect("klipper", &FaultPlan::none(), 1);
    bench.start(&file(200));
    bench.printed_so_many(100);
    bench.printer.reset(bench.now());
    let reason = failure(bench.finish());
    assert!(reason.contains("Klipper state: Disconnect"), "{reason}");
    bench.run_until("ready", |bench| bench.host.is_ready());
    bench.start(&file(200));
    bench.printed_so_many(100);
    bench.host.kill(bench.now(), "from the hub");
    bench.wait(Duration::from_secs(60));
    assert!(!bench.host.is_ready(), "it has stopped");
    bench.printer.reset(bench.now());
    bench.run_until("ready", |bench| bench.host.is_ready());
    bench.start(&file(200));
    assert_eq!(bench.finish(), JobEvent::Completed, "{}", bench.story("it is as good as new"));
}

/// A file may ask it how it is (`STATUS`).
#[test]
fn klipper_that_says_that_it_is_ready_in_mid_print_is_believed() {
    let mut bench = Bench::connect("klipper", &FaultPlan::none(), 1);
    let lines = file(200);
    bench.start(&lines);
    bench.printed_so_many(100);
    bench.host.receive(bench.now(), b"// Klipper state: Ready\n");
    assert_eq!(bench.finish(), JobEvent::Completed, "{}", bench.story("it has said nothing else"));
    assert_eq!(bench.printed(), lines);
}
