//! Whatever the wire does: no command is lost, doubled or out of order.

use proptest::prelude::*;
use proptest::test_runner::TestRng;
use rstest::rstest;

use super::stand_in::{Bench, StandIn};
use crate::serial::{End, HostEvent, JobEvent};

fn moves(count: usize) -> Vec<String> {
    (0..count).map(|at| format!("G1 X{at} Y{} E{}", at * 3 % 200, at / 2)).collect()
}

/// The job without the probes that the host put between.
fn executed(bench: &Bench) -> Vec<String> {
    let own = |line: &&str| *line != "M105" && *line != "M400";
    bench.printer.job().into_iter().filter(own).map(String::from).collect()
}

/// Rates of faults, each one in so many.
#[derive(Debug, Clone, Copy, Default)]
struct Faults {
    damaged_down: Option<u32>,
    lost_down: Option<u32>,
    lost_ok: Option<u32>,
    doubled_ok: Option<u32>,
    damaged_up: Option<u32>,
}

fn one_in(rng: &mut TestRng, rate: Option<u32>) -> bool {
    rate.is_some_and(|rate| rng.random_range(0..rate) == 0)
}

fn print_over(faults: Faults, printer: StandIn, seed: [u8; 32], count: usize) {
    let mut rng = TestRng::from_seed(proptest::test_runner::RngAlgorithm::ChaCha, &seed);
    let file = moves(count);
    let mut bench = Bench::ready(printer);
    bench.printer.say("echo:busy: processing");
    bench.start(&file.iter().map(String::as_str).collect::<Vec<_>>());
    let mut up_rng = TestRng::from_seed(proptest::test_runner::RngAlgorithm::ChaCha, &[seed[0] ^ 1; 32]);
    let mut lost_in_a_row = 0;
    for _ in 0..1_000_000 {
        if bench.host.progress().is_none() {
            break;
        }
        bench.step_over(
            |mut bytes| {
                // One fault at a time: two in one line can cancel out in an exclusive-or (a lost space and a
                // flipped 0x20), and then no host can help.
                if !bytes.is_empty() && one_in(&mut rng, faults.damaged_down) {
                    let at = rng.random_range(0..bytes.len());
                    bytes[at] ^= 1 << rng.random_range(0..7);
                } else if !bytes.is_empty() && one_in(&mut rng, faults.lost_down) {
                    bytes.remove(rng.random_range(0..bytes.len()));
                }
                bytes
            },
            |line| {
                let ok = line.starts_with("ok");
                if ok && one_in(&mut up_rng, faults.lost_ok) {
                    lost_in_a_row += 1;
                    return None;
                }
                lost_in_a_row = 0;
                if ok && one_in(&mut up_rng, faults.doubled_ok) {
                    return Some(format!("{line}\n{line}"));
                }
                if one_in(&mut up_rng, faults.damaged_up) {
                    return Some(line[..line.len() / 2].to_owned());
                }
                Some(line)
            },
        );
    }
    let executed = executed(&bench);
    // This printer says nothing by itself: one whose answer and those to the questions behind it are all lost can't be told from one
    // that is gone. Behind a command that may take minutes there are two of them before it is given up.
    let seems_gone = lost_in_a_row >= 3;
    if let (true, Some(HostEvent::Job(JobEvent::Stopped(End::Failed(why))))) =
        (seems_gone, bench.events.last())
    {
        assert!(why.contains("stopped answering"), "{why}");
        assert!(file.starts_with(&executed), "{} of {}", executed.len(), file.len());
        return;
    }
    assert_eq!(bench.events.last(), Some(&HostEvent::Job(JobEvent::Completed)), "{:?}", bench.host);
    if executed.iter().any(|command| command.contains('*')) {
        // Two lines run together by a lost line end, whose sum fits by chance (one in 256): nobody can tell.
        return;
    }
    let differs = executed.iter().zip(&file).position(|(one, other)| one != other);
    let at = differs.unwrap_or(0);
    assert!(
        executed == file,
        "{} of {}, first difference: {:?}, not {:?}",
        executed.len(),
        file.len(),
        executed.get(at),
        file.get(at)
    );
}

const RARE: Option<u32> = Some(20);

#[rstest]
#[case::damaged(Faults { damaged_down: RARE, ..Faults::default() })]
#[case::lost_bytes(Faults { lost_down: RARE, ..Faults::default() })]
#[case::lost_oks(Faults { lost_ok: RARE, ..Faults::default() })]
#[case::doubled_oks(Faults { doubled_ok: RARE, ..Faults::default() })]
#[case::damaged_answers(Faults { damaged_up: RARE, ..Faults::default() })]
#[case::all(Faults { damaged_down: RARE, lost_down: RARE, lost_ok: RARE, doubled_ok: RARE, damaged_up: RARE })]
fn each_fault(
    #[case] faults: Faults,
    #[values(false, true)] advanced_ok: bool,
    #[values(false, true)] bare_ok: bool,
) {
    for seed in 0..8 {
        let printer = StandIn { advanced_ok, bare_ok_after_resend: bare_ok, ..StandIn::new() };
        print_over(faults, printer, [seed; 32], 600);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_mix_of_faults(
        seed: [u8; 32],
        rates in prop::array::uniform5(prop::option::of(12_u32..200)),
        advanced_ok: bool,
        bare_ok_after_resend: bool,
    ) {
        let [damaged_down, lost_down, lost_ok, doubled_ok, damaged_up] = rates;
        let faults = Faults { damaged_down, lost_down, lost_ok, doubled_ok, damaged_up };
        print_over(faults, StandIn { advanced_ok, bare_ok_after_resend, ..StandIn::new() }, seed, 300);
    }
}
