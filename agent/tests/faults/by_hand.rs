//! `stardust-agent print` is killed in mid-print: whichever agent is there then, or comes, turns off what it has left hot. Read at
//! the printer.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::PathBuf;
use std::process::{Child, Stdio};

use rstest::rstest;
use rustix::process::{Pid, Signal, kill_process};
use stardust_protocol::JobState;

use crate::host::{FILE, Host};
use crate::stand_in::eventually;
use crate::stand_in::printer::fixture;

/// Starts a print, and kills it when it is hot.
pub(crate) fn printed_and_killed(host: &Host) {
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
pub(crate) fn owed(host: &Host) -> usize {
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

/// A job that waits for the agent is not kept from beginning by that. (That it is not claimed too early, and lost, is a matter of
/// milliseconds, which this does not hit.)
#[test]
fn a_job_that_waits_is_printed_behind_what_a_print_has_left_hot() {
    let mut host = Host::paired(None, 50);
    printed_and_killed(&host);
    host.offer_file(1, &std::fs::read(fixture(FILE)).unwrap());
    host.run();
    host.wait_for(JobState::Printing);
    assert!(!host.moves().contains(&JobState::Failed), "{}", host.reason());
    eventually("settled", || (owed(&host) == 0).then_some(()));
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

/// Who is there beside a print whose cable is out.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Beside {
    Nobody,
    AnAgentWithoutPrinters,
    TheAgentOfThePrinter,
}

/// The printer goes on with what it was told to heat. Who waits for it turns that off as soon as its port is back: the print itself,
/// however long that is, or an agent that has taken it over, which the print waits for.
#[rstest]
#[case(Beside::Nobody, "40")]
#[case(Beside::AnAgentWithoutPrinters, "20")]
#[case(Beside::TheAgentOfThePrinter, "20")]
fn a_print_whose_cable_is_out_leaves_nobodys_heat_behind(#[case] beside: Beside, #[case] unplugged: &str) {
    let options = ["--fault", "unplug@300", "--unplugged", unplugged];
    let mut host = match beside {
        Beside::TheAgentOfThePrinter => Host::paired_with(None, 50, &options),
        _ => Host::unpaired_with(None, 50, &options),
    };
    let print = told_print(&host);
    eventually("hot", || (!host.printer().is_cold()).then_some(()));
    if beside != Beside::Nobody {
        host.run();
    }
    let ended = print.wait_with_output().unwrap();
    let (cold, owes) = (host.printer().is_cold(), owed(&host));
    let said = String::from_utf8(ended.stdout).unwrap();
    let failed = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{said}{failed}");
    assert_eq!(said.matches("The printer may be hot").count(), 1, "once: {said}");
    if beside == Beside::Nobody {
        assert!(cold, "the process is gone: {:?} {said}{failed}", host.printer().targets());
        assert!(owes == 0 && failed.contains("The heaters are off."), "{failed}");
    } else {
        assert!(failed.contains("the agent that runs here"), "{failed}");
        assert!(!cold && owes == 1, "its cable is out");
        host.is_made_safe();
    }
}

#[rstest]
fn a_print_that_waits_for_its_cable_ends_when_it_is_asked_to_and_goes_on_owing(
    #[values(Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT)] signal: Signal,
) {
    let host = Host::unpaired_with(None, 50, &["--fault", "unplug@300", "--unplugged", "600"]);
    let mut print = told_print(&host);
    let mut said = BufReader::new(print.stdout.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap().contains("The printer may be hot")));
    // Not at once by the first one: its cable may be in again in a moment.
    kill_process(Pid::from_child(&print), signal).unwrap();
    assert!(said.any(|line| line.unwrap().contains("still waited for")));
    kill_process(Pid::from_child(&print), signal).unwrap();
    let ended = print.wait_with_output().unwrap();
    let failed = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.code() == Some(1) && failed.contains("may be ON"), "{failed}");
    assert!(!host.printer().is_cold() && owed(&host) == 1, "an agent that comes sees to it");
}

pub(crate) fn told_print(host: &Host) -> Child {
    let mut command = host.command();
    command.arg("print").arg(fixture(FILE)).arg("--port").arg(host.printer().port());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Where a print at this port writes down what it owes.
fn folder(host: &Host) -> PathBuf {
    let mut name = String::new();
    for byte in host.printer().port().to_str().unwrap().bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => name.push(byte.into()),
            _ => write!(name, "%{byte:02X}").unwrap(),
        }
    }
    host.data().join("print").join(name)
}

/// Somebody else has the folder, as an agent has that has just made the printer safe.
#[rstest]
fn a_print_that_waits_before_it_begins_is_called_off_by_a_signal(
    #[values(Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT)] signal: Signal,
) {
    let record = tempfile::tempdir().unwrap();
    let wire = record.path().join("wire");
    let host = Host::unpaired_with(None, 50, &["--wire", wire.to_str().unwrap()]);
    std::fs::create_dir_all(folder(&host)).unwrap();
    let held = std::fs::File::open(folder(&host)).unwrap();
    rustix::fs::flock(&held, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let mut print = print(&host);
    eventually("it is written down", || (owed(&host) == 1).then_some(()));
    kill_process(Pid::from_child(&print), signal).unwrap();
    assert_eq!(print.wait().unwrap().code(), Some(130));
    assert_eq!(owed(&host), 0, "nothing of it can be hot");
    // Of a print, and of its end, there would be heaters that are turned off.
    let wire = String::from_utf8_lossy(&std::fs::read(&wire).unwrap()).into_owned();
    let heats = |line: &str| ["M104", "M140", "M84", "G28"].iter().any(|command| line.contains(command));
    assert!(wire.contains("M115") && !wire.lines().any(heats), "{wire}");
}

/// The agent, which is not root, has to be able to read it and to cross it out.
#[test]
fn roots_print_owes_as_the_user_to_whom_the_data_belong() {
    let Some(host) = with_data_of_another_user() else { return };
    let mut print = print(&host);
    eventually("hot", || (!host.printer().is_cold()).then_some(()));
    let folder = folder(&host);
    for path in [host.data().join("print"), folder.clone(), folder.join("journal.jsonl")] {
        let metadata = path.metadata().unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), (4242, 4243), "{}", path.display());
    }
    kill_process(Pid::from_child(&print), Signal::INT).unwrap();
    assert_eq!(print.wait().unwrap().code(), Some(130));
    assert!(host.printer().is_cold(), "{:?}", host.printer().targets());
    assert_eq!(owed(&host), 0);
}

/// A link in there would lead root to where that user may not write.
#[test]
fn roots_print_follows_no_link_of_that_user() {
    let Some(host) = with_data_of_another_user() else { return };
    let elsewhere = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), host.data().join("print")).unwrap();
    let print = told_print(&host);
    eventually("hot", || (!host.printer().is_cold()).then_some(()));
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    kill_process(Pid::from_child(&print), Signal::INT).unwrap();
    let said = String::from_utf8(print.wait_with_output().unwrap().stdout).unwrap();
    assert!(said.contains("could not be written down"), "{said}");
}

fn with_data_of_another_user() -> Option<Host> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let host = Host::unpaired(None, 50);
    std::fs::create_dir_all(host.data()).unwrap();
    std::fs::set_permissions(host.runtime(), std::fs::Permissions::from_mode(0o755)).unwrap();
    chown(host.data(), Some(4242), Some(4243)).unwrap();
    Some(host)
}
