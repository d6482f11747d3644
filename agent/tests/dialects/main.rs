//! Every family of firmware that the host knows, as the simulator speaks it: recognised, printed on exactly, paused,
//! cancelled, exact on a bad line, and sent nothing that it would read otherwise than it stands in the file. At the printer's own pace, on a virtual clock: heating takes its minutes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod bench;
mod generated;
mod named_heaters;
mod odd_firmware;
mod odd_lines;
mod recovery;
mod refusals;
mod reported;
mod same_words;

use std::time::Duration;

use bench::{Bench, file};
use firmware_sim::faults::{FaultKind, FaultPlan, Trigger};
use firmware_sim::profile::Profile;
use rstest::rstest;
use stardust_agent::serial::dialect::Dialect;
use stardust_agent::serial::{End, JobEvent};

/// Every profile of the simulator, and the family that the host must take it for.
const PROFILES: [(&str, Dialect); 14] = [
    ("marlin", Dialect::Marlin),
    ("marlin-advanced-ok", Dialect::Marlin),
    ("marlin-no-emergency-parser", Dialect::Marlin),
    ("marlin-menu", Dialect::Marlin),
    ("marlin-wait", Dialect::Marlin),
    ("marlin-avr", Dialect::Marlin),
    ("prusa", Dialect::Prusa),
    ("reprapfirmware", Dialect::RepRapFirmware),
    ("repetier", Dialect::Repetier),
    ("klipper", Dialect::Klipper),
    ("malyan", Dialect::Malyan),
    ("teacup", Dialect::Teacup),
    ("ultimaker2", Dialect::Ultimaker2),
    ("creality", Dialect::Marlin1),
];

/// Firmware that looks at no line number, and at most at a checksum: behind USB or a pty nothing gets lost, and on a
/// bad line no host could help.
const UNVERIFIED: [&str; 3] = ["reprapfirmware", "klipper", "teacup"];

fn clean(profile: &str) -> Bench {
    Bench::connect(profile, &FaultPlan::none(), 1)
}

/// The file's commands, all of them in their order, and how many others between.
fn others(printed: &[String], file: &[String]) -> Option<usize> {
    let mut rest = printed.iter();
    file.iter().all(|command| rest.any(|one| one == command)).then(|| printed.len() - file.len())
}

#[test]
fn no_profile_is_left_out() {
    assert_eq!(PROFILES.map(|(name, _)| name), Profile::NAMES.map(|named| named.name));
}

#[test]
fn it_is_recognised_by_what_it_says_of_itself() {
    for (profile, dialect) in PROFILES {
        let bench = clean(profile);
        assert_eq!(bench.host.firmware().dialect, dialect, "{}", bench.story(profile));
        assert!(bench.host.firmware().name.is_some(), "{profile}");
    }
}

#[test]
fn a_file_is_printed_to_its_end_heating_and_all() {
    let file = file(400);
    for (profile, _) in PROFILES {
        let mut bench = clean(profile);
        bench.start(&file);
        let end = bench.finish();
        assert_eq!(end, JobEvent::Completed, "{}", bench.story(profile));
        bench.settle();
        assert_eq!(bench.printed(), file, "{}", bench.story(profile));
    }
}

#[test]
fn a_second_print_follows_on_the_first() {
    let file = file(60);
    for (profile, _) in PROFILES {
        let mut bench = clean(profile);
        for _ in 0..2 {
            bench.start(&file);
            assert_eq!(bench.finish(), JobEvent::Completed, "{}", bench.story(profile));
            bench.wait(Duration::from_secs(20));
            assert_eq!(bench.printed(), file, "{}", bench.story(profile));
        }
    }
}

#[test]
fn a_paused_print_goes_on_where_it_was() {
    let file = file(250);
    for (profile, _) in PROFILES {
        let mut bench = clean(profile);
        bench.start(&file);
        bench.printed_so_many(120);
        bench.pause();
        bench.settle();
        let there = bench.printed();
        bench.wait(Duration::from_secs(300));
        assert_eq!(bench.printed(), there, "nothing happens in a pause: {}", bench.story(profile));
        assert!(there.len() < file.len(), "{profile}: paused too late");
        bench.resume();
        assert_eq!(bench.finish(), JobEvent::Completed, "{}", bench.story(profile));
        bench.settle();
        let others = others(&bench.printed(), &file);
        assert!(
            others.is_some_and(|others| (4..40).contains(&others)),
            "{others:?}: {}",
            bench.story(profile)
        );
    }
}

#[test]
fn a_cancelled_print_turns_the_heaters_off() {
    let file = file(400);
    for (profile, _) in PROFILES {
        for after in [1, 12, 150] {
            let mut bench = clean(profile);
            bench.start(&file);
            bench.printed_so_many(after);
            bench.stop(End::Cancelled);
            assert_eq!(bench.finish(), JobEvent::Stopped(End::Cancelled), "{}", bench.story(profile));
            bench.settle();
            let printed = bench.printed();
            let off = printed.iter().rposition(|command| command == "M104 S0").unwrap();
            assert_eq!(printed[off..off + 3], ["M104 S0", "M140 S0", "M107"], "{}", bench.story(profile));
            // Klipper's heaters that have a name and no code.
            let by_words = usize::from(profile == "klipper");
            let before = off - by_words;
            assert_eq!(printed[..before], file[..before], "{}", bench.story(profile));
            assert!(printed[before..off].iter().all(|line| line == "TURN_OFF_HEATERS"));
            assert!(bench.printer.targets().are_off(), "{}", bench.story(profile));
            assert!(bench.reads_what_is_set(), "{}", bench.story(profile));
        }
    }
}

/// Also where every word of a report is doubled: what is set last is told by no wait for it, but in those alone. What is set is
/// known at the printer.
#[test]
fn what_is_hot_in_mid_print_is_read_as_it_is() {
    let heat =
        ["M140 S60", "M104 S200", "G28", "M190 S60", "M109 S200", "M104 S203", "M140 S63", "G90", "G1 F1500"];
    // Firmware that reports nothing by itself can be asked between two moves only.
    let slow = (0..100).map(|at| format!("G1 X{}", if at % 2 == 0 { 100 } else { 0 }));
    let file: Vec<String> = heat.map(str::to_owned).into_iter().chain(slow).collect();
    for (profile, _) in PROFILES {
        let mut bench = clean(profile);
        bench.start(&file);
        bench.printed_so_many(heat.len() + 6);
        bench.wait(Duration::from_secs(60));
        let set = bench.printer.targets();
        assert_eq!((set.nozzles.as_slice(), set.bed), ([203.0].as_slice(), 63.0), "{profile}: it is hot");
        assert!(bench.reads_what_is_set(), "{}", bench.story(profile));
        let read = bench.host.thermometer();
        let near = |is: Option<f64>, set: f64| is.is_some_and(|is| (is - set).abs() < 5.0);
        assert!(near(read.tools[&0].actual, 203.0), "{}", bench.story(profile));
        assert!(near(read.bed.unwrap().actual, 63.0), "{}", bench.story(profile));
        let doubled = bench.story("").contains("BB::");
        assert_eq!(doubled, profile == "creality", "{}", bench.story("what it says of itself"));
    }
}

#[rstest]
#[case::bits_flipped_on_the_way_there(&[FaultKind::CorruptIn])]
#[case::bytes_lost_on_the_way_there(&[FaultKind::LoseIn])]
#[case::bytes_doubled_on_the_way_there(&[FaultKind::DoubleIn])]
#[case::bits_flipped_on_the_way_back(&[FaultKind::CorruptOut])]
#[case::oks_lost(&[FaultKind::LoseOk])]
#[case::oks_late(&[FaultKind::LateOk])]
#[case::resends_repeated(&[FaultKind::ResendStorm])]
#[case::all_of_that(&[FaultKind::CorruptIn, FaultKind::LoseIn, FaultKind::LoseOk, FaultKind::LateOk])]
fn it_is_exact_on_a_bad_line(#[case] kinds: &[FaultKind]) {
    let file = file(250);
    for (profile, _) in PROFILES.iter().filter(|(profile, _)| !UNVERIFIED.contains(profile)) {
        for seed in 1..=3 {
            let plan = kinds.iter().fold(FaultPlan::none(), |plan, kind| {
                plan.with(*kind, Trigger::Rate(0.01 / kinds.len() as f64))
            });
            let mut bench = Bench::connect(profile, &plan, seed);
            bench.start(&file);
            assert_eq!(bench.finish(), JobEvent::Completed, "{}", bench.story(profile));
            bench.settle();
            assert_eq!(bench.printed(), file, "{}", bench.story(profile));
            assert!(!bench.printer.strikes().is_empty(), "{profile}: nothing went wrong");
        }
    }
}

#[test]
fn a_command_that_klipper_refuses_ends_the_print_with_the_heaters_off() {
    let mut bench = clean("klipper");
    let file = ["M140 S60", "G28", "G1 X10 E1 F300", "G1 X20", "M104 S0"].map(str::to_owned);
    bench.start(&file);
    let end = bench.finish();
    let JobEvent::Stopped(End::Failed(reason)) = &end else { panic!("{}", bench.story("not failed")) };
    assert!(reason.contains("refused a command: Extrude below minimum temp"), "{reason}");
    bench.settle();
    let printed = bench.printed();
    assert!(
        printed.ends_with(&["M104 S0", "M140 S0", "M107"].map(str::to_owned))
            || printed.contains(&"M140 S0".into())
    );
    assert!(bench.host.is_ready(), "{}", bench.story("the next print can start"));
}

#[test]
fn levelling_is_waited_for() {
    let file = ["G28", "G29", "G1 X10 F3000", "G29", "M84"].map(str::to_owned);
    for (profile, _) in PROFILES {
        let mut bench = clean(profile);
        bench.start(&file);
        assert_eq!(bench.finish(), JobEvent::Completed, "{}", bench.story(profile));
        bench.settle();
        assert_eq!(bench.printed(), file, "{}", bench.story(profile));
    }
}

#[test]
fn a_print_started_at_the_panel_is_shown_and_left_alone() {
    let mut bench = Bench::connect_to_one_that_prints(300_000);
    // Not even at once, before the host has looked: the firmware would print both.
    assert!(!bench.try_start(&file(10)), "{}", bench.story("a job beside that of the panel"));
    bench.wait(Duration::from_secs(60));
    let shown = bench.host.external().unwrap_or_default();
    assert!(shown.contains("memory card") && shown.contains('%'), "{}", bench.story(&shown));
    assert!(!bench.try_start(&file(10)), "{}", bench.story("a job beside that of the panel"));
    bench.stop(End::Cancelled);
    bench.wait(Duration::from_secs(200));
    let asked: Vec<_> = bench.printer.accepted().iter().map(|one| one.text.clone()).collect();
    let questions = ["M110", "M115", "M155", "M113", "M27", "M105"];
    let is_question = |text: &String| text.split(' ').next().is_some_and(|code| questions.contains(&code));
    assert!(asked.iter().all(is_question), "{asked:?}");
    let hot = bench.host.thermometer().tools.values().all(|heat| heat.target == Some(205.0));
    assert!(hot && bench.host.external().is_some(), "{}", bench.story("it has been disturbed"));
    // It ends, and the host may print again.
    bench.wait(Duration::from_secs(60));
    assert_eq!(bench.host.external(), None, "{}", bench.story("still shown"));
    let file = file(20);
    bench.start(&file);
    assert_eq!(bench.finish(), JobEvent::Completed, "{}", bench.story("printed"));
    assert_eq!(bench.printed(), file);
}
