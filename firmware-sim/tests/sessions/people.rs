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

#[test]
fn without_emergency_parser_m108_waits_for_its_turn() {
    let config = Config { emergency_parser: false, ..Config::default() };
    let mut firmware = Firmware::new(config);
    firmware.output().clear();
    firmware.receive(Duration::ZERO, b"M0\nM108\n");
    firmware.advance(Duration::from_secs(3600));
    assert!(!String::from_utf8_lossy(firmware.output()).contains("ok"));
}
