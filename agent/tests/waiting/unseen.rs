//! Waits in which the host sees less than usual, or has to name what it cools: reports that a file has silenced, a tool that is not in
//! use, an agent that is killed before it knows where the job is.

use rstest::rstest;
use stardust_agent::serial::firmware::Area;
use stardust_agent::serial::{End, Parking, Stage};

use crate::rig::{Rig, file_with};
use crate::{Config, build};

/// Where a file silences the firmware.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Silenced {
    InThisJob,
    InTheJobBefore,
    /// Nothing is fed behind it.
    AtTheEndOfTheJobBefore,
    InAJobBeforeThatIsCancelledThen,
}

/// What a file says for its own ends must not make the host blind, in this job or the next one.
#[rstest]
#[case::reports("M155 S0", "marlin")]
#[case::reports_with_a_menu("M155 S0", "marlin-menu")]
#[case::keep_alive("M113 S0", "marlin")]
#[case::keep_alive_with_a_menu("M113 S0", "marlin-menu")]
fn a_wait_is_cooled_whatever_the_file_has_silenced(
    #[case] silences: &str,
    #[case] profile: &str,
    #[values(
        Silenced::InThisJob,
        Silenced::InTheJobBefore,
        Silenced::AtTheEndOfTheJobBefore,
        Silenced::InAJobBeforeThatIsCancelledThen
    )]
    when: Silenced,
) {
    let mut rig = Rig::ready(build(profile), Parking::default());
    // A wait for a temperature reports by itself: here it gets hot in a dwell.
    let wait_free =
        |line: String| line.replace("M109", "M104").replace("M190", "M140").replace("M600", "G4 S200\nM600");
    let mut file: Vec<String> = file_with("M600")
        .into_iter()
        .map(wait_free)
        .collect::<Vec<_>>()
        .join("\n")
        .lines()
        .map(str::to_owned)
        .collect();
    if when == Silenced::InThisJob {
        file.insert(0, silences.to_owned());
    } else {
        let mut before = vec!["G28".to_owned(), "G1 X5 F600".to_owned(), silences.to_owned()];
        if when != Silenced::AtTheEndOfTheJobBefore {
            before.extend((0..200).map(|at| format!("G1 X{} F600", 10 + at % 90)));
        }
        rig.start(&before);
        if when == Silenced::InAJobBeforeThatIsCancelledThen {
            rig.until_carries_out(silences);
            rig.host.stop(rig.now, End::Cancelled);
        }
        rig.until("the end", |rig| rig.stage().is_none());
        rig.until("ready", |rig| rig.host.is_ready());
    }
    rig.start(&file);
    rig.until_carries_out("M600");
    // Not by the bed's limit of two hours.
    rig.stay_s(720);
    assert_eq!(rig.nozzle(), 0.0, "{}", rig.tail());
}

/// Nothing is fed between the two.
#[test]
fn a_pause_right_behind_what_silences_the_reports_is_cooled_again_too() {
    let mut rig = Rig::ready(build("marlin"), Parking::default());
    let mut file = crate::file();
    let at = file.len() / 2;
    file.insert(at, "@pause".to_owned());
    file.insert(at, "M155 S0".to_owned());
    rig.start(&file);
    rig.until("paused", |rig| rig.stage() == Some(Stage::Paused));
    rig.stay_s(700);
    rig.printer.receive(rig.now, b"M104 S200\n");
    rig.stay_s(700);
    assert_eq!(rig.nozzle(), 0.0);
}

#[test]
fn what_is_heated_at_the_panel_in_a_pause_is_seen_though_the_file_has_silenced_the_reports() {
    let mut rig = Rig::ready(build("marlin"), Parking::default());
    let mut file = crate::file();
    file.insert(0, "M155 S0".to_owned());
    rig.start(&file);
    rig.until("printing", |rig| rig.accepted.len() > 60);
    rig.pause();
    rig.stay_s(700);
    rig.printer.receive(rig.now, b"M104 S200\n");
    rig.stay_s(700);
    assert_eq!(rig.nozzle(), 0.0);
}

/// `M104 S0` is the tool's in use.
#[test]
fn a_hot_tool_that_is_not_in_use_is_cooled_in_a_pause() {
    let mut rig = Rig::ready(Config { tools: 2, ..build("marlin") }, Parking::default());
    let mut file: Vec<String> = ["G28", "M104 T0 S200", "T1", "M104 T1 S0"].map(String::from).to_vec();
    file.extend((0..200).map(|at| format!("G1 X{} Y{} F1800", 20 + at % 90, 20 + at % 70)));
    rig.start(&file);
    rig.until("under way", |rig| rig.accepted.len() > 60);
    rig.pause();
    rig.stay_s(700);
    assert_eq!(rig.printer.targets().nozzles, [0.0, 0.0]);
    rig.resume();
    rig.until("hot again", |rig| rig.printer.targets().nozzles == [200.0, 0.0]);
}

/// Nobody knew where the machine ends, so the head stayed above the part: it does not prime there.
#[test]
fn a_pause_that_did_not_lead_the_head_aside_is_not_primed_by_settings_that_came_later() {
    let mut rig = Rig::ready(build("creality"), Parking::default());
    rig.start(&crate::file());
    rig.until("printing", |rig| rig.accepted.len() > 60);
    rig.pause();
    rig.stay_s(700);
    assert_eq!(rig.nozzle(), 0.0);
    let area = Area { min: [0.0; 3], max: [220.0, 220.0, 250.0] };
    rig.restart_with(Parking { area: Some(area), ..Parking::default() });
    let before = rig.accepted.len();
    rig.resume();
    rig.finish(&crate::file());
    let own: Vec<&str> = rig.accepted[before..].iter().map(|(text, _)| text.as_str()).collect();
    assert!(own.contains(&"M109 S200") && !own.iter().any(|line| line.starts_with("G1 E7")), "{own:?}");
}

/// The answers by which it is found out where the job is are no person's.
#[test]
fn a_restart_in_a_wait_of_the_firmware_does_not_begin_it_anew() {
    let mut rig = Rig::ready(build("marlin"), Parking::default());
    rig.start(&file_with("M600"));
    rig.until_carries_out("M600");
    rig.stay_s(400);
    rig.restart();
    rig.stay_s(230);
    assert_eq!(rig.nozzle(), 0.0, "{}", rig.tail());
}

/// A full queue keeps each process from finding out where the job is.
#[test]
fn agents_that_are_killed_before_they_know_where_the_job_is_keep_no_nozzle_hot() {
    let mut rig = Rig::ready(build("marlin"), Parking::default());
    rig.start(&file_with("M600"));
    rig.until_carries_out("M600");
    rig.stay_s(50);
    let since = rig.now;
    while rig.nozzle() > 0.0 {
        rig.stay_s(90);
        rig.restart();
        assert!((rig.now - since).as_secs() < 720, "{}", rig.tail());
    }
}
