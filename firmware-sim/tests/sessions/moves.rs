//! Moves and the planner they wait for.

use rstest::rstest;

use crate::session::Session;

const MOVES: &str = "
    > G28
    +4
    < echo:busy: processing
    < echo:busy: processing
    +2
    < X:0.00 Y:0.00 Z:5.00 E:0.00 Count X:0 Y:0 Z:2000
    < ok P15 B3
    > G1 X20 Y20 F6000
    < ok P14 B3
    > G1 X30
    < ok P13 B3
    > G1 E5 F300 ; cold
    < echo: cold extrusion prevented
    < ok P13 B3
    > M400
    +1
    < ok P15 B3
    > M114
    < X:30.00 Y:20.00 Z:5.00 E:5.00 Count X:2400 Y:1600 Z:2000
    < ok P15 B3
    > G4 P4500
    +4.4
    < echo:busy: processing
    < echo:busy: processing
    +0.1
    < ok P15 B3
";

const QUICK_STOP: &str = "
    > G1 X100 F600
    < ok P14 B3
    > G1 X10
    < ok P13 B3
    > G1 Y100
    < ok P12 B3
    +0.7
    > M410
    +0.9
    +0.1
    < ok P15 B3
    > M114
    < X:6.68 Y:0.00 Z:0.00 E:0.00 Count X:535 Y:0 Z:0
    < ok P15 B3
";

#[rstest]
#[case::moves(MOVES)]
#[case::quick_stop(QUICK_STOP)]
fn it_answers_as_observed(#[case] script: &str) {
    Session::boot(true).play(script);
}

#[test]
fn a_move_is_answered_when_it_fits_into_the_planner() {
    let mut session = Session::boot(true);
    for number in 1..=15 {
        session.play(&format!("> G1 X{number} F60\n < ok P{} B3", 15 - number));
    }
    // One millimetre a second, after 30 ms: the sixteenth waits until the first has ended, the line behind it too.
    session.play(
        "
        > G1 X16 | M105
        +1.0
        +0.05
        < ok P0 B2
        < ok T:19.38 /0.00 B:19.38 /0.00 @:0 B@:0
        ",
    );
}
