//! The hub asks for it, of a printer that its agent can't drive because its files can't be read.

use std::fs::File;
use std::path::{Path, PathBuf};

use rstest::rstest;
use rustix::process::{Pid, Signal, kill_process};
use stardust_protocol::status::StatusBody;
use stardust_protocol::{Command, CommandMessage, PrinterState, StopReach};

use crate::by_hub::{Bench, HEATS};
use crate::halts;
use crate::stand_in::eventually;
use crate::stand_in::printer::agent;

/// What can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unread {
    Settings,
    /// And nobody knows which port it is.
    SettingsWithTheirPort,
    Journal,
}

impl Unread {
    fn breaks(self, folder: &Path) {
        let settings = folder.join("printer.toml");
        let text = std::fs::read_to_string(&settings).unwrap();
        match self {
            Self::Settings => std::fs::write(settings, format!("bawd = 9600\n{text}")).unwrap(),
            Self::SettingsWithTheirPort => std::fs::write(settings, text.replace("port =", "prt =")).unwrap(),
            Self::Journal => {
                let journal = folder.join("journal.jsonl");
                let _ = std::fs::remove_file(&journal);
                std::fs::create_dir(journal).unwrap();
            }
        }
    }
}

impl Bench {
    /// The next process finds it so, and has told the hub.
    fn comes_back_with(&mut self, unread: Unread) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        unread.breaks(&self.folder());
        let log = File::create(self.log()).unwrap();
        let mut run = agent();
        run.env("STARDUST_AGENT_DATA", self.data()).arg("run").stderr(log);
        self.process = run.spawn().unwrap();
        eventually("the hub is told", || self.says("can't drive it"));
    }

    fn data(&self) -> PathBuf {
        self.folder().ancestors().nth(2).unwrap().to_owned()
    }

    fn log(&self) -> PathBuf {
        self.data().with_file_name("log")
    }

    /// How often the agent has carried out a stop. The record of the line does not tell: a printer that has not said in time that it
    /// has stopped is told again.
    fn carried_out(&self) -> usize {
        std::fs::read_to_string(self.log()).unwrap().matches("stopped at once: M112").count()
    }

    fn says(&self, words: &str) -> Option<()> {
        let statuses = self.broker().statuses();
        let StatusBody::Full(status) = &statuses.last()?.1.body else { return None };
        assert_eq!(status.job, None);
        (status.state == PrinterState::Error && status.message.as_ref()?.contains(words)).then_some(())
    }

    /// How far the stop came, when that is more than that it waits for the port.
    fn told(&self) -> StopReach {
        let last = || self.live().last().copied().filter(|reach| *reach != StopReach::PortClosed);
        eventually("it is told", last)
    }

    fn ends(&mut self) {
        kill_process(Pid::from_child(&self.process), Signal::TERM).unwrap();
        eventually("it ends", || self.process.try_wait().unwrap());
    }
}

#[rstest]
fn what_can_not_be_read_is_no_reason_not_to_stop_a_printer_that_heats(
    #[values(Unread::Settings, Unread::SettingsWithTheirPort, Unread::Journal)] unread: Unread,
    #[values("", "--no-emergency-parser")] more: &str,
) {
    let options: Vec<&str> = Some(more).filter(|more| !more.is_empty()).into_iter().collect();
    let mut bench = Bench::start(&options, Some(HEATS));
    let is_cold = |bench: &Bench| bench.printer.as_ref().is_some_and(|printer| printer.is_cold());
    eventually("it heats", || (!is_cold(&bench)).then_some(()));
    bench.comes_back_with(unread);
    let stop = bench.stop(1);
    bench.broker().send(&stop);
    let reach = bench.told();
    assert!(halts(&bench.wire) > 0, "it is on the wire when that is said");
    assert!(matches!(reach, StopReach::Sent | StopReach::SentAndReset), "{reach:?}");
    eventually("in words", || bench.says("was told to stop at once (M112)"));
    // The hub says so until it has heard of that.
    bench.broker().send(&stop);
    let told = bench.broker().statuses().len();
    bench.broker().send(&CommandMessage { id: None, command: Command::ReportStatus, ..stop });
    eventually("that is heard", || (bench.broker().statuses().len() > told).then_some(()));
    eventually("cold", || is_cold(&bench).then_some(()));
    bench.ends();
    assert!(is_cold(&bench));
    assert_eq!(bench.carried_out(), 1, "{}", std::fs::read_to_string(bench.log()).unwrap());
}

/// Nothing is owed: it has heated nothing, and whoever stops it means what a person has set at its panel.
#[rstest]
#[case(Unread::Settings)]
#[case(Unread::Journal)]
fn also_one_that_owes_nothing(#[case] unread: Unread) {
    let mut bench = Bench::start(&[], None);
    bench.comes_back_with(unread);
    bench.broker().send(&bench.stop(1));
    let reach = bench.told();
    assert!(matches!(reach, StopReach::Sent | StopReach::SentAndReset), "{reach:?}");
    assert!(halts(&bench.wire) > 0, "it is on the wire when that is said");
    bench.ends();
    assert_eq!(bench.carried_out(), 1, "{}", std::fs::read_to_string(bench.log()).unwrap());
}

#[test]
fn where_nobody_knows_the_port_it_is_said_that_it_was_not_sent() {
    let mut bench = Bench::start(&[], None);
    bench.comes_back_with(Unread::SettingsWithTheirPort);
    bench.broker().send(&bench.stop(1));
    eventually("it is told", || (bench.live().last() == Some(&StopReach::GivenUp)).then_some(()));
    eventually("in words", || bench.says("NOT sent: switch it off by hand"));
    assert_eq!(halts(&bench.wire), 0);
    bench.ends();
}
