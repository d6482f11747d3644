//! Power fails in mid-print: agent and printer are gone at once, and come back. The running agent, against a stand-in hub,
//! reports where the print was cut off, waits for a person over restarts, and goes on from the layer that is named.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod stand_in;

use std::process::Child;

use stand_in::eventually;
use stand_in::hub::Hub;
use stand_in::printer::{Printer, agent, commands, fixture};
use stardust_protocol::agent_api::Claim;
use stardust_protocol::status::StatusBody;
use stardust_protocol::{
    Command, CommandMessage, CommandOutcome, EventBody, Interruption, JobState, PrinterStatus,
    ProtocolVersion, Timestamp, patch,
};

const FILE: &str = "cura_teapot_ender3_marlin.gcode";

struct Bench {
    hub: Hub,
    claim: Claim,
    printer: Option<Printer>,
    port: std::path::PathBuf,
    kind: &'static str,
    data: tempfile::TempDir,
    agent: Option<Child>,
    commands: u8,
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.kill_agent();
    }
}

impl Bench {
    /// A print whose power fails when it has come to a layer.
    fn cut_off_at(layer: u32) -> Self {
        let mut bench = Self::printing(&std::fs::read(fixture(FILE)).unwrap(), "marlin", layer);
        bench.lose_power();
        bench
    }

    /// A print on a printer of this kind that has come to a layer.
    fn printing(file: &[u8], kind: &'static str, layer: u32) -> Self {
        let hub = Hub::start();
        let claim = hub.offer(file);
        let data = tempfile::tempdir().unwrap();
        let port = data.path().join("port");
        let mut bench = Self { hub, claim, printer: None, port, kind, data, agent: None, commands: 0 };
        bench.start_printer();
        let paired = bench
            .agent()
            .args(["pair", &bench.hub.url, "K7QM-4TXP", "--name", "ender", "--port"])
            .arg(&bench.port)
            .output()
            .unwrap();
        assert!(paired.status.success(), "{}", String::from_utf8_lossy(&paired.stderr));
        bench.start_agent();
        eventually("the layer", || (bench.layer()? >= layer).then_some(()));
        bench
    }

    fn agent(&self) -> std::process::Command {
        let mut command = agent();
        command.env("STARDUST_AGENT_DATA", self.data.path());
        command
    }

    fn start_agent(&mut self) {
        self.agent = Some(self.agent().arg("run").spawn().unwrap());
    }

    fn kill_agent(&mut self) {
        if let Some(mut process) = self.agent.take() {
            process.kill().unwrap();
            process.wait().unwrap();
            // The next one is another connection.
            self.hub.broker.cut();
        }
    }

    /// Both are gone at once and come back.
    fn lose_power(&mut self) {
        self.kill_agent();
        self.printer = None;
        self.start_printer();
        self.start_agent();
    }

    fn start_printer(&mut self) {
        let folder = tempfile::tempdir().unwrap();
        let options = ["--speed", "60", "--profile", self.kind];
        self.printer = Some(Printer::start_at(&self.port, folder, &options));
    }

    /// The layer that the last status tells.
    fn layer(&self) -> Option<u32> {
        self.status()?.job?.layer
    }

    /// As the hub would have it.
    fn status(&self) -> Option<PrinterStatus> {
        let mut twin = serde_json::Value::Null;
        for (_, status) in self.hub.broker.statuses() {
            match status.body {
                StatusBody::Full(full) => twin = serde_json::to_value(full).unwrap(),
                StatusBody::Delta(delta) => patch::apply(&mut twin, &delta),
            }
        }
        serde_json::from_value(twin).ok()
    }

    /// What people are told.
    fn interruption(&self, is_told: impl Fn(&Interruption) -> bool) -> Interruption {
        eventually("interruption", || self.status()?.interruption.filter(&is_told))
    }

    fn moves(&self) -> Vec<JobState> {
        self.hub.state.lock().unwrap().moves()
    }

    fn wait_for(&self, states: &[JobState]) {
        eventually(&format!("{states:?}"), || self.moves().ends_with(states).then_some(()));
    }

    /// Gives a command as the hub does, and waits for what becomes of it.
    fn order(&mut self, command: Command) -> CommandOutcome {
        self.commands += 1;
        eventually("subscribed", || self.hub.broker.is_subscribed().then_some(()));
        let id = format!("0190a7c2-6f00-7000-8000-0000000001{:02x}", self.commands).parse().unwrap();
        let message = CommandMessage {
            protocol: ProtocolVersion::CURRENT,
            id: Some(id),
            at: Timestamp::from_millis(0),
            expires_at: None,
            command,
        };
        self.hub.broker.send(&message);
        eventually("the outcome", || {
            let state = self.hub.state.lock().unwrap();
            state.events.iter().find_map(|event| match &event.body {
                EventBody::CommandAnswered { command_id, outcome } if *command_id == id => {
                    Some(outcome.clone())
                }
                _ => None,
            })
        })
    }

    /// What the printer has taken since it has its power back.
    fn taken(&self) -> Vec<String> {
        let printer = self.printer.as_ref().unwrap();
        printer.journal().into_iter().map(|line| line.cmd).collect()
    }

    fn reason(&self) -> String {
        let state = self.hub.state.lock().unwrap();
        let reason = |event: &stardust_protocol::AgentEvent| match &event.body {
            EventBody::JobMoved { reason, .. } => reason.clone(),
            _ => None,
        };
        state.events.iter().rev().find_map(reason).unwrap()
    }
}

/// Numbered commands that move.
fn moves(lines: &[String]) -> bool {
    lines
        .iter()
        .any(|line| ["G0", "G1", "G28", "M84"].iter().any(|code| line.split(' ').next() == Some(code)))
}

#[test]
fn after_a_loss_of_power_the_print_waits_for_a_person_and_goes_on_from_the_layer_that_is_named() {
    let mut bench = Bench::cut_off_at(3);
    bench.wait_for(&[JobState::Printing, JobState::Paused]);
    assert!(bench.reason().contains("lost its power or was reset"), "{}", bench.reason());
    let told = bench.interruption(|told| !told.layers.is_empty());
    let layer = told.layer.unwrap();
    assert!(layer >= 3 && told.height_mm.is_some() && told.refusal.is_none(), "{told:?}");
    assert!(told.layers.iter().any(|start| start.layer == layer));

    // It waits over another restart, too, and nothing has moved.
    bench.kill_agent();
    bench.start_agent();
    let job_id = bench.claim.job_id;
    let plain = bench.order(Command::Resume { job_id });
    assert!(
        matches!(&plain, CommandOutcome::Refused { reason } if reason.contains("which layer")),
        "{plain:?}"
    );
    let beyond = eventually("the layers are known", || {
        match bench.order(Command::ResumeFrom { job_id, layer: 9999 }) {
            CommandOutcome::Refused { reason } => reason.contains("layer 9999").then_some(reason),
            other => panic!("{other:?}"),
        }
    });
    assert!(beyond.contains("choose one of those"), "{beyond}");
    let log = bench.printer.as_ref().unwrap().journal();
    assert!(
        !moves(&log.iter().map(|line| line.cmd.clone()).collect::<Vec<_>>()),
        "nothing may move by itself"
    );

    assert_eq!(bench.order(Command::ResumeFrom { job_id, layer }), CommandOutcome::Done);
    bench.wait_for(&[JobState::Paused, JobState::Resuming, JobState::Printing, JobState::AwaitingRemoval]);
    assert_eq!(bench.hub.state.lock().unwrap().started, 1, "it is the same start of the same job");

    let file = std::fs::read_to_string(fixture(FILE)).unwrap();
    let marker = format!(";LAYER:{}\n", layer - 1);
    let rest = tempfile::NamedTempFile::new().unwrap();
    // What comes before its first extrusion is at the height of the layer below: that one is left out.
    let of_layer = &file[file.find(&marker).unwrap()..];
    let extrudes = |line: &&str| line.starts_with("G1 ") && line.contains(" X") && line.contains(" E");
    let first = of_layer.lines().find(extrudes).unwrap();
    std::fs::write(rest.path(), &of_layer[of_layer.find(first).unwrap()..]).unwrap();
    let rest = commands(rest.path());
    let printed = bench.printer.take().unwrap().last_job();
    let printed: Vec<String> = printed.into_iter().filter(|line| line != "M105").collect();
    let at = printed.len() - rest.len();
    assert!(printed[at..] == rest, "from the layer on it is the file, exactly");
    assert!(printed[..at].contains(&"G28 X Y".to_owned()), "{:?}", &printed[..at]);
    assert!(!printed[..at].iter().any(|line| line == "G28"), "{:?}", &printed[..at]);
}

#[test]
fn after_a_loss_of_power_the_print_may_be_given_up() {
    let mut bench = Bench::cut_off_at(2);
    bench.wait_for(&[JobState::Printing, JobState::Paused]);
    let job_id = bench.claim.job_id;
    assert_eq!(bench.order(Command::Cancel { job_id }), CommandOutcome::Done);
    bench.wait_for(&[JobState::Paused, JobState::Failed]);
    assert!(bench.reason().ends_with("It was given up."), "{}", bench.reason());
    assert!(bench.printer.as_ref().unwrap().is_cold(), "it was switched off, and nobody has heated it");
    assert!(!moves(&bench.taken()), "{:?}", bench.taken());
}

/// The way back heats before anything else.
#[test]
fn a_print_that_is_given_up_on_its_way_back_leaves_no_heat() {
    let mut bench = Bench::cut_off_at(2);
    bench.wait_for(&[JobState::Printing, JobState::Paused]);
    let layer = bench.interruption(|told| !told.layers.is_empty()).layer.unwrap();
    let job_id = bench.claim.job_id;
    assert_eq!(bench.order(Command::ResumeFrom { job_id, layer }), CommandOutcome::Done);
    eventually("it heats", || (!bench.printer.as_ref().unwrap().is_cold()).then_some(()));
    assert_eq!(bench.order(Command::Cancel { job_id }), CommandOutcome::Done);
    eventually("over", || bench.moves().last().filter(|state| state.is_final()).copied());
    eventually("cold", || bench.printer.as_ref().unwrap().is_cold().then_some(()));
}

/// The pause has lifted the nozzle: that is the height that people are told, and that the printer is.
#[test]
fn after_a_loss_of_power_in_a_pause_the_printer_is_told_the_height_that_people_are() {
    let mut bench = Bench::printing(&std::fs::read(fixture(FILE)).unwrap(), "marlin", 2);
    let job_id = bench.claim.job_id;
    assert_eq!(bench.order(Command::Pause { job_id }), CommandOutcome::Done);
    bench.wait_for(&[JobState::Pausing, JobState::Paused]);
    bench.lose_power();
    // It is paused already: why is told all the same.
    bench.wait_for(&[JobState::Pausing, JobState::Paused, JobState::Paused]);
    assert!(bench.reason().contains("the pause has left the nozzle"), "{}", bench.reason());
    let told = bench.interruption(|told| !told.layers.is_empty());
    let (height, start) = (told.height_mm.unwrap(), told.layers[0]);
    assert!(told.parked && told.layers.len() == 1 && Some(start.layer) == told.layer, "{told:?}");
    assert!(height > start.height_mm + 4.0, "{told:?}");
    assert_eq!(bench.order(Command::ResumeFrom { job_id, layer: start.layer }), CommandOutcome::Done);
    let declared =
        eventually("the height", || bench.taken().into_iter().find(|line| line.starts_with("G92 Z")));
    assert_eq!(declared, format!("G92 Z{height:.3}"));
    assert_eq!(bench.order(Command::Cancel { job_id }), CommandOutcome::Done);
}

/// As PrusaSlicer's files for a MK3S do: they measure the bed, which the printer forgets with its power.
#[test]
fn a_print_that_can_go_on_from_no_layer_says_so_at_once() {
    let file = std::fs::read_to_string(fixture(FILE)).unwrap();
    let file = file.replacen("\nG28 ;Home\n", "\nG28 ;Home\nG80 ; mesh bed leveling\n", 1);
    let line = 1 + file.lines().position(|line| line.starts_with("G80")).unwrap();
    let mut bench = Bench::printing(file.as_bytes(), "prusa", 3);
    bench.lose_power();
    bench.wait_for(&[JobState::Printing, JobState::Paused]);
    let told = bench.interruption(|told| told.refusal.is_some() || !told.layers.is_empty());
    let refusal = told.refusal.clone().unwrap_or_default();
    assert!(told.layers.is_empty() && refusal.contains(&format!("“G80” in line {line} ")), "{told:?}");
    assert!(refusal.contains("Give it up") && !refusal.contains("nother one"), "{refusal}");
    let job_id = bench.claim.job_id;
    let outcome = bench.order(Command::ResumeFrom { job_id, layer: told.layer.unwrap() });
    assert!(matches!(&outcome, CommandOutcome::Refused { reason } if *reason == refusal), "{outcome:?}");
    assert_eq!(bench.order(Command::Cancel { job_id }), CommandOutcome::Done);
    bench.wait_for(&[JobState::Paused, JobState::Failed]);
}
