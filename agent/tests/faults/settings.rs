//! Settings that can't be understood when the agent is started anew in mid-print: it can't work, and does not leave heat behind.

use std::os::unix::net::UnixDatagram;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};

use rstest::rstest;
use rustix::process::{Pid, Signal, kill_process};
use stardust_protocol::JobState;

use crate::heat::preheated_machine;
use crate::host::Host;
use crate::machine::Machine;
use crate::stand_in::eventually;

/// The status at which the service is not started again (the unit names it).
const SETTINGS_ARE_WRONG: i32 = 78;

/// How the agent is told where its data are; each time with a mistake beside it.
#[derive(Debug, Clone, Copy)]
enum Mistake {
    /// In the configuration; the environment says where the data are.
    Configuration,
    /// In the configuration, which alone says where the data are; this one more line.
    ConfigurationWithData(&'static str),
    /// A variable of this name, with something that can't be.
    Environment(&'static str, &'static str),
    /// On the command line, which alone says where the data are.
    CommandLine,
    /// On the command line; the configuration, which it names, says where the data are.
    CommandLineWithConfiguration,
}

#[rstest]
#[case(Mistake::Configuration)]
#[case::unknown(Mistake::ConfigurationWithData("[printer.ender-left]\nbawd = 9600\n"))]
#[case::no_toml(Mistake::ConfigurationWithData("[printer.ender-left\n"))]
#[case(Mistake::Environment("STARDUST_AGENT_SPOOL_BYTES", "two gigabytes"))]
#[case(Mistake::Environment("STARDUST_AGENT_STATUS_PAGE", "0.0.0.0:80"))]
#[case(Mistake::CommandLine)]
#[case(Mistake::CommandLineWithConfiguration)]
fn an_agent_that_can_not_understand_its_settings_turns_the_heaters_off(#[case] mistake: Mistake) {
    let mut host = Host::paired(None, 50);
    host.offer();
    host.run();
    host.wait_for(JobState::Printing);
    host.kill();
    assert!(!host.printer().is_cold(), "the job heats, and nobody is there");
    let config = host.runtime().join("agent.toml");
    let data = host.data();
    let named = format!("data = {data:?}\n");
    let mut command = host.command();
    match mistake {
        Mistake::Configuration => {
            std::fs::write(&config, "[printer.ender-left]\nbawd = 9600\n").unwrap();
            command.arg("--config").arg(&config).arg("run");
        }
        Mistake::ConfigurationWithData(more) => {
            std::fs::write(&config, named + more).unwrap();
            command.env_remove("STARDUST_AGENT_DATA").arg("--config").arg(&config).arg("run");
        }
        Mistake::Environment(name, value) => {
            command.env(name, value).arg("run");
        }
        Mistake::CommandLine => {
            command.env_remove("STARDUST_AGENT_DATA").arg("--data").arg(data).args([
                "run",
                "--status-pag",
                "x",
            ]);
        }
        Mistake::CommandLineWithConfiguration => {
            std::fs::write(&config, named).unwrap();
            command
                .env_remove("STARDUST_AGENT_DATA")
                .arg("--config")
                .arg(&config)
                .args(["run", "--spool", "1"]);
        }
    }
    let ended = command.output().unwrap();
    assert_eq!(ended.status.code(), Some(SETTINGS_ARE_WRONG), "{:?}", ended.status.signal());
    assert!(host.printer().is_cold(), "{:?}", host.printer().targets());
    // Mended: it works again, and does not go on with what it has turned off.
    host.run();
    host.wait_for(JobState::Failed);
    eventually("ready", || host.status().filter(|status| status["status"]["state"] == "idle"));
}

/// A printer that hears nothing before its bed is warm, hot, and an agent beside it that can't understand its settings and has
/// begun to ask for it.
struct Unable {
    host: Host,
    wire: PathBuf,
    process: Child,
    manager: Arc<Mutex<Vec<String>>>,
    _folder: tempfile::TempDir,
}

impl Unable {
    fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let wire = folder.path().join("wire");
        let host = Host::paired_with(None, 8, &["--no-emergency-parser", "--wire", wire.to_str().unwrap()]);
        let mut host = heats(host);
        host.kill();
        assert!(!host.printer().is_cold(), "nobody could turn it off");
        let (before, manager) = (greetings(&wire), folder.path().join("notify"));
        let (config, address) = (host.runtime().join("agent.toml"), manager.clone());
        let manager = told_at(UnixDatagram::bind(manager).unwrap());
        std::fs::write(&config, "[printer.ender-left]\nbawd = 9600\n").unwrap();
        let mut command = host.command();
        command.args(arguments).env("STARDUST_AGENT_CONFIG", config).env("NOTIFY_SOCKET", address);
        let process = command.stderr(Stdio::null()).spawn().unwrap();
        // Its port is open and its speed known by then.
        eventually("it asks", || (greetings(&wire) > before).then_some(()));
        Self { host, wire, process, manager, _folder: folder }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }
}

/// What comes there. All of it is read at once: who tells it would wait for a queue that is full.
fn told_at(socket: UnixDatagram) -> Arc<Mutex<Vec<String>>> {
    let told = Arc::<Mutex<Vec<String>>>::default();
    let all = Arc::clone(&told);
    std::thread::spawn(move || {
        let mut message = [0; 4096];
        while let Ok(size) = socket.recv(&mut message) {
            all.lock().unwrap().push(String::from_utf8_lossy(&message[..size]).into_owned());
        }
    });
    told
}

fn greetings(wire: &std::path::Path) -> usize {
    String::from_utf8_lossy(&std::fs::read(wire).unwrap()).matches(" M110 N").count()
}

/// A job has begun to heat, and its firmware waits for the bed.
fn heats(mut host: Host) -> Host {
    host.offer_file(1, b"G28\nM104 S200\nM190 S100\nM109 S250\nG1 X10 F600\n");
    host.run();
    eventually("it waits for its bed", || {
        host.printer().journal().iter().any(|line| line.cmd.starts_with("M190")).then_some(())
    });
    eventually("it heats", || (host.printer().targets() == [200.0, 100.0]).then_some(()));
    host
}

#[rstest]
#[case::terminate(&["run"], Signal::TERM)]
#[case::hang_up(&["run"], Signal::HUP)]
#[case::quit(&["run"], Signal::QUIT)]
#[case::interrupt(&["run"], Signal::INT)]
#[case::on_the_command_line(&["run", "--no-such-thing"], Signal::TERM)]
fn one_that_is_asked_to_end_turns_the_heaters_off_first(#[case] arguments: &[&str], #[case] signal: Signal) {
    let mut unable = Unable::start(arguments);
    unable.signal(signal);
    let ended = unable.process.wait().unwrap();
    let targets = unable.host.printer().targets();
    assert!(unable.host.printer().is_cold(), "the process is gone: {targets:?}");
    assert_eq!(ended.code(), Some(SETTINGS_ARE_WRONG), "{:?}", ended.signal());
    let told = unable.manager.lock().unwrap().clone();
    let stopping = told.iter().position(|message| message.contains("STOPPING=1")).unwrap();
    let asks = |message: &String| message.contains("EXTEND_TIMEOUT_USEC=");
    assert!(
        told[stopping..].iter().filter(|message| asks(message)).count() > 1,
        "it asks for time: {told:?}"
    );
}

#[test]
fn one_that_is_asked_twice_to_end_stops_the_printer_at_once() {
    let mut unable = Unable::start(&["run"]);
    // Signals that come together are one.
    let ended = eventually("it ends", || {
        unable.signal(Signal::TERM);
        unable.process.try_wait().unwrap()
    });
    assert_eq!(ended.code(), Some(SETTINGS_ARE_WRONG), "{:?}", ended.signal());
    let wire = String::from_utf8_lossy(&std::fs::read(&unable.wire).unwrap()).into_owned();
    assert!(wire.lines().any(|line| line == "M112"), "{wire}");
}

/// A later pairing that can't take over is no reason to be left alone.
#[test]
fn a_printer_whose_later_pairing_can_not_be_read_is_made_safe() {
    let mut host = heats(Host::paired(None, 50));
    host.kill();
    assert!(!host.printer().is_cold(), "nobody could turn it off");
    let next = host.file("next");
    std::fs::create_dir(&next).unwrap();
    for file in ["printer.toml", "credential"] {
        std::fs::write(next.join(file), "no such thing\n").unwrap();
    }
    std::fs::create_dir(next.join("journal.jsonl")).unwrap();
    host.run();
    host.is_made_safe();
}

/// One printer's own settings, in which somebody has made a mistake.
#[test]
fn a_printer_whose_own_settings_can_not_be_read_is_named_by_check_and_by_doctor() {
    let host = Host::paired(None, 50);
    let ask = |command: &str| host.command().arg(command).output().unwrap();
    assert_eq!(ask("check").status.code(), Some(0));
    let config = host.file("printer.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("bawd = 9600\n{text}")).unwrap();
    let check = ask("check");
    let said = String::from_utf8(check.stderr).unwrap();
    assert_eq!(check.status.code(), Some(65), "{said}");
    assert!(said.contains("printer.toml") && said.contains("bawd"), "{said}");
    let doctor = ask("doctor");
    let said = String::from_utf8(doctor.stdout).unwrap();
    assert!(!doctor.status.success(), "{said}");
    assert!(said.contains("printer.toml") && said.contains("bawd") && said.contains("fault"), "{said}");
}

/// A name that is misspelt sets nothing. That is said; the agent drives its printers all the same.
#[test]
fn a_section_of_no_printer_is_named_by_check_and_by_run() {
    let mut host = Host::paired(None, 50);
    let config = host.runtime().join("agent.toml");
    std::fs::write(&config, "[printer.ender-lfet]\nkeep_bed_warm_minutes = 60\n").unwrap();
    let is_named = |said: &str| said.contains("[printer.ender-lfet]") && said.contains("agent.toml");
    let check = host.command().arg("--config").arg(&config).arg("check").output().unwrap();
    let said = String::from_utf8(check.stderr).unwrap();
    assert_eq!(check.status.code(), Some(0), "{said}");
    assert!(is_named(&said) && said.contains("paired are: ender-left"), "{said}");
    host.environment.push(("STARDUST_AGENT_CONFIG".into(), config.to_str().unwrap().into()));
    host.run();
    eventually("it is named", || is_named(&host.log()).then_some(()));
    eventually("driven", || host.status().filter(|status| status["status"]["state"] == "idle"));
}

/// Who has read them before goes on with the job; nobody is told that it does not, nor that it has ended and left heat.
#[test]
fn settings_that_broke_after_they_were_read_are_not_said_to_have_ended_the_print() {
    let host = heats(Host::paired(None, 50));
    let config = host.file("printer.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("bawd = 9600\n{text}")).unwrap();
    let ask = |command: &str| host.command().arg(command).output().unwrap();
    let check = ask("check");
    let said = String::from_utf8(check.stderr).unwrap();
    assert_eq!(check.status.code(), Some(65), "{said}");
    assert!(said.contains("still drives") && said.contains("next start"), "{said}");
    let said = String::from_utf8(ask("doctor").stdout).unwrap();
    assert!(said.contains("still drives") && !said.contains("HOT"), "{said}");
    assert!(!host.printer().is_cold(), "it goes on");
}

/// The command that a frightened person types; nobody turns anything off for it.
#[rstest]
fn who_asks_beside_settings_that_can_not_be_understood_is_told_what_may_be_hot(
    #[values("status", "check", "doctor")] command: &str,
) {
    let mut host = preheated_machine(Machine::Plain);
    host.kill();
    let config = host.runtime().join("agent.toml");
    std::fs::write(&config, "[printer.ender-left]\nbawd = 9600\n").unwrap();
    let output = host.command().arg("--config").arg(&config).arg(command).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("bawd") && said.contains("Ender left may be HOT"), "{said}");
    assert!(!output.status.success());
}
