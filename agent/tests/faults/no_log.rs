//! Nobody takes the log any more: a terminal that was closed, a pipe whose reader is gone, a full disk. What has to be done is done all
//! the same. Read at the printer.

use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use stardust_protocol::JobState;

use crate::host::{FILE, Host};
use crate::stand_in::eventually;
use crate::stand_in::printer::fixture;

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

#[test]
fn a_print_that_nobody_hears_is_stopped_at_once() {
    let host = Host::paired_with(None, 5, &["--no-emergency-parser"]);
    let mut print = host.command();
    print.arg("print").arg(fixture(FILE)).arg("--port").arg(host.printer().port());
    let mut print = print.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    unheard(&mut print);
    eventually("it prints", || {
        host.printer().journal().iter().any(|line| line.cmd.starts_with("G1 ")).then_some(())
    });
    signal(&print, Signal::INT);
    signal(&print, Signal::INT);
    eventually("cold", || host.printer().is_cold().then_some(()));
    print.wait().unwrap();
}
