//! The debt, report by report.

use super::*;
use crate::serial::preheat::WantedBy;
use crate::serial::reply::Reply;
use rstest::rstest;

const NOW: Duration = Duration::from_secs(100);

fn report(text: &str) -> TemperatureReport {
    match Reply::parse(text) {
        Reply::Temperatures(report) => report,
        other => panic!("{other:?}"),
    }
}

fn heaters(tools: u32, chamber: bool) -> Heaters {
    Heaters { tools: (0..tools).collect(), chamber, ..Heaters::default() }
}

fn known(text: &str) -> Thermometer {
    let mut known = Thermometer::default();
    known.read(&report(text));
    known
}

#[rstest]
#[case::one(&["T:200 /0 B:60 /0", "T:199 /0 B:60 /0"], true)]
#[case::once_is_not_enough(&["T:200 /0 B:60 /0"], false)]
#[case::hot_in_between(&["T:200 /0 B:60 /0", "T:200 /200 B:60 /0", "T:200 /0 B:60 /0"], false)]
#[case::the_bed_is_told_in_a_line_of_its_own(&["T:200 /0", "B:60 /0", "T:200 /0", "B:60 /0"], true)]
#[case::the_bed_was_not_told(&["T:200 /0", "T:200 /0", "T:200 /0"], false)]
fn it_is_settled_by_two_reports_that_tell_all(#[case] reports: &[&str], #[case] settled: bool) {
    let mut debt = HeatDebt::default();
    debt.owe(NOW);
    let all = known("T:200 /200 B:60 /60");
    let told = reports.iter().any(|text| debt.hear(NOW, &report(text), &heaters(1, false), &all));
    assert_eq!(told, settled);
    assert_eq!(debt.state() == Heating::Settled, settled);
}

#[rstest]
#[case("T:200 /0 B:60 /0 T0:200 /0 T1:100 /100")]
#[case("T:200 /0 B:60 /0 C:40 /45 T0:200 /0 T1:100 /0")]
fn any_heater_that_is_on_has_all_turned_off_at_once_and_again_later(#[case] hot: &str) {
    let mut debt = HeatDebt::default();
    let heaters = heaters(2, true);
    debt.owe(NOW);
    assert_eq!(debt.due(NOW), None, "it may be off by itself");
    assert!(!debt.hear(NOW, &report(hot), &heaters, &known(hot)));
    assert_eq!(debt.due(NOW), Some(Due::Off(Safety::InPlace)));
    debt.were_turned_off(NOW, &heaters);
    assert!(!debt.hear(NOW, &report(hot), &heaters, &known(hot)));
    assert_eq!(debt.due(NOW), None);
    assert_eq!(debt.due(NOW + AGAIN), Some(Due::Off(Safety::InPlace)));
}

#[test]
fn heaters_that_stay_on_are_told_to_a_person() {
    let (hot, heaters) = ("T:200 /200 B:60 /0", heaters(1, false));
    let mut debt = HeatDebt::default();
    debt.owe(NOW);
    for turn in 0..STUBBORN_AFTER {
        debt.hear(NOW, &report(hot), &heaters, &known(hot));
        assert_eq!(debt.state(), Heating::Owed, "{turn}");
        debt.were_turned_off(NOW, &heaters);
    }
    debt.hear(NOW, &report(hot), &heaters, &known(hot));
    assert_eq!(debt.state(), Heating::Stubborn);
}

/// Teacup tells no targets of some builds, and of a chamber nothing may be told at all.
#[rstest]
#[case("T:200 B:60")]
#[case("T:200 /0")]
fn what_can_not_be_read_back_is_off_when_the_command_was_taken(#[case] text: &str) {
    let mut debt = HeatDebt::default();
    debt.owe(NOW);
    let (heaters, all) = (heaters(1, true), known(text));
    for _ in 0..4 {
        assert!(!debt.hear(NOW, &report(text), &heaters, &all), "never turned off yet");
    }
    assert_eq!(debt.due(NOW), Some(Due::Off(Safety::InPlace)));
    debt.were_turned_off(NOW, &heaters);
    assert!(!debt.hear(NOW, &report(text), &heaters, &all));
    assert!(debt.hear(NOW, &report(text), &heaters, &all));
}

/// The commands that turned the others off were not for them.
#[rstest]
#[case::a_chamber(heaters(1, true))]
#[case::a_tool(heaters(2, false))]
#[case::by_words(Heaters { words: true, ..heaters(1, false) })]
fn what_is_named_while_the_others_are_turned_off_is_turned_off_behind_them(#[case] all: Heaters) {
    let (off, mut debt) = ("T:200 /0 B:60 /0", HeatDebt::default());
    debt.owe_at_once(NOW, Safety::AllOff);
    debt.were_turned_off(NOW, &heaters(1, false));
    assert!((0..4).all(|_| !debt.hear(NOW, &report(off), &all, &known(off))));
    assert_eq!(debt.due(NOW + AGAIN), Some(Due::Off(Safety::InPlace)));
    debt.were_turned_off(NOW, &all);
    assert!(!debt.hear(NOW, &report(off), &all, &known(off)));
    assert!(debt.hear(NOW, &report(off), &all, &known(off)));
}

/// Klipper's M105 tells of no heater without a `gcode_id`.
#[test]
fn what_words_have_set_is_turned_off_once_whatever_is_told() {
    let mut debt = HeatDebt::default();
    debt.owe(NOW);
    let (heaters, off) = (Heaters { words: true, ..heaters(1, false) }, "B:20 /0 T0:20 /0");
    assert!((0..4).all(|_| !debt.hear(NOW, &report(off), &heaters, &known(off))));
    assert_eq!(debt.due(NOW), Some(Due::Off(Safety::InPlace)));
    debt.were_turned_off(NOW, &heaters);
    assert!(!debt.hear(NOW, &report(off), &heaters, &known(off)));
    assert!(debt.hear(NOW, &report(off), &heaters, &known(off)));
}

#[test]
fn a_heater_that_only_noise_has_named_does_not_keep_it_open() {
    let mut debt = HeatDebt::default();
    let heaters = Heaters { tools: [0, 9].into(), ..Heaters::default() };
    debt.owe(NOW);
    debt.were_turned_off(NOW, &heaters);
    let all = known("T9:200 /200 T0:1 /1 B:60 /0");
    let off = report("T0:200 /0 B:60 /0");
    assert!((0..3).all(|_| !debt.hear(NOW, &off, &heaters, &all)));
    let later = NOW + TOLD_WITHIN;
    assert!(!debt.hear(later, &off, &heaters, &all) && debt.hear(later, &off, &heaters, &all));
}

#[test]
fn without_a_word_it_asks_and_a_part_that_may_be_gone_on_with_is_not_moved() {
    let mut debt = HeatDebt::default();
    debt.owe(NOW);
    assert_eq!((debt.due(NOW), debt.deadline()), (None, Some(NOW + ASK_EVERY)));
    assert_eq!(debt.due(NOW + ASK_EVERY), Some(Due::Ask));
    debt.owe_at_once(NOW, Safety::InPlace);
    debt.owe_at_once(NOW, Safety::AllOff);
    assert_eq!(debt.due(NOW), Some(Due::Off(Safety::InPlace)));
    let off = "T:20 /0 B:20 /0";
    assert!(
        (0..3).all(|_| !debt.hear(NOW, &report(off), &heaters(1, false), &known(off))),
        "it is turned off first"
    );
    assert!(debt.forgive() && !debt.forgive());
    assert_eq!((debt.due(NOW), debt.deadline(), debt.state()), (None, None, Heating::Settled));
}

#[rstest]
#[case(&[], false, &["M104 S0", "M140 S0"])]
#[case(&[0], false, &["M104 S0", "M140 S0"])]
#[case::not_the_first(&[1], false, &["M104 T1 S0", "M140 S0"])]
#[case(&[0, 1, 4], true, &["M104 T0 S0", "M104 T1 S0", "M104 T4 S0", "M140 S0", "M141 S0"])]
fn all_of_them_are_turned_off_by_name(#[case] tools: &[u32], #[case] chamber: bool, #[case] off: &[&str]) {
    let mut heaters = Heaters { tools: tools.iter().copied().collect(), chamber, ..Heaters::default() };
    assert_eq!(heaters.set(|_| 0.0, 0.0), off);
    heaters.words = true;
    assert_eq!(heaters.set(|_| 0.0, 0.0).first().map(String::as_str), Some("TURN_OFF_HEATERS"));
}

#[test]
fn who_names_a_heater() {
    let mut firmware = Firmware::default();
    firmware.learn(&Reply::parse("FIRMWARE_NAME:Marlin 2.1 EXTRUDER_COUNT:2"));
    let mut heaters = Heaters::default();
    heaters.learn(&firmware, &known("T0:20 /0 T1:20 /0 T2:20 /0"));
    assert_eq!(heaters, self::heaters(3, false));
    let mut modal = Modal::default();
    for line in ["M104 T4 S200", "M141 S45"] {
        modal.apply(&stardust_gcode::command::parse(line.as_bytes()).unwrap());
    }
    heaters.learn_job(&modal);
    assert_eq!(heaters, Heaters { tools: [0, 1, 2, 4].into(), chamber: true, ..Heaters::default() });
    firmware.learn(&Reply::parse("Cap:CHAMBER_TEMPERATURE:1"));
    let mut warm = Heaters::default();
    warm.learn(&firmware, &Thermometer::default());
    assert!(warm.chamber);
}

const UNTIL: Duration = Duration::from_secs(400);

/// The nozzle at 200 °C and the bed at 60 °C until then.
fn preheat() -> Preheat {
    Preheat { nozzles: vec![(0, 200.0)], bed: Some(60.0), lasts: UNTIL - NOW }
}

/// A person has preheated the printer, which has taken it.
fn preheated() -> HeatDebt {
    let mut debt = HeatDebt::default();
    debt.want(NOW, &preheat());
    debt.unhear(NOW);
    let taken = "T:20 /200 B:20 /60";
    assert!(!debt.hear(NOW, &report(taken), &heaters(1, false), &known(taken)));
    assert_eq!(debt.take_word(), Some(Ok(())));
    debt
}

#[test]
fn what_a_person_wants_stays_on_until_then_and_is_turned_off_and_read_back() {
    let (hot, off, heaters) = ("T:200 /200 B:60 /60", "T:200 /0 B:60 /0", heaters(1, false));
    let mut debt = preheated();
    for _ in 0..3 {
        assert!(!debt.hear(NOW, &report(hot), &heaters, &known(hot)));
        assert!(
            !debt.hear(NOW, &report(off), &heaters, &known(hot)),
            "a reading of zero settles nothing before"
        );
    }
    let wanted = Heating::Wanted(Wanted { until: UNTIL, by: WantedBy::Person });
    assert_eq!((debt.state(), debt.due(UNTIL - ASK_EVERY), debt.deadline()), (wanted, None, Some(UNTIL)));
    assert_eq!(debt.due(UNTIL), Some(Due::Off(Safety::InPlace)));
    assert_eq!(debt.state(), Heating::Owed);
    debt.were_turned_off(UNTIL, &heaters);
    assert!(!debt.hear(UNTIL, &report(hot), &heaters, &known(hot)));
    assert!(!debt.hear(UNTIL, &report(off), &heaters, &known(hot)));
    assert!(debt.hear(UNTIL, &report(off), &heaters, &known(hot)));
}

#[rstest]
#[case::a_person_cools_it_down(|debt: &mut HeatDebt| debt.owe_at_once(NOW, Safety::InPlace))]
#[case::another_connection(|debt: &mut HeatDebt| debt.connection_is_new(NOW))]
#[case::a_halt(|debt: &mut HeatDebt| debt.end_wanted(NOW))]
fn it_ends_before_its_time(#[case] end: fn(&mut HeatDebt)) {
    let mut being_set = HeatDebt::default();
    being_set.want(NOW, &preheat());
    assert_eq!(being_set.take_word(), None);
    for (mut debt, word) in [(preheated(), None), (being_set, Some(Err(NotSet::Ended)))] {
        end(&mut debt);
        assert_eq!((debt.state(), debt.due(NOW)), (Heating::Owed, Some(Due::Off(Safety::InPlace))));
        assert_eq!((debt.take_word(), debt.take_word()), (word, None));
    }
}

#[test]
fn what_was_not_taken_is_not_shown_as_wanted_and_is_turned_off() {
    let heaters = heaters(1, false);
    let refused = "T:20 /0 B:20 /60";
    let mut debt = HeatDebt::default();
    debt.want(NOW, &preheat());
    debt.unhear(NOW);
    assert_eq!((debt.state(), debt.due(NOW)), (Heating::Owed, Some(Due::Ask)), "somebody waits for it");
    assert!(!debt.hear(NOW, &report(refused), &heaters, &known(refused)));
    assert_eq!((debt.take_word(), debt.due(NOW)), (None, Some(Due::Ask)), "one report may be damaged");
    assert!(!debt.hear(NOW, &report(refused), &heaters, &known(refused)));
    assert!(matches!(debt.take_word(), Some(Err(NotSet::Differs { told: 0.0, .. }))));
    assert_eq!((debt.state(), debt.due(NOW)), (Heating::Owed, Some(Due::Off(Safety::InPlace))));
}

#[test]
fn a_job_takes_over_from_it() {
    let mut debt = preheated();
    debt.owe(NOW);
    assert_eq!((debt.state(), debt.due(NOW)), (Heating::Owed, None));
    assert_eq!(debt.due(UNTIL), Some(Due::Ask), "its time counts no more");
}

#[test]
fn of_an_interrupted_print_the_bed_alone_stays_warm_and_the_others_are_read_back() {
    let (hot, cold) = ("T:200 /200 B:60 /60", "T:200 /0 B:60 /60");
    let (heaters, all) = (heaters(1, false), known(hot));
    let mut debt = HeatDebt::default();
    debt.owe_at_once(NOW, Safety::InPlace);
    debt.want_bed(UNTIL, 60.0);
    debt.connection_is_new(NOW);
    assert_eq!(debt.bed(), Some(60.0), "nothing was set yet: the new connection carries it");
    assert_eq!((debt.due(NOW), debt.state()), (Some(Due::Off(Safety::InPlace)), Heating::Owed));
    debt.were_turned_off(NOW, &heaters);
    assert!(!debt.hear(NOW, &report(hot), &heaters, &all));
    assert_eq!(debt.due(NOW + AGAIN), Some(Due::Off(Safety::InPlace)), "the nozzle never stays warm");
    debt.were_turned_off(NOW, &heaters);
    assert!((0..2).all(|_| !debt.hear(NOW, &report(cold), &heaters, &all)));
    let wanted = Heating::Wanted(Wanted { until: UNTIL, by: WantedBy::Interruption });
    assert_eq!((debt.state(), debt.deadline()), (wanted, Some(UNTIL)));
    assert_eq!((debt.due(UNTIL), debt.bed()), (Some(Due::Off(Safety::InPlace)), None));
    debt.connection_is_new(UNTIL);
    assert_eq!(debt.bed(), None);
}

#[test]
fn a_bed_that_was_set_does_not_stay_warm_over_another_connection() {
    let mut debt = HeatDebt::default();
    debt.owe_at_once(NOW, Safety::InPlace);
    debt.want_bed(UNTIL, 60.0);
    debt.were_turned_off(NOW, &heaters(1, false));
    debt.connection_is_new(NOW);
    assert_eq!((debt.bed(), debt.due(NOW)), (None, Some(Due::Off(Safety::InPlace))));
}
