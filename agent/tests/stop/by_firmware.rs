//! What becomes of a stop at once at each firmware, whatever happens to its lines on their way.

use std::time::Duration;

use firmware_sim::profile::Profile;
use rstest::rstest;
use stardust_agent::serial::HostEvent;

use crate::rig::{At, COLD_WITHIN, LONGEST_COMMAND, Rig, Way};

/// Every heater's target is 0 at the printer, or it has halted: whichever firmware, whatever becomes of the lines.
#[rstest]
fn a_stop_leaves_no_heat_behind(
    #[values(Way::Clean, Way::DamagedOnce, Way::LostOnce, Way::Damaged, Way::Lost)] way: Way,
    #[values(At::Preheated, At::Printing, At::Heating, At::OnCard)] at: At,
) {
    let mut wrong = Vec::new();
    for named in Profile::NAMES {
        let mut rig = Rig::at(named.name, at);
        rig.way = way;
        rig.events.clear();
        rig.stop_at_once();
        // Firmware that looks at it at the end of a command has all the time that the command takes.
        let waits = at == At::Heating && !rig.host.firmware().can("EMERGENCY_PARSER");
        let within = COLD_WITHIN + if waits { LONGEST_COMMAND } else { Duration::ZERO };
        let until = rig.now + within;
        while rig.now < until && !rig.is_safe() {
            rig.exchange();
            // The words: what is hot is never called stopped.
            if !rig.is_safe() {
                assert!(rig.is_in_doubt(), "{} {way:?} {at:?}: {}\n{}", named.name, rig.told(), rig.story());
            }
        }
        rig.run_for(COLD_WITHIN);
        let told = rig.told();
        assert!(!told.contains("itself"), "{} {way:?} {at:?}: {told}", named.name);
        if !rig.printer.is_halted() {
            let ignored = rig.events.iter().position(|event| *event == HostEvent::StopIgnored { sent: 4 });
            let settled = rig.events.iter().rposition(|event| *event == HostEvent::HeatSettled);
            assert!(ignored.is_some() && settled > ignored, "{}: {}", named.name, rig.story());
            assert!(told.contains("sent 4 times") && told.contains("read back"), "{}: {told}", named.name);
            assert!(rig.host.is_ready(), "{}: {}", named.name, rig.story());
            let ends = rig.printer.accepted().iter().any(|one| matches!(one.text.as_str(), "M524" | "M25"));
            assert_eq!(
                (ends, told.contains("memory card")),
                (at == At::OnCard, at == At::OnCard),
                "{}: {told}",
                named.name
            );
        }
        let arrives = matches!(way, Way::Clean | Way::DamagedOnce | Way::LostOnce);
        if !rig.is_safe() || arrives && !rig.printer.is_halted() {
            wrong.push(format!("{}: {:?}", named.name, rig.printer.targets()));
        }
    }
    assert!(wrong.is_empty(), "{way:?} {at:?}: {wrong:#?}");
}

/// It is not stopped before it gets to it, and that is what a person is told: with the temperature that it goes on to.
#[rstest]
#[case("marlin-no-emergency-parser", "still heats to 200 °C")]
#[case("creality", "still heats to 200 °C")]
#[case("prusa", "heat")]
#[case("repetier", "heat")]
#[case("malyan", "heat")]
#[case("ultimaker2", "heat")]
fn in_a_wait_for_heat_it_is_told_that_it_still_heats(#[case] profile: &str, #[case] heats: &str) {
    let mut rig = Rig::at(profile, At::Heating);
    rig.stop_at_once();
    rig.run_for(Duration::from_secs(10));
    assert!(!rig.is_safe(), "it would be no test");
    let told = rig.told();
    assert!(told.contains("when it gets to it") && told.contains(heats), "{told}\n{}", rig.story());
    rig.run_until("it has stopped", LONGEST_COMMAND, Rig::is_safe);
    assert!(rig.printer.is_halted());
    rig.run_for(COLD_WITHIN);
    let told = rig.told();
    assert!(told.contains("says that it has stopped") || told.contains("says nothing any more"), "{told}");
}

/// All of it got lost, and one came after all.
#[rstest]
fn a_stop_that_is_late_is_not_the_printers_own() {
    let mut rig = Rig::at("marlin", At::Preheated);
    rig.way = Way::Lost;
    rig.stop_at_once();
    rig.run_until("it goes on", COLD_WITHIN, |rig| rig.events.contains(&HostEvent::StopIgnored { sent: 4 }));
    rig.send(b"\nM112\n");
    rig.run_until("it has stopped", COLD_WITHIN, |rig| rig.printer.is_halted());
    rig.run_for(Duration::from_secs(2));
    let told = rig.told();
    assert!(told.contains("by Ada") && told.contains("says that it has stopped"), "{told}\n{}", rig.story());
}

/// The agent was started anew before it was known whether the stop was taken, and the port has stayed open. No line of it ever
/// arrives, so what the printer prints from its memory card goes on.
#[test]
fn what_an_agent_before_this_one_has_told_to_stop_is_not_somebodys_print() {
    for named in Profile::NAMES {
        let mut rig = Rig::at(named.name, At::OnCard);
        rig.way = Way::Lost;
        rig.stop_at_once();
        rig.run_for(Duration::from_secs(3));
        assert!(!rig.is_safe(), "it would be no test");
        rig.connect_anew();
        rig.host.port_opened(rig.now);
        rig.host.follow_stop_up(rig.now);
        let settled = |rig: &Rig| rig.events.contains(&HostEvent::HeatSettled);
        while !settled(&rig) {
            assert!(rig.told().contains("before the agent was started"), "{}: {}", named.name, rig.story());
            rig.exchange();
            assert!(rig.now < COLD_WITHIN * 5, "{}: {}", named.name, rig.story());
        }
        assert!(rig.is_safe(), "{}: {}", named.name, rig.story());
        rig.run_for(COLD_WITHIN);
        assert!(rig.is_safe() && rig.told().contains("read back"), "{}: {}", named.name, rig.story());
    }
}

/// What it prints after it was made safe somebody has started there.
#[rstest]
fn a_print_from_the_card_that_is_begun_after_a_stop_was_made_good_is_left_alone() {
    let mut rig = Rig::at("prusa", At::OnCard);
    rig.way = Way::Lost;
    rig.stop_at_once();
    rig.run_until("it is safe", COLD_WITHIN, |rig| rig.host.is_ready());
    rig.printer.receive(b"M24\nM104 S200\n", rig.now);
    rig.run_for(COLD_WITHIN);
    assert!(!rig.printer.targets().are_off(), "{}", rig.story());
    assert!(rig.host.external().is_some_and(|told| told.contains("memory card")));
}
