//! Nobody takes the log any more: a terminal that was closed, a pipe whose reader is gone, a full disk. What has to be done is done all
//! the same. Read at the printer.

use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use stardust_protocol::JobState;

use crate::host::Host;
use crate::stand_in::eventually;

/// Its log goes nowhere from now on.
fn unheard(child: &mut Child) {
    drop(child.stderr.take().unwrap());
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

#[test]
fn an_agent_that_nobody_hears_is_stopped_and_leaves_no_heat_behind() {
    let host = Host::paired(None, 50);
    host.offer();
    let mut agent = host.command().arg("run").stderr(Stdio::piped()).spawn().unwrap();
    unheard(&mut agent);
    host.wait_for(JobState::Printing);
    eventually("hot", || (!host.printer().is_cold()).then_some(()));
    signal(&agent, Signal::TERM);
    assert!(agent.wait().unwrap().success());
    assert!(host.printer().is_cold(), "{:?}", host.printer().targets());
}

/// The first one asks for a clean stop, which would wait for the bed.
#[test]
fn a_print_that_nobody_hears_is_stopped_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (wire, file) = (folder.path().join("wire"), folder.path().join("job.gcode"));
    std::fs::write(&file, "G28\nM190 S100\nM109 S250\nG1 X10\n").unwrap();
    let host = Host::paired_with(None, 20, &["--no-emergency-parser", "--wire", wire.to_str().unwrap()]);
    let mut print = host.command();
    print.arg("print").arg(&file).arg("--port").arg(host.printer().port());
    let mut print = print.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    unheard(&mut print);
    eventually("it waits for its bed", || {
        host.printer().journal().iter().any(|line| line.cmd.starts_with("M190")).then_some(())
    });
    // Signals that come together are one.
    let end = eventually("it ends", || {
        signal(&print, Signal::INT);
        print.try_wait().unwrap()
    });
    assert_eq!(end.code(), Some(1), "it did not wait for a clean end");
    let wire = String::from_utf8_lossy(&std::fs::read(&wire).unwrap()).into_owned();
    assert!(wire.lines().any(|line| line == "M112"), "{wire}");
    eventually("cold", || host.printer().is_cold().then_some(()));
}
