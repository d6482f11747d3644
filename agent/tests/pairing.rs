//! Pairing and its consequences, on the real program: several printers in one agent, the same printer again, another
//! hub, a PIN.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod stand_in;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};

use rstest::rstest;
use serde_json::Value;
use stand_in::eventually;
use stand_in::hub::{Hub, PRINTER, TOKEN};
use stand_in::printer::{Accepted, Printer, agent, commands, fixture, hash};
use stardust_protocol::{CommandMessage, JobState, ProtocolVersion, Timestamp};

const FILE: &str = "cura_teapot_ender3_marlin.gcode";
const OTHER_PRINTER: &str = "0190a7c2-6f00-7000-8000-0000000000aa";

/// A data directory, and the agent that may run on it.
struct Host {
    data: tempfile::TempDir,
    process: Option<Child>,
    /// The service's runtime directory.
    runtime: Option<PathBuf>,
}

impl Host {
    fn new() -> Self {
        Self { data: tempfile::tempdir().unwrap(), process: None, runtime: None }
    }

    fn command(&self) -> Command {
        let mut command = agent();
        command.env("STARDUST_AGENT_DATA", self.data.path());
        command
    }

    fn pair(&self, hub: &Hub, name: &str, port: &Path, more: &[&str]) -> Output {
        let mut command = self.command();
        command.args(["pair", &hub.url, "K7QM-4TXP", "--name", name, "--port"]).arg(port).args(more);
        command.output().unwrap()
    }

    fn paired(&self, hub: &Hub, name: &str, port: &Path, more: &[&str]) -> String {
        let output = self.pair(hub, name, port, more);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn run(&mut self, config: Option<&Path>) {
        let mut command = self.command();
        command
            .arg("run")
            .args(config.map(|config| ["--config".as_ref(), config.as_os_str()]).into_iter().flatten());
        command.envs(self.runtime.iter().map(|path| ("RUNTIME_DIRECTORY", path)));
        self.process = Some(command.spawn().unwrap());
    }

    fn end(&mut self, signal: rustix::process::Signal) {
        let mut process = self.process.take().unwrap();
        rustix::process::kill_process(rustix::process::Pid::from_child(&process), signal).unwrap();
        process.wait().unwrap();
    }

    /// What `status --json` says of a printer.
    fn status(&self, name: &str) -> Option<Value> {
        let output = self.command().args(["status", "--json"]).output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).ok()?;
        report["printers"].as_array()?.iter().find(|printer| printer["name"] == name).cloned()
    }

    fn status_where(&self, name: &str, what: impl Fn(&Value) -> bool) -> Value {
        eventually("the status", || self.status(name).filter(|status| what(status)))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Tells the agent that there is something to ask for.
fn wake(hub: &Hub) {
    eventually("subscribed", || hub.broker.is_subscribed().then_some(()));
    let (protocol, at) = (ProtocolVersion::CURRENT, Timestamp::from_millis(0));
    hub.broker.send(&CommandMessage {
        protocol,
        id: None,
        at,
        expires_at: None,
        command: stardust_protocol::Command::Wake,
    });
}

fn ended(hub: &Hub) -> bool {
    hub.state.lock().unwrap().moves().contains(&JobState::AwaitingRemoval)
}

fn printing(hub: &Hub) {
    eventually("printing", || hub.state.lock().unwrap().moves().contains(&JobState::Printing).then_some(()));
}

#[test]
fn a_fault_of_one_printer_touches_no_other() {
    let (one, two, three) = (Hub::start(), Hub::start(), Hub::start());
    let (unplugged, well) = (Printer::start(20), Printer::start(1000));
    let (file, mut host) = (fixture(FILE), Host::new());
    host.paired(&one, "Unplugged", &unplugged.port(), &[]);
    host.paired(&two, "Well", &well.port(), &[]);
    host.paired(&three, "No disk", Path::new("/dev/ttyNone"), &[]);
    // Its journal can't be read.
    std::fs::create_dir(host.data.path().join("printers/no-disk/journal.jsonl")).unwrap();
    one.offer(&std::fs::read(&file).unwrap());
    host.run(None);
    printing(&one);
    eventually("in mid-print", || (unplugged.journal().len() > 300).then_some(()));

    two.offer(&std::fs::read(&file).unwrap());
    wake(&two);
    printing(&two);
    drop(unplugged);
    eventually("printed to the end", || ended(&two).then_some(()));
    assert_eq!(hash(&well.last_job()), hash(&commands(&file)));

    let no_disk = host.status_where("no-disk", |status| status["status"]["state"] == "error");
    assert!(no_disk["last_error"]["message"].as_str().unwrap().contains("journal"), "{no_disk}");
    let gone = host.status_where("Unplugged", |status| status["status"]["state"] == "offline");
    assert!(gone["port"].as_str().is_some() && gone["last_error"]["message"].is_string(), "{gone}");
    let well = host.status("Well").unwrap();
    assert_eq!(well["link"], "Connected to the hub.");
}

#[test]
fn the_same_printer_paired_again_keeps_everything_but_its_credential() {
    let (hub, printer, mut host) = (Hub::start(), Printer::start(1000), Host::new());
    let runtime = tempfile::tempdir().unwrap();
    host.runtime = Some(runtime.path().to_owned());
    host.paired(&hub, "Ender left", &printer.port(), &[]);
    let settings = host.data.path().join("printers/ender-left/printer.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, text + "[profile]\nbed_max_c = 90.0\n").unwrap();
    host.run(None);
    host.status_where("Ender left", |status| status["link"] == "Connected to the hub.");
    // As under systemd.
    assert!(std::os::unix::net::UnixStream::connect(runtime.path().join("status.sock")).is_ok());
    hub.state.lock().unwrap().revoked = true;
    hub.offer(b"G28\nG1 X10 Y10 F6000\nM84\n");
    wake(&hub);
    host.status_where("Ender left", |status| {
        status["link"].as_str().unwrap_or_default().contains("pair the printer again")
    });

    hub.state.lock().unwrap().token = Some("the-second-token");
    // Neither name of the port nor anything else has to be told again.
    let output =
        host.command().args(["pair", &hub.url, "K7QM-4TXP", "--name", "Ender left"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("stay with it"), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(hub.state.lock().unwrap().pairings[1]["credential"], TOKEN);
    eventually("printed with the new credential", || ended(&hub).then_some(()));
    assert!(std::fs::read_to_string(&settings).unwrap().contains("bed_max_c = 90"));
}

/// Until the new credential counts, the hub neither sees nor stops what is being printed. A port that is opened anew would reset the
/// board.
#[rstest]
#[case::and_is_printed_to_its_end(false)]
#[case::and_is_stopped_at_once(true)]
fn paired_again_in_mid_print_it_goes_on_with_the_new_credential_at_once(#[case] stops: bool) {
    let (hub, mut host, folder) = (Hub::start(), Host::new(), tempfile::tempdir().unwrap());
    let wire = folder.path().join("wire");
    let printer =
        Printer::start_with(&["--speed", "60", "--resets-by-dtr", "--wire", wire.to_str().unwrap()]);
    let file = fixture(FILE);
    hub.offer(&std::fs::read(&file).unwrap());
    host.paired(&hub, "Ender left", &printer.port(), &[]);
    host.run(None);
    printing(&hub);
    eventually("in mid-print", || (printer.journal().len() > 300).then_some(()));
    let boots = printer.boots();
    hub.state.lock().unwrap().revoked = true;
    wake(&hub);
    let says = |words: &'static str| {
        move |status: &Value| status["link"].as_str().unwrap_or_default().contains(words)
    };
    host.status_where("Ender left", says("pair the printer again"));

    hub.state.lock().unwrap().token = Some("the-second-token");
    let mut again = host.command();
    again.args(["pair", &hub.url, "K7QM-4TXP", "--name", "Ender left", "--force"]);
    assert!(again.output().unwrap().status.success());
    host.status_where("Ender left", says("Connected to the hub"));
    assert!(!ended(&hub), "it would be no test");
    if stops {
        eventually("subscribed", || hub.broker.is_subscribed().then_some(()));
        let id = Some("0190a7c2-6f00-7000-8000-000000000101".parse().unwrap());
        let (protocol, at) = (ProtocolVersion::CURRENT, Timestamp::from_millis(0));
        let command = stardust_protocol::Command::EmergencyStop;
        hub.broker.send(&CommandMessage { protocol, id, at, expires_at: None, command });
        eventually("told to stop", || std::fs::read_to_string(&wire).unwrap().contains("M112").then_some(()));
        return;
    }
    eventually("printed to the end", || ended(&hub).then_some(()));
    assert_eq!(printer.boots(), boots, "its port was open all the time");
    let mut printed = printer.last_job();
    // Whoever comes back asks where it is.
    printed.retain(|line| line != "M105");
    assert_eq!(hash(&printed), hash(&commands(&file)));
}

#[test]
fn a_printer_moves_to_another_hub_when_its_job_is_over() {
    let (old, new, printer, mut host) = (Hub::start(), Hub::start(), Printer::start(60), Host::new());
    new.state.lock().unwrap().printer = Some(OTHER_PRINTER);
    let file = fixture(FILE);
    old.offer(&std::fs::read(&file).unwrap());
    host.paired(&old, "Ender left", &printer.port(), &[]);
    host.run(None);
    printing(&old);

    let refused = host.pair(&new, "Ender left", &printer.port(), &[]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && said.contains("“bracket.gcode”") && said.contains("--force"),
        "{said}"
    );
    assert_eq!(new.state.lock().unwrap().calls, 0, "the code was not used up");

    let said = host.paired(&new, "Ender left", &printer.port(), &["--force"]);
    assert!(said.contains("comes to its end first") && said.contains(&old.url), "{said}");
    assert_eq!(new.state.lock().unwrap().pairings[0].get("credential"), None, "told to nobody else");
    eventually("printed to the end", || ended(&old).then_some(()));
    let status = host.status_where("Ender left", |status| status["hub"] == new.url);
    assert_eq!(status["undelivered_events"], 0);
    host.status_where("Ender left", |status| status["link"] == "Connected to the hub.");
    let former = std::fs::read_dir(host.data.path().join("printers/ender-left")).unwrap();
    let former = former.flatten().find(|entry| entry.file_name().to_string_lossy().starts_with("former-"));
    assert!(former.unwrap().path().join("journal.jsonl").exists());
    // The new pairing has opened the port anew: its numbering comes after the job's.
    let journal = printer.journal();
    let of_file = |line: &&Accepted| {
        line.n.is_some() && !["M73 P", "M85 S"].iter().any(|own| line.cmd.starts_with(own))
    };
    let mut sessions = journal.split(|line| line.cmd.starts_with("M110"));
    let printed = |session: &[Accepted]| -> Vec<String> {
        session.iter().filter(of_file).map(|line| line.cmd.clone()).collect()
    };
    assert!(sessions.any(|session| printed(session).starts_with(&commands(&file))));
}

#[test]
fn the_journal_tells_what_is_held_when_no_agent_runs() {
    let (old, new, printer, mut host) = (Hub::start(), Hub::start(), Printer::start(60), Host::new());
    new.state.lock().unwrap().printer = Some(OTHER_PRINTER);
    old.offer(&std::fs::read(fixture(FILE)).unwrap());
    host.paired(&old, "Ender left", &printer.port(), &[]);
    host.run(None);
    printing(&old);
    host.end(rustix::process::Signal::KILL);
    let refused = host.pair(&new, "Ender left", &printer.port(), &["--no-check"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("“bracket.gcode”"));
    let said = host.paired(&new, "Ender left", &printer.port(), &["--no-check", "--force"]);
    assert!(said.contains("comes to its end first"), "{said}");
    host.run(None);
    host.status_where("Ender left", |status| status["hub"] == new.url);
    let last = old.state.lock().unwrap().moves().pop();
    assert!(last.is_some_and(JobState::is_final) || last == Some(JobState::AwaitingRemoval), "{last:?}");
    assert_eq!(new.state.lock().unwrap().events.len(), 0, "the old job is none of the new hub's");
}

/// The hub before is gone for good: what it does not know is kept.
#[test]
fn a_hub_that_is_gone_does_not_hold_a_printer() {
    let (old, new, printer, mut host) = (Hub::start(), Hub::start(), Printer::start(200), Host::new());
    new.state.lock().unwrap().printer = Some(OTHER_PRINTER);
    old.offer(&std::fs::read(fixture(FILE)).unwrap());
    host.paired(&old, "Ender left", &printer.port(), &[]);
    host.run(None);
    printing(&old);
    old.state.lock().unwrap().down = true;
    host.status_where("Ender left", |status| {
        status["status"].get("job").is_none_or(Value::is_null) && status["undelivered_events"] != 0
    });
    let said = host.paired(&new, "Ender left", &printer.port(), &[]);
    assert!(said.contains("does not know 1 events") || said.contains("does not know 2 events"), "{said}");
    host.status_where("Ender left", |status| status["hub"] == new.url && status["undelivered_events"] == 0);
    let former = host.data.path().join("printers/ender-left").join(format!("former-{PRINTER}"));
    assert!(std::fs::read_to_string(former.join("journal.jsonl")).unwrap().contains("awaiting_removal"));
}

#[test]
fn an_unpaired_agent_shows_a_pin_until_somebody_has_typed_it() {
    let (hub, mut host) = (Hub::start(), Host::new());
    let printer = Printer::start_with(&["--speed", "1000", "--name", "Ender-3 S1"]);
    let config = host.data.path().join("agent.toml");
    let port = printer.port();
    let text = format!("hub = {:?}\n[printer.\"Ender left\"]\nport = {port:?}\n", hub.url);
    std::fs::write(&config, text).unwrap();
    hub.offer(b"G28\nG1 X10 Y10 F6000\nM84\n");
    host.run(Some(&config));
    let waiting = host.status_where("Ender left", |status| status["pin"] == "ABCD-EFGH");
    assert!(waiting["link"].as_str().unwrap().contains("Waits for its PIN"), "{waiting}");
    let words = host.command().arg("status").output().unwrap();
    assert!(String::from_utf8_lossy(&words.stdout).contains("PIN ABCD-EFGH"));
    eventually("on its display", || {
        printer.journal().iter().any(|line| line.cmd == "M117 PIN ABCD-EFGH").then_some(())
    });
    assert_eq!(hub.state.lock().unwrap().pairings[0]["printer_model"], "Ender-3 S1");

    hub.state.lock().unwrap().pin_typed = true;
    eventually("printed", || ended(&hub).then_some(()));
    let status = host.status("Ender left").unwrap();
    assert_eq!(status.get("pin"), None);
    assert!(status["status"]["firmware"].as_str().unwrap().contains("Marlin"), "{status}");
}

#[test]
fn pair_without_a_code_shows_a_pin() {
    let (hub, host) = (Hub::start(), Host::new());
    hub.state.lock().unwrap().pin_typed = true;
    let output = host
        .command()
        .args(["pair", &hub.url, "--name", "Ender left", "--port", "/dev/ttyNone"])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("PIN: ABCD-EFGH") && said.contains("Paired: “Ender left”."), "{said}");
    assert!(host.data.path().join("printers/ender-left/credential").exists());
}

/// As root, `pair` stores for the owner of the data, who alone may read the credential.
#[test]
fn root_pairs_for_the_services_user() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let (hub, host) = (Hub::start(), Host::new());
    chown(host.data.path(), Some(4242), Some(4243)).unwrap();
    let said = host.paired(&hub, "Ender left", Path::new("/dev/ttyNone"), &[]);
    assert!(said.contains("Paired"), "{said}");
    for path in ["printers", "printers/ender-left", "printers/ender-left/printer.toml"] {
        let metadata = host.data.path().join(path).metadata().unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), (4242, 4243), "{path}");
    }
    let credential = host.data.path().join("printers/ender-left/credential").metadata().unwrap();
    assert_eq!((credential.uid(), credential.permissions().mode() & 0o777), (4242, 0o600));
}
