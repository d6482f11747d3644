//! What holds for any bytes, any timing and any way they are cut into pieces.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

use std::time::Duration;

use firmware_sim::firmware::{Config, Firmware};
use firmware_sim::profile::Profile;
use proptest::prelude::*;

/// Bytes that look like G-code often enough to get past the first check.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::sample::select(vec![
        "N1 ",
        "N2 ",
        "G1 X",
        "G28",
        "G2 I1 J",
        "G3 R",
        "G4 S",
        "G92 E",
        "M104 S",
        "M109 R",
        "M190 S",
        "M140 S",
        "M0 ",
        "M108",
        "M112",
        "M410",
        "M876 S",
        "M110 N",
        "M155 S",
        "M113 S",
        "M85 S",
        "M220 S",
        "M203 X",
        "M400",
        "T",
        "G91",
        "G20",
        "M118 A1 E1 P",
        "-",
        ".",
        "9999999999",
        "0",
        "1",
        "*",
        "*70",
        ";",
        "\\",
        "\n",
        "\r\n",
        " ",
    ]);
    let piece = prop_oneof![
        8 => words.prop_map(|word| word.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..6),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_bytes_at_any_time_do_no_harm(
        steps in prop::collection::vec((noise(), 0_u64..30_000), 1..12),
        tools in 1_u8..4,
        advanced_ok: bool,
        emergency_parser: bool,
        named in prop::sample::select(Profile::NAMES.to_vec()),
        receive_buffer in prop_oneof![Just(None), (1_usize..200).prop_map(Some)],
    ) {
        let build = Profile::named(named.name).unwrap().config;
        let config = Config { tools, advanced_ok, emergency_parser, receive_buffer, ..build };
        let mut firmware = Firmware::new(config);
        let mut now = Duration::ZERO;
        for (bytes, wait_ms) in steps {
            prop_assert!(firmware.receive(now, &bytes) <= bytes.len());
            now += Duration::from_millis(wait_ms);
            firmware.advance(now);
            if let Some(due) = firmware.next_deadline() {
                prop_assert!(due > now, "{due:?} is not after {now:?}");
            }
        }
    }
}

/// One line a host may send, and what a right printer makes of it.
#[derive(Debug, Clone)]
enum Line {
    Next(String),
    NextWithBadChecksum(String),
    NextWithoutChecksum(String),
    LastOnceMore,
    Skipping(i64, String),
    Unnumbered(String),
    Empty,
}

fn line() -> impl Strategy<Value = Line> {
    let command = || {
        prop_oneof![
            "G1 X[0-9]{1,2} Y[0-9]{1,2}",
            "G1 E0\\.[0-9]{3} F[1-9]00",
            "M117 [a-z*]{0,8}[a-z]",
            "M10[4567]",
            "G4 P[0-9]{1,3}",
            "X[A-Z ]{0,5}Q",
        ]
    };
    prop_oneof![
        6 => command().prop_map(Line::Next),
        1 => command().prop_map(Line::NextWithBadChecksum),
        1 => command().prop_map(Line::NextWithoutChecksum),
        1 => Just(Line::LastOnceMore),
        1 => (2_i64..9, command()).prop_map(|(by, command)| Line::Skipping(by, command)),
        1 => command().prop_map(Line::Unnumbered),
        1 => Just(Line::Empty),
    ]
}

fn numbered(number: i64, command: &str, damage: u8) -> String {
    let text = format!("N{number} {command}");
    let sum = text.bytes().fold(0, |sum, byte| sum ^ byte) ^ damage;
    format!("{text}*{sum}\n")
}

proptest! {
    #[test]
    fn exactly_the_acceptable_lines_are_accepted_once_and_in_order(
        lines in prop::collection::vec(line(), 1..80),
        cuts in prop::collection::vec(1_usize..200, 1..20),
    ) {
        let (mut sent, mut expected) = (String::new(), Vec::new());
        let mut last = (0_i64, String::new());
        for line in lines {
            match line {
                Line::Next(command) => {
                    last = (last.0 + 1, command.clone());
                    sent += &numbered(last.0, &command, 0);
                    expected.push((Some(last.0), command));
                }
                Line::NextWithBadChecksum(command) => sent += &numbered(last.0 + 1, &command, 3),
                // A star in the text would be taken for the checksum's.
                Line::NextWithoutChecksum(command) => {
                    sent += &format!("N{} {}\n", last.0 + 1, command.replace('*', "-"));
                }
                Line::LastOnceMore if last.0 == 0 => {}
                Line::LastOnceMore => sent += &numbered(last.0, &last.1, 0),
                Line::Skipping(by, command) => sent += &numbered(last.0 + by, &command, 0),
                Line::Unnumbered(command) => {
                    sent += &format!("{command}\n");
                    expected.push((None, command));
                }
                Line::Empty => sent += "; nothing\n\n",
            }
        }

        let mut firmware = Firmware::new(Config { receive_buffer: None, ..Config::default() });
        let (mut now, mut cuts) = (Duration::ZERO, cuts.into_iter().cycle());
        let mut rest = sent.as_bytes();
        while !rest.is_empty() {
            let length = cuts.next().unwrap().min(rest.len());
            let taken = firmware.receive(now, &rest[..length]);
            rest = &rest[taken..];
            now += Duration::from_millis(20);
        }
        firmware.advance(now + Duration::from_secs(3600));
        // The command ends at a star, though the line with its checksum does not (parser.cpp).
        let read = |text: String| text.split('*').next().unwrap_or_default().trim_end().to_owned();
        let expected: Vec<_> = expected.into_iter().map(|(number, text)| (number, read(text))).collect();
        let accepted: Vec<_> =
            firmware.take_accepted().into_iter().map(|accepted| (accepted.number, accepted.text)).collect();
        prop_assert_eq!(accepted, expected);
    }
}
