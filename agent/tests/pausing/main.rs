//! A print that was paused goes on as if it had not been: at 1,100 random places of real files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod by_profile;
#[path = "../faults/disk.rs"]
#[allow(dead_code, clippy::print_stdout, reason = "no disk of their own here")]
mod disk;
#[path = "../faults/host.rs"]
#[allow(dead_code, clippy::print_stdout, reason = "of the faults")]
mod host;
mod machine_model;
#[path = "../stand_in/mod.rs"]
mod stand_in;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use firmware_sim::firmware::{Config, Firmware};
use machine_model::Machine;
use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};
use rstest::rstest;
use stardust_agent::print_job::file_source::FileSource;
use stardust_agent::serial::{CommandSource, Host, HostEvent, JobEvent, Parking};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/gcode").join(name)
}

fn commands(file: &Path) -> Vec<String> {
    let mut source = FileSource::open(file).unwrap();
    let mut commands = Vec::new();
    while let Some(fed) = source.next_command().unwrap() {
        commands.push(fed.command.text().to_owned());
    }
    commands
}

/// A print on a perfect line; what was accepted, and between which commands it was paused.
struct Print {
    host: Host,
    printer: Firmware,
    now: Duration,
    accepted: Vec<String>,
    events: Vec<JobEvent>,
}

impl Print {
    fn start(file: &Path) -> Self {
        let config = Config { tools: 5, travel_mm: [250.0; 3], ..Config::default() };
        let mut print = Self {
            host: Host::new(Duration::ZERO, Parking::default()),
            printer: Firmware::new(config),
            now: Duration::ZERO,
            accepted: Vec::new(),
            events: Vec::new(),
        };
        while !print.host.is_ready() {
            print.exchange();
        }
        print.accepted.clear();
        assert!(print.host.start(print.now, Box::new(FileSource::open(file).unwrap())));
        print
    }

    fn exchange(&mut self) {
        let output = self.host.take_output();
        let quiet = output.is_empty();
        self.printer.receive(self.now, &output);
        let answers = std::mem::take(self.printer.output());
        if quiet && answers.is_empty() {
            let due = [self.printer.next_deadline(), self.host.deadline()].into_iter().flatten().min();
            self.now = due.unwrap().max(self.now);
            self.printer.advance(self.now);
        }
        for accepted in self.printer.take_accepted() {
            // The dead-man changes nothing of what a pause has to bring back.
            let code = accepted.text.split(' ').next().unwrap_or_default();
            let aside = ["M110", "M85"].contains(&code);
            if accepted.number.is_some() && !aside {
                self.accepted.push(accepted.text);
            }
        }
        if answers.is_empty() {
            self.host.tick(self.now);
        } else {
            self.host.receive(self.now, &answers);
        }
        self.gather_events();
    }

    fn gather_events(&mut self) {
        while let Some(event) = self.host.next_event() {
            if let HostEvent::Job(event) = event {
                self.events.push(event);
            }
        }
    }

    /// False when the job ended before.
    fn run_until(&mut self, done: impl Fn(&Self) -> bool) -> bool {
        while !done(self) {
            if self.host.progress().is_none() {
                return false;
            }
            self.exchange();
        }
        true
    }
}

#[rstest]
#[case("cura_teapot_ender3_marlin.gcode", 450)]
#[case("ps_teapot_ender3_thumbs_mix.gcode", 450)]
#[case("ps_mmu_5tool_mk3s.gcode", 200)]
fn a_paused_print_goes_on_as_if_it_had_not_been(#[case] name: &str, #[case] pauses: usize) {
    let file = fixture(name);
    let commands = commands(&file);
    let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut places = BTreeSet::new();
    while places.len() < (2 * pauses).min(commands.len() / 2) {
        places.insert(rng.random_range(0..commands.len() - 1));
    }

    // The uninterrupted print is the file itself.
    let mut machine = Machine::new();
    let mut before = Vec::with_capacity(commands.len() + 1);
    for command in &commands {
        before.push(machine.clone());
        machine.carry_out(command);
    }
    before.push(machine);

    let mut print = Print::start(&file);
    let mut machine = Machine::new();
    // How many of the file's commands were accepted, and of all.
    let (mut of_file, mut seen) = (0, 0);
    let mut paused = 0;
    let mut led_out = false;
    for place in places {
        // Some places are too near to the one before: its lines in flight lie behind it.
        if place < of_file || paused == pauses {
            continue;
        }
        let until = seen + (place - of_file);
        if !print.run_until(|print| print.accepted.len() >= until) {
            break;
        }
        print.host.pause(print.now);
        print.gather_events();
        let is_paused = |print: &Print| print.events.last() == Some(&JobEvent::Paused);
        if !print.run_until(is_paused) {
            break;
        }
        paused += 1;
        print.host.resume(print.now);
        print.gather_events();
        print.run_until(|print| print.events.last() == Some(&JobEvent::Resumed));
        // What of the file had been sent before the pause; the rest is the host's way there and back.
        while of_file < commands.len() && print.accepted.get(seen) == Some(&commands[of_file]) {
            machine.carry_out(&commands[of_file]);
            of_file += 1;
            seen += 1;
        }
        // Where a file leads beyond the machine's least place the simulator stops at its end, and says so.
        led_out |= machine.at.iter().take(3).any(|at| *at < 0);
        assert!(
            print.host.remark().is_none() || led_out,
            "the firmware stands elsewhere after {:?}",
            commands.get(of_file)
        );
        assert_eq!(
            print.accepted.get(seen).map(String::as_str),
            Some("M400"),
            "after {:?}",
            commands.get(of_file)
        );
        for own in &print.accepted[seen..] {
            machine.carry_out(own);
        }
        // `Resumed` is told when the first lines of the file have been sent again: they are not accepted yet.
        seen = print.accepted.len();
        assert!(
            machine.equals(&before[of_file]),
            "before command {of_file} `{}`\n{machine:?}\n{:?}",
            commands[of_file],
            before[of_file]
        );
    }
    assert!(print.run_until(|_| false) || print.events.last() == Some(&JobEvent::Completed));
    // The host makes sure of the end by two commands of its own.
    let rest: Vec<&str> = commands[of_file..].iter().map(String::as_str).chain(["M400", "M105"]).collect();
    assert_eq!(&print.accepted[seen..], rest, "and the rest of it is printed");
    assert_eq!(paused, pauses);
}
