//! `stardust-agent print`, as a person runs it, against the simulated printer.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod stand_in;

use std::io::{BufRead as _, BufReader, Write as _};

use rstest::rstest;
use stand_in::eventually;
use stand_in::printer::{Printer, agent, commands, fixture, hash};

#[rstest]
#[case("cura_teapot_ender3_marlin.gcode")]
#[case("ps_teapot_ender3_thumbs_mix.gcode")]
fn a_sliced_file_is_printed_exactly(#[case] name: &str) {
    let printer = Printer::start(1000);
    let file = fixture(name);
    let output = agent().arg("print").arg(&file).arg("--port").arg(printer.port()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let expected = commands(&file);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains(&format!("{} commands in ", expected.len())), "{said}");
    let printed = printer.last_job();
    assert_eq!(printed.len(), expected.len());
    assert_eq!(hash(&printed), hash(&expected));
}

/// There is no bar in a log: a line now and then shows that it goes on.
#[test]
fn a_log_shows_that_the_print_goes_on() {
    let printer = Printer::start(200);
    let file = fixture("cura_teapot_ender3_marlin.gcode");
    let output = agent().arg("print").arg(&file).arg("--port").arg(printer.port()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    let percent = |line: &str| line.split_once(" %  T0 ").and_then(|(done, _)| done.parse::<u32>().ok());
    let told: Vec<u32> = said.lines().filter_map(percent).collect();
    assert!((1..=9).contains(&told.len()) && told.is_sorted(), "{said}");
    assert!(told.iter().all(|percent| (10..100).contains(percent)), "{said}");
}

#[test]
fn the_printers_display_shows_the_progress_unless_the_file_does_so_itself() {
    let folder = tempfile::tempdir().unwrap();
    let print = |text: &str| {
        let printer = Printer::start(1000);
        let file = folder.path().join("own.gcode");
        std::fs::write(&file, text).unwrap();
        let output = agent().arg("print").arg(&file).arg("--port").arg(printer.port()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        printer.last_job_with_progress()
    };
    let bare = "G28\nG1 X10 F6000\nG1 X20\n";
    assert_eq!(print(bare), ["M73 P0", "G28", "G1 X10 F6000", "G1 X20", "M73 P100"]);
    let own = "G28\nG1 X10 F6000\nM73 P50 R1\nG1 X20\n";
    assert_eq!(print(own), ["G28", "G1 X10 F6000", "M73 P50 R1", "G1 X20"]);
}

#[test]
fn an_interrupt_cancels_and_turns_the_heaters_off() {
    let printer = Printer::start(100);
    let file = fixture("cura_teapot_ender3_marlin.gcode");
    let mut process = agent()
        .arg("print")
        .arg(&file)
        .arg("--port")
        .arg(printer.port())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    eventually("printing", || {
        printer.journal().iter().any(|line| line.cmd.starts_with("G1 X")).then_some(())
    });
    let id = rustix::process::Pid::from_child(&process);
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    assert_eq!(process.wait().unwrap().code(), Some(130));
    let printed = printer.last_job();
    let stop = printed.iter().rposition(|line| line == "M104 S0").unwrap();
    assert_eq!(printed[stop..stop + 3], ["M104 S0", "M140 S0", "M107"]);
    assert_eq!(printed.last().unwrap(), "M84");
    assert_eq!(printed[..stop], commands(&file)[..stop], "and nothing else before it");
}

/// Everything that such a printer can heat.
const LARGE: [&str; 4] = ["--tools", "2", "--chamber", "70"];
const HEATS_ALL: &str = "M140 S60\nM104 T0 S200\nM104 T1 S190\nM141 S45\n";

/// Read at the printer when the process has ended: it does not leave heat behind, whatever the file forgets.
#[rstest]
#[case::no_end("")]
#[case::a_macro_that_this_firmware_does_not_know("print_end\n")]
#[case::one_nozzle_only("M104 S0\n")]
fn a_file_without_an_end_leaves_a_printer_that_is_off_when_the_process_ends(#[case] end: &str) {
    let printer = Printer::start_with(&[&["--speed", "100"], &LARGE[..]].concat());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("endless.gcode");
    std::fs::write(&file, format!("{HEATS_ALL}G28\nG1 X10 F6000\n{end}")).unwrap();
    let output = agent().arg("print").arg(&file).arg("--port").arg(printer.port()).output().unwrap();
    assert!(printer.is_cold(), "{:?}", printer.targets());
    assert_eq!(printer.targets().len(), 4, "it would be no test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // Its journal is written a moment later.
    let taken = |text: &str| printer.journal().iter().any(|line| line.cmd == text);
    eventually("it was hot", || HEATS_ALL.lines().all(taken).then_some(()));
    eventually("its end was sent", || end.lines().all(taken).then_some(()));
}

/// The ordinary cancel, at what no command of the plain file would reach.
#[test]
fn an_interrupt_cools_every_nozzle_and_the_chamber() {
    let printer = Printer::start_with(&[&["--speed", "50"], &LARGE[..]].concat());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("long.gcode");
    let moves: String = (0..4000).map(|at| format!("G1 X{} F1200\n", at % 100)).collect();
    std::fs::write(&file, format!("{HEATS_ALL}G28\n{moves}")).unwrap();
    let mut command = agent();
    command.arg("print").arg(&file).arg("--port").arg(printer.port()).stdout(std::process::Stdio::piped());
    let process = command.spawn().unwrap();
    eventually("printing", || {
        printer.journal().iter().any(|line| line.cmd.starts_with("G1 X")).then_some(())
    });
    assert_eq!(printer.targets(), [200.0, 190.0, 60.0, 45.0]);
    let id = rustix::process::Pid::from_child(&process);
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    let output = process.wait_with_output().unwrap();
    assert!(printer.is_cold(), "{:?}", printer.targets());
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(130), "{said}");
}

#[test]
fn mistakes_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.gcode");
    std::fs::write(&empty, "; nothing\n").unwrap();
    for (file, said) in
        [(empty.as_path(), "without any G-code command"), (folder.path(), "a directory stands there")]
    {
        let output = agent().arg("print").arg(file).args(["--port", "/dev/no-such-port"]).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && error.contains(said), "{error}");
    }
    let file = fixture("cura_teapot_ender3_marlin.gcode");
    let output = agent().arg("print").arg(&file).args(["--port", "/dev/no-such-port"]).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("There is no port /dev/no-such-port"), "{error}");
}

#[test]
fn ctrl_z_pauses_and_once_more_goes_on() {
    let printer = Printer::start(100);
    let file = fixture("cura_teapot_ender3_marlin.gcode");
    let mut process = agent()
        .arg("print")
        .arg(&file)
        .arg("--port")
        .arg(printer.port())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
    let id = rustix::process::Pid::from_child(&process);
    let suspend = || rustix::process::kill_process(id, rustix::process::Signal::TSTP).unwrap();
    eventually("printing", || {
        printer.journal().iter().any(|line| line.cmd.starts_with("G1 X")).then_some(())
    });
    suspend();
    // The pause waits for the moves to end before it parks; the file itself holds no M400.
    eventually("pausing", || printer.journal().iter().any(|line| line.cmd == "M400").then_some(()));
    // Not a terminal: what there is to do is a line of its own.
    assert!(said.any(|line| line == "Pausing. Press p, Ctrl-Z or Enter to go on."));
    suspend();
    assert!(said.any(|line| line == "Going on."));
    assert!(process.wait().unwrap().success());
    let printed = printer.last_job();
    let expected = commands(&file);
    let mut rest = printed.iter();
    assert!(expected.iter().all(|command| rest.any(|sent| sent == command)), "every command, in order");
    assert!(printed.len() > expected.len(), "and the way to the park position and back");
}

#[test]
fn what_the_printer_asks_is_a_line_and_enter_answers_it() {
    let printer = Printer::start(100);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("asks.gcode");
    std::fs::write(&file, "G28\nG1 X10 F3000\nM0 Put the nut in\nG1 X20\n").unwrap();
    let mut command = agent();
    command.arg("print").arg(&file).arg("--port").arg(printer.port());
    let piped = std::process::Stdio::piped;
    let mut process = command.stdin(piped()).stdout(piped()).stderr(piped()).spawn().unwrap();
    let mut said = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(said.any(|line| line.contains("Put the nut in") && line.contains("Enter")));
    process.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    assert!(process.wait().unwrap().success());
    assert!(printer.last_job().iter().any(|line| line == "G1 X20"));
}

/// What it asks behind a change of filament: a key presses its button once, as the printer's line has it.
#[test]
fn purge_more_and_continue_are_offered_by_their_names_and_each_is_pressed_once() {
    let folder = tempfile::tempdir().unwrap();
    let (file, wire) = (folder.path().join("change.gcode"), folder.path().join("wire"));
    let menu = ["--profile", "marlin-menu", "--speed", "20", "--wire", wire.to_str().unwrap()];
    let printer = Printer::start_with(&menu);
    std::fs::write(&file, "M104 S200\nM109 S200\nG28\nG1 X10 F3000\nM600\nG1 X20\nM104 S0\n").unwrap();
    let mut command = agent();
    command.arg("print").arg(&file).arg("--port").arg(printer.port());
    let piped = std::process::Stdio::piped;
    let mut process = command.stdin(piped()).stdout(piped()).stderr(piped()).spawn().unwrap();
    let mut keys = process.stdin.take().unwrap();
    let mut said = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
    let pressed = || -> Vec<String> {
        let wire = std::fs::read_to_string(&wire).unwrap();
        wire.lines().filter(|line| line.starts_with("M876")).map(str::to_owned).collect()
    };
    // First it asks for the filament, and perhaps whether to heat again: one button each time. While it loads it only says that it
    // waits, which is not answered here.
    let purge = said.find(|line| {
        let is_it = line.contains("PurgeMore");
        if !is_it && line.contains("1 or Enter:") {
            keys.write_all(b"\n").unwrap();
        }
        is_it
    });
    assert_eq!(purge.unwrap(), "Paused (1: PurgeMore  2 or Enter: Continue)");
    let before = pressed().len();
    keys.write_all(b"1").unwrap();
    assert!(said.any(|line| line.contains("PurgeMore")), "it has purged, and asks again");
    assert_eq!(pressed()[before..], ["M876 S0"]);
    keys.write_all(b"\n").unwrap();
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(pressed()[before..], ["M876 S0", "M876 S1"]);
    let printed = printer.last_job();
    assert!(printed.iter().any(|line| line == "G1 X20"), "{printed:?}");
}

/// A person at a terminal reads the last lines, and one who looks into a log the first.
#[rstest]
#[case::halted("kill@60", "stopped itself")]
#[case::cable_out("unplug@60", "vanished")]
#[case::reset("reset@60", "reset in mid-print")]
fn why_a_print_has_failed_is_said_first_and_in_few_lines(#[case] fault: &str, #[case] reason: &str) {
    let printer = Printer::start_with(&["--speed", "100", "--fault", fault]);
    let file = fixture("cura_teapot_ender3_marlin.gcode");
    let output = agent().arg("print").arg(&file).arg("--port").arg(printer.port()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let [said, error] = [output.stdout, output.stderr].map(|said| String::from_utf8(said).unwrap());
    assert!(said.lines().count() <= 4 && error.lines().count() <= 4, "{said}{error}");
    assert!(said.lines().next().is_none_or(|line| line.contains(reason)), "{said}");
    assert!(error.lines().next().is_some_and(|line| line.contains(reason)), "{error}");
}

#[test]
fn the_doctor_examines_a_printer_and_says_what_to_do() {
    let printer = Printer::start(100);
    let output = agent().arg("doctor").arg("--port").arg(printer.port()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("the printer answers at 115200 baud"), "{said}");
    assert!(said.contains("firmware: Marlin") && said.contains("thermal protection"), "{said}");
    let output = agent().args(["doctor", "--port", "/dev/no-such-port"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!output.status.success() && said.contains("is the printer connected and switched on?"), "{said}");
}

#[test]
fn a_cancel_while_a_change_of_filament_waits_ends_it_and_a_log_tells_of_both() {
    let printer = Printer::start(100);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("change.gcode");
    std::fs::write(&file, "M104 S200\nM109 S200\nG28\nG1 X10 F3000\nM600\nG1 X20\nM104 S0\n").unwrap();
    let process = agent()
        .arg("print")
        .arg(&file)
        .arg("--port")
        .arg(printer.port())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    eventually("the change", || printer.journal().iter().any(|line| line.cmd == "M600").then_some(()));
    let id = rustix::process::Pid::from_child(&process);
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    let output = process.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(130), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("Cancelling"), "{said}");
    let printed = printer.last_job();
    assert!(printed.iter().any(|line| line == "M104 S0") && !printed.iter().any(|line| line == "G1 X20"));
}
