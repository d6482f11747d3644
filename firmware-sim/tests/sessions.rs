//! Whole conversations with the printer, written like the observed ones: `>` is sent, `<` must come back, and
//! nothing else may; `+2.5` lets simulated time pass. A `…` at the end of an expected line stands for any rest.
//! Lines joined by ` | ` are sent in one piece.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

use std::time::Duration;

use firmware_sim::firmware::{Config, Firmware};
use rstest::rstest;

struct Session {
    firmware: Firmware,
    now: Duration,
    received: Vec<String>,
}

impl Session {
    fn boot(advanced_ok: bool) -> Self {
        let config = Config {
            advanced_ok,
            ambient_c: 19.38,
            travel_mm: [200.0; 3],
            receive_buffer: None,
            ..Config::default()
        };
        let mut session = Self { firmware: Firmware::new(config), now: Duration::ZERO, received: Vec::new() };
        session.collect();
        assert_eq!(session.received.first().map(String::as_str), Some("start"));
        session.received.clear();
        session
    }

    fn collect(&mut self) {
        let bytes = std::mem::take(self.firmware.output());
        let text = String::from_utf8(bytes).unwrap();
        self.received.extend(text.lines().map(str::to_owned));
    }

    fn send(&mut self, bytes: &[u8]) {
        assert_eq!(self.firmware.receive(self.now, bytes), bytes.len());
        self.collect();
    }

    fn wait(&mut self, seconds: f64) {
        self.now += Duration::from_secs_f64(seconds);
        self.firmware.advance(self.now);
        self.collect();
    }

    /// Everything received since the last check must be exactly this.
    fn check(&mut self, expected: &mut Vec<&str>, before: &str) {
        let fits = |(got, wanted): (&String, &&str)| match wanted.strip_suffix('…') {
            Some(head) => got.starts_with(head),
            None => got == wanted,
        };
        let same = self.received.len() == expected.len() && self.received.iter().zip(&*expected).all(fits);
        assert!(same, "before `{before}`\n got: {:#?}\nnot: {expected:#?}", self.received);
        self.received.clear();
        expected.clear();
    }

    fn play(&mut self, script: &str) {
        let mut expected = Vec::new();
        for step in script.lines().map(str::trim_start).filter(|line| !line.is_empty()) {
            if let Some(line) = step.strip_prefix("< ").or(step.strip_prefix('<')) {
                expected.push(line);
                continue;
            }
            self.check(&mut expected, step);
            if let Some(lines) = step.strip_prefix("> ").or(step.strip_prefix('>')) {
                self.send(format!("{}\n", lines.replace(" | ", "\n")).as_bytes());
            } else if let Some(seconds) = step.strip_prefix('+') {
                self.wait(seconds.parse().unwrap());
            } else {
                panic!("not a step: {step}");
            }
        }
        self.check(&mut expected, "the end");
    }
}

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

const KILL: &str = "
    > G1 X150 F1200
    < ok P14 B3
    > M400
    +2
    < echo:busy: processing
    > M112
    < echo:M112 Shutdown
    < Error:Printer halted. kill() called!
    < //action:poweroff
    > M105
    > M999
    +60
";

const INACTIVITY: &str = "
    > M85 S30
    < ok P15 B3
    > G4 S40
    +41
    < echo:busy: processing
    < echo:busy: processing
    < echo:busy: processing
    < echo:busy: processing
    < echo:busy: processing
    < echo:busy: processing
    < echo:busy: processing
    < echo:busy: processing
    < echo:busy: processing
    < echo:busy: processing
    < echo:busy: processing
    < echo:busy: processing
    < echo:busy: processing
    < echo:busy: processing
    < echo:busy: processing
    < echo:busy: processing
    < echo:busy: processing
    < echo:busy: processing
    < echo:busy: processing
    < ok P15 B3
    +28
    +1
    < Error:!! KILL caused by too much inactive time - current command: G4 S40
    < Error:Printer halted. kill() called!
    < //action:poweroff
";

#[rstest]
#[case::numbering(NUMBERING)]
#[case::odd_lines(ODD_LINES)]
#[case::small_talk(SMALL_TALK)]
#[case::moves(MOVES)]
#[case::quick_stop(QUICK_STOP)]
#[case::person(PERSON)]
#[case::filament_change(FILAMENT_CHANGE)]
#[case::heating(HEATING)]
#[case::kill(KILL)]
#[case::inactivity(INACTIVITY)]
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
fn m115_describes_the_build() {
    let mut session = Session::boot(false);
    session.send(b"M115\n");
    insta::assert_snapshot!(session.received.join("\n"));
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

#[test]
fn several_tools_have_their_own_heaters() {
    let config = Config { tools: 2, ..Config::default() };
    let firmware = Firmware::new(config);
    let mut session = Session { firmware, now: Duration::ZERO, received: Vec::new() };
    session.firmware.output().clear();
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
