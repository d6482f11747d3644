//! Nothing hot waits without end: pauses, the firmware's own waits and questions cool the nozzle, and the print goes on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod any_wait;
mod hot_again;
mod preheat;
mod rig;
mod unseen;

use std::time::Duration;

use firmware_sim::firmware::Config;
use firmware_sim::profile::Profile;
use rig::{Rig, file, file_with};
use rstest::rstest;
use stardust_agent::serial::{End, JobEvent, Parking, Stage, Waiting};

fn build(profile: &str) -> Config {
    Profile::named(profile).unwrap().config
}

fn printing(profile: &str) -> Rig {
    let mut rig = Rig::ready(build(profile), Parking::default());
    rig.start(&file());
    rig.until("printing", |rig| rig.accepted.len() > 60);
    rig
}

#[rstest]
#[case("marlin")]
#[case("prusa")]
#[case("repetier")]
#[case("klipper")]
#[case("ultimaker2")]
fn a_pause_cools_the_nozzle_and_nothing_is_printed_before_it_is_hot_again(#[case] profile: &str) {
    let mut rig = printing(profile);
    rig.pause();
    rig.stay_s(590);
    assert_eq!(rig.nozzle(), 200.0, "a person may come soon");
    assert!(matches!(rig.host.waiting(), Some(Waiting::CoolsIn(_))), "{:?}", rig.host.waiting());
    rig.stay_s(20);
    assert_eq!(rig.nozzle(), 0.0);
    assert_eq!(rig.printer.targets().bed, 60.0, "it holds the part");
    assert_eq!(rig.host.waiting(), Some(Waiting::NozzleOff(Duration::from_secs(600))));
    rig.stay_s(3000);
    assert_eq!(rig.stage(), Some(Stage::Paused));
    let before = rig.accepted.len();
    rig.resume();
    rig.finish(&file());
    let own: Vec<&str> = rig.accepted[before..].iter().map(|(text, _)| text.as_str()).collect();
    let at = |line: &str| own.iter().position(|text| *text == line).expect(line);
    // Where it is parked, before it goes back.
    let back = own.iter().position(|text| text.starts_with("G1 X") && !text.contains('E')).unwrap();
    assert!(at("M109 S200") < back, "{own:?}");
}

/// What the first pause has turned off is hot again, or gets it: that is another pause, and counts anew.
#[rstest]
#[case::it_heats(1)]
#[case::it_heats_on(20)]
fn a_pause_in_the_way_back_from_another_is_cooled_as_well(#[case] after_s: u64) {
    let mut rig = printing("marlin");
    rig.pause();
    rig.stay_s(610);
    assert_eq!(rig.nozzle(), 0.0);
    rig.resume();
    rig.stay_s(after_s);
    rig.pause();
    rig.stay_s(500);
    assert_eq!(rig.nozzle(), 200.0, "a person may come soon");
    rig.stay_s(200);
    assert_eq!(rig.nozzle(), 0.0);
    rig.stay_s(2 * 3600);
    assert!(rig.printer.targets().are_off(), "{:?}", rig.printer.targets());
    rig.resume();
    rig.finish(&file());
}

/// Each process has counted for less than a minute.
#[test]
fn agents_that_are_started_again_and_again_keep_no_nozzle_hot() {
    let mut rig = printing("marlin");
    rig.pause();
    for _ in 0..20 {
        rig.stay_s(40);
        rig.restart();
    }
    rig.stay_s(10);
    assert_eq!(rig.nozzle(), 0.0);
    rig.resume();
    rig.finish(&file());
}

#[test]
fn a_parked_nozzle_is_primed_before_it_goes_back() {
    let mut rig = printing("marlin");
    rig.pause();
    rig.stay_s(700);
    let before = rig.accepted.len();
    rig.resume();
    rig.finish(&file());
    let own: Vec<&str> = rig.accepted[before..].iter().map(|(text, _)| text.as_str()).collect();
    let at = |line: &str| own.iter().position(|text| text.starts_with(line)).expect(line);
    assert!(at("M109 S200") < at("G1 E7 F200") && at("G1 E7 F200") < at("G1 X"), "{own:?}");
}

#[test]
fn the_bed_is_turned_off_much_later_and_all_is_heated_again() {
    let mut rig = printing("marlin");
    rig.pause();
    rig.stay_s(7190);
    assert!(!rig.printer.targets().are_off());
    rig.stay_s(20);
    assert!(rig.printer.targets().are_off());
    assert_eq!(rig.host.waiting(), Some(Waiting::AllOff { by_macros: false }));
    rig.stay_s(8 * 3600);
    rig.resume();
    rig.finish(&file());
    assert!(rig.said.contains("B:60.0"));
}

/// The job heats the chamber, or somebody at the panel does.
#[rstest]
#[case::by_the_job(true)]
#[case::at_the_panel(false)]
fn a_heated_chamber_goes_off_with_the_bed_and_is_heated_again(#[case] by_job: bool) {
    let config = Config { chamber_max_c: Some(70.0), ..build("marlin") };
    let mut rig = Rig::ready(config, Parking::default());
    let mut file = file();
    if by_job {
        file.insert(0, "M141 S45".to_owned());
    } else {
        rig.printer.receive(rig.now, b"M141 S45\n");
        rig.stay_s(120);
    }
    rig.start(&file);
    rig.until("printing", |rig| rig.accepted.len() > 60);
    rig.pause();
    rig.stay_s(7190);
    assert_eq!(rig.printer.targets().chamber, Some(45.0), "it holds the part");
    rig.stay_s(20);
    assert_eq!(rig.printer.targets().chamber, Some(0.0));
    assert!(rig.printer.targets().are_off());
    rig.stay_s(8 * 3600);
    assert!(rig.printer.targets().are_off(), "and stays so");
    let before = rig.accepted.len();
    rig.resume();
    rig.until("printing again", |rig| rig.accepted[before..].iter().any(|(text, _)| text.contains(" E0.1 ")));
    let hot = rig.printer.targets();
    assert_eq!((hot.nozzles.as_slice(), hot.bed, hot.chamber), ([200.0].as_slice(), 60.0, Some(45.0)));
    rig.finish(&file);
    rig.until("cold", |rig| rig.printer.targets().are_off());
}

#[test]
fn a_pause_at_the_panel_is_cooled_as_well() {
    let mut rig = printing("marlin");
    rig.host.receive(rig.now, b"//action:paused\n");
    rig.until("paused", |rig| rig.stage() == Some(Stage::Paused));
    rig.stay_s(610);
    assert_eq!(rig.nozzle(), 0.0);
    rig.host.receive(rig.now, b"//action:resumed\n");
    rig.finish(&file());
}

#[test]
fn what_the_file_does_not_tell_of_is_cooled_and_heated_again_too() {
    // As a macro does it, or somebody at the panel.
    let mut rig = Rig::ready(build("marlin"), Parking::default());
    rig.printer.receive(rig.now, b"M104 S210\n");
    let file: Vec<String> = file().into_iter().filter(|line| !line.starts_with("M10")).collect();
    rig.stay_s(120);
    rig.start(&file);
    rig.until("printing", |rig| rig.accepted.len() > 60);
    rig.pause();
    rig.stay_s(610);
    assert_eq!(rig.nozzle(), 0.0);
    rig.resume();
    rig.until("the end", |rig| rig.stage().is_none());
    assert!(!rig.said.contains("cold extrusion"), "{}", rig.tail());
    assert!(rig.accepted.iter().any(|(text, _)| text == "M109 S210"));
}

#[test]
fn going_on_presses_continue_and_never_purges_again() {
    let mut rig = Rig::ready(build("marlin-menu"), Parking::default());
    let file = file_with("M600");
    rig.start(&file);
    rig.until_asked("Nozzle Parked");
    rig.resume();
    rig.until_asked("Paused");
    assert_eq!(rig.host.prompt().unwrap().buttons, ["PurgeMore", "Continue"]);
    assert_eq!(rig.host.goes_on(), Some(1));
    rig.resume();
    rig.finish(&file);
    assert_eq!(rig.said.matches("PurgeMore").count(), 1, "{}", rig.tail());
    assert!(!rig.events.iter().any(|event| matches!(event, JobEvent::Stopped(_))));
}

#[test]
fn a_change_of_filament_that_nobody_ends_does_not_stay_hot() {
    let mut rig = Rig::ready(build("marlin-menu"), Parking::default());
    let file = file_with("M600");
    rig.start(&file);
    rig.until_asked("Nozzle Parked");
    rig.resume();
    // It asks whether to purge more, hot, and would do so for ever.
    rig.until_asked("Paused");
    rig.stay_s(590);
    assert_eq!(rig.nozzle(), 200.0);
    rig.stay_s(60);
    assert_eq!((rig.nozzle(), rig.stage()), (0.0, Some(Stage::Paused)));
    let reason = rig.events.iter().rev().find_map(|event| match event {
        JobEvent::Pausing(Some(reason)) => Some(reason.clone()),
        _ => None,
    });
    assert!(reason.is_some_and(|reason| reason.contains("Nobody answered the printer")), "{:?}", rig.events);
    rig.stay_s(3600);
    assert_eq!((rig.nozzle(), rig.stage()), (0.0, Some(Stage::Paused)), "and stays there");
    rig.resume();
    rig.finish(&file);
}

#[test]
fn what_the_firmware_cools_by_itself_is_left_to_it() {
    let mut rig = Rig::ready(build("marlin-menu"), Parking::default());
    rig.start(&file_with("M600"));
    rig.until_asked("HeaterTimeout");
    rig.stay_s(6000);
    assert_eq!(rig.host.attention(), Some("HeaterTimeout"));
    // A person comes, and has all the time again.
    rig.resume();
    rig.until_asked("Reheat Done");
    rig.resume();
    rig.until_asked("Paused");
    rig.stay_s(500);
    assert_eq!(rig.host.attention(), Some("Paused"));
    rig.resume();
    rig.finish(&file_with("M600"));
}

#[test]
fn where_nothing_can_be_done_people_are_told_at_once() {
    let mut rig = Rig::ready(build("marlin-no-emergency-parser"), Parking::default());
    rig.start(&file_with("M600"));
    rig.until_asked("Nozzle Parked");
    rig.stay_s(5);
    assert_eq!(rig.host.waiting(), Some(Waiting::OutOfReach));
    rig.stay_s(3600);
    rig.printer.click(rig.now);
    rig.finish(&file_with("M600"));
}

/// What the simulated printer itself takes for a change of filament, s: nothing can end that.
const UNLOADING_S: u64 = 12;
const LOADING_S: u64 = 20;
const RETURNING_S: u64 = 3;

/// Seconds into the change of filament, and how many it goes on by itself then.
#[rstest]
#[case::on_its_way("marlin-menu", 5, UNLOADING_S - 5 + LOADING_S + RETURNING_S)]
#[case::parked("marlin-menu", 30, LOADING_S + RETURNING_S)]
#[case::timed_out("marlin-menu", 600, LOADING_S + RETURNING_S)]
#[case::without_a_menu("marlin", 30, 0)]
#[case::soon("marlin", 1, 0)]
fn a_cancel_ends_the_firmwares_wait(#[case] profile: &str, #[case] after_s: u64, #[case] own_s: u64) {
    let mut rig = Rig::ready(build(profile), Parking::default());
    rig.start(&file_with("M600"));
    rig.until_carries_out("M600");
    rig.stay_s(after_s);
    cancel(&mut rig, own_s);
}

/// The questions of the process before are in the printer's queue, and there is no room for many lines more.
#[test]
fn a_cancel_ends_the_firmwares_wait_after_a_restart_in_it() {
    for after_s in (0..600).step_by(15) {
        let mut rig = Rig::ready(build("marlin-menu"), Parking::default());
        rig.start(&file_with("M600"));
        rig.until_asked("HeaterTimeout");
        rig.restart();
        rig.stay_s(30);
        rig.resume();
        rig.until_asked("HeaterTimeout");
        rig.stay_s(after_s);
        cancel(&mut rig, LOADING_S + RETURNING_S);
    }
}

#[test]
fn a_cancel_ends_the_wait_at_purge_more_or_continue() {
    let mut rig = Rig::ready(build("marlin-menu"), Parking::default());
    rig.start(&file_with("M600"));
    rig.until_asked("Nozzle Parked");
    rig.resume();
    rig.until_asked("Paused");
    cancel(&mut rig, RETURNING_S);
}

/// `own_s`: what the printer takes for itself before it can hear of it.
fn cancel(rig: &mut Rig, own_s: u64) {
    const A_FEW_S: u64 = 5;
    let asked_at = rig.now;
    rig.host.stop(rig.now, End::Cancelled);
    rig.until("cancelled", |rig| rig.stage().is_none());
    assert_eq!(rig.events.last(), Some(&JobEvent::Stopped(End::Cancelled)));
    let took = (rig.now - asked_at).as_secs();
    assert!(took <= own_s + A_FEW_S, "{took} s");
    rig.stay_s(2);
    assert!(rig.printer.targets().are_off());
    let printed = rig.accepted.iter().filter(|(text, _)| text.contains("E0.1")).count();
    assert!(printed <= 95, "nothing of the file after it: {printed}");
}

#[test]
fn a_cancel_that_only_the_printers_button_can_end_says_so() {
    let mut rig = Rig::ready(build("marlin-no-emergency-parser"), Parking::default());
    rig.start(&file_with("M600"));
    rig.until_asked("Nozzle Parked");
    rig.host.stop(rig.now, End::Cancelled);
    rig.stay_s(900);
    assert_eq!(rig.stage(), Some(Stage::Stopping));
    let told = rig.host.attention_text().unwrap();
    assert!(told.contains("cancelled as soon as the button at the printer is pressed"), "{told}");
    assert!(rig.host.is_only_at_printer(), "no button here is of any use");
    rig.printer.click(rig.now);
    rig.until("cancelled", |rig| rig.stage().is_none());
    rig.stay_s(2);
    assert!(rig.printer.targets().are_off());
}

/// It says that it is at work, and would say that it waits.
#[test]
fn nobody_is_sent_to_a_button_that_a_firmware_does_not_wait_for() {
    let mut rig = Rig::ready(build("marlin-no-emergency-parser"), Parking::default());
    rig.start(&file_with("M600"));
    rig.until_carries_out("M600");
    rig.host.stop(rig.now, End::Cancelled);
    while rig.host.attention().is_none() {
        assert_eq!(rig.host.attention_text(), None, "{}", rig.tail());
        rig.stay(Duration::from_millis(100));
    }
}

/// One that says nothing: what it was at was answered long ago.
#[test]
fn nobody_is_sent_to_a_button_that_was_pressed() {
    let mut rig = Rig::ready(build("ultimaker2"), Parking::default());
    rig.start(&file_with("M600"));
    rig.until_carries_out("M600");
    rig.host.pause(rig.now);
    rig.until("it waits", |rig| rig.printer.waits_for_a_person());
    rig.printer.click(rig.now);
    rig.until("paused", |rig| rig.stage() == Some(Stage::Paused));
    rig.host.stop(rig.now, End::Cancelled);
    while rig.stage().is_some() {
        assert_eq!(rig.host.attention_text(), None, "{}", rig.tail());
        rig.stay(Duration::from_millis(100));
    }
}
