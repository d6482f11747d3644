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
    #[values("marlin", "marlin-avr", "prusa", "repetier")] profile: &str,
) {
    let (clean, _) = time(profile, &FaultPlan::none(), 1);
    for seed in 1..=4 {
        let (took, strikes) = time(profile, &FaultPlan::none().with(kind, Trigger::Rate(0.01)), seed);
        let more = took.saturating_sub(clean);
        println!("{profile}: {clean:?}, with {strikes} × {kind:?} {more:?} more");
        let at_most = UNLUCKY + EACH * u32::try_from(strikes).unwrap();
        assert!(more <= at_most, "{profile}, seed {seed}: {strikes} × {kind:?} cost {more:?}");
    }
}
