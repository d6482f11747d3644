//! Nobody takes what the process says any more: a terminal that was closed or halted, a pipe whose reader is gone or does not read, a full
//! disk, a service manager that is stuck. What has to be done is done all the same. Read at the printer.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};

use rstest::rstest;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use stardust_protocol::{Command as Asked, JobState};

use crate::host::Host;
use crate::stand_in::eventually;

/// How nobody takes it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Deaf {
    /// Its reader is gone.
    Gone,
    /// Its reader does not read, and there is no room any more.
    DoesNotRead,
    /// Somebody has halted the terminal with Ctrl-S.
    Halted,
}

/// A service manager that does not read: its system is stuck. As many messages wait as it lets wait.
fn stuck_manager(folder: &std::path::Path) -> (UnixDatagram, std::path::PathBuf) {
    let address = folder.join("notify");
    let manager = UnixDatagram::bind(&address).unwrap();
    let others = UnixDatagram::unbound().unwrap();
    others.set_nonblocking(true).unwrap();
    while others.send_to(b"STATUS=another service", &address).is_ok() {}
    (manager, address)
}

/// What is at the other end, as long as it is kept.
struct Reader(OwnedFd);

impl Deaf {
    /// Gives the process its standard output and error.
    fn before(self, command: &mut Command) -> Reader {
        let (reader, writer) = match self {
            Self::Gone => rustix::pipe::pipe().unwrap(),
            Self::DoesNotRead => full_pipe(),
            Self::Halted => halted_terminal(),
        };
        command.stdout(writer.try_clone().unwrap()).stderr(writer);
        Reader(reader)
    }

    fn spawn(self, command: &mut Command) -> (Child, Option<Reader>) {
        let reader = self.before(command);
        let child = command.stdin(Stdio::null()).spawn().unwrap();
        (child, Some(reader).filter(|_| self != Self::Gone))
    }
}

fn full_pipe() -> (OwnedFd, OwnedFd) {
    let (reader, writer) = rustix::pipe::pipe().unwrap();
    let flags = fcntl_getfl(&writer).unwrap();
    fcntl_setfl(&writer, flags | OFlags::NONBLOCK).unwrap();
    while rustix::io::write(&writer, &[b'\n'; 4096]).is_ok() {}
    while rustix::io::write(&writer, b"\n").is_ok() {}
    fcntl_setfl(&writer, flags).unwrap();
    (reader, writer)
}

fn halted_terminal() -> (OwnedFd, OwnedFd) {
    const CTRL_S: &[u8] = b"\x13";
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
    let theirs = File::options().read(true).write(true).open(name).unwrap();
    rustix::io::write(&ours, CTRL_S).unwrap();
    (ours, theirs.into())
}

/// Waits for `M112` in the record of the printer's line.
fn is_told_to_halt(wire: &std::path::Path) {
    let told = || String::from_utf8_lossy(&std::fs::read(wire).unwrap()).contains("M112");
    eventually("on the wire", || told().then_some(()));
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

#[rstest]
#[case(Deaf::Gone)]
#[case(Deaf::DoesNotRead)]
#[case(Deaf::Halted)]
fn an_agent_that_nobody_hears_is_stopped_and_leaves_no_heat_behind(#[case] deaf: Deaf) {
    let host = Host::paired(None, 50);
    host.offer();
    let (mut agent, _reader) = deaf.spawn(host.command().arg("run"));
    host.wait_for(JobState::Printing);
    eventually("hot", || (!host.printer().is_cold()).then_some(()));
    signal(&agent, Signal::TERM);
    let end = eventually("it ends", || agent.try_wait().unwrap());
    assert!(end.success());
    assert!(host.printer().is_cold(), "{:?}", host.printer().targets());
}

#[rstest]
#[case(Deaf::DoesNotRead)]
#[case(Deaf::Halted)]
fn an_agent_that_nobody_reads_ends_its_jobs_cold_and_stops_its_printer_at_once(#[case] deaf: Deaf) {
    let folder = tempfile::tempdir().unwrap();
    let wire = folder.path().join("wire");
    let host = Host::paired_with(None, 100, &["--wire", wire.to_str().unwrap()]);
    host.offer_file(1, b"M104 S200\nM140 S60\nG28\nG1 X10 F1200\n");
    let (mut agent, _reader) = deaf.spawn(host.command().arg("run"));
    host.wait_for(JobState::AwaitingRemoval);
    host.is_made_safe();
    host.command_it(Asked::EmergencyStop, Some(1));
    is_told_to_halt(&wire);
    agent.kill().unwrap();
    agent.wait().unwrap();
}

/// What is wrong with the command line is said, and what was left hot is turned off, whether that is read or not.
#[rstest]
#[case(Deaf::DoesNotRead)]
#[case(Deaf::Halted)]
fn an_agent_that_does_not_understand_its_command_line_makes_safe_before_anybody_reads_why(
    #[case] deaf: Deaf,
) {
    let mut host = Host::paired(None, 50);
    host.offer();
    host.run();
    eventually("hot", || (!host.printer().is_cold()).then_some(()));
    host.kill();
    let (mut agent, _reader) = deaf.spawn(host.command().args(["run", "--no-such-thing"]));
    eventually("cold", || host.printer().is_cold().then_some(()));
    let end = eventually("it ends", || agent.try_wait().unwrap());
    assert_eq!(end.code(), Some(78));
}

/// Ctrl-Z, and a terminal that halts what writes to it or reads from it in the background.
#[rstest]
#[case(Signal::TSTP)]
#[case(Signal::TTIN)]
#[case(Signal::TTOU)]
fn no_terminal_halts_an_agent(#[case] halt: Signal) {
    let folder = tempfile::tempdir().unwrap();
    let wire = folder.path().join("wire");
    let mut host = Host::paired_with(None, 50, &["--wire", wire.to_str().unwrap()]);
    host.offer();
    host.run();
    host.wait_for(JobState::Printing);
    signal(host.process.as_ref().unwrap(), halt);
    host.command_it(Asked::EmergencyStop, Some(1));
    is_told_to_halt(&wire);
    host.kill();
}

#[test]
fn an_agent_whose_service_manager_is_stuck_ends_its_jobs_cold_and_when_it_is_asked_to() {
    let mut host = Host::paired(None, 100);
    let (_manager, address) = stuck_manager(&host.runtime());
    host.environment.push(("NOTIFY_SOCKET".into(), address.display().to_string()));
    host.offer_file(1, b"M104 S200\nM140 S60\nG28\nG1 X10 F1200\n");
    host.run();
    host.wait_for(JobState::AwaitingRemoval);
    host.is_made_safe();
    host.ends_when_asked(Signal::TERM);
}

/// The first one asks for a clean stop, which would wait for the bed.
#[rstest]
#[case(Deaf::Gone)]
#[case(Deaf::DoesNotRead)]
#[case(Deaf::Halted)]
fn a_print_that_nobody_hears_is_stopped_at_once(#[case] deaf: Deaf) {
    let folder = tempfile::tempdir().unwrap();
    let (wire, file) = (folder.path().join("wire"), folder.path().join("job.gcode"));
    std::fs::write(&file, "G28\nM190 S100\nM109 S250\nG1 X10\n").unwrap();
    let host = Host::paired_with(None, 20, &["--no-emergency-parser", "--wire", wire.to_str().unwrap()]);
    let mut print = host.command();
    print.arg("print").arg(&file).arg("--port").arg(host.printer().port());
    let (mut print, _reader) = deaf.spawn(&mut print);
    eventually("it waits for its bed", || {
        host.printer().journal().iter().any(|line| line.cmd.starts_with("M190")).then_some(())
    });
    // Signals that come together are one.
    let end = eventually("it ends", || {
        signal(&print, Signal::INT);
        print.try_wait().unwrap()
    });
    assert_eq!(end.code(), Some(1), "it did not wait for a clean end");
    let wire = String::from_utf8_lossy(&std::fs::read(&wire).unwrap()).into_owned();
    assert!(wire.lines().any(|line| line == "M112"), "{wire}");
    eventually("cold", || host.printer().is_cold().then_some(()));
}

/// A terminal that goes on shows the bar and the last word.
#[test]
fn a_print_at_a_halted_terminal_goes_on_and_is_told_of_when_that_goes_on() {
    const CTRL_Q: &[u8] = b"\x11";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("job.gcode");
    let moves: String = (0..200).map(|at| format!("G1 X{} F6000\n", at % 100)).collect();
    std::fs::write(&file, format!("M104 S200\nM140 S60\nG28\n{moves}")).unwrap();
    let host = Host::paired(None, 100);
    let mut print = host.command();
    print.arg("print").arg(&file).arg("--port").arg(host.printer().port());
    let (mut print, reader) = Deaf::Halted.spawn(&mut print);
    eventually("printed", || (host.printer().journal().len() > 200).then_some(()));
    eventually("cold", || host.printer().is_cold().then_some(()));
    let mut terminal = File::from(reader.unwrap().0);
    terminal.write_all(CTRL_Q).unwrap();
    assert!(eventually("it ends", || print.try_wait().unwrap()).success());
    let flags = fcntl_getfl(terminal.as_fd()).unwrap();
    fcntl_setfl(terminal.as_fd(), flags | OFlags::NONBLOCK).unwrap();
    let mut shown = Vec::new();
    // It ends with an error: the other side is closed.
    let _ = terminal.read_to_end(&mut shown);
    let shown = String::from_utf8_lossy(&shown).into_owned();
    assert!(shown.contains(" %") && shown.contains("The heaters are off."), "{shown}");
}
