//! The hub asks for it, in mid-print, before the print, with no job and with no port; by MQTT and by a look.

use std::ffi::OsString;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::Child;
use std::sync::{Arc, Mutex};

use rstest::rstest;
use rustix::process::{Pid, Signal, kill_process};
use stardust_protocol::status::StatusBody;
use stardust_protocol::{
    Command, CommandMessage, CommandOutcome, EventBody, JobState, ProtocolVersion, StopReach, Timestamp,
};

use crate::halts;
use crate::stand_in::broker::Broker;
use crate::stand_in::eventually;
use crate::stand_in::hub::Hub;
use crate::stand_in::printer::{Printer, agent};
use crate::tls_front::{TlsFront, file};

pub(crate) struct Bench {
    hub: Hub,
    pub(crate) wire: PathBuf,
    pub(crate) port: PathBuf,
    pub(crate) printer: Option<Printer>,
    pub(crate) process: Child,
    /// What the service manager was told.
    told: Arc<Mutex<Vec<String>>>,
    folder: tempfile::TempDir,
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Bench {
    pub(crate) fn start(options: &[&str], job: Option<&str>) -> Self {
        let bench =
            Self::paired(options, job, |hub| (hub.url.clone(), vec!["--baud".into(), "115200".into()]));
        eventually("subscribed", || bench.hub.broker.is_subscribed().then_some(()));
        bench
    }

    /// `way`: at which address the hub is paired with, and what more is said then.
    pub(crate) fn paired(
        options: &[&str],
        job: Option<&str>,
        way: impl FnOnce(&Hub) -> (String, Vec<OsString>),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (wire, port) = (folder.path().join("wire"), folder.path().join("port"));
        let printer = switch_on(&port, &wire, options);
        let hub = Hub::start();
        if let Some(job) = job {
            hub.offer(job.as_bytes());
        }
        let (url, more) = way(&hub);
        let mut pair = agent();
        pair.env("STARDUST_AGENT_DATA", folder.path().join("data"));
        pair.args(["pair", &url, "K7QM-4TXP", "--name", "x", "--no-check", "--port"]).arg(&port).args(more);
        assert!(pair.output().unwrap().status.success());
        let told = told_at(&UnixDatagram::bind(folder.path().join("notify")).unwrap());
        let process = run(&folder);
        Self { hub, wire, port, printer: Some(printer), process, told, folder }
    }

    /// The printer's folder.
    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().join("data/printers/x")
    }

    pub(crate) fn broker(&self) -> &Broker {
        &self.hub.broker
    }

    pub(crate) fn stop(&self, number: u8) -> CommandMessage {
        CommandMessage {
            protocol: ProtocolVersion::CURRENT,
            id: Some(format!("0190a7c2-6f00-7000-8000-0000000001{number:02x}").parse().unwrap()),
            at: Timestamp::from_millis(0),
            // Long ago, by any clock: a stop is never too late.
            expires_at: Some(Timestamp::from_millis(1)),
            command: Command::EmergencyStop,
        }
    }

    /// What was answered to each: a look that was under way meanwhile finds a command again, and gets the same answer again.
    fn answers(&self) -> Vec<CommandOutcome> {
        let state = self.hub.state.lock().unwrap();
        let mut answers = Vec::new();
        for event in &state.events {
            if let EventBody::CommandAnswered { command_id, outcome } = &event.body {
                let answer = (*command_id, outcome.clone());
                answers.extend(Some(answer.clone()).filter(|_| !answers.contains(&answer)));
            }
        }
        answers.into_iter().map(|(_, outcome)| outcome).collect()
    }

    pub(crate) fn live(&self) -> Vec<StopReach> {
        let reach = |(_, message): &(String, stardust_protocol::StatusMessage)| match &message.body {
            StatusBody::Full(status) => status.emergency_stop.map(|stop| stop.reach),
            StatusBody::Delta(_) => None,
        };
        self.hub.broker.statuses().iter().filter_map(reach).collect()
    }
}

fn run(folder: &tempfile::TempDir) -> Child {
    let mut run = agent();
    run.env("STARDUST_AGENT_DATA", folder.path().join("data"));
    run.env("NOTIFY_SOCKET", folder.path().join("notify")).arg("run").spawn().unwrap()
}

/// All of it is read at once: who tells it would wait for a queue that is full.
fn told_at(socket: &UnixDatagram) -> Arc<Mutex<Vec<String>>> {
    let told = Arc::<Mutex<Vec<String>>>::default();
    let (all, socket) = (Arc::clone(&told), socket.try_clone().unwrap());
    std::thread::spawn(move || {
        let mut message = [0; 4096];
        while let Ok(size) = socket.recv(&mut message) {
            all.lock().unwrap().push(String::from_utf8_lossy(&message[..size]).into_owned());
        }
    });
    told
}

fn switch_on(port: &std::path::Path, wire: &std::path::Path, options: &[&str]) -> Printer {
    let mut all = vec!["--wire", wire.to_str().unwrap(), "--resets-by-dtr"];
    all.extend(options);
    Printer::start_at(port, tempfile::tempdir().unwrap(), &all)
}

pub(crate) const HEATS: &str = "G28\nM190 S100\nM109 S250\nG1 X10\n";

#[rstest]
#[case::acts_at_once(&[], StopReach::Sent)]
#[case::without_emergency_parser(&["--no-emergency-parser"], StopReach::SentAndReset)]
fn in_mid_print(#[case] options: &[&str], #[case] reach: StopReach) {
    let bench = Bench::start(options, Some(HEATS));
    let printer = bench.printer.as_ref().unwrap();
    eventually("it heats", || {
        printer.journal().iter().any(|line| line.cmd.starts_with("M190")).then_some(())
    });
    let stop = bench.stop(1);
    bench.hub.broker.send(&stop);
    bench.hub.broker.send(&stop);
    eventually("it is answered", || (!bench.answers().is_empty()).then_some(()));
    assert_eq!(halts(&bench.wire), 1, "it is on the wire when it is answered, and once");
    assert_eq!(bench.answers(), [CommandOutcome::Done]);
    if reach == StopReach::SentAndReset {
        let wire = std::fs::read_to_string(&bench.wire).unwrap();
        let fell = eventually("DTR falls", || std::fs::read_to_string(&bench.wire).unwrap().find("<DTR>"));
        assert!(wire.find("\nM112\n").unwrap() < fell, "{wire}");
        // The board has started anew, so its heaters are off.
        eventually("it boots", || (printer.boots() == 2).then_some(()));
    }
    eventually("live, too", || (bench.live().last() == Some(&reach)).then_some(()));
    eventually("the job has failed", || {
        bench.hub.state.lock().unwrap().moves().contains(&JobState::Failed).then_some(())
    });
    let state = bench.hub.state.lock().unwrap();
    let reason = state.events.iter().find_map(|event| match &event.body {
        EventBody::JobMoved { state: JobState::Failed, reason, .. } => reason.clone(),
        _ => None,
    });
    assert!(reason.unwrap().starts_with("Stopped at once from the hub (M112)."));
}

#[test]
fn with_no_job_and_by_a_look_alone() {
    let bench = Bench::start(&[], None);
    bench.hub.state.lock().unwrap().commands = vec![bench.stop(1)];
    bench.hub.broker.send(&CommandMessage { id: None, command: Command::Wake, ..bench.stop(0) });
    eventually("it is answered", || (bench.answers() == [CommandOutcome::Done]).then_some(()));
    assert_eq!(halts(&bench.wire), 1);
}

/// No MQTT, because the token would go in clear: the hub has somebody waiting all the same.
#[test]
fn behind_https_it_needs_no_look() {
    let mut front = None;
    let bench = Bench::paired(&[], None, |hub| {
        let url = front.insert(TlsFront::before(hub, "good")).url.clone();
        (url, vec!["--hub-ca".into(), file("one.pem").into()])
    });
    // In no list that a look would find.
    bench.hub.state.lock().unwrap().said = vec![bench.stop(1)];
    eventually("it is answered", || (bench.answers() == [CommandOutcome::Done]).then_some(()));
    assert_eq!(halts(&bench.wire), 1);
    assert_eq!(bench.hub.broker.login(), None, "the token went nowhere in clear");
}

#[test]
fn with_the_printer_away_it_is_told_first_when_it_is_back() {
    let mut bench = Bench::start(&[], None);
    bench.printer = None;
    eventually("the port is gone", || {
        let text =
            bench.hub.broker.statuses().last().map(|(_, message)| serde_json::to_string(message).unwrap());
        text?.contains("offline").then_some(())
    });
    std::fs::remove_file(&bench.wire).unwrap();
    bench.hub.broker.send(&bench.stop(1));
    eventually("it says that it waits", || {
        (bench.live().last() == Some(&StopReach::PortClosed)).then_some(())
    });
    assert_eq!(bench.answers(), []);
    bench.printer = Some(switch_on(&bench.port, &bench.wire, &[]));
    eventually("it is answered", || (bench.answers() == [CommandOutcome::Done]).then_some(()));
    let wire = std::fs::read_to_string(&bench.wire).unwrap();
    assert!(wire.starts_with("\nM112\n"), "{wire:?}");
    assert!(bench.folder.path().exists());
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum By {
    Mqtt,
    /// It was not told, but that there is something to look for.
    Look,
}

/// Firmware that waits for a heater keeps the agent for a quarter of an hour: the hub is heard all the while.
#[rstest]
fn while_the_agent_ends_and_waits_for_the_heater(#[values(By::Mqtt, By::Look)] by: By) {
    let mut bench = Bench::start(&["--no-emergency-parser"], Some(HEATS));
    let printer = bench.printer.as_ref().unwrap();
    eventually("it heats", || {
        printer.journal().iter().any(|line| line.cmd.starts_with("M190")).then_some(())
    });
    kill_process(Pid::from_child(&bench.process), Signal::TERM).unwrap();
    eventually("it waits for its printer", || {
        let told = bench.told.lock().unwrap();
        told.iter().any(|message| message.contains("EXTEND_TIMEOUT_USEC")).then_some(())
    });
    let stop = bench.stop(1);
    if by == By::Look {
        bench.hub.state.lock().unwrap().commands = vec![stop];
        bench.hub.broker.send(&CommandMessage { id: None, command: Command::Wake, ..bench.stop(0) });
    } else {
        bench.hub.broker.send(&stop);
    }
    eventually("it is answered", || (bench.answers() == [CommandOutcome::Done]).then_some(()));
    assert_eq!(bench.process.try_wait().unwrap(), None, "while the process lives");
    eventually("live, too", || (bench.live().last() == Some(&StopReach::SentAndReset)).then_some(()));
    eventually("it ends", || bench.process.try_wait().unwrap());
    assert_eq!(halts(&bench.wire), 1);
    assert!(bench.printer.as_ref().unwrap().is_cold());
}

/// The clean stop has to wait for the heater there; who asks once more does not.
#[test]
fn the_second_signal_to_the_agent_halts_what_is_not_stopped_yet() {
    let mut bench = Bench::start(&["--no-emergency-parser"], Some(HEATS));
    let printer = bench.printer.as_ref().unwrap();
    eventually("it heats", || {
        printer.journal().iter().any(|line| line.cmd.starts_with("M190")).then_some(())
    });
    eventually("it ends", || {
        kill_process(Pid::from_child(&bench.process), Signal::TERM).unwrap();
        bench.process.try_wait().unwrap()
    });
    eventually("M112", || (halts(&bench.wire) > 0).then_some(()));
}
