//! `stardust-agent print`, begun in the background of a shell and fetched to the foreground: its keys are its own from then on, and
//! the terminal is nobody's but the shell's before. A real shell with job control on a pseudo terminal of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod stand_in;

use std::ffi::OsStr;
use std::process::{Child, Command, Stdio};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};
use stand_in::eventually;
use stand_in::printer::{Printer, agent};

/// `$@`: the print. It is fetched to the foreground as soon as the file is there.
const SHELL: &str = r#""$@" & until [ -e "$FETCHED" ]; do sleep 0.05; done; fg"#;

/// Ended whatever becomes of the test, and the print with it: both are of the session that it began.
struct Shell(Child);

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = Command::new("pkill").args(["-KILL", "--session", &self.0.id().to_string()]).status();
        let _ = self.0.wait();
    }
}

#[test]
fn a_print_in_the_background_has_its_keys_when_it_is_in_the_foreground() {
    let (printer, folder) = (Printer::start(20), tempfile::tempdir().unwrap());
    let (file, fetched) = (folder.path().join("long.gcode"), folder.path().join("fetched"));
    let moves: String = (0..20_000).map(|at| format!("G1 X{} F1200\n", at % 100)).collect();
    std::fs::write(&file, format!("G28\n{moves}")).unwrap();

    let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&keyboard).unwrap();
    unlockpt(&keyboard).unwrap();
    let name = ptsname(&keyboard, Vec::new()).unwrap();
    let terminal = rustix::fs::open(&name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    let print = agent();
    let mut shell = Command::new("setsid");
    // Only an interactive one hands over the terminal.
    shell.args(["--ctty", "bash", "--norc", "-i", "-c", SHELL, "bash"]).arg(print.get_program());
    shell.arg("print").arg(&file).arg("--port").arg(printer.port());
    let set = |(name, value): (&OsStr, Option<&OsStr>)| Some((name.to_owned(), value?.to_owned()));
    shell.envs(print.get_envs().filter_map(set)).env("FETCHED", &fetched);
    let log = std::fs::File::create(folder.path().join("log")).unwrap();
    shell.stdin(Stdio::from(terminal)).stdout(log.try_clone().unwrap()).stderr(log);
    let mut shell = Shell(shell.spawn().unwrap());

    let moved = || printer.journal().iter().filter(|line| line.cmd.starts_with("G1 X")).count();
    eventually("it prints", || (moved() > 0).then_some(()));
    let is_by_keys = || !tcgetattr(&keyboard).unwrap().local_modes.contains(LocalModes::ICANON);
    assert!(!is_by_keys(), "the terminal is the shell's");
    std::fs::write(&fetched, "").unwrap();
    eventually("it has the keys", || is_by_keys().then_some(()));
    rustix::io::write(&keyboard, b"p").unwrap();
    let pauses = || printer.journal().iter().any(|line| line.cmd == "M400");
    eventually("it pauses", || pauses().then_some(()));
    // Ctrl-C, from the terminal.
    rustix::io::write(&keyboard, b"\x03").unwrap();
    eventually("it is cancelled", || shell.0.try_wait().unwrap());
    assert!(!is_by_keys(), "the terminal is as it was");
}
