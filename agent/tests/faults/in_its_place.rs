//! Something that is no plain file stands where the agent has a file: a pipe, which gives no byte and no end, and whatever else a name
//! can stand for. Nobody waits there: what was left hot is turned off, the agent says what stands there, and it ends when it is asked to.
//! Read at the printer.

use std::io::Read as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rstest::rstest;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::Signal;
use stardust_protocol::JobState;

use crate::host::Host;
use crate::stand_in::eventually;

/// What stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Thing {
    Pipe,
    Directory,
    Socket,
    /// Of zeros, without an end.
    Device,
    /// Larger than anything the agent would have written, and than what this machine could hold in memory.
    Huge,
}

impl Thing {
    fn stands_at(self, path: &Path) {
        let _ = std::fs::remove_file(path);
        match self {
            Self::Pipe => mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap(),
            Self::Directory => std::fs::create_dir(path).unwrap(),
            Self::Socket => drop(UnixListener::bind(path).unwrap()),
            Self::Device => symlink("/dev/zero", path).unwrap(),
            Self::Huge => std::fs::File::create(path).unwrap().set_len(1 << 40).unwrap(),
        }
    }

    /// What people are told.
    fn in_words(self) -> &'static str {
        match self {
            Self::Pipe => "a named pipe stands there",
            Self::Directory => "a directory stands there",
            Self::Socket => "a socket stands there",
            Self::Device => "a device stands there",
            Self::Huge => "bytes long, far more than",
        }
    }
}

/// A job was at work, its agent is gone, and the heaters are on.
fn left_hot() -> Host {
    let mut host = Host::paired(None, 50);
    host.offer();
    host.run();
    host.wait_for(JobState::Printing);
    eventually("hot", || (!host.printer().is_cold()).then_some(()));
    host.kill();
    assert!(!host.printer().is_cold(), "nobody could turn it off");
    host
}

/// Without which the printer can't be driven.
#[rstest]
fn what_an_agent_can_not_read_is_no_reason_to_wait_or_to_leave_heaters_on(
    #[values("printer.toml", "journal.jsonl", "credential")] file: &str,
    #[values(Thing::Pipe, Thing::Directory, Thing::Socket, Thing::Device, Thing::Huge)] thing: Thing,
) {
    let mut host = left_hot();
    thing.stands_at(&host.file(file));
    host.run();
    host.is_made_safe();
    let said = host.says(thing.in_words());
    assert!(said.contains(file), "{said}");
    host.ends_when_asked(Signal::TERM);
    assert!(host.printer().is_cold(), "{:?}", host.printer().targets());
}

/// The agent's own settings: it ends by itself when nothing is hot any more.
#[rstest]
fn settings_that_are_no_file_are_said_to_be_none_when_the_heaters_are_off(
    #[values(Thing::Pipe, Thing::Directory, Thing::Socket, Thing::Device, Thing::Huge)] thing: Thing,
) {
    let mut host = left_hot();
    let config = host.runtime().join("agent.toml");
    thing.stands_at(&config);
    host.environment.push(("STARDUST_AGENT_CONFIG".into(), config.to_str().unwrap().into()));
    host.run();
    assert_eq!(host.ended().code(), Some(78));
    assert!(host.printer().is_cold(), "{:?}", host.printer().targets());
    assert_eq!(host.logged(thing.in_words()), 1, "{}", host.log());
}

/// The only file in this folder.
fn only_one_in(folder: &Path) -> PathBuf {
    std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path()
}

/// What an agent can do without, or fetch again: whether the print goes on or not, it is there, and leaves nothing hot.
#[rstest]
fn what_an_agent_can_do_without_holds_it_up_as_little(
    #[values("trail", "adapter.toml", "telemetry.jsonl", "spool", "speeds")] file: &str,
    #[values(Thing::Pipe, Thing::Directory, Thing::Device)] thing: Thing,
) {
    let mut host = left_hot();
    let place = match file {
        "spool" => only_one_in(&host.file("spool")),
        "speeds" => only_one_in(&host.data().join("speeds")),
        file => host.file(file),
    };
    thing.stands_at(&place);
    host.run();
    host.status_where("it is there", |status| {
        !["connecting", ""].contains(&status["status"]["state"].as_str().unwrap_or_default())
    });
    host.ends_when_asked(Signal::TERM);
    assert!(host.printer().is_cold(), "{:?}", host.printer().targets());
}

/// Where new ones are written and then take their place.
#[rstest]
fn drafts_of_files_are_written_whatever_stands_there(
    #[values("journal.new", "trail.new", "telemetry.new")] draft: &str,
    #[values(Thing::Pipe, Thing::Socket, Thing::Device)] thing: Thing,
) {
    let mut host = Host::paired(None, 50);
    thing.stands_at(&host.file(draft));
    host.offer();
    host.run();
    host.wait_for(JobState::Printing);
    host.ends_when_asked(Signal::TERM);
    assert!(host.printer().is_cold(), "{:?}", host.printer().targets());
}

/// A person's own file, which is read more than once.
#[rstest]
fn what_is_no_file_is_not_printed(
    #[values(Thing::Pipe, Thing::Directory, Thing::Socket, Thing::Device)] thing: Thing,
) {
    let mut host = Host::unpaired(None, 100);
    let file = host.runtime().join("part.gcode");
    thing.stands_at(&file);
    let mut command = host.command();
    command.arg("print").arg(file).arg("--port").arg(host.printer().port()).stdin(Stdio::null());
    let mut process = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut stderr = process.stderr.take().unwrap();
    // One that waits is ended with the host.
    host.process = Some(process);
    let ended = host.ended();
    let mut said = String::new();
    stderr.read_to_string(&mut said).unwrap();
    assert_eq!(ended.code(), Some(1), "{said}");
    assert!(said.contains(thing.in_words()) && said.contains("part.gcode"), "{said}");
    assert!(host.printer().journal().iter().all(|line| line.cmd.is_empty()), "it heard nothing");
}
