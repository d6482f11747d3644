//! Waiting for a person, and M108 that ends it.

use std::time::Duration;

use firmware_sim::firmware::{Config, Firmware};
use rstest::rstest;

use crate::session::Session;

const PERSON: &str = "
    > M0 Click me
    < echo:Click me
    < //action:prompt_end
    < //action:prompt_begin Click me
    < //action:prompt_button Continue
    < //action:prompt_show
    +2
    < echo:busy: paused for user
    > M108
    < ok P15 B2
    < ok P15 B3
    > M1
    < //action:prompt_end
    < //action:prompt_begin M1 Stop
    < //action:prompt_button Continue
    < //action:prompt_show
    > M876 S0
    < ok P15 B2
    < ok P15 B3
    > M0 S3
    < //action:prompt_end
    < //action:prompt_begin M0 Stop
    < //action:prompt_button Continue
    < //action:prompt_show
    +3
    < echo:busy: paused for user
    < ok P15 B3
";

const FILAMENT_CHANGE: &str = "
    > M600
    < //action:prompt_end
    < //action:prompt_begin Nozzle Parked
    < //action:prompt_button Continue
    < //action:prompt_show
    +2
    < echo:busy: paused for user
    > M876 S0
    < ok P15 B2
    < ok P15 B3
";

#[rstest]
#[case::person(PERSON)]
#[case::filament_change(FILAMENT_CHANGE)]
fn it_answers_as_observed(#[case] script: &str) {
    Session::boot(true).play(script);
}

const PARKED: &str = "
    > M600
    < //action:paused
    < //action:prompt_end
    < //action:prompt_begin Pause
    < //action:prompt_button Dismiss
    < //action:prompt_show
    +12
    < //action:prompt_end
    < //action:prompt_begin Nozzle Parked
    < //action:prompt_button Continue
    < //action:prompt_show
";

const PURGING_MORE: &str = "
    > M876 S0
    +20
    < //action:prompt_end
    < //action:prompt_begin Paused
    < //action:prompt_button PurgeMore
    < //action:prompt_button Continue
    < //action:prompt_show
    > M108
    +600
    > M876 S0
    +15
    < //action:prompt_end
    < //action:prompt_begin Paused
    < //action:prompt_button PurgeMore
    < //action:prompt_button Continue
    < //action:prompt_show
    > M876 S1
    +3
    < //action:prompt_end
    < //action:resumed
    < //action:prompt_end
    < //action:prompt_begin Resuming
    < //action:prompt_button Dismiss
    < //action:prompt_show
    < ok
    < ok
    < ok
    < ok
    < ok
";

const TIMED_OUT: &str = "
    +45
    < //action:prompt_end
    < //action:prompt_begin HeaterTimeout
    < //action:prompt_button Reheat
    < //action:prompt_show
    +600
";

/// By Marlin's feature/pause.cpp; M113 S0 keeps the busy lines out of sight.
#[rstest]
#[case::purges_more(&[PARKED, PURGING_MORE])]
#[case::cools(&[PARKED, TIMED_OUT])]
fn with_a_menu_a_change_of_filament_asks_more_than_once(#[case] scripts: &[&str]) {
    let config = Config { menu: true, receive_buffer: None, ..Config::default() };
    let mut session = Session::with(config);
    session.play("> M113 S0\n< ok");
    session.play("> M104 S200\n< ok");
    for script in scripts {
        session.play(script);
    }
    let heated = scripts.last() == Some(&PURGING_MORE);
    assert_eq!(session.firmware.targets().nozzles, [if heated { 200.0 } else { 0.0 }]);
}

#[test]
fn without_emergency_parser_m108_waits_for_its_turn() {
    let config = Config { emergency_parser: false, ..Config::default() };
    let mut firmware = Firmware::new(config);
    firmware.output().clear();
    firmware.receive(Duration::ZERO, b"M0\nM108\n");
    firmware.advance(Duration::from_secs(3600));
    assert!(!String::from_utf8_lossy(firmware.output()).contains("ok"));
}
