//! What is hot again, or still, although its wait was thought to be over: heated at the panel, by a way back, behind a cable.

use std::time::Duration;

use rstest::rstest;
use stardust_agent::serial::firmware::Area;
use stardust_agent::serial::{JobEvent, Parking, Stage, Waiting};

use crate::rig::{Rig, file, file_with};
use crate::{build, printing};

/// Somebody changes the filament at the panel and is called away.
#[rstest]
#[case::cooled_before(700)]
#[case::hot_still(100)]
fn a_nozzle_that_is_heated_at_the_panel_in_a_pause_is_cooled_again(#[case] after_s: u64) {
    let mut rig = printing("marlin");
    rig.pause();
    for _ in 0..3 {
        rig.stay_s(after_s);
        rig.printer.receive(rig.now, b"M104 S200\n");
        rig.stay_s(500);
        if after_s > 600 {
            assert_eq!(rig.nozzle(), 200.0, "that person may come soon");
            assert!(matches!(rig.host.waiting(), Some(Waiting::CoolsIn(_))), "{:?}", rig.host.waiting());
        }
        rig.stay_s(150);
        assert_eq!(rig.nozzle(), 0.0);
        assert!(matches!(rig.host.waiting(), Some(Waiting::NozzleOff(_))), "{:?}", rig.host.waiting());
    }
    rig.resume();
    rig.finish(&file());
}

#[test]
fn a_bed_that_is_heated_at_the_panel_in_a_pause_is_turned_off_again() {
    let mut rig = printing("marlin");
    rig.pause();
    rig.stay_s(7300);
    rig.printer.receive(rig.now, b"M140 S60\n");
    rig.stay_s(7000);
    assert_eq!(rig.printer.targets().bed, 60.0);
    assert_ne!(rig.host.waiting(), Some(Waiting::AllOff { by_macros: false }));
    rig.stay_s(300);
    assert!(rig.printer.targets().are_off());
    assert_eq!(rig.host.waiting(), Some(Waiting::AllOff { by_macros: false }));
    rig.resume();
    rig.finish(&file());
}

/// Its host is gone then: nobody else turns it off.
#[test]
fn what_is_heated_at_the_panel_in_a_long_pause_has_a_dead_man_again() {
    let mut rig = printing("marlin");
    rig.pause();
    rig.stay_s(7300);
    rig.printer.receive(rig.now, b"M104 S200\n");
    rig.stay_s(300);
    assert_eq!(rig.nozzle(), 200.0);
    let end = rig.now + Duration::from_secs(900);
    rig.printer.advance(end);
    assert!(rig.printer.targets().are_off(), "{:?}", rig.printer.targets());
}

/// It was resumed without filament: the sensor stops it while it primes.
#[test]
fn a_wait_of_the_firmware_in_the_way_back_from_a_pause_is_cooled_as_well() {
    let templates = stardust_agent::serial::Templates {
        resume: Some("M600".to_owned()),
        ..stardust_agent::serial::Templates::default()
    };
    let mut rig = Rig::ready(build("marlin-menu"), Parking { templates, ..Parking::default() });
    rig.start(&file());
    rig.until("printing", |rig| rig.accepted.len() > 60);
    rig.pause();
    rig.stay_s(700);
    rig.resume();
    rig.until_carries_out("M600");
    assert_eq!(rig.stage(), Some(Stage::Resuming));
    rig.until_asked("Nozzle Parked");
    rig.resume();
    // Hot, and for ever.
    rig.until_asked("Paused");
    rig.until("paused", |rig| rig.stage() == Some(Stage::Paused));
    rig.stay_s(20);
    assert_eq!(rig.nozzle(), 0.0);
    assert!(rig.longest_hot < Duration::from_secs(700), "{:?}", rig.longest_hot);
    let why = rig.events.iter().rev().find_map(|event| match event {
        JobEvent::Pausing(why) => why.clone(),
        _ => None,
    });
    assert!(why.is_some_and(|why| why.starts_with("Nobody answered the printer")), "{:?}", rig.events);
    while rig.stage().is_some() {
        rig.printer.click(rig.now);
        rig.resume();
        rig.stay_s(30);
    }
    rig.finish(&file());
}

/// The settings say that there are clips from there on; the firmware says nothing of it.
#[test]
fn a_wait_that_nobody_ended_is_parked_where_the_settings_allow() {
    let area = Some(Area { min: [40.0, 40.0, 0.0], max: [160.0, 160.0, 100.0] });
    let mut rig = Rig::ready(build("marlin-menu"), Parking { area, ..Parking::default() });
    let file = file_with("M600");
    rig.start(&file);
    rig.until_asked("Nozzle Parked");
    rig.resume();
    rig.until_asked("Paused");
    let before = rig.accepted.len();
    rig.until("paused", |rig| rig.stage() == Some(Stage::Paused));
    let parked = rig.accepted[before..].iter().rev().find(|(text, _)| text.starts_with("G1 X")).unwrap();
    let parked = stardust_gcode::command::parse(parked.0.as_bytes()).unwrap();
    let within = |axis: u8| parked.param(axis).is_some_and(|mm| (40.0..=160.0).contains(&mm));
    assert!(within(b'X') && within(b'Y'), "parked by {parked}");
    rig.resume();
    rig.finish(&file);
}

/// A cable that is out for a moment: the job is over, and the firmware still waits.
#[rstest]
#[case::for_a_person("M600")]
#[case::for_a_temperature_that_never_comes("M190 R10")]
fn a_firmware_that_waits_behind_a_lost_port_is_made_safe(#[case] command: &str) {
    let mut rig = Rig::ready(build("marlin-menu"), Parking::default());
    rig.start(&file_with(command));
    rig.until_carries_out(command);
    rig.stay_s(5);
    assert!(!rig.printer.targets().are_off());
    rig.host.port_lost(rig.now);
    rig.stay_s(3);
    rig.host.port_opened(rig.now);
    rig.stay_s(300);
    assert!(rig.printer.targets().are_off(), "{:?}\n{}", rig.printer.targets(), rig.tail());
}
