//! The settings name another port than the one at which something is hot: that one is looked after first, and what is read at
//! another printer settles nothing. Read at both printers.

use std::io::Write as _;
use std::path::Path;

use rstest::rstest;
use stardust_protocol::{Command, CommandOutcome, JobState, Preheat};

use crate::host::Host;
use crate::stand_in::eventually;
use crate::stand_in::printer::Printer;

/// A person writes the port of this printer into the settings, and starts the agent anew.
fn started_with_the_port_of(host: &mut Host, other: &Printer) {
    let config = host.file("printer.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let [old, new] = [host.printer().port(), other.port()].map(|port| format!("{:?}", port));
    assert!(text.contains(&old), "{text}");
    std::fs::write(config, text.replace(&old, &new)).unwrap();
    host.run();
}

fn other() -> Printer {
    Printer::start_with(&["--speed", "100", "--advanced-ok"])
}

/// By whom nobody knows: no host has told it to.
fn heated_at_its_panel(printer: &Printer) {
    let mut port = std::fs::OpenOptions::new().write(true).open(printer.port()).unwrap();
    port.write_all(b"M104 S200\nM140 S60\n").unwrap();
    eventually("hot", || (printer.targets() == [200.0, 60.0]).then_some(()));
}

fn moves(printer: &Printer) -> usize {
    printer.journal().iter().filter(|line| line.cmd.starts_with("G1 ")).count()
}

/// A printer at the same port, paired later.
fn beside(left: &Path, right: &Path) {
    let config = std::fs::read_to_string(left.join("printer.toml")).unwrap();
    let id = config.lines().find_map(|line| line.strip_prefix("printer_id = ")).unwrap().trim_matches('"');
    let later = format!("1{}", &id[1..]);
    let config = config.replace(id, &later).replace("Ender left", "Ender right");
    std::fs::write(right.join("printer.toml"), config).unwrap();
    std::fs::copy(left.join("credential"), right.join("credential")).unwrap();
}

/// As somebody does who deletes a printer at the hub and pairs it under a new name.
#[test]
fn of_two_printers_at_one_port_the_one_that_owes_goes_first_and_the_later_one_has_it_then() {
    let mut host = hot_and_killed();
    let (left, right) = (host.file(""), host.data().join("printers/ender-right"));
    std::fs::create_dir(&right).unwrap();
    beside(&left, &right);
    host.run();
    host.is_made_safe();
    eventually("the later one has it", || {
        let text = host.command().args(["status", "--json"]).output().unwrap().stdout;
        let report: serde_json::Value = serde_json::from_slice(&text).ok()?;
        let state = |name: &str| {
            report["printers"].as_array()?.iter().find(|printer| printer["name"] == name)?["status"]["state"]
                .as_str()
        };
        (state("Ender right") == Some("idle") && state("Ender left") == Some("error")).then_some(())
    });
}

fn hot_and_killed() -> Host {
    let mut host = Host::paired(None, 100);
    host.run();
    host.status_where("ready", |status| status["status"]["state"] == "idle");
    let wanted = Preheat { nozzles_c: vec![200], bed_c: Some(60), minutes: 240 };
    host.command_it(Command::Preheat(wanted), Some(1));
    host.is_answered(1, &CommandOutcome::Done);
    eventually("hot", || (host.printer().targets() == [200.0, 60.0]).then_some(()));
    host.kill();
    host
}

#[test]
fn what_is_hot_at_the_old_port_is_turned_off_before_the_new_one_counts() {
    let (mut host, other) = (hot_and_killed(), other());
    started_with_the_port_of(&mut host, &other);
    host.is_made_safe();
    // The new one counts then: the next job is printed there.
    host.offer();
    host.wake();
    host.wait_for(JobState::AwaitingRemoval);
    assert!(moves(&other) > 1000 && moves(host.printer()) == 0);
}

/// Whoever has the port by the settings owes nothing, and would keep away the one that does.
#[test]
fn with_two_ports_swapped_the_printer_that_has_the_hot_one_by_now_waits() {
    let (mut host, other) = (hot_and_killed(), other());
    let (left, right) = (host.file(""), host.data().join("printers/ender-right"));
    std::fs::create_dir(&right).unwrap();
    beside(&left, &right);
    started_with_the_port_of(&mut host, &other);
    host.is_made_safe();
    eventually("each is driven at its port", || {
        let text = host.command().args(["status", "--json"]).output().unwrap().stdout;
        let report: serde_json::Value = serde_json::from_slice(&text).ok()?;
        let printers = report["printers"].as_array()?;
        let idle = |printer: &&serde_json::Value| {
            printer["status"]["state"] == "idle" && printer["status"]["message"].is_null()
        };
        (printers.len() == 2 && printers.iter().filter(idle).count() == 2).then_some(())
    });
}

#[test]
fn a_print_goes_on_at_its_port_and_ends_there() {
    let mut host = Host::paired(None, 100);
    let other = other();
    host.offer();
    host.run();
    host.wait_for(JobState::Printing);
    host.kill();
    started_with_the_port_of(&mut host, &other);
    host.wait_for(JobState::AwaitingRemoval);
    host.is_made_safe();
    assert_eq!(moves(&other), 0);
    host.status_where("the new one counts", |status| {
        status["status"]["state"] == "idle" && status["status"]["message"].is_null()
    });
    host.expect_the_file(1);
}

#[test]
fn where_the_old_port_is_gone_the_reason_is_true_and_what_is_owed_stands_until_it_is_back() {
    let mut host = Host::paired(None, 50);
    let other = other();
    heated_at_its_panel(&other);
    host.offer();
    host.run();
    host.wait_for(JobState::Printing);
    host.kill();
    let (port, away) = (host.printer().port(), host.runtime().join("away"));
    std::fs::rename(&port, &away).unwrap();
    started_with_the_port_of(&mut host, &other);
    host.wait_for(JobState::Failed);
    let (reason, old) = (host.reason(), port.display().to_string());
    assert!(reason.contains(&format!("printed at {old}, which is not there")), "{reason}");
    host.says(&format!("may have been left hot at {old}"));
    host.status_where("driven at the new one", |status| status["status"]["state"] == "idle");
    assert!(!host.printer().is_cold(), "nobody could turn it off");
    eventually("it may be the same printer", || other.is_cold().then_some(()));

    std::fs::rename(&away, &port).unwrap();
    host.is_made_safe();
    host.says_no_more("left hot");
}

/// What is read back at the new port says nothing of the old one, also when that was heated last, and over a kill.
#[rstest]
#[case::the_old_port_is_back_before_the_agent(true)]
#[case::the_old_port_comes_back_later(false)]
fn heat_at_the_new_port_does_not_make_what_is_hot_at_the_old_one_forgotten(#[case] is_back_before: bool) {
    let (mut host, other) = (hot_and_killed(), other());
    let (port, away) = (host.printer().port(), host.runtime().join("away"));
    std::fs::rename(&port, &away).unwrap();
    started_with_the_port_of(&mut host, &other);
    host.status_where("driven at the new one", |status| status["status"]["state"] == "idle");
    eventually("it may be the same printer", || {
        other.journal().iter().any(|line| line.cmd == "M104 S0").then_some(())
    });
    // As soon as it has been made safe.
    let mut number = 10;
    eventually("hot at the new one", || {
        let wanted = Preheat { nozzles_c: vec![180], bed_c: None, minutes: 240 };
        number += 1;
        host.command_it(Command::Preheat(wanted), Some(number));
        let outcome = eventually("an answer", || Some(host.answer_of(number)));
        (outcome == CommandOutcome::Done).then_some(())
    });
    assert_eq!(other.targets()[0], 180.0);
    host.kill();
    if is_back_before {
        std::fs::rename(&away, &port).unwrap();
    }
    host.run();
    eventually("off at the new one", || other.is_cold().then_some(()));
    if !is_back_before {
        host.says("may have been left hot at");
        host.command_it(Command::CoolDown, Some(3));
        host.is_answered(3, &CommandOutcome::Done);
        assert!(!host.printer().is_cold(), "nobody could turn it off");
        std::fs::rename(&away, &port).unwrap();
    }
    host.is_made_safe();
    host.status_where("the new one counts", |status| {
        status["status"]["state"] == "idle" && status["status"]["message"].is_null()
    });
}

/// Another program has the old port. Nothing can be done there, and the new one is not waited with.
#[test]
fn an_old_port_that_can_not_be_opened_does_not_keep_the_new_one_from_printing() {
    let (mut host, other) = (hot_and_killed(), other());
    let held = std::fs::File::options().read(true).write(true).open(host.printer().port()).unwrap();
    rustix::fs::flock(&held, rustix::fs::FlockOperation::NonBlockingLockExclusive).unwrap();
    started_with_the_port_of(&mut host, &other);
    host.says("can't be opened: look after it");
    host.status_where("driven at the new one", |status| status["status"]["state"] == "idle");
    assert!(!host.printer().is_cold(), "nobody could turn it off");
    host.offer();
    host.wake();
    host.wait_for(JobState::AwaitingRemoval);
    assert!(moves(&other) > 1000);
}
