//! `stardust-agent print` and `run`, stopped by signals while they are at work.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Output, Stdio};

use rstest::rstest;
use rustix::process::{Pid, Signal, kill_process};

use crate::stand_in::eventually;
use crate::stand_in::printer::{Printer, agent};
use crate::{halts, is_only_the_stop};

struct Print {
    printer: Printer,
    wire: PathBuf,
    process: Child,
    _folder: tempfile::TempDir,
}

impl Print {
    /// Prints these lines on this printer.
    fn start(options: &[&str], gcode: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let wire = folder.path().join("wire");
        let mut options = options.to_vec();
        options.extend(["--wire", wire.to_str().unwrap(), "--resets-by-dtr"]);
        let printer = Printer::start_with(&options);
        let file = folder.path().join("job.gcode");
        std::fs::write(&file, gcode).unwrap();
        let mut command = agent();
        command.arg("print").arg(&file).arg("--port").arg(printer.port());
        let process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        Self { printer, wire, process, _folder: folder }
    }

    fn accepted(&self, command: &str) {
        eventually(command, || {
            self.printer.journal().iter().any(|line| line.cmd.starts_with(command)).then_some(())
        });
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }

    /// Waits for its end; what has come over the line by then.
    fn ended(self) -> (Output, String) {
        let Self { printer, wire, process, .. } = self;
        let output = process.wait_with_output().unwrap();
        // What the simulator reads later has been written before: give it the time to see it, and no word from the agent.
        eventually("M112", || (halts(&wire) > 0).then_some(()));
        let wire = String::from_utf8_lossy(&std::fs::read(&wire).unwrap()).into_owned();
        drop(printer);
        (output, wire)
    }
}

/// A heater that takes for ever at this pace: nothing that follows would be looked at for minutes.
const HEATS: &str = "G28\nM190 S100\nM109 S250\nG1 X10\n";

/// The first one asks for a clean stop, which has to wait for the heater there.
#[rstest]
#[case::without_emergency_parser(&["--no-emergency-parser"])]
#[case::old_firmware(&["--profile", "ultimaker2"])]
fn the_second_signal_halts_the_printer_before_the_process_ends(#[case] options: &[&str]) {
    let mut print = Print::start(options, HEATS);
    print.accepted("M190");
    // Signals that come together are one.
    eventually("it ends", || {
        print.signal(Signal::INT);
        print.process.try_wait().unwrap()
    });
    let (output, wire) = print.ended();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("told to halt (M112)"), "{said}");
    assert_eq!(output.status.code(), Some(1));
    let (_, after) = wire.split_once("\nM112\n").unwrap();
    assert!(is_only_the_stop(after), "nothing else comes after it: {after:?}");
}

/// The process does not leave a printer that is not stopped yet: not where the firmware gets to it later, nor where it takes no
/// line without a checksum. Its board is not wired to be reset.
#[rstest]
#[case::gets_to_it_later(&["--no-emergency-parser", "--speed", "20"], HEATS)]
#[case::wants_a_checksum(&["--profile", "malyan", "--speed", "20"], HEATS)]
#[case::wants_a_checksum_and_is_silent(&["--profile", "repetier", "--speed", "20"], HEATS)]
fn after_the_second_signal_no_heat_is_left_behind(#[case] options: &[&str], #[case] gcode: &str) {
    let folder = tempfile::tempdir().unwrap();
    let printer = Printer::start_with(options);
    let file = folder.path().join("job.gcode");
    std::fs::write(&file, gcode).unwrap();
    let mut command = agent();
    command.arg("print").arg(&file).arg("--port").arg(printer.port());
    let process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut print = Print { printer, wire: PathBuf::new(), process, _folder: folder };
    print.accepted("M190");
    eventually("it heats", || (!print.printer.is_cold()).then_some(()));
    print.signal(Signal::INT);
    // Signals that come together are one.
    let mut out = BufReader::new(print.process.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("Cancelling") {
        line.clear();
        assert_ne!(out.read_line(&mut line).unwrap(), 0, "it has ended");
    }
    print.signal(Signal::INT);
    std::io::copy(&mut out, &mut std::io::sink()).unwrap();
    let output = print.process.wait_with_output().unwrap();
    assert!(print.printer.is_cold(), "the process is gone: {:?}", print.printer.targets());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let is_known = said.contains("says that it has stopped") || said.contains("says nothing any more");
    assert!(said.contains("told to halt (M112)") && is_known, "{said}");
}

/// A terminal that is closed sends HUP twice, a limit its signal again and again: nobody has asked not to wait.
#[rstest]
fn a_signal_that_comes_again_by_itself_is_no_second_wish(
    #[values(Signal::HUP, Signal::XCPU, Signal::ALARM)] signal: Signal,
) {
    let mut print = Print::start(&["--no-emergency-parser", "--speed", "20"], HEATS);
    print.accepted("M190");
    eventually("it heats", || (!print.printer.is_cold()).then_some(()));
    let code = eventually("it ends", || {
        print.signal(signal);
        print.process.try_wait().unwrap()
    });
    assert!(print.printer.is_cold(), "the process is gone: {:?}", print.printer.targets());
    assert_eq!(code.code(), Some(130));
    assert_eq!((halts(&print.wire), print.printer.boots()), (0, 1), "it was a clean one");
}

/// One of any of them is a clean stop: the heaters are off before the process ends, although the firmware hears nothing before its
/// bed is warm. Its board starts anew by DTR: that would turn them off too.
#[rstest]
fn one_signal_of_any_kind_leaves_no_heat_behind(
    #[values(
        Signal::INT,
        Signal::TERM,
        Signal::HUP,
        Signal::QUIT,
        Signal::USR1,
        Signal::USR2,
        Signal::ALARM,
        Signal::VTALARM,
        Signal::PROF,
        Signal::IO,
        Signal::POWER,
        Signal::XCPU,
        Signal::XFSZ,
        Signal::STKFLT
    )]
    signal: Signal,
) {
    let mut print = Print::start(&["--no-emergency-parser", "--speed", "20"], HEATS);
    print.accepted("M190");
    eventually("it heats", || (!print.printer.is_cold()).then_some(()));
    print.signal(signal);
    let code = print.process.wait().unwrap().code();
    assert!(print.printer.is_cold(), "the process is gone: {:?}", print.printer.targets());
    assert_eq!(code, Some(130));
    assert_eq!((halts(&print.wire), print.printer.boots()), (0, 1), "it was a clean one");
}
