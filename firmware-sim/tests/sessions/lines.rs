//! Numbers, checksums, odd lines, and what is said of the firmware itself.

use rstest::rstest;

use crate::session::Session;

const NUMBERING: &str = "
    > M110 N0
    < ok P15 B3
    > N0 M110 N0*125
    < ok N0 P15 B3
    > N1 G92 E0*70
    < X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0
    < ok N1 P15 B3
    > N2 G92 E0*68
    < Error:checksum mismatch, Last Line: 1
    < Resend: 2
    < ok
    > N2 G92 E0*69
    < X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0
    < ok N2 P15 B3
    > N5 G92 E0*66
    < Error:Line Number is not Last Line Number+1, Last Line: 2
    < Resend: 3
    < ok
    > N2 G92 E0*69
    +3
    > N3 G92 E0
    < Error:No Checksum with line number, Last Line: 2
    < Resend: 3
    < ok
    > G92 E0*12
    < X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0
    < ok P15 B3
    > N3 G92 E0*69 | N4 G92 E0*67 | N5 G92 E0*66
    < Error:checksum mismatch, Last Line: 2
    < Resend: 3
    < ok
    < Error:Line Number is not Last Line Number+1, Last Line: 2
    < Resend: 3
    < ok
    < Error:Line Number is not Last Line Number+1, Last Line: 2
    < Resend: 3
    < ok
    > M105
    < ok T:19.38 /0.00 B:19.38 /0.00 @:0 B@:0
    > M110 N100
    < ok P15 B3
    > N101 M105*39
    < ok T:19.38 /0.00 B:19.38 /0.00 @:0 B@:0
";

const ODD_LINES: &str = "
    > G999
    < echo:Unknown command: \"G999\"
    < ok P15 B3
    > M9999
    < echo:Unknown command: \"M9999\"
    < ok P15 B3
    > HELLO
    < echo:Unknown command: \"HELLO\"
    < ok P15 B3
    > T5
    < ok P15 B3
    > ; only a comment
    +1.5
    >
    +1.5
    > m105
    < echo:Unknown command: \"m105\"
    < ok P15 B3
    > (paren) M105
    < echo:Unknown command: \"(paren) M105\"
    < ok P15 B3
    > M117 héllo
    < ok P15 B3
    > M117 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
    < ok P15 B3
    > M105\r
    < ok T:19.38 /0.00 B:19.38 /0.00 @:0 B@:0
";

const SMALL_TALK: &str = "
    > M73 P42 R10
    < echo: M73 Progress: 42%; Time left: 10m;
    < ok P15 B3
    > M117 Hello
    < ok P15 B3
    > M118 A1 P0 action:pause
    < //action:pause
    < ok P15 B3
    > M118 E1 hi
    < echo:hi
    < ok P15 B3
    > M118 x
    < x
    < ok P15 B3
    > M106 S128
    < M106 P0 S128
    < ok P15 B3
    > M107
    < M106 P0 S0
    < ok P15 B3
    > M220 S110
    < ok P15 B3
    > M220
    < FR:110%
    < ok P15 B3
    > M21
    < echo:Unknown command: \"M21\"
    < ok P15 B3
    > M119
    < Reporting endstop status
    < x_min: open
    < y_min: open
    < z_min: open
    < ok P15 B3
    > M31
    < echo:Print time: 0s
    < ok P15 B3
    > M77
    < ok P15 B3
    > M155 S1
    < ok P15 B3
    +2
    <  T:19.38 /0.00 B:19.38 /0.00 @:0 B@:0
    <  T:19.38 /0.00 B:19.38 /0.00 @:0 B@:0
    > M155 S0
    < ok P15 B3
    +5
";

#[rstest]
#[case::numbering(NUMBERING)]
#[case::odd_lines(ODD_LINES)]
#[case::small_talk(SMALL_TALK)]
fn it_answers_as_observed(#[case] script: &str) {
    Session::boot(true).play(script);
}

#[test]
fn without_advanced_ok_the_ok_is_bare() {
    Session::boot(false).play(
        "
        > N0 M110 N0*125
        < ok
        > N1 M204 P500*97
        < ok
        > N2 M204 P500*99
        < Error:checksum mismatch, Last Line: 1
        < Resend: 2
        < ok
        ",
    );
}

#[test]
fn m115_describes_the_build() {
    let mut session = Session::boot(false);
    session.send(b"M115\n");
    insta::assert_snapshot!(session.received.join("\n"));
}
