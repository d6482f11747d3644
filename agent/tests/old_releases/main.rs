//! What earlier releases have left on a printer's host is understood by this one: their trail, journal, settings, credential
//! and spool, as they were when that release's agent was killed in mid-print. This one goes on with the print.
//!
//! A folder for each release: `<printer>/` as it stood in the agent's data, and `printed.jsonl`, the journal of the simulated
//! printer at that moment, from which a printer of today is brought to the same state. CONTRIBUTING tells how one is made.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "tests"
)]

#[path = "../stand_in/mod.rs"]
mod stand_in;

use std::fs::{File, read_dir, read_to_string};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::Child;

use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use serde_json::Value;
use sha2::{Digest, Sha256};
use stand_in::eventually;
use stand_in::hub::Hub;
use stand_in::printer::{Printer, agent, commands, hash};
use stardust_protocol::JobState;

struct Agent(Child);

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn folders(of: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<_> =
        read_dir(of).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn releases() -> Vec<PathBuf> {
    folders(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/old_releases"))
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Says to a printer what the one of that time has taken.
fn replay(port: &Path, printed: &Path) {
    let mut wire = File::options().read(true).write(true).open(port).unwrap();
    let mut raw = tcgetattr(&wire).unwrap();
    raw.make_raw();
    tcsetattr(&wire, OptionalActions::Now, &raw).unwrap();
    let mut answers = BufReader::new(wire.try_clone().unwrap()).lines();
    for line in read_to_string(printed).unwrap().lines() {
        let taken: Value = serde_json::from_str(line).unwrap();
        let Some(command) = taken["cmd"].as_str() else { continue };
        let line = match taken["n"].as_u64() {
            None => command.to_owned(),
            Some(number) => {
                let text = format!("N{number} {command}");
                let sum = text.bytes().fold(0, |sum, byte| sum ^ byte);
                format!("{text}*{sum}")
            }
        };
        writeln!(wire, "{line}").unwrap();
        assert!(answers.any(|answer| answer.unwrap().starts_with("ok")), "the printer is gone");
    }
}

/// A run of some other machine: that of the fixture may be this one's, where machines are copies of each other.
const ANOTHER_RUN: &str = "00000000-0000-4000-8000-000000000000";

/// The trail's head tells in which run of the machine it began: let that be `run`.
fn began_in(trail: &Path, run: &str) {
    const PREFIX: usize = 56;
    let mut bytes = std::fs::read(trail).unwrap();
    let length = usize::try_from(u64::from_le_bytes(bytes[16..24].try_into().unwrap())).unwrap();
    let mut head: Value = serde_json::from_slice(&bytes[PREFIX..PREFIX + length]).unwrap();
    head["boot"] = run.into();
    let head = serde_json::to_vec(&head).unwrap();
    assert_eq!(head.len(), length);
    bytes[PREFIX..PREFIX + length].copy_from_slice(&head);
    let sum = Sha256::new().chain_update(&bytes[8..16]).chain_update(&head).finalize();
    bytes[24..PREFIX].copy_from_slice(&sum);
    std::fs::write(trail, bytes).unwrap();
}

/// What is left of a print.
struct Left {
    printer: Printer,
    hub: Hub,
    /// The file as it was sent.
    file: Vec<String>,
    _agent: Agent,
    _data: tempfile::TempDir,
}

/// Starts this release's agent where another one has left off.
fn start(release: &Path, run: &str) -> Left {
    let [left] = &folders(release)[..] else { panic!("one printer in {}", release.display()) };
    let data = tempfile::tempdir().unwrap();
    let ours = data.path().join("printers").join(left.file_name().unwrap());
    copy(left, &ours);
    began_in(&ours.join("trail"), run);

    let printer = Printer::start(100);
    replay(&printer.port(), &release.join("printed.jsonl"));

    let hub = Hub::start();
    let settings = read_to_string(ours.join("printer.toml")).unwrap();
    let value = |name: &str| {
        let line = settings.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = ")).unwrap();
        line.trim_matches('"').to_owned()
    };
    let here =
        settings.replace(&value("hub"), &hub.url).replace(&value("port"), printer.port().to_str().unwrap());
    std::fs::write(ours.join("printer.toml"), here).unwrap();
    {
        let mut state = hub.state.lock().unwrap();
        state.printer = Some(value("printer_id").leak());
        state.token = Some(read_to_string(ours.join("credential")).unwrap().trim().to_owned().leak());
        // What this release had told it.
        for line in read_to_string(ours.join("journal.jsonl")).unwrap().lines() {
            let mut record: Value = serde_json::from_str(line).unwrap();
            if record["record"] == "event" {
                record.as_object_mut().unwrap().remove("record");
                state.events.push(serde_json::from_value(record).unwrap());
            }
        }
    }

    let mut command = agent();
    let agent = Agent(command.arg("run").env("STARDUST_AGENT_DATA", data.path()).spawn().unwrap());
    let spool = read_dir(left.join("spool")).unwrap().map(|file| file.unwrap().path()).collect::<Vec<_>>();
    let [file] = &spool[..] else { panic!("one file") };
    Left { printer, hub, file: commands(file), _agent: agent, _data: data }
}

impl Left {
    fn moved_to(&self, wanted: JobState) -> Vec<JobState> {
        eventually("the job's state", || {
            let moves = self.hub.state.lock().unwrap().moves();
            let is_over = moves.last().is_some_and(|state| state.is_final() || *state == wanted);
            is_over.then_some(moves)
        })
    }

    fn printed(self) -> Vec<String> {
        let mut printed = self.printer.last_job();
        printed.retain(|line| line != "M105");
        printed
    }
}

#[test]
fn a_print_of_an_earlier_release_is_gone_on_with() {
    assert!(!releases().is_empty());
    let run = read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    for release in releases() {
        println!("{}", release.display());
        let left = start(&release, run.trim());
        let expected = [JobState::Transferring, JobState::Printing, JobState::AwaitingRemoval];
        assert_eq!(left.moved_to(JobState::AwaitingRemoval), expected);
        assert_eq!(left.hub.state.lock().unwrap().started, 0, "it had leave already");
        let file = left.file.clone();
        let printed = left.printed();
        let differs = printed.iter().zip(&file).position(|(one, other)| one != other);
        let (whole, behind) = printed.split_at(file.len().min(printed.len()));
        assert_eq!(hash(whole), hash(&file), "{} of {} lines, at {differs:?}", printed.len(), file.len());
        // What it has heated that release has not written down: all that there may be is turned off in the end.
        let cold = ["M400", "M104 S0", "M140 S0", "M141 S0", "M107", "M84"];
        assert!(behind.iter().all(|line| cold.contains(&line.as_str())), "{behind:?}");
    }
}

/// Its last lines may have been lost with the memory of the machine.
#[test]
fn a_print_of_an_earlier_release_waits_for_a_person_after_a_loss_of_power() {
    for release in releases() {
        println!("{}", release.display());
        let left = start(&release, ANOTHER_RUN);
        let expected = [JobState::Transferring, JobState::Printing, JobState::Paused];
        assert_eq!(left.moved_to(JobState::Paused), expected);
        eventually("its heaters are off", || left.printer.is_cold().then_some(()));
        // Since this process has set its own numbers.
        let sent = left.printed();
        assert!(!sent.iter().any(|line| line.starts_with('G')), "nothing is moved: {sent:?}");
    }
}
