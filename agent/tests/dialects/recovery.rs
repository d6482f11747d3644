//! What faults on the line cost: the time of a print with them against that of the same print without.
//!
//! On a virtual clock, so each figure is the same on every machine. `--nocapture` shows them.

use std::time::Duration;

use firmware_sim::faults::{FaultKind, FaultPlan, Trigger};
use rstest::rstest;
use stardust_agent::serial::JobEvent;

use super::bench::{Bench, file};

/// What a lost or damaged line or answer may cost on the average: OctoPrint asks after 3 s at the best
/// (`communicationBusy`).
const EACH: Duration = Duration::from_millis(500);
/// Firmware that is sent one line at a time: no other answer tells that one was lost, so it is asked, and that may be lost as well. As
/// long as that best.
const EACH_ONE: Duration = Duration::from_secs(3);
const ONE_LINE: [&str; 2] = ["malyan", "ultimaker2"];
/// A few may hit the same exchange.
const UNLUCKY: Duration = Duration::from_secs(2);

/// A print of about 50 s, without heating.
fn short_print() -> Vec<String> {
    let mut file = file(900);
    file.retain(|line| !["M104", "M109", "M140", "M190"].iter().any(|code| line.starts_with(code)));
    file
}

fn time(profile: &str, plan: &FaultPlan, seed: u64) -> (Duration, usize) {
    let mut bench = Bench::connect(profile, plan, seed);
    let file = short_print();
    let began = bench.now();
    bench.start(&file);
    assert_eq!(bench.finish(), JobEvent::Completed, "{}", bench.story("it did not get through"));
    let took = bench.now() - began;
    assert_eq!(bench.printed(), file);
    (took, bench.printer.strikes().len())
}

#[rstest]
#[case::lost_oks(FaultKind::LoseOk)]
#[case::damaged_answers(FaultKind::CorruptOut)]
#[case::lost_bytes(FaultKind::LoseIn)]
#[case::damaged_lines(FaultKind::CorruptIn)]
fn a_fault_costs_seconds_and_not_minutes(
    #[case] kind: FaultKind,
    #[values(
        "marlin",
        "marlin-avr",
        "marlin-advanced-ok",
        "marlin-wait",
        "prusa",
        "repetier",
        "malyan",
        "ultimaker2",
        "creality"
    )]
    profile: &str,
) {
    let (clean, _) = time(profile, &FaultPlan::none(), 1);
    for seed in 1..=4 {
        let (took, strikes) = time(profile, &FaultPlan::none().with(kind, Trigger::Rate(0.01)), seed);
        let more = took.saturating_sub(clean);
        println!("{profile}: {clean:?}, with {strikes} × {kind:?} {more:?} more");
        let each = if ONE_LINE.contains(&profile) { EACH_ONE } else { EACH };
        let at_most = UNLUCKY + each * u32::try_from(strikes).unwrap();
        assert!(more <= at_most, "{profile}, seed {seed}: {strikes} × {kind:?} cost {more:?}");
    }
}

/// OctoPrint asks a printer that prints, and is silent, after 30 s at the latest (`communication`); and again, if that was lost too.
const AT_THE_WORST: Duration = Duration::from_secs(60);

/// Wherever one `ok` is lost, also the last ones of a job, and also where the host's own questions are answered all the while:
/// firmware that does not count its lines, or tells its temperatures to nobody who has not asked.
#[rstest]
fn one_lost_answer_anywhere_never_keeps_a_print_from_its_end(
    #[values(
        "klipper",
        "reprapfirmware",
        "teacup",
        "malyan",
        "ultimaker2",
        "creality",
        "marlin",
        "prusa",
        "repetier"
    )]
    profile: &str,
) {
    let mut file: Vec<String> = ["G28", "G91", "G1 F1200"].map(String::from).to_vec();
    file.extend((0..40).map(|at| format!("G1 X{}", if at % 2 == 0 { 20 } else { -20 })));
    let time = |plan: &FaultPlan| {
        let mut bench = Bench::connect(profile, plan, 1);
        // Nothing is in flight then: an answer more than there are lines would stand for the one that is lost.
        bench.run_until("its temperatures", |bench| bench.host.thermometer().bed.is_some());
        let began = bench.now();
        bench.start(&file);
        assert_eq!(bench.finish(), JobEvent::Completed, "{}", bench.story("it did not get through"));
        (bench.now() - began, !bench.printer.strikes().is_empty())
    };
    let (clean, _) = time(&FaultPlan::none());
    let mut struck = 0;
    for line in 1.. {
        let (took, has_struck) = time(&FaultPlan::none().with(FaultKind::LoseOk, Trigger::AtLine(line)));
        if !has_struck {
            break;
        }
        struck += 1;
        let more = took.saturating_sub(clean);
        assert!(more <= AT_THE_WORST, "{profile}: the {line}. answer lost costs {more:?} of {clean:?}");
    }
    assert!(struck > file.len(), "{struck}");
}

/// A line of the file that goes alone waits until all before it is answered. Where the firmware does not count its lines, the question
/// of the next ten seconds is answered in place of what was lost, the one behind that in place of the first one, and so on.
#[rstest]
fn one_lost_answer_before_a_line_that_goes_alone_never_holds_a_job_up(
    #[values("klipper", "reprapfirmware", "teacup")] profile: &str,
    #[values("G4 P100", "M400", "G28 X")] alone: &str,
) {
    let mut file: Vec<String> = ["G28", "G91", "G1 F1200"].map(String::from).to_vec();
    for round in 0..4 {
        file.extend((0..6).map(|at| format!("G1 X{}", if (at + round) % 2 == 0 { 20 } else { -20 })));
        file.push(alone.to_owned());
    }
    let mut time = Duration::ZERO;
    for lost in 0.. {
        let plan = match lost {
            0 => FaultPlan::none(),
            line => FaultPlan::none().with(FaultKind::LoseOk, Trigger::AtLine(line)),
        };
        let mut bench = Bench::connect(profile, &plan, 1);
        // Nothing is in flight then: an answer more than there are lines would stand for the one that is lost.
        bench.run_until("its temperatures", |bench| bench.host.thermometer().bed.is_some());
        let began = bench.now();
        bench.start(&file);
        assert_eq!(bench.finish(), JobEvent::Completed, "{}", bench.story("it did not get through"));
        let took = bench.now() - began;
        if lost == 0 {
            time = took;
        } else if bench.printer.strikes().is_empty() {
            assert!(lost > u64::try_from(file.len()).unwrap(), "{lost}");
            return;
        }
        let more = took.saturating_sub(time);
        assert!(more <= AT_THE_WORST, "{profile}: the {lost}. answer lost costs {more:?} of {time:?}");
    }
}
