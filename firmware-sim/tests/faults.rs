//! A careful one-line-at-a-time host against every fault, on a virtual clock; and the replay of runs by their seed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

use std::time::Duration;

use firmware_sim::faults::{FaultKind, FaultPlan, Trigger};
use firmware_sim::profile::{LineSettings, Profile};
use firmware_sim::virtual_printer::{Strike, VirtualPrinter};
use proptest::prelude::*;
use rstest::rstest;

/// How long the host waits for an answer before it asks.
const PATIENCE: Duration = Duration::from_secs(10);

/// What became of a run.
#[derive(Debug, PartialEq)]
struct Run {
    /// All bytes the host received, and when.
    received: Vec<(Duration, Vec<u8>)>,
    accepted: Vec<(Option<i64>, String)>,
    strikes: Vec<Strike>,
    /// The host got an answer to every line.
    finished: bool,
}

/// The simplest host that never goes on before it is sure: after each line it asks M105 by the next number, and only
/// believes a `Resend:`. It needs no `ok`.
struct Host {
    printer: VirtualPrinter,
    now: Duration,
    inbox: Vec<u8>,
    received: Vec<(Duration, Vec<u8>)>,
}

impl Host {
    fn send(&mut self, number: usize, command: &str) {
        let text = format!("N{number} {command}");
        let sum = text.bytes().fold(0, |sum, byte| sum ^ byte);
        self.printer.receive(format!("{text}*{sum}\n").as_bytes(), self.now);
    }

    /// The next line, or `None` when nothing comes in time.
    fn line(&mut self) -> Option<String> {
        let give_up = self.now + PATIENCE;
        loop {
            if let Some(end) = self.inbox.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.inbox.drain(..=end).collect();
                return Some(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            self.now = self.printer.next_deadline().map_or(give_up, |due| due.min(give_up));
            let bytes = self.printer.output(self.now);
            if !bytes.is_empty() {
                self.received.push((self.now, bytes.clone()));
                self.inbox.extend(bytes);
            }
            if self.now >= give_up {
                return None;
            }
        }
    }
}

fn print(profile: &Profile, plan: &FaultPlan, seed: u64, lines: usize) -> Run {
    let printer = VirtualPrinter::new(profile.clone(), plan, seed);
    let mut host = Host { printer, now: Duration::ZERO, inbox: Vec::new(), received: Vec::new() };
    while host.line().is_some() {}
    let mut next = 1;
    let mut trials = 0;
    while next <= lines && trials < lines * 20 && !host.printer.is_halted() && host.printer.resets() == 0 {
        trials += 1;
        host.send(next, &format!("G1 X{} Y{}", next % 100, next % 7));
        // Whatever it answers or not, the printer's own count is the truth, and a test may look at it.
        while host.line().is_some() {}
        next = host.printer.accepted().iter().filter(|accepted| accepted.number.is_some()).count() + 1;
    }
    let accepted = host.printer.accepted().iter().map(|a| (a.number, a.text.clone())).collect();
    let strikes = host.printer.strikes().to_vec();
    Run { received: host.received, accepted, strikes, finished: next > lines }
}

fn slow_line() -> Profile {
    let line = LineSettings { baud: Some(115_200), latency: Duration::from_micros(500) };
    Profile { line, ..Profile::default() }
}

#[test]
fn without_faults_nothing_is_struck() {
    let run = print(&slow_line(), &FaultPlan::none(), 1, 30);
    assert!(run.finished);
    assert_eq!(run.strikes, []);
    assert_eq!(run.accepted.len(), 30);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn the_numbered_lines_accepted_are_those_sent_in_order(
        seed: u64,
        kinds in prop::collection::vec(prop::sample::select(FaultKind::ALL.to_vec()), 1..5),
    ) {
        let plan = kinds.iter().fold(FaultPlan::none(), |plan, &kind| plan.with(kind, Trigger::Rate(0.05)));
        let run = print(&slow_line(), &plan, seed, 40);
        let again = print(&slow_line(), &plan, seed, 40);
        prop_assert_eq!(&run, &again);
        let fatal = run.strikes.iter().any(|strike| strike.kind.ends_a_job());
        prop_assert!(run.finished || fatal, "{:?}", run.strikes);
        let numbered = run.accepted.iter().filter(|(number, _)| number.is_some());
        for ((number, text), wanted) in numbered.zip(1_usize..) {
            prop_assert_eq!(*number, i64::try_from(wanted).ok());
            prop_assert_eq!(text, &format!("G1 X{} Y{}", wanted % 100, wanted % 7));
        }
        // Damage never makes a command of something that was none.
        for (_, text) in run.accepted.iter().filter(|(number, _)| number.is_none()) {
            prop_assert!(!text.starts_with(['G', 'M', 'T']), "{}", text);
        }
    }
}

proptest! {
    #[test]
    fn how_the_bytes_were_cut_into_pieces_changes_nothing(
        seed: u64,
        cuts in prop::collection::vec(1_usize..90, 1..20),
    ) {
        let plan = FaultKind::ALL.into_iter().filter(|kind| !kind.ends_a_job());
        let plan = plan.fold(FaultPlan::none(), |plan, kind| plan.with(kind, Trigger::Rate(0.05)));
        let sent: Vec<u8> = (1..60).flat_map(|n| format!("N{n} G1 X{n}*{n}\nM105\n").into_bytes()).collect();
        let run = |cuts: &[usize]| {
            let mut printer = VirtualPrinter::new(slow_line(), &plan, seed);
            let (mut rest, mut cuts) = (sent.as_slice(), cuts.iter().cycle());
            while !rest.is_empty() {
                let (piece, more) = rest.split_at(rest.len().min(*cuts.next().unwrap()));
                printer.receive(piece, Duration::from_millis(100));
                rest = more;
            }
            let mut received = Vec::new();
            while let Some(due) = printer.next_deadline().filter(|due| due.as_secs() < 60) {
                received.extend(printer.output(due));
            }
            // A strike is noted when its byte is looked at, which may be with the rest of its line.
            let strikes: Vec<_> = printer.strikes().iter().map(|s| (s.kind, s.after_lines)).collect();
            (received, printer.accepted().to_vec(), strikes)
        };
        prop_assert_eq!(run(&cuts), run(&[sent.len()]));
    }
}

#[rstest]
#[case::corrupt_in(FaultKind::CorruptIn)]
#[case::lose_in(FaultKind::LoseIn)]
#[case::double_in(FaultKind::DoubleIn)]
#[case::corrupt_out(FaultKind::CorruptOut)]
#[case::lose_out(FaultKind::LoseOut)]
#[case::double_out(FaultKind::DoubleOut)]
#[case::lose_ok(FaultKind::LoseOk)]
#[case::late_ok(FaultKind::LateOk)]
#[case::double_ok(FaultKind::DoubleOk)]
#[case::resend_storm(FaultKind::ResendStorm)]
#[case::wait(FaultKind::Wait)]
#[case::garbage(FaultKind::Garbage)]
#[case::stall(FaultKind::Stall)]
#[case::reset(FaultKind::Reset)]
#[case::kill(FaultKind::Kill)]
#[case::thermal_runaway(FaultKind::ThermalRunaway)]
#[case::unplug(FaultKind::Unplug)]
fn every_kind_strikes_where_it_is_asked_to(#[case] kind: FaultKind) {
    let run = print(&slow_line(), &FaultPlan::none().with(kind, Trigger::AtLine(5)), 3, 10);
    assert_eq!(run.strikes.iter().map(|strike| strike.kind).collect::<Vec<_>>(), [kind]);
    assert_eq!(run.finished, !kind.ends_a_job());
    let quiet = print(&slow_line(), &FaultPlan::none(), 3, 10);
    assert_ne!(run.received, quiet.received, "the host has noticed nothing");
}

fn text(run: &Run) -> String {
    let bytes: Vec<u8> = run.received.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn a_storm_repeats_the_request() {
    for seed in 0..20 {
        let plan = FaultPlan::none().with(FaultKind::ResendStorm, Trigger::AtLine(5));
        let requests = text(&print(&slow_line(), &plan, seed, 10)).matches("Resend:").count();
        assert!((3..=6).contains(&requests), "seed {seed}: {requests}");
    }
}

#[test]
fn a_reset_brings_the_banner_again_and_a_kill_its_last_words() {
    let reset = FaultPlan::none().with(FaultKind::Reset, Trigger::AtTime(Duration::from_secs(25)));
    assert_eq!(text(&print(&slow_line(), &reset, 1, 10)).matches("start\n").count(), 2);
    let runaway = FaultPlan::none().with(FaultKind::ThermalRunaway, Trigger::AtLine(3));
    let said = text(&print(&slow_line(), &runaway, 1, 10));
    assert!(said.contains(", system stopped! Heater_ID: "), "{said}");
    assert!(said.ends_with("Error:Printer halted. kill() called!\n//action:poweroff\n"), "{said}");
}

#[test]
fn more_than_the_receive_buffer_holds_is_lost() {
    let mut printer = VirtualPrinter::new(Profile::default(), &FaultPlan::none(), 1);
    let now = Duration::ZERO;
    printer.receive(b"G4 S1\nG4 S1\nG4 S1\nG4 S1\n", now);
    printer.receive(&[b'x'; 200], now);
    assert_eq!(printer.overrun(), 73);
}

#[test]
fn an_unplugged_printer_is_deaf_and_mute_and_comes_back_under_another_name() {
    let mut printer = VirtualPrinter::new(slow_line(), &FaultPlan::none(), 1);
    let mut now = Duration::from_secs(1);
    printer.output(now);
    printer.unplug(now);
    printer.receive(b"M114\n", now);
    assert!(!printer.is_plugged());
    now += Duration::from_secs(3);
    assert_eq!(printer.output(now), b"");
    assert_eq!((printer.is_plugged(), printer.plugged_in(), printer.accepted().len()), (true, 2, 0));
    printer.receive(b"M114\n", now);
    assert!(printer.output(now + Duration::from_secs(1)).ends_with(b"ok\n"));
}
