//! An agent that is asked to end twice: whoever does that does not want to wait for the clean end of it.

use rustix::process::{Pid, Signal, kill_process};

use crate::by_hub::{Bench, HEATS};
use crate::driver::Line;
use crate::halts;
use crate::stand_in::eventually;

/// Signals that come together are one.
fn ends_at_the_second_signal(bench: &mut Bench) {
    let process = &mut bench.process;
    eventually("it ends", || {
        kill_process(Pid::from_child(process), Signal::TERM).unwrap();
        process.try_wait().unwrap()
    });
}

fn is_heating(bench: &Bench) {
    let printer = bench.printer.as_ref().unwrap();
    let waits = || printer.journal().iter().any(|line| line.cmd.starts_with("M190"));
    eventually("it heats", || (waits() && !printer.is_cold()).then_some(()));
}

#[test]
fn a_printer_that_heats_is_halted() {
    let mut bench = Bench::start(&["--no-emergency-parser"], Some(HEATS));
    is_heating(&bench);
    ends_at_the_second_signal(&mut bench);
    eventually("M112", || (halts(&bench.wire) > 0).then_some(()));
    let printer = bench.printer.as_ref().unwrap();
    eventually("cold", || printer.is_cold().then_some(()));
}

/// A print was lost with its port, and what answers there now is not heard yet: it is told at every speed.
#[test]
fn a_printer_whose_speed_is_sought_is_halted() {
    let mut bench =
        Bench::paired(&["--no-emergency-parser"], Some(HEATS), |hub| (hub.url.clone(), Vec::new()));
    is_heating(&bench);
    bench.printer = None;
    let _ = std::fs::remove_file(&bench.port);
    let (mut line, device) = Line::open();
    line.answers = false;
    std::os::unix::fs::symlink(device, &bench.port).unwrap();
    eventually("it is sought", || {
        line.serve();
        line.heard.windows(4).any(|part| part == b"M105").then_some(())
    });
    ends_at_the_second_signal(&mut bench);
    line.serve();
    assert!(line.halts() >= 7, "{}", String::from_utf8_lossy(&line.heard));
}
