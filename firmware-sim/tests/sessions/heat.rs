//! Heaters and the waits for them.

use firmware_sim::firmware::Config;
use rstest::rstest;

use crate::session::Session;

const HEATING: &str = "
    > M109 S60
    <  T:19.38 /60.00 B:19.38 /0.00 @:127 B@:0 W:?
    +0.3
    > M105
    +1.7
    <  T:23.36 /60.00 B:19.38 /0.00 @:127 B@:0 W:?
    <  T:27.30 /60.00 B:19.38 /0.00 @:127 B@:0 W:?
    < echo:busy: processing
    > M108
    < ok P15 B1
    < ok T:27.30 /60.00 B:19.38 /0.00 @:127 B@:0
    < ok P15 B3
    > M109 S100
    <  T:27.30 /100.00 B:19.38 /0.00 @:127 B@:0 W:?
    > M410
    > M104 S0
    +1
    <  T:31.20 /100.00 B:19.38 /0.00 @:127 B@:0 W:?
    > M108
    < ok P15 B0
    +1
    < ok P15 B1
    < ok P15 B2
    < ok P15 B3
    > M109 S10
    < ok P15 B3
";

#[rstest]
#[case::heating(HEATING)]
fn it_answers_as_observed(#[case] script: &str) {
    Session::boot(true).play(script);
}

#[test]
fn a_wait_for_heat_ends_ten_seconds_after_the_target_is_reached() {
    let mut session = Session::boot(false);
    session.play("> M113 S0\n < ok");
    session.send(b"M190 S40\n");
    let mut waited = 0;
    while session.received.last().map(String::as_str) != Some("ok") {
        session.wait(1.0);
        waited += 1;
        assert!(waited < 120, "{:?}", session.received);
    }
    // 20.62 of 140 °C at a time constant of 175 s, then the residency.
    assert!((36..=39).contains(&waited), "{waited}");
    let countdown: Vec<_> =
        session.received.iter().filter_map(|line| line.split_once(" W:")).map(|(_, left)| left).collect();
    assert!(countdown.starts_with(&["?"]) && countdown.ends_with(&["3", "2", "1", "0"]), "{countdown:?}");
}

#[test]
fn several_tools_have_their_own_heaters() {
    let config = Config { tools: 2, ..Config::default() };
    let mut session = Session::with(config);
    session.play(
        "
        > M104 T1 S200
        < ok
        > M105
        < ok T:21.00 /0.00 B:21.00 /0.00 T0:21.00 /0.00 T1:21.00 /200.00 @:0 B@:0 @0:0 @1:127
        > T1
        < ok
        > M105
        < ok T:21.00 /200.00 B:21.00 /0.00 T0:21.00 /0.00 T1:21.00 /200.00 @:127 B@:0 @0:0 @1:127
        > T2
        < echo:T2 Invalid extruder
        < ok
        > M104 T2 S200
        < echo:M104 Invalid extruder 2
        < ok
        ",
    );
}

#[test]
fn a_wait_for_cooling_that_can_never_end_is_given_up() {
    let mut session = Session::boot(false);
    session.play("> M113 S0\n < ok");
    session.send(b"M109 R0\n");
    session.wait(59.0);
    assert_ne!(session.received.last().map(String::as_str), Some("ok"));
    session.wait(2.0);
    assert_eq!(session.received.last().map(String::as_str), Some("ok"));
}

/// klippy/extras/heaters.py: it is set by its name alone, and M105 does not tell of it.
#[test]
fn klippers_heater_with_a_name_is_set_by_words() {
    let config = firmware_sim::profile::Profile::named("klipper").unwrap().config;
    let mut session = Session::with(config);
    session.play(
        "
        > SET_HEATER_TEMPERATURE HEATER=chamber TARGET=60
        < ok
        > M105
        < ok B:21.0 /0.0 T0:21.0 /0.0
        > M141 S0
        < // Unknown command:\"M141 S0\"
        < ok
        > SET_HEATER_TEMPERATURE HEATER=box TARGET=60
        < !! The value 'box' is not valid for HEATER
        < ok
        ",
    );
    assert_eq!(session.firmware.targets().generic, Some(60.0));
    session.play("> TURN_OFF_HEATERS\n < ok");
    assert!(session.firmware.targets().are_off());
}
