//! Klipper's heaters that have a name and no code: set by a file's words, in no report, and off at every end all the same. What they
//! are set to is read at the simulator.

use std::time::Duration;

use firmware_sim::faults::FaultPlan;
use stardust_agent::serial::{End, Host, JobEvent, Parking, Safety, Templates};

use crate::bench::Bench;

/// Longer than a bed stays warm in a pause.
const TWO_HOURS: Duration = Duration::from_secs(2 * 3600 + 60);

fn file() -> Vec<String> {
    let head = ["SET_HEATER_TEMPERATURE HEATER=chamber TARGET=60", "G28", "M104 S200"];
    let moves = (0..300).map(|at| format!("G1 X{} Y{} F1800", 20 + at % 90, 20 + at % 70));
    head.iter().map(|line| (*line).to_owned()).chain(moves).collect()
}

fn printing() -> Bench {
    let bench = printing_file(&file());
    assert_eq!(bench.printer.targets().generic, Some(60.0));
    bench
}

fn printing_file(file: &[String]) -> Bench {
    let mut bench = Bench::connect("klipper", &FaultPlan::none(), 1);
    bench.start(file);
    bench.printed_so_many(40);
    bench
}

fn is_settled_and_off(mut bench: Bench) {
    bench.run_until("it is ready", |bench| bench.host.is_ready());
    assert!(bench.printer.targets().are_off(), "{}", bench.story("a heater is on"));
}

#[test]
fn it_is_off_after_a_job_that_was_cancelled() {
    let mut bench = printing();
    bench.stop(End::Cancelled);
    assert_eq!(bench.finish(), JobEvent::Stopped(End::Cancelled));
    is_settled_and_off(bench);
}

#[test]
fn it_is_off_after_a_job_that_has_left_it_on() {
    let mut bench = printing();
    assert_eq!(bench.finish(), JobEvent::Completed);
    is_settled_and_off(bench);
}

/// A process that knows nothing but that something is owed.
#[test]
fn the_next_process_turns_it_off() {
    let mut bench = printing();
    bench.host = Host::new(bench.now(), Parking::default());
    bench.run_until("it is ready", |bench| bench.host.is_ready());
    bench.host.make_safe(bench.now(), Safety::InPlace);
    is_settled_and_off(bench);
}

#[test]
fn it_goes_with_the_bed_in_a_pause_and_is_set_again() {
    let mut bench = printing();
    bench.pause();
    bench.wait(TWO_HOURS);
    assert!(bench.printer.targets().are_off(), "{}", bench.story("a heater is on in a pause"));
    bench.resume();
    bench.run_until("it is warm again", |bench| bench.printer.targets().generic == Some(60.0));
    assert_eq!(bench.finish(), JobEvent::Completed);
    is_settled_and_off(bench);
}

#[test]
fn what_the_file_has_turned_off_stays_off_behind_a_pause() {
    let mut file = file();
    file.insert(10, "TURN_OFF_HEATERS".into());
    let mut bench = printing_file(&file);
    assert!(bench.printer.targets().are_off(), "{}", bench.story("the file turns them off"));
    bench.pause();
    bench.wait(TWO_HOURS);
    bench.resume();
    bench.printed_so_many(200);
    assert!(
        bench.printer.targets().are_off(),
        "{}",
        bench.story("a heater is on that the file has turned off")
    );
}

/// No file tells of it.
#[test]
fn what_a_printers_own_script_heats_is_off_after_the_job() {
    let templates = Templates {
        start: Some("SET_HEATER_TEMPERATURE HEATER=chamber TARGET=60".into()),
        ..Templates::default()
    };
    let mut bench = Bench::connect("klipper", &FaultPlan::none(), 1);
    bench.host = Host::new(bench.now(), Parking { templates, ..Parking::default() });
    bench.run_until("it is ready", |bench| bench.host.is_ready());
    bench.start(&file()[1..]);
    bench.run_until("the script is carried out", |bench| bench.printer.targets().generic == Some(60.0));
    assert_eq!(bench.finish(), JobEvent::Completed);
    is_settled_and_off(bench);
}
