//! The printer's host of these tests: a stand-in hub, a simulated printer, and the agent as a process, on a disk of its
//! own or not.

use std::path::PathBuf;
use std::process::{Child, Command, Output};

use serde_json::Value;
use stardust_protocol::agent_api::Claim;
use stardust_protocol::{CommandMessage, EventBody, JobState, ProtocolVersion, Timestamp};

use crate::disk::Disk;
use crate::stand_in::eventually;
use crate::stand_in::hub::Hub;
use crate::stand_in::printer::{Printer, agent, commands, fixture};

pub(crate) const FILE: &str = "cura_teapot_ender3_marlin.gcode";

pub(crate) struct Host {
    pub(crate) hub: Hub,
    printer: Printer,
    pub(crate) disk: Option<Disk>,
    folder: tempfile::TempDir,
    pub(crate) process: Option<Child>,
    /// For the agent's process alone.
    pub(crate) environment: Vec<(String, String)>,
}

impl Host {
    /// Paired; its printer is so many times as fast as a real one.
    pub(crate) fn paired(disk: Option<Disk>, speed: u32) -> Self {
        Self::paired_with(disk, speed, &[])
    }

    /// The same; more is asked of its printer.
    pub(crate) fn paired_with(disk: Option<Disk>, speed: u32, more: &[&str]) -> Self {
        let host = Self::around(disk, speed, more);
        let paired = host.pair(&host.hub.url, &[]);
        assert!(paired.status.success(), "{}", String::from_utf8_lossy(&paired.stderr));
        host
    }

    pub(crate) fn unpaired(disk: Option<Disk>, speed: u32) -> Self {
        Self::unpaired_with(disk, speed, &[])
    }

    /// The same; more is asked of its printer.
    pub(crate) fn unpaired_with(disk: Option<Disk>, speed: u32, more: &[&str]) -> Self {
        Self::around(disk, speed, more)
    }

    fn around(disk: Option<Disk>, speed: u32, more: &[&str]) -> Self {
        let speed = speed.to_string();
        let options = ["--speed", &speed, "--advanced-ok"].iter().chain(more).copied().collect::<Vec<_>>();
        Self {
            hub: Hub::start(),
            printer: Printer::start_with(&options),
            disk,
            folder: tempfile::tempdir().unwrap(),
            process: None,
            environment: Vec::new(),
        }
    }

    pub(crate) fn pair(&self, hub: &str, more: &[&str]) -> Output {
        let mut command = self.command();
        command.args(["pair", hub, "K7QM-4TXP", "--name", "Ender left", "--port"]);
        command.arg(self.printer().port()).args(more).output().unwrap()
    }

    /// The agent's data as the test sees them.
    pub(crate) fn data(&self) -> PathBuf {
        self.disk.as_ref().map_or_else(|| self.folder.path().to_owned(), Disk::seen).join("data")
    }

    /// A file of the printer's folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.data().join("printers/ender-left").join(name)
    }

    pub(crate) fn spooled(&self, claim: &Claim) -> PathBuf {
        self.file("spool").join(format!("{}.gcode", claim.sha256))
    }

    /// Where the agent also answers for its status.
    pub(crate) fn runtime(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    pub(crate) fn command(&self) -> Command {
        let program = agent().get_program().to_owned();
        let (mut command, data) = match &self.disk {
            Some(disk) => (disk.command(program.to_str().unwrap()), disk.path().join("data")),
            None => (Command::new(program), self.folder.path().join("data")),
        };
        command.env("STARDUST_AGENT_DATA", data).env("RUNTIME_DIRECTORY", self.runtime());
        command
    }

    pub(crate) fn run(&mut self) {
        let log = self.folder.path().join("log");
        let log = std::fs::File::options().append(true).create(true).open(log).unwrap();
        let mut command = self.command();
        command.arg("run").envs(self.environment.iter().cloned()).stderr(log);
        self.process = Some(command.spawn().unwrap());
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// How often the log says so.
    pub(crate) fn logged(&self, what: &str) -> usize {
        self.log().lines().filter(|line| line.contains(what)).count()
    }

    pub(crate) fn end(&mut self, signal: rustix::process::Signal) {
        let mut process = self.process.take().unwrap();
        rustix::process::kill_process(rustix::process::Pid::from_child(&process), signal).unwrap();
        process.wait().unwrap();
    }

    /// The same, and it does within a time in which anybody would still wait.
    pub(crate) fn ends_when_asked(&mut self, signal: rustix::process::Signal) {
        if let Some(process) = &self.process {
            rustix::process::kill_process(rustix::process::Pid::from_child(process), signal).unwrap();
        }
        self.ended();
    }

    /// How it has ended.
    pub(crate) fn ended(&mut self) -> std::process::ExitStatus {
        eventually("it ends", || self.process.as_mut()?.try_wait().unwrap())
    }

    pub(crate) fn kill(&mut self) {
        self.end(rustix::process::Signal::KILL);
    }

    /// What `status --json` says of the printer.
    pub(crate) fn status(&self) -> Option<Value> {
        let output = self.command().args(["status", "--json"]).output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).ok()?;
        report["printers"].as_array()?.first().cloned()
    }

    pub(crate) fn status_where(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        eventually(what, || self.status().filter(|status| holds(status)))
    }

    /// Waits until the printer's message says so.
    pub(crate) fn says(&self, text: &str) -> String {
        let status = self.status_where(text, |status| message(status).contains(text));
        message(&status).to_owned()
    }

    /// Waits until it says nothing of that any more.
    pub(crate) fn says_no_more(&self, text: &str) {
        self.status_where(&format!("no more: {text}"), |status| !message(status).contains(text));
    }

    /// Waits until the dashboard was sent that message.
    pub(crate) fn dashboard_shows(&self, text: &str) {
        eventually("on the dashboard", || {
            let statuses = self.hub.broker.statuses();
            statuses
                .iter()
                .any(|(_, status)| serde_json::to_string(status).unwrap().contains(text))
                .then_some(())
        });
    }

    pub(crate) fn offer(&self) -> Claim {
        self.hub.offer(&std::fs::read(fixture(FILE)).unwrap())
    }

    /// With an agent at work on a job, in mid-print and hot.
    pub(crate) fn in_mid_print(speed: u32) -> Self {
        let mut host = Self::paired(None, speed);
        host.offer();
        host.run();
        host.wait_for(JobState::Printing);
        host.prints_on();
        assert!(!host.printer().is_cold(), "it would be no test");
        host
    }

    /// The same file in another job.
    pub(crate) fn offer_again(&self, number: u8) -> Claim {
        self.offer_file(number, &std::fs::read(fixture(FILE)).unwrap())
    }

    /// A job that prints this file.
    pub(crate) fn offer_file(&self, number: u8, file: &[u8]) -> Claim {
        let mut claim = self.hub.offer(file);
        claim.job_id = format!("0190a7c2-6f00-7000-8000-0000000010{number:02x}").parse().unwrap();
        claim.claim_id = format!("0190a7c2-6f00-7000-8000-0000000020{number:02x}").parse().unwrap();
        self.hub.state.lock().unwrap().claim = Some(claim.clone());
        claim
    }

    /// Tells the agent that there may be something to ask for.
    pub(crate) fn wake(&self) {
        self.command_it(stardust_protocol::Command::Wake, None);
    }

    pub(crate) fn command_it(&self, command: stardust_protocol::Command, number: Option<u8>) {
        eventually("subscribed", || self.hub.broker.is_subscribed().then_some(()));
        self.hub.broker.send(&commanded(command, number));
    }

    /// A command that waits at the hub for the next agent.
    pub(crate) fn keeps_for_it(&self, command: stardust_protocol::Command, number: u8) {
        self.hub.state.lock().unwrap().commands = vec![commanded(command, Some(number))];
    }

    pub(crate) fn moves(&self) -> Vec<JobState> {
        self.hub.state.lock().unwrap().moves()
    }

    pub(crate) fn wait_for(&self, state: JobState) {
        eventually(state.as_str(), || self.moves().contains(&state).then_some(()));
    }

    /// Why the last job ended, or was paused.
    pub(crate) fn reason(&self) -> String {
        let state = self.hub.state.lock().unwrap();
        let reason = state.events.iter().rev().find_map(|event| match &event.body {
            EventBody::JobMoved { reason, .. } => Some(reason.clone()),
            _ => None,
        });
        reason.flatten().unwrap_or_default()
    }

    /// Waits until the printer's cable, which was pulled, is in again.
    pub(crate) fn plugged_in(&mut self) {
        self.printer.replugged();
    }

    pub(crate) fn printer(&self) -> &Printer {
        &self.printer
    }

    /// How many lines the printer has taken.
    pub(crate) fn printed(&self) -> usize {
        self.printer().journal().len()
    }

    /// All that it has taken. It is switched off then.
    pub(crate) fn printed_to_its_end(&mut self) -> Vec<String> {
        self.printer.end();
        self.printer().journal().into_iter().map(|line| line.cmd).collect()
    }

    /// Waits until it has taken so many more.
    pub(crate) fn prints_on(&self) {
        let before = self.printed();
        eventually("it prints on", || (self.printed() > before + 200).then_some(()));
    }

    /// Waits until the printer's heaters are set to nothing, at the printer.
    pub(crate) fn is_made_safe(&self) {
        eventually("cold", || self.printer().is_cold().then_some(()));
    }

    /// The printer has taken the file to its end so many times, command by command; what else it was sent breaks off,
    /// or moves nothing. It is switched off then.
    pub(crate) fn expect_the_file(&mut self, times: usize) {
        self.printer.end();
        let expected = commands(&fixture(FILE));
        let own = |line: &str| ["M73 P", "M85 S", "M105"].iter().any(|own| line.starts_with(own));
        let mut whole = 0;
        for lines in self.printer().journal().split(|line| line.cmd.starts_with("M110")) {
            let numbered = lines.iter().filter(|line| line.n.is_some() && !own(&line.cmd));
            let mut lines: Vec<String> = numbered.map(|line| line.cmd.clone()).collect();
            // By which the host makes sure of the end, and what it asks once it is idle.
            while lines.last().is_some_and(|line| line == "M27") {
                lines.pop();
            }
            if lines.last().is_some_and(|line| line == "M400") {
                lines.pop();
            }
            if lines == expected {
                whole += 1;
            } else if lines.iter().any(|line| line.starts_with("G1 ")) {
                let differs = lines.iter().zip(&expected).position(|(one, other)| one != other);
                assert!(
                    differs.is_none() && lines.len() < expected.len(),
                    "line {differs:?} of {}",
                    lines.len()
                );
            }
        }
        assert_eq!(whole, times, "of {} lines", expected.len());
    }
}

fn commanded(command: stardust_protocol::Command, number: Option<u8>) -> CommandMessage {
    let id = number.map(|n| format!("0190a7c2-6f00-7000-8000-0000000001{n:02x}").parse().unwrap());
    let (protocol, at) = (ProtocolVersion::CURRENT, Timestamp::from_millis(0));
    CommandMessage { protocol, id, at, expires_at: None, command }
}

/// The printer's message in a status.
pub(crate) fn message(status: &Value) -> &str {
    status["status"]["message"].as_str().unwrap_or_default()
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
        if std::thread::panicking() {
            println!("{}", std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default());
        }
    }
}
