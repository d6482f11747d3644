//! The real binary on a real pty, used as a host would.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

struct Printer {
    process: Child,
    folder: TempDir,
}

impl Printer {
    fn start(folder: TempDir, more: &[&str]) -> Self {
        let link = folder.path().join("printer");
        let mut process = Command::new(env!("CARGO_BIN_EXE_firmware-sim"))
            .arg("--link")
            .arg(&link)
            .arg("--journal")
            .arg(folder.path().join("journal"))
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        let slave = fs::read_link(&link).unwrap();
        assert_eq!(ready, format!("ready {} {}\n", link.display(), slave.display()));
        Self { process, folder }
    }

    fn link(&self) -> PathBuf {
        self.folder.path().join("printer")
    }

    fn open(&self) -> Host {
        let port = OpenOptions::new().read(true).write(true).open(self.link()).unwrap();
        Host { port, received: Vec::new() }
    }

    /// Ends it as a supervisor does, and returns what it left in its folder.
    fn stop(mut self) -> TempDir {
        kill_process(Pid::from_child(&self.process), Signal::TERM).unwrap();
        assert!(self.process.wait().unwrap().success());
        self.folder
    }
}

struct Host {
    port: File,
    received: Vec<u8>,
}

impl Host {
    fn send(&mut self, text: &str) {
        self.port.write_all(text.as_bytes()).unwrap();
    }

    /// Whatever comes next, be it text or not.
    fn bytes(&mut self) -> Vec<u8> {
        let mut buffer = [0; 4096];
        let read = self.port.read(&mut buffer).unwrap();
        buffer[..read].to_vec()
    }

    /// The next line from the printer.
    fn line(&mut self) -> String {
        loop {
            if let Some(end) = self.received.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.received.drain(..=end).collect();
                return String::from_utf8(line).unwrap().trim_end().to_owned();
            }
            let mut waiting = [PollFd::new(&self.port, PollFlags::IN)];
            let patience = Timespec::try_from(Duration::from_secs(20)).unwrap();
            assert_eq!(poll(&mut waiting, Some(&patience)).unwrap(), 1, "the printer says nothing");
            let mut buffer = [0; 4096];
            let read = self.port.read(&mut buffer).unwrap();
            self.received.extend_from_slice(&buffer[..read]);
        }
    }

    fn until(&mut self, wanted: &str) {
        while self.line() != wanted {}
    }
}

fn numbered(number: usize, command: &str) -> String {
    let text = format!("N{number} {command}");
    format!("{text}*{}\n", text.bytes().fold(0, |sum, byte| sum ^ byte))
}

fn hash(commands: &[String]) -> String {
    let mut hash = Sha256::new();
    for command in commands {
        hash.update(format!("{command}\n"));
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn journal(folder: &Path) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(folder.join("journal")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_host_prints_and_the_journal_proves_it() {
    let printer = Printer::start(TempDir::new().unwrap(), &["--speed", "10000"]);
    let mut host = printer.open();
    host.until("//action:prompt_end");
    host.send(&numbered(0, "M110 N0"));
    host.until("ok");
    let commands: Vec<String> = (1..=500).map(|n| format!("G1 X{} Y{} F6000", n % 100, n % 7)).collect();
    let (mut sent, mut answered) = (0, 0);
    while answered < commands.len() {
        while sent < commands.len() && sent - answered < 4 {
            host.send(&numbered(sent + 1, &commands[sent]));
            sent += 1;
        }
        assert_eq!(host.line(), "ok");
        answered += 1;
    }

    let folder = printer.stop();
    assert!(!folder.path().join("printer").exists());
    let entries = journal(folder.path());
    assert_eq!(entries[0], serde_json::json!({ "t": 0, "boot": true }));
    let accepted: Vec<String> =
        entries[1..].iter().map(|entry| entry["cmd"].as_str().unwrap().to_owned()).collect();
    assert_eq!(accepted[0], "M110 N0");
    assert_eq!(accepted[1..], commands);
    let end = entries.last().unwrap();
    assert_eq!((&end["n"], &end["sha256"]), (&500.into(), &hash(&accepted).into()));
}

#[test]
fn hosts_come_and_go_and_the_printer_stays() {
    let folder = TempDir::new().unwrap();
    symlink("/dev/pts/stale", folder.path().join("printer")).unwrap();
    let printer = Printer::start(folder, &[]);
    let mut host = printer.open();
    host.until("//action:prompt_end");
    host.send("M117 first\n");
    host.until("ok");
    drop(host);

    let mut host = printer.open();
    host.send("M114\n");
    assert_eq!(host.line(), "X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0");
    host.until("ok");
    drop(host);

    // A second start appends to the same journal.
    let printer = Printer::start(printer.stop(), &[]);
    let entries = journal(printer.stop().path());
    let kinds: Vec<bool> = entries.iter().map(|entry| entry["boot"] == true).collect();
    assert_eq!(kinds, [true, false, false, true]);
}

#[test]
fn a_host_that_sends_without_reading_loses_nothing() {
    let printer = Printer::start(
        TempDir::new().unwrap(),
        &["--speed", "10000", "--pace", "--baud", "1000000", "--receive-buffer", "0"],
    );
    let mut host = printer.open();
    host.until("//action:prompt_end");
    let mut writer = host.port.try_clone().unwrap();
    let commands: Vec<String> = (1..=3000).map(|n| format!("M117 line {n}")).collect();
    let lines: String = commands.iter().enumerate().map(|(n, command)| numbered(n + 1, command)).collect();
    let sender = std::thread::spawn(move || writer.write_all(lines.as_bytes()).unwrap());
    for _ in &commands {
        assert_eq!(host.line(), "ok");
    }
    sender.join().unwrap();

    let entries = journal(printer.stop().path());
    assert_eq!(entries.last().unwrap()["sha256"], hash(&commands));
}

#[test]
fn a_file_where_the_link_should_be_is_refused() {
    let folder = TempDir::new().unwrap();
    let link = folder.path().join("printer");
    fs::write(&link, "precious").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_firmware-sim")).arg("--link").arg(&link).output().unwrap();
    assert!(!output.status.success());
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("it exists and is no symbolic link"), "{message}");
    assert_eq!(fs::read_to_string(&link).unwrap(), "precious");
}

/// The next line of the simulator's own output, cut into words.
fn words(output: &mut impl BufRead) -> Vec<String> {
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    line.split_whitespace().map(str::to_owned).collect()
}

fn start(folder: &TempDir, more: &[&str]) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut process = Command::new(env!("CARGO_BIN_EXE_firmware-sim"))
        .arg("--link")
        .arg(folder.path().join("printer"))
        .args(more)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = BufReader::new(process.stdout.take().unwrap());
    (process, output)
}

fn stop(mut process: Child) {
    kill_process(Pid::from_child(&process), Signal::TERM).unwrap();
    assert!(process.wait().unwrap().success());
}

#[test]
fn many_printers_live_in_one_process() {
    let folder = TempDir::new().unwrap();
    let (process, mut output) = start(&folder, &["--count", "20", "--name", "Farm"]);
    let links: Vec<PathBuf> = (0..20).map(|_| words(&mut output)[1].clone().into()).collect();
    let mut hosts: Vec<Host> = links
        .iter()
        .map(|link| OpenOptions::new().read(true).write(true).open(link).unwrap())
        .map(|port| Host { port, received: Vec::new() })
        .collect();
    for host in &mut hosts {
        host.until("//action:prompt_end");
        host.send("M115\n");
    }
    for (host, number) in hosts.iter_mut().zip(1..) {
        let name = format!("MACHINE_TYPE:Farm {number} KINEMATICS");
        assert!(host.line().contains(&name), "{name}");
    }
    assert_eq!(links[19], folder.path().join("printer-20"));
    stop(process);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn an_unplugged_printer_comes_back_under_another_name() {
    let folder = TempDir::new().unwrap();
    let (process, mut output) = start(&folder, &["--fault", "unplug@2", "--rename-on-replug"]);
    let ready = words(&mut output);
    let port = OpenOptions::new().read(true).write(true).open(&ready[1]).unwrap();
    let mut host = Host { port, received: Vec::new() };
    host.until("//action:prompt_end");
    host.send("G92 X5\n");
    host.until("ok");
    host.send("M105\n");

    let replugged = words(&mut output);
    assert_eq!(replugged[0], "replugged");
    assert!(!Path::new(&ready[1]).exists(), "the old link is gone");
    assert_eq!(replugged[1], format!("{}.2", ready[1]));
    assert_ne!(replugged[2], ready[2]);
    // The old port is dead, and the printer has forgotten nothing.
    let mut buffer = [0; 64];
    let dead = loop {
        match host.port.read(&mut buffer) {
            Ok(0) | Err(_) => break true,
            Ok(_) => {}
        }
    };
    assert!(dead);
    let port = OpenOptions::new().read(true).write(true).open(&replugged[1]).unwrap();
    let mut host = Host { port, received: Vec::new() };
    host.send("M114\n");
    assert_eq!(host.line(), "X:5.00 Y:0.00 Z:0.00 E:0.00 Count X:400 Y:0 Z:0");
    stop(process);
}

#[test]
fn a_host_at_the_wrong_rate_gets_garbage() {
    use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
    let folder = TempDir::new().unwrap();
    let options = ["--strict-baud", "--pace", "--baud", "250000", "--speed", "100"];
    let (process, mut output) = start(&folder, &options);
    let port = OpenOptions::new().read(true).write(true).open(&words(&mut output)[1]).unwrap();
    let mut host = Host { port, received: Vec::new() };
    let set = |host: &Host, baud| {
        let mut mode = tcgetattr(&host.port).unwrap();
        mode.set_speed(baud).unwrap();
        tcsetattr(&host.port, OptionalActions::Now, &mode).unwrap();
    };
    set(&host, 250_000);
    host.send("\nM155 S1\n");
    while !String::from_utf8_lossy(&host.bytes()).contains(" T:21.00") {}
    set(&host, 115_200);
    let mut byte = [0];
    while byte[0] < 0x80 {
        host.port.read_exact(&mut byte).unwrap();
    }
    set(&host, 250_000);
    while !String::from_utf8_lossy(&host.bytes()).contains(" T:21.00") {}
    stop(process);
}

#[test]
fn an_unknown_fault_is_refused_with_the_ones_there_are() {
    let folder = TempDir::new().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_firmware-sim"))
        .args(["--fault", "loose-ok", "--link"])
        .arg(folder.path().join("printer"))
        .output()
        .unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("there is no fault `loose-ok`; there are corrupt-in, lose-in"), "{message}");
}
