//! A process is asked to end while its hot printer's cable is out. After a disturbance it is back within seconds, with a printer that
//! is as hot as before and nobody there: so it is waited for a moment. One that stays out is said, in words and by the exit status.
//! Read at the printer.

use std::path::PathBuf;
use std::process::{Child, Stdio};

use rstest::rstest;
use rustix::process::{Pid, Signal, kill_process};

use crate::host::Host;
use crate::stand_in::eventually;

/// Who would leave it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Who {
    /// The agent that drives it.
    TheAgent,
    /// One whose own settings can't be understood.
    WithBrokenSettings,
    /// One that can't read the printer's settings.
    WithABrokenPrinter,
    /// One to which the printer does not belong any more.
    WithoutThePrinter,
    /// One without printers, behind a print with no hub that was killed.
    AfterAPrint,
    /// A print with no hub.
    Print,
}

impl Who {
    /// It is there before the cable is out.
    fn is_at_work(self) -> bool {
        matches!(self, Self::TheAgent | Self::Print)
    }
}

/// A long job that heats at once.
fn job() -> String {
    let moves: String = (0..4000).map(|at| format!("G1 X{} F1200\n", at % 100)).collect();
    format!("M104 S200\nM140 S60\nG28\n{moves}")
}

/// A process beside a hot printer whose port is gone, and knows it.
struct Rig {
    host: Host,
    process: Child,
    port: PathBuf,
    away: PathBuf,
}

impl Rig {
    /// `unplugged`: for so many seconds, where it is at work on it; else until it is plugged in.
    fn out(who: Who, unplugged: &str) -> Self {
        let fault = ["--fault", "unplug@200", "--unplugged", unplugged];
        let options = if who.is_at_work() { &fault[..] } else { &[] };
        let host = match who {
            Who::Print | Who::AfterAPrint => Host::unpaired_with(None, 20, options),
            _ => Host::paired_with(None, 20, options),
        };
        let (port, away) = (host.printer().port(), host.runtime().join("away"));
        let mut rig = Self { process: Self::begin(&host, who), host, port, away };
        rig.is_hot();
        if !who.is_at_work() {
            rig.process.kill().unwrap();
            rig.process.wait().unwrap();
            std::fs::rename(&rig.port, &rig.away).unwrap();
            let config = rig.host.file("printer.toml");
            match who {
                Who::WithABrokenPrinter => std::fs::write(config, "prot = 7\n").unwrap(),
                Who::WithoutThePrinter => std::fs::remove_file(config).unwrap(),
                _ => {}
            }
            let mistake = (who == Who::WithBrokenSettings).then_some("--no-such-thing");
            rig.process = Self::run(&rig.host, ["run"].into_iter().chain(mistake));
        }
        eventually("it looks for it", || (rig.host.logged("port not open") > 0).then_some(()));
        assert!(!rig.host.printer().is_cold(), "nobody could turn it off");
        rig
    }

    fn begin(host: &Host, who: Who) -> Child {
        if !matches!(who, Who::Print | Who::AfterAPrint) {
            host.offer_file(1, job().as_bytes());
            return Self::run(host, ["run"]);
        }
        let (file, port) = (host.runtime().join("job.gcode"), host.printer().port());
        std::fs::write(&file, job()).unwrap();
        Self::run(host, ["print", file.to_str().unwrap(), "--port", port.to_str().unwrap()])
    }

    /// What it says goes to the log.
    fn run<'a>(host: &Host, arguments: impl IntoIterator<Item = &'a str>) -> Child {
        let log =
            std::fs::File::options().append(true).create(true).open(host.runtime().join("log")).unwrap();
        let mut command = host.command();
        command.args(arguments).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        command.spawn().unwrap()
    }

    fn is_hot(&self) {
        eventually("hot", || (self.host.printer().targets() == [200.0, 60.0]).then_some(()));
    }

    fn signal(&self) {
        kill_process(Pid::from_child(&self.process), Signal::TERM).unwrap();
        let waits = || self.host.logged("waiting for it a moment") + self.host.logged("still waited for");
        eventually("it waits for it", || (waits() > 0).then_some(()));
    }

    fn ended(&mut self) -> i32 {
        let ended = eventually("it ends", || self.process.try_wait().unwrap());
        ended.code().unwrap()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[rstest]
#[case(Who::TheAgent, 0)]
#[case(Who::WithBrokenSettings, 78)]
#[case(Who::WithABrokenPrinter, 0)]
#[case(Who::WithoutThePrinter, 0)]
#[case(Who::AfterAPrint, 0)]
#[case(Who::Print, 1)]
fn a_cable_that_is_back_in_a_moment_leaves_no_heat_behind(#[case] who: Who, #[case] code: i32) {
    let mut rig = Rig::out(who, "6");
    rig.signal();
    if !who.is_at_work() {
        std::fs::rename(&rig.away, &rig.port).unwrap();
    }
    let ended = rig.ended();
    assert!(rig.host.printer().is_cold(), "the process is gone: {:?}", rig.host.printer().targets());
    assert_eq!(ended, code);
    assert_eq!(rig.host.logged("may be HOT") + rig.host.logged("may be ON"), 0);
}

#[rstest]
#[case(Who::TheAgent, 1, "these printers may be HOT: ender-left")]
#[case(Who::WithBrokenSettings, 78, "its heaters could not be read back as off")]
#[case(Who::WithABrokenPrinter, 1, "these printers may be HOT: ender-left")]
#[case(Who::WithoutThePrinter, 1, "these printers may be HOT: ender-left")]
#[case(Who::AfterAPrint, 1, "these printers may be HOT: the one at /")]
#[case(Who::Print, 1, "so its heaters could not be turned off: they may be ON")]
fn one_that_stays_out_is_said_and_stays_owed(#[case] who: Who, #[case] code: i32, #[case] words: &str) {
    let mut rig = Rig::out(who, "25");
    rig.signal();
    assert_eq!(rig.ended(), code);
    assert!(rig.host.logged(words) > 0, "{words}");
    assert!(!rig.host.printer().is_cold(), "nobody could turn it off");
    // The next one sees to it.
    rig.process = Rig::run(&rig.host, ["run"]);
    if !who.is_at_work() {
        std::fs::rename(&rig.away, &rig.port).unwrap();
    }
    rig.host.is_made_safe();
}

/// By whom it is asked for: it runs and can't reach it, or nobody runs.
#[test]
fn status_says_of_a_printer_out_of_reach_that_it_may_be_hot() {
    let mut rig = Rig::out(Who::TheAgent, "20");
    let status = |rig: &Rig| {
        let shown = rig.host.command().arg("status").output().unwrap();
        String::from_utf8([shown.stdout, shown.stderr].concat()).unwrap()
    };
    eventually("its cable is out", || {
        status(&rig).contains("may be HOT: its heaters stay as they were").then_some(())
    });
    rig.process.kill().unwrap();
    rig.process.wait().unwrap();
    let said = status(&rig);
    assert!(said.contains("not running") && said.contains("Ender left may be HOT"), "{said}");

    rig.process = Rig::run(&rig.host, ["run"]);
    rig.host.is_made_safe();
    rig.host.status_where("all is well", |status| {
        status["status"]["state"] == "idle" && status["may_be_hot"].is_null()
    });
    assert!(!status(&rig).contains("HOT"), "{}", status(&rig));
}
