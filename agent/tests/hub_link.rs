//! The running agent between a simulated printer and a stand-in hub: both are what they are elsewhere, a process
//! on a pty and an address.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod stand_in;

use std::collections::BTreeMap;
use std::process::Child;

use stand_in::eventually;
use stand_in::hub::{Hub, PRINTER, TOKEN, WORKSPACE};
use stand_in::printer::{Printer, agent, commands, fixture, hash};
use stardust_protocol::status::StatusBody;
use stardust_protocol::{
    Command, CommandMessage, CommandOutcome, EventBody, JobState, PrinterState, ProtocolVersion, Timestamp,
};

const FILE: &str = "cura_teapot_ender3_marlin.gcode";

/// A paired agent at work.
struct Agent {
    process: Option<Child>,
    data: tempfile::TempDir,
}

impl Agent {
    fn paired(hub: &Hub, printer: &Printer) -> Self {
        let agent = Self { process: None, data: tempfile::tempdir().unwrap() };
        let output = agent
            .command()
            .args(["pair", &hub.url, "K7QM-4TXP", "--name", "Ender left", "--port"])
            .arg(printer.port())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        agent
    }

    fn command(&self) -> std::process::Command {
        let mut command = agent();
        command.env("STARDUST_AGENT_DATA", self.data.path());
        command
    }

    fn run(mut self) -> Self {
        self.process = Some(self.command().arg("run").spawn().unwrap());
        self
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let process = self.process.as_ref().unwrap();
        rustix::process::kill_process(rustix::process::Pid::from_child(process), signal).unwrap();
    }

    fn end(&mut self, signal: rustix::process::Signal) {
        self.signal(signal);
        self.process.take().unwrap().wait().unwrap();
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn wait_for(hub: &Hub, state: JobState) {
    eventually(state.as_str(), || hub.state.lock().unwrap().moves().contains(&state).then_some(()));
}

fn command(hub: &Hub, last: u8, command: Command) -> CommandMessage {
    let at = hub.state.lock().unwrap().events.last().map_or(Timestamp::from_millis(0), |event| event.at);
    CommandMessage {
        protocol: ProtocolVersion::CURRENT,
        id: Some(format!("0190a7c2-6f00-7000-8000-0000000001{last:02x}").parse().unwrap()),
        at,
        expires_at: Some(at.plus_millis(60_000)),
        command,
    }
}

/// The outcomes by the last digit of the command's id. A repeat may be answered again, but not differently.
fn outcomes(hub: &Hub) -> BTreeMap<char, CommandOutcome> {
    let mut outcomes = BTreeMap::new();
    for event in &hub.state.lock().unwrap().events {
        if let EventBody::CommandAnswered { command_id, outcome } = &event.body {
            let before = outcomes.insert(command_id.to_string().pop().unwrap(), outcome.clone());
            assert!(before.is_none_or(|before| before == *outcome), "{command_id}: {outcome:?}");
        }
    }
    outcomes
}

#[test]
fn a_job_is_claimed_printed_exactly_and_reported() {
    let (hub, printer) = (Hub::start(), Printer::start(1000));
    let file = fixture(FILE);
    let claim = hub.offer(&std::fs::read(&file).unwrap());
    // The download breaks in the middle and goes on there.
    hub.state.lock().unwrap().cut_download = Some(100_000);
    let _agent = Agent::paired(&hub, &printer).run();
    wait_for(&hub, JobState::AwaitingRemoval);

    let state = hub.state.lock().unwrap();
    assert_eq!(state.moves(), [JobState::Transferring, JobState::Printing, JobState::AwaitingRemoval]);
    assert_eq!(state.started, 1);
    assert_eq!(state.ranges[0], None);
    assert_eq!(state.ranges[1].as_deref(), Some("bytes=100000-"));
    let EventBody::JobMoved { fraction, .. } = state.events.last().unwrap().body else { panic!() };
    assert!((fraction - 1.0).abs() < 1e-9);
    drop(state);

    let login = hub.broker.login().unwrap();
    assert_eq!(login, (PRINTER.to_owned(), PRINTER.to_owned(), TOKEN.to_owned()));
    let statuses = hub.broker.statuses();
    assert_eq!(statuses[0].0, format!("stardust/v1/{WORKSPACE}/{PRINTER}/status"));
    assert!(matches!(statuses[0].1.body, StatusBody::Full(_)));
    assert!(statuses.iter().skip(1).any(|(_, status)| matches!(status.body, StatusBody::Delta(_))));
    assert!(statuses.iter().enumerate().all(|(at, (_, status))| status.seq == at as u64 + 1));
    assert!(
        serde_json::to_string(&statuses[0].1).unwrap().contains(&claim.job_id.to_string())
            || statuses.len() > 1
    );

    let printed = printer.last_job();
    assert_eq!(hash(&printed), hash(&commands(&file)));
}

#[test]
fn a_claim_that_is_over_is_never_printed_again() {
    let (hub, printer) = (Hub::start(), Printer::start(1000));
    hub.state.lock().unwrap().forgetful = true;
    hub.offer(b"G28\nG1 X10 Y10 F6000\nM84\n");
    let mut agent = Agent::paired(&hub, &printer).run();
    wait_for(&hub, JobState::AwaitingRemoval);
    agent.end(rustix::process::Signal::TERM);
    // Not after a restart either.
    let _agent = agent.run();
    let claims = hub.state.lock().unwrap().claims;
    eventually("back", || (hub.broker.connections() >= 2).then_some(()));
    eventually("asked again and again", || {
        hub.broker.send(&CommandMessage { id: None, ..command(&hub, 0, Command::Wake) });
        (hub.state.lock().unwrap().claims > claims + 2).then_some(())
    });
    assert_eq!(hub.state.lock().unwrap().started, 1);
    assert_eq!(hub.state.lock().unwrap().moves(), [JobState::Transferring, JobState::AwaitingRemoval]);
}

#[test]
fn pause_resume_and_cancel_reach_the_printer() {
    let (hub, printer) = (Hub::start(), Printer::start(50));
    let claim = hub.offer(&std::fs::read(fixture(FILE)).unwrap());
    let _agent = Agent::paired(&hub, &printer).run();
    wait_for(&hub, JobState::Printing);
    eventually("subscribed", || hub.broker.is_subscribed().then_some(()));
    let job_id = claim.job_id;

    let pause = command(&hub, 1, Command::Pause { job_id });
    hub.broker.send(&pause);
    wait_for(&hub, JobState::Paused);
    hub.broker.send(&pause);
    let resume = command(&hub, 2, Command::Resume { job_id });
    hub.broker.send(&resume);
    wait_for(&hub, JobState::Resuming);
    let mut late = command(&hub, 3, Command::Pause { job_id });
    late.expires_at = Some(Timestamp::from_millis(0));
    hub.broker.send(&late);
    hub.broker.send(&command(
        &hub,
        4,
        Command::Resume { job_id: "0190a7c2-6f00-7000-8000-0000000000ff".parse().unwrap() },
    ));
    // A lost message: the hub still has the command when the agent looks.
    hub.state.lock().unwrap().commands = vec![command(&hub, 5, Command::Cancel { job_id })];
    hub.broker.send(&CommandMessage { id: None, ..command(&hub, 0, Command::Wake) });
    wait_for(&hub, JobState::Cancelled);

    let state = hub.state.lock().unwrap();
    let moves = state.moves();
    let [
        JobState::Transferring,
        JobState::Printing,
        JobState::Pausing,
        JobState::Paused,
        JobState::Resuming,
        ..,
        JobState::Cancelling,
        JobState::Cancelled,
    ] = moves.as_slice()
    else {
        panic!("{moves:?}")
    };
    drop(state);
    let outcomes = outcomes(&hub);
    for carried_out in ['1', '2', '5'] {
        assert_eq!(outcomes[&carried_out], CommandOutcome::Done);
    }
    assert_eq!(outcomes[&'3'], CommandOutcome::Expired);
    assert!(matches!(outcomes[&'4'], CommandOutcome::Refused { .. }));
    assert_eq!(printer.last_job().last().unwrap(), "M84");
}

#[test]
fn a_print_goes_on_while_the_hub_is_away_and_is_reported_later() {
    let (hub, printer) = (Hub::start(), Printer::start(500));
    let file = fixture(FILE);
    hub.offer(&std::fs::read(&file).unwrap());
    let _agent = Agent::paired(&hub, &printer).run();
    eventually("started", || (hub.state.lock().unwrap().started == 1).then_some(()));
    hub.state.lock().unwrap().down = true;
    hub.broker.cut();
    let count = commands(&file).len();
    eventually("printed", || {
        let numbered = printer.journal().iter().filter_map(|line| line.n).max().unwrap_or(0);
        (numbered >= count as u64 - 600).then_some(())
    });
    hub.state.lock().unwrap().down = false;
    wait_for(&hub, JobState::AwaitingRemoval);
    let state = hub.state.lock().unwrap();
    assert_eq!(state.moves(), [JobState::Transferring, JobState::Printing, JobState::AwaitingRemoval]);
    assert_eq!(state.started, 1);
    drop(state);
    eventually("back", || (hub.broker.connections() >= 2).then_some(()));
    assert_eq!(hash(&printer.last_job()), hash(&commands(&file)));
}

#[test]
fn an_agent_killed_in_mid_print_that_has_nothing_to_go_on_by_makes_the_printer_safe() {
    let (hub, printer) = (Hub::start(), Printer::start(50));
    hub.offer(&std::fs::read(fixture(FILE)).unwrap());
    let mut agent = Agent::paired(&hub, &printer).run();
    wait_for(&hub, JobState::Printing);
    agent.end(rustix::process::Signal::KILL);
    assert!(!printer.is_cold(), "nobody could turn it off");
    // As an older agent would have left it. With it the print goes on: `survive_kill`.
    std::fs::remove_file(agent.data.path().join("printers/ender-left/trail")).unwrap();
    let _agent = agent.run();
    wait_for(&hub, JobState::Failed);
    let state = hub.state.lock().unwrap();
    let Some(EventBody::JobMoved { reason: Some(reason), .. }) =
        state.events.last().map(|event| event.body.clone())
    else {
        panic!("{:?}", state.events.last())
    };
    assert!(reason.starts_with("The agent was restarted in mid-print"), "{reason}");
    assert_eq!(state.started, 1, "it is not printed again");
    drop(state);
    eventually("safe", || printer.is_cold().then_some(()));
}

#[test]
fn an_agent_told_to_stop_turns_the_heaters_off_and_says_so() {
    let (hub, printer) = (Hub::start(), Printer::start(50));
    hub.offer(&std::fs::read(fixture(FILE)).unwrap());
    let mut agent = Agent::paired(&hub, &printer).run();
    wait_for(&hub, JobState::Printing);
    assert!(!printer.is_cold(), "the job heats");
    agent.end(rustix::process::Signal::TERM);
    assert!(printer.is_cold(), "before it is gone: {:?}", printer.targets());
    assert_eq!(hub.state.lock().unwrap().moves().last(), Some(&JobState::Failed));
    assert!(printer.last_job().ends_with(&["M84".to_owned()]));
}

#[test]
fn a_lost_claim_is_not_printed() {
    let (hub, printer) = (Hub::start(), Printer::start(1000));
    hub.state.lock().unwrap().claim_lost = true;
    hub.offer(&std::fs::read(fixture(FILE)).unwrap());
    let _agent = Agent::paired(&hub, &printer).run();
    eventually("dropped", || {
        let status = hub.broker.statuses().pop()?.1;
        let idle = serde_json::to_string(&status).unwrap().contains("\"idle\"");
        (hub.state.lock().unwrap().claim.is_none() && idle).then_some(())
    });
    assert_eq!(hub.state.lock().unwrap().started, 0);
    assert!(!printer.journal().iter().any(|line| line.cmd.starts_with("G28")));
}

#[test]
fn an_agent_that_is_not_listened_to_prints_on_keeps_its_events_and_says_why() {
    let (hub, printer) = (Hub::start(), Printer::start(400));
    let file = fixture(FILE);
    hub.offer(&std::fs::read(&file).unwrap());
    let agent = Agent::paired(&hub, &printer).run();
    wait_for(&hub, JobState::Printing);
    hub.state.lock().unwrap().another = true;
    hub.broker.cut();
    eventually("said", || {
        let output = agent.command().arg("status").output().unwrap();
        String::from_utf8_lossy(&output.stdout).contains("The hub says another_agent.").then_some(())
    });
    let expected = commands(&file);
    let near_the_end = &expected[expected.len() - 40];
    eventually("printed to its end", || {
        printer.journal().iter().any(|line| line.cmd == *near_the_end).then_some(())
    });
    assert_eq!(hub.broker.connections(), 1, "without a session nobody connects over MQTT");
    assert_eq!(hub.state.lock().unwrap().moves(), [JobState::Transferring, JobState::Printing]);

    // The other one is gone.
    hub.state.lock().unwrap().another = false;
    wait_for(&hub, JobState::AwaitingRemoval);
    let state = hub.state.lock().unwrap();
    assert_eq!(state.moves(), [JobState::Transferring, JobState::Printing, JobState::AwaitingRemoval]);
    assert_eq!(state.started, 1);
    assert!(state.instances.len() == 1 && !state.instances.contains(""), "{:?}", state.instances);
    drop(state);
    assert_eq!(hash(&printer.last_job()), hash(&expected));
}

#[test]
fn a_claim_is_not_lost_because_another_agent_was_listened_to_for_a_while() {
    let (hub, printer) = (Hub::start(), Printer::start(1000));
    hub.state.lock().unwrap().refused_once = vec!["/file", "/start"];
    hub.offer(&std::fs::read(fixture(FILE)).unwrap());
    let _agent = Agent::paired(&hub, &printer).run();
    wait_for(&hub, JobState::AwaitingRemoval);
    let state = hub.state.lock().unwrap();
    assert!(state.refused_once.is_empty());
    // It asks for the next job as soon as this one is over.
    assert_eq!((state.started, state.jobs_given), (1, 1));
}

#[test]
fn a_revoked_credential_stops_all_asking_and_is_said() {
    let (hub, printer) = (Hub::start(), Printer::start(1000));
    hub.state.lock().unwrap().revoked = true;
    let agent = Agent::paired(&hub, &printer).run();
    let said = eventually("said", || {
        let output = agent.command().arg("status").output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.contains("pair the printer again").then_some(text)
    });
    assert!(said.starts_with("Ender left: "), "{said}");
}

#[test]
fn pairing_mistakes_use_nothing_up() {
    let hub = Hub::start();
    let data = tempfile::tempdir().unwrap();
    let pair = |code: &str, port: &str| {
        let data = data.path();
        agent()
            .arg("--data")
            .arg(data)
            .args(["pair", &hub.url, code, "--name", "ttyUSB9", "--port", port])
            .output()
            .unwrap()
    };
    let output = pair("WRONG", "/dev/ttyUSB9");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("The hub says bad_code."));
    assert!(pair("K7QM-4TXP", "/dev/ttyUSB9").status.success());
    let calls = hub.state.lock().unwrap().calls;
    let output = pair("K7QM-4TXP", "/dev/ttyUSB8");
    assert!(String::from_utf8_lossy(&output.stderr).contains("is paired here already"));
    assert_eq!(hub.state.lock().unwrap().calls, calls, "the code was not used up");
}

#[test]
fn a_printer_that_is_not_there_shows_as_offline() {
    let (hub, printer) = (Hub::start(), Printer::start(1000));
    let agent = Agent::paired(&hub, &printer);
    drop(printer);
    let _agent = agent.run();
    let status = eventually("a status", || hub.broker.statuses().into_iter().next()).1;
    let StatusBody::Full(status) = status.body else { panic!() };
    assert_ne!(status.state, PrinterState::Idle);
    eventually("offline", || {
        let (_, status) = hub.broker.statuses().pop()?;
        serde_json::to_string(&status).unwrap().contains("There is no port").then_some(())
    });
}
