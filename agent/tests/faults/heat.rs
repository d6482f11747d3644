//! Heat and the end of the agent's process: what a person has heated without a job, and a stop that has to wait for a heater.
//! Read at the printer.

use std::os::unix::fs::MetadataExt as _;
use std::process::{Child, Stdio};

use rstest::rstest;
use rustix::process::Signal;
use stardust_protocol::{Command, CommandOutcome, EventBody, JobState, Preheat};

use crate::host::Host;
use crate::machine::Machine;
use crate::stand_in::eventually;

/// An idle printer, preheated by a person.
fn preheated() -> Host {
    preheated_machine(Machine::Plain)
}

/// The same with all of its nozzles.
pub(crate) fn preheated_machine(machine: Machine) -> Host {
    let mut host = Host::paired_with(None, 50, machine.options());
    host.run();
    host.status_where("ready", |status| status["status"]["state"] == "idle");
    let (nozzles_c, hot) = match machine {
        Machine::Plain => (vec![200], vec![200.0, 60.0]),
        Machine::Large => (vec![200, 180], vec![200.0, 180.0, 60.0, 0.0]),
    };
    let wanted = Preheat { nozzles_c, bed_c: Some(60), minutes: 240 };
    host.command_it(Command::Preheat(wanted), Some(1));
    host.is_answered(1, &CommandOutcome::Done);
    eventually("hot", || (host.printer().targets() == hot).then_some(()));
    host
}

#[test]
fn a_preheat_is_shown_and_stays_until_a_person_cools_it_down() {
    let host = preheated();
    let shown = host.status_where("shown", |status| !status["status"]["preheat"].is_null());
    assert_eq!(
        (&shown["status"]["state"], &shown["status"]["preheat"]["reason"]),
        (&"idle".into(), &"asked".into())
    );
    host.dashboard_shows("\"preheat\":{");
    host.command_it(Command::CoolDown, Some(2));
    host.is_made_safe();
    host.is_answered(2, &CommandOutcome::Done);
    host.status_where("not shown any more", |status| status["status"]["preheat"].is_null());
    let debt = std::fs::read_to_string(host.file("journal.jsonl")).unwrap();
    assert!(debt.contains("heat_owed"), "it was written down: {debt}");
}

/// A person's order ends with the process that has it.
#[rstest]
#[case::killed(Signal::KILL)]
#[case::stopped(Signal::TERM)]
fn a_preheat_does_not_outlive_the_agent(
    #[case] signal: Signal,
    #[values(Machine::Plain, Machine::Large)] machine: Machine,
) {
    let mut host = preheated_machine(machine);
    host.end(signal);
    if signal == Signal::TERM {
        assert!(host.printer().is_cold(), "before it is gone: {:?}", host.printer().targets());
        return;
    }
    assert!(!host.printer().is_cold(), "nobody could turn it off");
    host.run();
    host.is_made_safe();
}

/// Ended whatever becomes of the test.
struct Second(Child);

impl Drop for Second {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// It would take the journal from the first one, and with it what is owed.
#[test]
fn a_second_agent_on_the_same_data_touches_nothing_and_what_is_hot_stays_owed() {
    let mut host = preheated();
    let journal = || {
        let file = host.file("journal.jsonl");
        (std::fs::metadata(&file).unwrap().ino(), std::fs::read(&file).unwrap())
    };
    // The hub has the answer to the preheat some milliseconds before the agent writes down that it has.
    eventually("the hub's word is written down", || {
        let text = String::from_utf8(journal().1).unwrap();
        let records: Vec<serde_json::Value> =
            text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let last = |kind: &str| {
            records
                .iter()
                .rev()
                .find(|record| record["record"] == kind)
                .and_then(|record| record["seq"].as_u64())
        };
        (last("event").is_some() && last("event") == last("acknowledged")).then_some(())
    });
    let before = journal();
    let mut second = Second(host.command().arg("run").stdout(Stdio::null()).spawn().unwrap());
    let end = eventually("the second one ends", || second.0.try_wait().unwrap());
    assert!(!end.success());
    assert_eq!(journal(), before, "the same file, with the same in it");
    assert_eq!(host.printer().targets(), [200.0, 60.0]);

    host.end(Signal::KILL);
    assert!(!host.printer().is_cold(), "nobody could turn it off");
    host.run();
    host.is_made_safe();
}

/// Nobody drives such a printer any more.
#[test]
fn a_printer_whose_settings_are_gone_is_made_safe_as_soon_as_its_cable_is_in_again() {
    let mut host = preheated();
    host.kill();
    std::fs::remove_file(host.file("printer.toml")).unwrap();
    let (port, away) = (host.printer().port(), host.runtime().join("away"));
    std::fs::rename(&port, &away).unwrap();
    host.run();
    eventually("it was looked for", || (host.logged("could not be read back as off") > 0).then_some(()));
    assert!(!host.printer().is_cold(), "nobody could turn it off");
    std::fs::rename(&away, &port).unwrap();
    host.is_made_safe();
}

/// It has measured nothing itself.
#[test]
fn what_may_be_hot_behind_a_cable_is_told_to_the_hub_by_an_agent_that_was_started_anew() {
    let mut host = preheated();
    host.kill();
    let (port, away) = (host.printer().port(), host.runtime().join("away"));
    std::fs::rename(&port, &away).unwrap();
    host.run();
    host.dashboard_shows(r#""may_be_hot":true"#);
    assert!(!host.printer().is_cold(), "nobody could turn it off");
    std::fs::rename(&away, &port).unwrap();
    host.is_made_safe();
    host.status_where("no more", |status| status["status"]["may_be_hot"].is_null());
}

/// It answers, and its print goes on: nobody is to switch it off.
#[test]
fn a_print_that_an_agent_finds_its_place_in_is_not_said_to_be_out_of_reach_and_hot() {
    let mut host = Host::paired(None, 5);
    host.offer_file(1, b"G28\nM190 S60\nG1 X10 F600\nM140 S0\n");
    host.run();
    let heats = || host.printer().journal().iter().any(|line| line.cmd.starts_with("M190"));
    eventually("it heats", || heats().then_some(()));
    host.kill();
    host.run();
    let states = std::cell::RefCell::new(Vec::new());
    host.status_where("its place is found", |printer| {
        assert!(printer["may_be_hot"] != true, "{printer}");
        states.borrow_mut().push(printer["status"]["state"].clone());
        printer["status"]["state"] == "printing" || printer["status"]["state"] == "preparing"
    });
    assert!(states.borrow().iter().any(|state| state == "connecting"), "it would be no test: {states:?}");
    let statuses = serde_json::to_string(&host.hub.broker.statuses()).unwrap();
    assert!(!statuses.contains(r#""may_be_hot":true"#), "{statuses}");
}

/// A print that its printer's reset has interrupted: its bed is kept warm, and the agent is killed.
fn interrupted_and_killed() -> Host {
    let mut host = Host::paired_with(None, 50, &["--fault", "reset@1500"]);
    let config = host.file("printer.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(config, format!("keep_bed_warm_minutes = 480\n{text}")).unwrap();
    host.offer();
    host.run();
    host.wait_for(JobState::Paused);
    let bed_alone = || {
        host.printer()
            .targets()
            .split_last()
            .is_some_and(|(bed, nozzles)| *bed > 0.0 && nozzles.iter().all(|target| *target == 0.0))
    };
    eventually("its bed is kept warm", || bed_alone().then_some(()));
    host.kill();
    // The simulator writes its journal down a little later than its targets.
    eventually("that is written down", || {
        let mut since_reset =
            host.printer().journal().into_iter().rev().take_while(|line| !line.cmd.is_empty());
        let is_warm = since_reset.any(|line| line.cmd.starts_with("M140 S60"));
        (host.printer().boots() == 2 && is_warm).then_some(())
    });
    host
}

/// One that is killed before its printer has said a word has settled nothing: the next one does, whatever becomes of the job.
#[rstest]
#[case::it_is_given_up_when_it_is_cold(false)]
#[case::it_is_given_up_before_anything_answers(true)]
fn an_agent_that_is_killed_before_its_printer_answers_leaves_the_heat_to_the_next(#[case] at_once: bool) {
    let mut host = interrupted_and_killed();
    let opened = host.logged("port opened");
    host.printer().hold();
    host.run();
    eventually("its port is open", || (host.logged("port opened") > opened).then_some(()));
    host.kill();
    // What is sent to it now goes nowhere.
    host.hub.broker.cut();
    assert!(!host.printer().is_cold(), "nobody could turn it off");
    let job_id = host.hub.state.lock().unwrap().claim.as_ref().unwrap().job_id;
    let give_up = Command::Cancel { job_id };
    if at_once {
        host.keeps_for_it(give_up, 1);
        host.run();
        host.is_answered(1, &CommandOutcome::Done);
        host.wait_for(JobState::Failed);
        assert!(!host.printer().is_cold(), "it does not answer yet");
        host.printer().go_on();
        host.is_made_safe();
    } else {
        host.printer().go_on();
        host.run();
        host.is_made_safe();
        host.command_it(give_up, Some(1));
        host.is_answered(1, &CommandOutcome::Done);
        host.wait_for(JobState::Failed);
    }
    eventually("read back", || (host.logged("all heaters are off, read back") > 0).then_some(()));
    assert!(host.printer().is_cold(), "{:?}", host.printer().targets());
    host.end(Signal::TERM);
    assert!(host.printer().is_cold(), "{:?}", host.printer().targets());
}

/// How long it was away, and what became of the part, an agent that is started anew does not know.
#[test]
fn the_bed_of_an_interrupted_print_is_not_heated_again_by_an_agent_that_was_away() {
    let mut host = interrupted_and_killed();
    let before = host.printed();
    host.run();
    host.is_made_safe();
    eventually("read back", || (host.logged("all heaters are off, read back") > 0).then_some(()));
    host.status_where("it waits for a person", |status| !status["status"]["interruption"].is_null());
    assert!(host.printer().is_cold(), "{:?}", host.printer().targets());
    let sent: Vec<String> = host.printer().journal().into_iter().skip(before).map(|line| line.cmd).collect();
    let heats = |line: &String| {
        ["M104 ", "M109 ", "M140 ", "M190 "].iter().any(|code| line.starts_with(code))
            && !line.ends_with(" S0")
    };
    assert!(!sent.iter().any(heats), "{sent:?}");
}

#[rstest]
#[case::one_nozzle_and_a_bed(Machine::Plain)]
#[case::two_tools_and_a_chamber(Machine::Large)]
fn a_job_takes_over_from_a_preheat_and_its_end_makes_the_printer_safe(#[case] machine: Machine) {
    let host = preheated_machine(machine);
    machine.offer(&host);
    host.wake();
    host.wait_for(JobState::Printing);
    machine.is_hot(&host);
    let wanted = Preheat { nozzles_c: vec![250], bed_c: None, minutes: 10 };
    host.command_it(Command::Preheat(wanted), Some(2));
    let why = host.answer_of(2);
    assert!(
        matches!(&why, CommandOutcome::Refused { reason } if reason.contains("print at hand")),
        "{why:?}"
    );
    host.command_it(Command::CoolDown, Some(3));
    let why = host.answer_of(3);
    assert!(matches!(&why, CommandOutcome::Refused { reason } if reason.contains("at work")), "{why:?}");
    assert!(!host.printer().is_cold(), "the print goes on");
    host.wait_for(JobState::AwaitingRemoval);
    host.is_made_safe();
}

/// Firmware that hears nothing until its heater is there: the agent waits for it, and does not leave the heaters on. That takes
/// some seconds longer than a silent printer would be waited for.
#[rstest]
#[case::one_nozzle_and_a_bed(Machine::Plain, Signal::TERM)]
#[case::two_tools_and_a_chamber(Machine::Large, Signal::TERM)]
#[case::its_terminal_is_gone(Machine::Plain, Signal::HUP)]
#[case::quit(Machine::Plain, Signal::QUIT)]
#[case::ctrl_c(Machine::Plain, Signal::INT)]
#[case::nothing_hands_over_here(Machine::Plain, Signal::USR1)]
#[case::by_mistake(Machine::Plain, Signal::USR2)]
#[case::its_power_fails(Machine::Plain, Signal::POWER)]
fn a_stop_while_the_firmware_waits_for_its_bed_leaves_no_heat_behind(
    #[case] machine: Machine,
    #[case] signal: Signal,
) {
    let mut options = vec!["--no-emergency-parser"];
    options.extend(machine.options());
    let mut host = Host::paired_with(None, 8, &options);
    let file = format!("{}G28\nM104 S200\nM190 S100\nM109 S250\nG1 X10 F600\n", machine.heats());
    host.offer_file(1, file.as_bytes());
    host.run();
    eventually("it waits for its bed", || {
        host.printer().journal().iter().any(|line| line.cmd.starts_with("M190")).then_some(())
    });
    machine.is_hot(&host);
    host.end(signal);
    assert!(host.printer().is_cold(), "the agent is gone: {:?}", host.printer().targets());
    let taken: Vec<String> = host.printer().journal().into_iter().map(|line| line.cmd).collect();
    assert!(!taken.iter().any(|line| line == "G1 X10 F600"), "nothing more of the file: {taken:?}");
}

/// What a person has set at the panel, with nothing owed: an agent that starts, and one that starts again, asks, and touches nothing.
#[test]
fn what_is_set_at_the_panel_is_left_alone_by_an_agent_that_owes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let wire = folder.path().join("wire");
    // It reports nothing by itself, so it is asked.
    let mut host =
        Host::paired_with(None, 50, &["--profile", "ultimaker2", "--wire", wire.to_str().unwrap()]);
    // The port has no other way in: nobody else has it open, and being opened does not start this board anew.
    std::fs::write(host.printer().port(), "\nM104 S180\nM140 S55\n").unwrap();
    let set = [180.0, 55.0];
    eventually("set", || (host.printer().targets() == set).then_some(()));
    let is_left_alone = |host: &Host, times: &str| {
        let polls = || {
            let wire = String::from_utf8_lossy(&std::fs::read(&wire).unwrap()).into_owned();
            wire.lines().filter(|line| line.contains("M105")).count()
        };
        let before = polls();
        eventually(times, || {
            assert_eq!(host.printer().targets(), set, "{times}");
            (polls() >= before + 4).then_some(())
        });
    };
    for times in ["the first start", "another one", "one more"] {
        host.run();
        host.status_where("ready", |status| status["status"]["state"] == "idle");
        is_left_alone(&host, times);
        host.kill();
    }
}

/// Sent is not stopped: such firmware drops every line without a checksum, and is as hot as before then. What may be hot stays
/// owed until it was read back, and nobody is told that the printer has done by itself what it was told to.
#[rstest]
#[case::says_that_it_has_stopped("malyan")]
#[case::is_silent_then("repetier")]
fn a_stop_at_once_is_taken_where_every_line_wants_a_checksum(#[case] profile: &str) {
    let mut host = Host::paired_with(None, 50, &["--profile", profile]);
    host.run();
    host.status_where("ready", |status| status["status"]["state"] == "idle");
    let wanted = Preheat { nozzles_c: vec![200], bed_c: Some(60), minutes: 240 };
    host.command_it(Command::Preheat(wanted), Some(1));
    host.is_answered(1, &CommandOutcome::Done);
    eventually("hot", || (host.printer().targets() == [200.0, 60.0]).then_some(()));
    host.command_it(Command::EmergencyStop, Some(2));
    host.is_answered(2, &CommandOutcome::Done);
    eventually("cold", || host.printer().is_cold().then_some(()));
    let told = host.status_where("known", |status| {
        let told = status["status"]["message"].as_str().unwrap_or_default();
        told.contains("says that it has stopped") || told.contains("says nothing any more")
    });
    assert_eq!(told["status"]["state"], "error");
    assert!(!told["status"]["message"].as_str().unwrap().contains("itself"), "{told}");
    let journal = std::fs::read_to_string(host.file("journal.jsonl")).unwrap();
    let (owed, settled) = (journal.rfind("heat_owed"), journal.rfind("heat_settled"));
    assert!(owed > settled, "it was not read back: {journal}");
}

impl Host {
    pub(crate) fn answer_of(&self, number: u8) -> CommandOutcome {
        let id = format!("0190a7c2-6f00-7000-8000-0000000001{number:02x}").parse().unwrap();
        eventually("answered", || {
            let state = self.hub.state.lock().unwrap();
            state.events.iter().find_map(|event| match &event.body {
                EventBody::CommandAnswered { command_id, outcome } if *command_id == id => {
                    Some(outcome.clone())
                }
                _ => None,
            })
        })
    }

    pub(crate) fn is_answered(&self, number: u8, outcome: &CommandOutcome) {
        assert_eq!(&self.answer_of(number), outcome);
    }
}
