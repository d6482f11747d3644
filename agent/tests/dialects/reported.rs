//! The files that printers and hosts were reported to stumble over (`fixtures/reported`), each on every profile of the
//! simulator: printed as it stands there, or refused before the start with its line.

use std::path::Path;
use std::time::Duration;

use firmware_sim::faults::FaultPlan;
use stardust_agent::print_job::admission::Refusal;
use stardust_agent::serial::JobEvent;
use stardust_agent::serial::dialect::Dialect::{self, *};

use crate::PROFILES;
use crate::bench::Bench;
use crate::same_words::same_words;

/// What is right.
enum Right {
    /// The commands of the file, and no others; a message with the same words.
    Printed(&'static [&'static str]),
    /// At this line, with this code.
    Refused(u64, &'static str),
}
use Right::{Printed, Refused};

fn file(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/reported").join(name);
    std::fs::read(path).unwrap()
}

fn every_profile(file: &[u8], right: impl Fn(Dialect) -> Right) {
    for (profile, dialect) in PROFILES {
        let mut bench = Bench::connect(profile, &FaultPlan::none(), 1);
        let before = bench.carried_out();
        let printed = bench.print(file);
        match right(dialect) {
            Refused(line, code) => {
                let Err(refusal) = printed else { panic!("{}", bench.story("not refused")) };
                assert!(
                    matches!(refusal, Refusal::Unsendable { line: at, .. } if at == line),
                    "{profile}: {refusal}"
                );
                assert_eq!(refusal.code(), code, "{profile}: {refusal}");
                assert_eq!(bench.carried_out(), before, "{profile}: refused before the start");
            }
            Printed(commands) => {
                let end = printed.unwrap_or_else(|refusal| panic!("{profile}: {refusal}")).0;
                assert_eq!(end, JobEvent::Completed, "{}", bench.story(profile));
                bench.settle();
                let carried_out = bench.carried_out();
                let got: Vec<&str> = carried_out.iter().map(|(_, text)| text.as_str()).collect();
                let is_right = |(got, expected): (&&str, &&str)| {
                    if expected.starts_with("M117") {
                        same_words(expected, got, dialect)
                    } else {
                        got == expected
                    }
                };
                assert!(
                    got.len() == commands.len() && got.iter().zip(commands).all(is_right),
                    "{profile}: {got:#?}"
                );
            }
        }
    }
}

#[test]
fn a_text_with_anything_in_it_is_printed_everywhere() {
    every_profile(&file("odd-quoted-semicolon.gcode"), |_| {
        Printed(&["M104 S200", "G28", "M117 say \"a;b\" end", "G1 X10", "M104 S0"])
    });
    every_profile(&file("odd-backslash.gcode"), |_| {
        Printed(&["M104 S200", "G28", "G1 X10 Y10 F3000", "M117 layer 1\\60", "M104 S0"])
    });
    every_profile(&file("odd-m117-star.gcode"), |_| {
        Printed(&[
            "M104 S200",
            "M109 S200",
            "G28",
            "M117 2*3 copies",
            "M117 part *5*",
            "G1 X10 E1 F600",
            "M104 S0",
        ])
    });
    every_profile(&file("odd-m110-in-text.gcode"), |_| {
        Printed(&["M104 S200", "G28", "G1 X10 Y10 F3000", "M117 about M110 N5 here", "G1 X20", "M104 S0"])
    });
}

#[test]
fn what_is_no_number_is_refused_with_its_line() {
    every_profile(&file("odd-nbsp-and-midfile-bom.gcode"), |_| Refused(6, "not_ascii"));
    every_profile(&file("odd-comma.gcode"), |_| Refused(9, "decimal_comma"));
}

#[test]
fn byte_order_marks_and_spaces_that_do_not_break_are_nothing_and_space() {
    let file = file("odd-nbsp-and-midfile-bom.gcode");
    let bare: Vec<&[u8]> = file
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.windows(3).any(|three| three == "–".as_bytes()))
        .collect();
    every_profile(&bare.join(&b'\n'), |_| {
        Printed(&["M104 S200", "M109 S200", "G28", "G90", "G1 X10 Y10 F3000", "G1 X20 E1", "M104 S0"])
    });
}

#[test]
fn long_lines_and_names_outside_ascii_are_fine_where_the_firmware_takes_them() {
    every_profile(&file("odd-objects.gcode"), |dialect| match dialect {
        Klipper | RepRapFirmware => Printed(&[
            "M104 S200",
            "M109 S200",
            "G28",
            "G90",
            "M82",
            "G92 E0",
            "G1 Z0.3 F3000",
            "G1 X10 Y10 F6000",
            "M486 T3",
            "M486 S0",
            "M486 Atest_ufc__id_0",
            "EXCLUDE_OBJECT_DEFINE NAME=test_ufc__id_0_copy_0 CENTER=174.931,175.043 \
             POLYGON=[[157.8,157.8],[157.8,192.2],[192.2,192.2],[192.2,157.8]]",
            "EXCLUDE_OBJECT_START NAME=test_ufc__id_0_copy_0",
            "M486 S-1",
            "G1 X20 Y10 E1 F1200",
            "G1 Z5",
            "M104 S0",
            "M140 S0",
        ]),
        Marlin | Marlin1 | Prusa => Refused(12, "line_too_long"),
        Teacup => Refused(11, "letter_with_a_meaning"),
        Ultimaker2 | Malyan | Repetier => Refused(12, "words_not_known"),
    });
}

#[test]
fn values_in_parentheses_and_names_arrive_as_they_stand() {
    every_profile(&file("odd-klipper-paren.gcode"), |dialect| match dialect {
        Klipper | RepRapFirmware | Marlin | Marlin1 | Prusa => Printed(&[
            "M104 S200",
            "M109 S200",
            "G28",
            "SET_GCODE_VARIABLE MACRO=START VARIABLE=area VALUE=(10,20)",
            "EXCLUDE_OBJECT_START NAME=Part_(1).stl_id_0_copy_0",
            "G1 X10 E1 F600",
            "EXCLUDE_OBJECT_END NAME=Part_(1).stl_id_0_copy_0",
            "M104 S0",
        ]),
        _ => Refused(4, "words_not_known"),
    });
    every_profile(&file("odd-m486-names.gcode"), |dialect| match dialect {
        Klipper | RepRapFirmware | Marlin | Marlin1 | Prusa => Printed(&[
            "M104 S200",
            "M109 S200",
            "G28",
            "M486 T2",
            "M486 S0",
            "M486 Apart (1)",
            "M486 S1",
            "M486 Apart (2)",
            "M486 S2",
            "M486 A3dbenchy.stl id:2 copy 0",
            "M486 S-1",
            "G1 X10 E1 F600",
            "M104 S0",
        ]),
        // A colon would end the line.
        Ultimaker2 | Malyan => Refused(10, "byte_with_a_meaning"),
        Repetier | Teacup => Refused(6, "byte_with_a_meaning"),
    });
}

#[test]
fn a_hosts_pause_pauses_and_a_timed_stop_waits_its_time() {
    let file = file("job-at-pause-and-timed-m0.gcode");
    for (profile, _) in PROFILES {
        let mut bench = Bench::connect(profile, &FaultPlan::none(), 1);
        let (end, pauses) = bench.print(&file).unwrap_or_else(|refusal| panic!("{profile}: {refusal}"));
        assert_eq!((end, pauses), (JobEvent::Completed, 2), "{}", bench.story(profile));
        bench.settle();
        let carried_out = bench.carried_out();
        let mut rest = carried_out.iter();
        let mut next = |text: &str| {
            rest.find(|(_, one)| one == text)
                .unwrap_or_else(|| panic!("{profile}: no {text}: {carried_out:#?}"))
                .0
        };
        next("G1 X10 E1 F600");
        next("G1 X11");
        let began = next("G4 P2000");
        let waited = next("G1 X12") - began;
        next("G1 X13");
        next("M104 S0");
        assert!(waited >= Duration::from_secs(2) && waited < Duration::from_secs(4), "{profile}: {waited:?}");
        assert!(carried_out.iter().all(|(_, text)| !text.contains('@')), "{profile}: {carried_out:#?}");
    }
}
