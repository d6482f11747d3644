//! Firmware whose M27 tells a position whenever a card is in, with nothing printed: UltiMaker 2, Marlin before 2.0, Repetier before
//! 2.0. It is asked from a stop on that was not taken.

use std::time::Duration;

use rstest::rstest;
use stardust_agent::serial::{End, HostEvent};

use crate::rig::{At, COLD_WITHIN, Rig, Way};

/// Until nobody thinks of a card any more.
const SOON: Duration = Duration::from_secs(120);

/// The card is asked about from here on: a stop came to nothing, and the printer was made safe.
fn made_safe_after_a_stop(rig: &mut Rig) {
    rig.way = Way::Lost;
    rig.stop_at_once();
    rig.run_until("the stop is given up", SOON, |rig| {
        rig.events.iter().any(|event| matches!(event, HostEvent::StopIgnored { .. }))
    });
    rig.way = Way::Clean;
    rig.run_until("it is cold", SOON, |rig| rig.events.contains(&HostEvent::HeatSettled));
    rig.events.clear();
}

#[rstest]
fn no_print_stands_in_the_way_of_a_job_or_of_what_is_owed(
    #[values("ultimaker2", "creality", "repetier")] profile: &str,
    // Nothing was ever opened, and a print from the card that is over.
    #[values(None, Some(3_000))] printed: Option<u64>,
) {
    let mut rig = Rig::with_card(profile, printed);
    rig.bring(At::Preheated);
    made_safe_after_a_stop(&mut rig);
    rig.run_until("it takes a job", SOON, |rig| rig.host.is_ready());
    rig.run_for(SOON);
    assert!(rig.host.is_ready() && rig.host.external().is_none(), "{}", rig.story());

    rig.bring(At::Printing);
    rig.host.stop(rig.now, End::Cancelled);
    rig.run_until("what the job has heated is off", COLD_WITHIN, |rig| {
        rig.events.contains(&HostEvent::HeatSettled)
    });
    assert!(!rig.events.contains(&HostEvent::HeatLeftToCard), "{}", rig.story());
    rig.run_until("the next job", SOON, |rig| rig.host.is_ready());
}

/// What somebody has left at half of its file.
#[rstest]
fn a_print_from_the_card_that_stands_is_nobodys_only_when_it_is_cold(
    #[values("ultimaker2", "creality")] profile: &str,
) {
    let mut rig = Rig::with_card(profile, Some(900_000));
    made_safe_after_a_stop(&mut rig);
    rig.run_until("it takes a job", SOON, |rig| rig.host.is_ready());

    // Somebody lets it go on at the panel, and heats it.
    rig.type_at_it("M104 S200\nM24\n");
    rig.run_until("it is seen", SOON, |rig| rig.host.external().is_some());
    assert!(!rig.host.is_ready());
    rig.type_at_it("M25\n");
    rig.run_for(SOON);
    let told = rig.host.external().unwrap_or_default();
    assert!(told.contains("paused"), "{told}");
    assert!(!rig.host.is_ready(), "a part may be on the bed, and somebody may go on with it");

    // And gives it up.
    rig.type_at_it("M104 S0\n");
    rig.run_until("it takes a job", SOON, |rig| rig.host.is_ready());
}

/// What was heated by a job is no heat of a print that merely stands there.
#[test]
fn a_print_that_stands_keeps_nothing_hot_that_is_owed() {
    let mut rig = Rig::with_card("ultimaker2", Some(900_000));
    made_safe_after_a_stop(&mut rig);
    rig.run_until("it takes a job", SOON, |rig| rig.host.is_ready());
    rig.bring(At::Printing);
    rig.host.stop(rig.now, End::Cancelled);
    rig.run_until("what the job has heated is off", COLD_WITHIN, |rig| {
        rig.events.contains(&HostEvent::HeatSettled) && rig.printer.targets().are_off()
    });
    rig.run_until("the next job", SOON, |rig| rig.host.is_ready());
}

/// Somebody who prints from the card has taken over, and that is seen: its place moves.
#[test]
fn a_print_that_goes_on_takes_over_what_is_owed() {
    let mut rig = Rig::with_card("ultimaker2", None);
    rig.bring(At::Preheated);
    made_safe_after_a_stop(&mut rig);
    rig.run_until("it takes a job", SOON, |rig| rig.host.is_ready());
    rig.bring(At::Printing);
    // Its end and this cross on their way.
    rig.host.stop(rig.now, End::Cancelled);
    rig.run_until("the job is over", COLD_WITHIN, |rig| rig.host.progress().is_none());
    rig.type_at_it("M104 S200\nM23 PANEL~1.GCO\nM24\n");
    rig.run_until("it is left to them", SOON, |rig| rig.events.contains(&HostEvent::HeatLeftToCard));
    // What was turned off before that was seen they set again.
    rig.type_at_it("M104 S200\n");
    rig.run_for(SOON);
    assert!(!rig.printer.targets().are_off(), "{}", rig.story());
}
