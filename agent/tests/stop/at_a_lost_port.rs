//! A port that is lost behind a stop at once takes nothing of it away: it is told again when it is back, and followed up.

use std::time::Duration;

use firmware_sim::profile::Profile;
use rstest::rstest;
use stardust_agent::serial::{Connection, HostEvent};

use crate::rig::{At, COLD_WITHIN, Rig, Way};

/// The port goes so many seconds after the stop.
const AFTER: [u64; 11] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

/// Whether what goes out first is a stop.
fn is_stop(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).into_owned();
    text.starts_with("\nM112\n") || text.starts_with("\nN0 M110 N0*125\nN1 M112*32\n")
}

/// It has halted, or every heater's target is 0 at the printer; that nobody is told so before, the rig sees to.
#[rstest]
fn a_stop_outlives_its_port(
    #[values(Way::Clean, Way::LostOnce, Way::Lost)] way: Way,
    #[values(At::Preheated, At::Printing, At::Heating, At::OnCard)] at: At,
) {
    for named in Profile::NAMES {
        for after in AFTER {
            let case = format!("{} {way:?} {at:?} {after} s", named.name);
            let mut rig = Rig::at(named.name, at);
            rig.way = way;
            rig.events.clear();
            // One that has not said so may be at a command for as long as that takes.
            let acts_at_once = rig.host.firmware().can("EMERGENCY_PARSER");
            rig.stop_at_once();
            rig.run_for(Duration::from_secs(after));
            let is_told = matches!(rig.host.connection(), Connection::ToldToStop { is_over: false, .. });
            let first = rig.lose_port(Duration::from_secs(2 + after));
            assert_eq!(is_stop(&first), is_told, "{case}: {first:?} {}", rig.story());
            let waits = at == At::Heating && !acts_at_once;
            rig.comes_to_rest(&case, waits);
            assert!(way == Way::Lost || rig.printer.is_halted(), "{case}: {}", rig.story());
        }
    }
}

/// Whoever puts the cable in after so long has been at the printer: it is not halted, and what may be hot is turned off all the same.
#[test]
fn after_ten_minutes_it_is_made_safe_by_commands() {
    for named in Profile::NAMES {
        let mut rig = Rig::at(named.name, At::OnCard);
        rig.way = Way::Lost;
        rig.events.clear();
        rig.stop_at_once();
        rig.run_for(Duration::from_secs(1));
        let first = rig.lose_port(Duration::from_secs(601));
        assert!(!String::from_utf8_lossy(&first).contains("M112"), "{}", named.name);
        assert!(!rig.is_safe(), "it would be no test");
        let settled = |rig: &Rig| rig.events.contains(&HostEvent::HeatSettled);
        rig.run_until("it is read back", COLD_WITHIN * 2, settled);
        rig.run_for(COLD_WITHIN);
        assert!(rig.is_safe() && !rig.printer.is_halted(), "{}: {}", named.name, rig.story());
        let told = rig.told();
        assert!(
            told.contains("by Ada") && told.contains("not known whether it did"),
            "{}: {told}",
            named.name
        );
    }
}

/// A silent printer is switched off and on again, as its people are asked to: it is not halted again, and again.
#[test]
fn what_says_nothing_any_more_is_not_told_again() {
    let mut rig = Rig::at("ultimaker2", At::Preheated);
    rig.stop_at_once();
    let is_over = |rig: &Rig| matches!(rig.host.connection(), Connection::ToldToStop { is_over: true, .. });
    rig.run_until("it is silent", COLD_WITHIN, is_over);
    assert!(rig.printer.is_halted());
    rig.printer.reset(rig.now);
    let first = rig.lose_port(Duration::from_secs(3));
    assert!(!is_stop(&first), "{first:?}");
    rig.run_until("it is ready", COLD_WITHIN, |rig| rig.host.is_ready());
    assert!(!rig.printer.is_halted());
}
