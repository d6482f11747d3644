//! A print was killed, and its printer is hot. Whoever names that port next and does not print there leaves no heat behind, and says
//! what became of it. Read at the printer.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Output, Stdio};

use rstest::rstest;
use rustix::process::{Pid, Signal, kill_process};

use crate::by_hand::{owed, printed_and_killed, told_print};
use crate::host::{FILE, Host};
use crate::stand_in::eventually;
use crate::stand_in::printer::fixture;

/// Who names the port.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Who {
    /// A print of a file that is not there.
    AMissingFile,
    /// A print of a file that this printer could not print.
    ARefusedFile,
    /// A print that is ended while it greets the printer.
    ASignal(Signal),
    Doctor,
}

fn said(output: &Output) -> String {
    [&output.stdout[..], &output.stderr[..]].map(String::from_utf8_lossy).concat()
}

fn begin(host: &Host, arguments: &[&str]) -> Child {
    let mut command = host.command();
    command.args(arguments).arg("--port").arg(host.printer().port());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn run(host: &Host, who: Who) -> Output {
    let refused = host.runtime().join("refused.gcode");
    std::fs::write(&refused, "G28\nM112\n").unwrap();
    let child = match who {
        Who::AMissingFile => begin(host, &["print", "/nowhere.gcode"]),
        Who::ARefusedFile => begin(host, &["print", refused.to_str().unwrap()]),
        Who::Doctor => begin(host, &["doctor"]),
        Who::ASignal(signal) => {
            let print = told_print(host);
            eventually("it greets", || is_open(host, &print).then_some(()));
            kill_process(Pid::from_child(&print), signal).unwrap();
            print
        }
    };
    child.wait_with_output().unwrap()
}

/// By then its signals are watched, and the greeting takes a while.
fn is_open(host: &Host, process: &Child) -> bool {
    let files = std::fs::read_dir(format!("/proc/{}/fd", process.id())).into_iter().flatten().flatten();
    let device = std::fs::canonicalize(host.printer().port()).unwrap();
    files.filter_map(|file| std::fs::read_link(file.path()).ok()).any(|file| file == device)
}

#[rstest]
#[case(Who::AMissingFile, 1)]
#[case(Who::ARefusedFile, 1)]
#[case(Who::ASignal(Signal::INT), 130)]
#[case(Who::ASignal(Signal::HUP), 130)]
#[case(Who::Doctor, 0)]
fn what_a_print_that_was_killed_has_left_hot_is_turned_off(
    #[case] who: Who,
    #[case] code: i32,
    #[values("marlin", "repetier")] profile: &str,
) {
    let host = Host::unpaired_with(None, 50, &["--profile", profile]);
    printed_and_killed(&host);
    let output = run(&host, who);
    let said = said(&output);
    assert!(host.printer().is_cold(), "the process is gone: {:?} {said}", host.printer().targets());
    assert!(said.contains("they are off now, read back") && output.status.code() == Some(code), "{said}");
    assert_eq!(owed(&host), 0, "settled");
}

/// Nothing can be done but say so, at once.
#[rstest]
#[case(Who::AMissingFile)]
#[case(Who::ARefusedFile)]
#[case(Who::Doctor)]
fn a_port_that_is_not_there_is_said(#[case] who: Who) {
    let host = Host::unpaired(None, 50);
    printed_and_killed(&host);
    let (port, away) = (host.printer().port(), host.runtime().join("away"));
    std::fs::rename(&port, away).unwrap();
    let output = run(&host, who);
    let said = said(&output);
    assert!(said.contains("may be HOT") && output.status.code() == Some(1), "{said}");
    assert!(!host.printer().is_cold() && owed(&host) == 1, "the next one sees to it");
}

/// A second print beside one that is at work is refused because its port is taken: that one looks after its printer itself.
#[test]
fn a_print_that_is_at_work_is_left_alone() {
    let host = Host::unpaired(None, 50);
    let first = told_print(&host);
    eventually("hot", || (!host.printer().is_cold()).then_some(()));
    for who in [Who::AMissingFile, Who::Doctor] {
        let output = run(&host, who);
        assert!(!said(&output).contains("HOT") && !host.printer().is_cold(), "{}", said(&output));
    }
    kill_process(Pid::from_child(&first), Signal::INT).unwrap();
    assert_eq!(first.wait_with_output().unwrap().status.code(), Some(130));
    assert!(host.printer().is_cold());
}

/// Its cable is out: it waits for that itself, and whoever looks meanwhile is no agent that takes it over.
#[test]
fn a_print_that_waits_for_its_cable_is_left_alone() {
    let host = Host::unpaired_with(None, 50, &["--fault", "unplug@300", "--unplugged", "20"]);
    let mut print = told_print(&host);
    let mut said = BufReader::new(print.stdout.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap().contains("The printer may be hot")));
    for who in [Who::AMissingFile, Who::Doctor] {
        let output = run(&host, who);
        assert!(!self::said(&output).contains("HOT"), "{}", self::said(&output));
    }
    assert!(print.try_wait().unwrap().is_none(), "it goes on waiting");
    let output = print.wait_with_output().unwrap();
    assert!(host.printer().is_cold(), "{}", self::said(&output));
}

/// The job may be gone on with: it is left to the agent, and said.
#[rstest]
#[case(Who::AMissingFile)]
#[case(Who::Doctor)]
fn what_an_agent_that_was_killed_has_left_hot_is_said(#[case] who: Who) {
    let mut host = Host::paired(None, 50);
    host.offer_file(1, &std::fs::read(fixture(FILE)).unwrap());
    host.run();
    eventually("hot", || (!host.printer().is_cold()).then_some(()));
    host.kill();
    let output = run(&host, who);
    let said = said(&output);
    assert!(said.contains("its agent has ended") && output.status.code() == Some(1), "{said}");
    host.run();
    host.is_made_safe();
}
