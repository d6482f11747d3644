//! A change of filament in the file: the firmware waits for a person, who goes on or gives up. Where it does not know M600 it
//! goes on by itself.

use std::time::Duration;

use firmware_sim::profile::Profile;
use stardust_agent::serial::dialect::Dialect;
use stardust_agent::serial::{End, JobEvent};

use crate::bench::Bench;

/// The next command behind the change.
const NEXT: &str = "G1 X15";
/// A person takes his time.
const PERSON: Duration = Duration::from_secs(60);
/// Nobody comes.
const LONG: Duration = Duration::from_secs(900);
/// Firmware that says nothing while it waits: to a host it is one that has stopped answering, in the end.
const MUTE: [&str; 3] = ["reprapfirmware", "malyan", "ultimaker2"];

/// Prints up to the change; whether the firmware waits in it.
fn waits(bench: &mut Bench, file: &[u8], commands: &[String], profile: &str) -> bool {
    bench.admit(file, false).unwrap_or_else(|refusal| panic!("{profile}: {refusal}"));
    bench.carries_out("M600");
    assert!(bench.printer.targets().nozzles[0] > 0.0, "{profile}: it is hot");
    let change = commands.iter().position(|command| command == "M600").unwrap();
    assert_eq!(carried_out(bench)[..=change], commands[..=change], "{profile}");
    let has_it = !matches!(bench.host.firmware().dialect, Dialect::Klipper | Dialect::Teacup);
    if has_it {
        bench.wait(PERSON);
        assert!(!goes_on_behind_it(bench), "it waits: {}", bench.story(profile));
        assert_eq!(bench.host.attention().is_some(), !MUTE.contains(&profile), "{}", bench.story(profile));
    }
    has_it
}

fn carried_out(bench: &Bench) -> Vec<String> {
    bench.carried_out().into_iter().map(|(_, text)| text).collect()
}

fn goes_on_behind_it(bench: &Bench) -> bool {
    bench.printer.accepted().iter().any(|one| one.text == NEXT)
}

/// Whether it looks at commands that end a wait while it waits.
fn hears(profile: &str) -> bool {
    Profile::named(profile).unwrap().config.emergency_parser
}

/// Resume presses the button that goes on, as often as something is asked; where the firmware hears nothing a person does.
pub(super) fn goes_on(bench: &mut Bench, file: &[u8], commands: &[String], profile: &str) {
    if waits(bench, file, commands, profile) {
        // Marlin with a menu asks about a nozzle that it has cooled, too, and cools it again if nobody answers.
        for _ in 0..10 {
            if bench.host.attention().is_some() && !goes_on_behind_it(bench) {
                bench.resume();
                bench.wait(PERSON / 3);
            }
        }
        assert_eq!(goes_on_behind_it(bench), hears(profile), "{}", bench.story(profile));
        if !hears(profile) {
            bench.click();
        }
    }
    let end = bench.finish();
    if MUTE.contains(&profile) && matches!(end, JobEvent::Stopped(End::Failed(_))) {
        // Given up before the person came: the print is lost, and cold as soon as the firmware is heard again.
        return bench.run_until("cold", |bench| bench.printer.targets().are_off());
    }
    assert_eq!(end, JobEvent::Completed, "{}", bench.story(profile));
    bench.settle();
    assert_eq!(carried_out(bench), commands, "{profile}");
}

/// A cancel ends the wait, or the button at the printer does, whenever somebody comes; it is cold then.
pub(super) fn is_cancelled(bench: &mut Bench, file: &[u8], commands: &[String], profile: &str) {
    let waits = waits(bench, file, commands, profile);
    bench.stop(End::Cancelled);
    if waits && !hears(profile) {
        let told = bench.host.attention_text();
        let button = told.as_ref().is_some_and(|told| told.contains("button at the printer"));
        // One that says nothing at all meanwhile may have been given up before.
        let is_given_up = MUTE.contains(&profile) && bench.host.progress().is_none();
        assert!(button || is_given_up, "{told:?}: {}", bench.story(profile));
        bench.wait(LONG);
        bench.click();
    }
    let end = bench.finish();
    let is_over = match &end {
        JobEvent::Stopped(End::Cancelled) => true,
        JobEvent::Stopped(End::Failed(_)) => waits && MUTE.contains(&profile),
        _ => false,
    };
    assert!(is_over, "{end:?}: {}", bench.story(profile));
    bench.run_until("cold", |bench| bench.printer.targets().are_off());
    bench.settle();
    // Where only the button ends the wait, what the firmware has in its queue by then is carried out behind it.
    let may_go_on = !waits || !hears(profile);
    assert!(may_go_on || !goes_on_behind_it(bench), "{}", bench.story(profile));
}
