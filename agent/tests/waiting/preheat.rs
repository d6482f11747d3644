//! Heat without a job, on a virtual clock: until when it stays, read at the printer.

use std::collections::VecDeque;
use std::time::Duration;

use firmware_sim::firmware::{Config, Firmware};
use firmware_sim::profile::Profile;
use rstest::rstest;
use stardust_agent::serial::{
    End, Fed, Heating, JobEvent, NotSet, Parking, Preheat, Safety, Stage, Wanted, WantedBy,
};
use stardust_gcode::command::parse;

use crate::rig::{Rig, file};

/// Turned off, and read back twice.
const SOON_S: u64 = 10;

fn two_tools() -> Config {
    Config { tools: 2, ..Config::default() }
}

fn preheat(minutes: u64) -> Preheat {
    Preheat { nozzles: vec![(0, 0.0), (1, 210.0)], bed: Some(60.0), lasts: Duration::from_secs(60 * minutes) }
}

fn targets(rig: &Rig) -> Vec<f64> {
    let targets = rig.printer.targets();
    targets.nozzles.into_iter().chain([targets.bed]).collect()
}

fn begun(config: Config) -> Rig {
    let mut rig = Rig::ready(config, Parking::default());
    assert!(rig.host.preheat(rig.now, &preheat(30)));
    rig.until("hot", |rig| targets(rig) == [0.0, 210.0, 60.0]);
    rig.until("told", |rig| !rig.words.is_empty());
    assert_eq!(rig.words, [Ok(())]);
    rig
}

/// What a printer that does not take it is asked for, and what whoever asked is told.
#[rstest]
#[case::the_nozzle_allows_less(Config { tools: 2, nozzle_max_c: 190.0, ..Config::default() }, 190.0)]
#[case::the_bed_allows_less(Config { tools: 2, bed_max_c: 50.0, ..Config::default() }, 50.0)]
#[case::nothing_is_heated(Config { tools: 2, nozzle_max_c: 0.0, ..Config::default() }, 0.0)]
fn what_the_printer_does_not_take_is_told_with_its_figure_and_nothing_stays_on(
    #[case] config: Config,
    #[case] told: f64,
) {
    let mut rig = Rig::ready(config, Parking::default());
    assert!(rig.host.preheat(rig.now, &preheat(30)));
    rig.until("told", |rig| {
        let is_shown = matches!(rig.host.heating(), Heating::Wanted(_));
        assert!(!is_shown, "never as preheated: {:?}", targets(rig));
        !rig.words.is_empty()
    });
    assert!(
        matches!(rig.words[..], [Err(NotSet::Differs { told: figure, .. })] if figure == told),
        "{:?}",
        rig.words
    );
    rig.stay_s(SOON_S);
    assert_eq!((targets(&rig), rig.host.heating()), (vec![0.0; 3], Heating::Settled));
}

#[test]
fn what_is_turned_off_is_turned_off_before_anything_is_heated() {
    let mut rig = Rig::ready(two_tools(), Parking::default());
    let first = Preheat { nozzles: vec![(0, 200.0)], bed: None, lasts: Duration::from_secs(60) };
    assert!(rig.host.preheat(rig.now, &first));
    rig.until("told", |rig| !rig.words.is_empty());
    let set: Vec<&str> = rig.accepted.iter().map(|(text, _)| text.as_str()).collect();
    let at = |line: &str| set.iter().position(|text| *text == line).expect(line);
    assert!(at("M104 T1 S0") < at("M104 T0 S200"), "one nozzle for both stays hot: {set:?}");
}

#[rstest]
#[case::reports_by_itself(two_tools())]
#[case::is_asked(Config { tools: 2, ..Profile::named("repetier").unwrap().config })]
fn it_stays_as_long_as_was_said_and_is_off_then(#[case] config: Config) {
    let mut rig = begun(config);
    let Heating::Wanted(Wanted { until, by: WantedBy::Person }) = rig.host.heating() else {
        panic!("{:?}", rig.host.heating());
    };
    assert!(rig.host.is_ready(), "a job may start");
    rig.stay(until - rig.now - Duration::from_secs(1));
    assert_eq!(targets(&rig), [0.0, 210.0, 60.0], "until then");
    rig.stay_s(1 + SOON_S);
    assert_eq!(targets(&rig), [0.0; 3]);
    assert_eq!(rig.host.heating(), Heating::Settled);
    assert!(
        !rig.accepted.iter().any(|(text, _)| text.starts_with("M84") || text.starts_with("G1")),
        "nothing moves"
    );
}

#[test]
fn another_one_takes_its_place() {
    let mut rig = begun(two_tools());
    rig.stay_s(20 * 60);
    let bed_alone = Preheat { nozzles: Vec::new(), bed: Some(80.0), lasts: Duration::from_secs(20 * 60) };
    assert!(rig.host.preheat(rig.now, &bed_alone));
    rig.until("told", |rig| rig.words.len() == 2);
    rig.stay_s(19 * 60);
    assert_eq!(targets(&rig), [0.0, 0.0, 80.0]);
    rig.stay_s(60 + SOON_S);
    assert_eq!(targets(&rig), [0.0; 3]);
}

#[test]
fn a_person_ends_it() {
    let mut rig = begun(two_tools());
    rig.host.make_safe(rig.now, Safety::InPlace);
    rig.stay_s(SOON_S);
    assert_eq!((targets(&rig), rig.host.heating()), (vec![0.0; 3], Heating::Settled));
}

#[test]
fn a_lost_port_ends_it() {
    let mut rig = begun(two_tools());
    rig.host.port_lost(rig.now);
    assert_eq!(rig.host.heating(), Heating::Owed);
    rig.host.port_opened(rig.now);
    rig.stay_s(SOON_S);
    assert_eq!((targets(&rig), rig.host.heating()), (vec![0.0; 3], Heating::Settled));
}

/// RepRapFirmware keeps its other heaters on at a fault of one of them. The simulator has no such fault: its line is given.
#[test]
fn a_fault_of_a_heater_ends_it() {
    let build = Profile::named("reprapfirmware").unwrap().config;
    let mut rig = begun(Config { tools: 2, ..build });
    rig.host.receive(rig.now, b"Error: Heating fault on heater 1, temperature excursion exceeded 15.0C\n");
    rig.stay_s(SOON_S);
    assert_eq!(targets(&rig), [0.0; 3]);
    assert!(!matches!(rig.host.heating(), Heating::Wanted(_)), "{:?}", rig.host.heating());
}

/// Of a printer that did not hear `M112` and is as hot as it was: it is cold as soon as somebody speaks with it again.
#[rstest]
#[case::it_was_told_that_it_is_hot(true)]
#[case::it_was_just_being_set(false)]
fn a_stop_at_once_ends_it(#[case] is_told: bool) {
    let mut rig = Rig::ready(two_tools(), Parking::default());
    assert!(rig.host.preheat(rig.now, &preheat(30)));
    rig.until("hot", |rig| targets(rig) == [0.0, 210.0, 60.0] && rig.words.is_empty() != is_told);
    rig.host.kill(rig.now, "by a test");
    rig.stay_s(1);
    assert_eq!(rig.words.last().is_some_and(Result::is_ok), is_told, "{:?}", rig.words);
    assert_eq!(targets(&rig), [0.0, 210.0, 60.0], "it is told again soon, if its cable is not pulled before");
    rig.host.port_lost(rig.now);
    rig.host.port_opened(rig.now);
    rig.stay_s(2 * SOON_S);
    // The stop goes first: it has halted, so nobody can read anything back.
    assert_eq!(targets(&rig), [0.0; 3]);
    assert!(rig.printer.is_halted() && rig.host.heating() == Heating::Owed, "{:?}", rig.host);
}

#[test]
fn a_job_takes_over_and_its_end_turns_off_what_it_has_not_named() {
    let mut rig = begun(two_tools());
    rig.start(&file());
    rig.until("it prints", |rig| rig.events.contains(&JobEvent::Printing));
    rig.stay_s(40 * 60);
    assert_eq!(rig.events.last(), Some(&JobEvent::Completed));
    assert_eq!((targets(&rig), rig.host.heating()), (vec![0.0; 3], Heating::Settled));
}

#[test]
fn who_is_not_ready_is_not_heated() {
    let mut rig = Rig::ready(two_tools(), Parking::default());
    rig.start(&file());
    assert!(!rig.host.preheat(rig.now, &preheat(30)));
    rig.host.port_lost(rig.now);
    assert!(!rig.host.preheat(rig.now, &preheat(30)));
}

/// In its first layer, with both nozzles hot; then the printer's controller starts anew.
fn interrupted(minutes: u16) -> Rig {
    let parking = Parking { keep_bed_warm: minutes.try_into().unwrap(), ..Parking::default() };
    let mut rig = Rig::ready(two_tools(), parking);
    let fed =
        |text: &String| Fed { command: parse(text.as_bytes()).unwrap().into_owned(), end: 0, layer: Some(1) };
    let source = file().iter().map(fed).collect::<VecDeque<_>>();
    assert!(rig.host.start(rig.now, Box::new(source)));
    rig.until("it prints", |rig| rig.events.contains(&JobEvent::Printing));
    rig.printer = Firmware::new(two_tools());
    rig.until("it is interrupted", |rig| {
        matches!(rig.events.last(), Some(JobEvent::Stopped(End::CutOff(_))))
    });
    rig
}

#[test]
fn the_bed_of_an_interrupted_print_stays_warm_for_as_long_as_is_set_and_the_nozzles_do_not() {
    let mut rig = interrupted(45);
    rig.stay_s(2 * SOON_S);
    assert_eq!(targets(&rig), [0.0, 0.0, 60.0]);
    let shown = rig.host.heating();
    assert!(matches!(shown, Heating::Wanted(Wanted { by: WantedBy::Interruption, .. })), "{shown:?}");
    assert!(rig.host.is_ready(), "it may go on from a layer");
    rig.stay_s(44 * 60);
    assert_eq!(targets(&rig), [0.0, 0.0, 60.0]);
    rig.stay_s(60);
    assert_eq!((targets(&rig), rig.host.heating()), (vec![0.0; 3], Heating::Settled));
}

#[test]
fn without_the_setting_it_does_not_and_a_lost_port_ends_it() {
    let mut rig = interrupted(0);
    rig.stay_s(2 * SOON_S);
    assert_eq!((targets(&rig), rig.host.heating()), (vec![0.0; 3], Heating::Settled));

    let mut rig = interrupted(45);
    rig.stay_s(2 * SOON_S);
    rig.host.port_lost(rig.now);
    rig.host.port_opened(rig.now);
    rig.stay_s(SOON_S);
    assert_eq!((targets(&rig), rig.stage()), (vec![0.0; 3], None::<Stage>));
}
