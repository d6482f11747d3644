//! `stardust-agent print` is killed in mid-print: whichever agent is there then, or comes, turns off what it has left hot. Read at
//! the printer.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use rstest::rstest;

use crate::host::{FILE, Host};
use crate::stand_in::eventually;
use crate::stand_in::printer::fixture;

/// Starts a print, and kills it when it is hot.
fn printed_and_killed(host: &Host) {
    let mut print = print(host);
    eventually("hot", || (!host.printer().is_cold()).then_some(()));
    print.kill().unwrap();
    print.wait().unwrap();
    assert!(!host.printer().is_cold(), "nobody could turn it off");
}

fn print(host: &Host) -> Child {
    let mut command = host.command();
    command.arg("print").arg(fixture(FILE)).arg("--port").arg(host.printer().port());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Prints that owe something.
fn owed(host: &Host) -> usize {
    let prints = std::fs::read_dir(host.data().join("print")).unwrap();
    prints.filter(|print| print.as_ref().unwrap().path().join("journal.jsonl").exists()).count()
}

/// Nothing is owed any more.
fn is_settled(host: &Host) {
    host.is_made_safe();
    eventually("settled", || (owed(host) == 0).then_some(()));
}

/// Who turns it off.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Agent {
    /// One that is started afterwards, and has this printer.
    WithThePrinter,
    /// One that is started afterwards, and has none.
    WithoutPrinters,
    /// One that runs all the time, and has none.
    ThatRunsAlready,
    /// One that is started afterwards and can't understand its settings.
    WithBrokenSettings,
    /// One that can't either, and is there before the print is killed.
    ThatWaitsForThePrint,
    /// One that is started afterwards, and would show a PIN on the display of whatever is at this port.
    ThatWantsToPair,
}

#[rstest]
#[case(Agent::WithThePrinter)]
#[case(Agent::WithoutPrinters)]
#[case(Agent::ThatRunsAlready)]
#[case(Agent::WithBrokenSettings)]
#[case(Agent::ThatWaitsForThePrint)]
#[case(Agent::ThatWantsToPair)]
fn what_a_print_that_was_killed_has_left_hot_is_turned_off(#[case] agent: Agent) {
    let mut host = match agent {
        Agent::WithThePrinter => Host::paired(None, 50),
        _ => Host::unpaired(None, 50),
    };
    if agent == Agent::ThatRunsAlready {
        host.run();
    }
    let mut beside = None;
    if agent == Agent::ThatWaitsForThePrint {
        let mut print = print(&host);
        eventually("hot", || (!host.printer().is_cold()).then_some(()));
        beside =
            Some(host.command().args(["run", "--no-such-thing"]).stderr(Stdio::piped()).spawn().unwrap());
        let mut said = BufReader::new(beside.as_mut().unwrap().stderr.take().unwrap()).lines();
        assert!(said.any(|line| line.unwrap().contains("--no-such-thing")));
        print.kill().unwrap();
        print.wait().unwrap();
    } else {
        printed_and_killed(&host);
    }
    match agent {
        Agent::ThatWaitsForThePrint => {
            assert_eq!(beside.unwrap().wait().unwrap().code(), Some(78));
        }
        Agent::ThatWantsToPair => {
            let (config, port) = (host.runtime().join("agent.toml"), host.printer().port());
            let text = format!("hub = {:?}\n[printer.left]\nport = {port:?}\n", host.hub.url);
            std::fs::write(&config, text).unwrap();
            host.environment.push(("STARDUST_AGENT_CONFIG".into(), config.display().to_string()));
            host.run();
        }
        Agent::WithThePrinter | Agent::WithoutPrinters => host.run(),
        Agent::ThatRunsAlready => {}
        Agent::WithBrokenSettings => {
            let ended = host.command().args(["run", "--no-such-thing"]).output().unwrap();
            assert_eq!(ended.status.code(), Some(78));
        }
    }
    is_settled(&host);
}

/// The printer's own agent waits for the port; it has it when the print is gone.
#[test]
fn an_agent_that_waits_for_the_port_of_its_printer_turns_off_what_was_left_there() {
    let mut host = Host::paired(None, 50);
    let mut print = print(&host);
    eventually("hot", || (!host.printer().is_cold()).then_some(()));
    host.run();
    host.status_where("its port is taken", |status| status["status"]["state"] == "offline");
    let before = host.printer().targets();
    assert!(before.iter().any(|target| *target > 0.0), "the print goes on: {before:?}");
    print.kill().unwrap();
    print.wait().unwrap();
    is_settled(&host);
}

#[test]
fn a_print_that_came_to_its_end_owes_nothing() {
    let host = Host::unpaired(None, 1000);
    let ended = print(&host).wait().unwrap();
    assert!(ended.success());
    assert!(host.printer().is_cold());
    assert_eq!(owed(&host), 0);
}

/// It prints all the same, and says so.
#[test]
fn a_print_that_can_not_write_down_what_it_owes_says_so() {
    let host = Host::unpaired(None, 1000);
    std::fs::write(host.data(), "not a folder").unwrap();
    let mut command = host.command();
    command.arg("print").arg(fixture(FILE)).arg("--port").arg(host.printer().port());
    let ended = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
    assert!(ended.status.success() && said.contains("could not be written down"), "{said}");
}
