//! The files that printers and hosts were reported to stumble over (`fixtures/reported`), each on every profile of the
//! simulator. What is right for each stands in `table`, after the folder's README; here is how that is looked at, at the
//! printer.

mod change;
mod table;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use firmware_sim::faults::FaultPlan;
use stardust_agent::print_job::admission::Refusal;
use stardust_agent::print_job::wholeness;
use stardust_agent::serial::dialect::Dialect;
use stardust_agent::serial::{End, JobEvent};
use stardust_gcode::sniff::{Container, Content, sniff};

use crate::PROFILES;
use crate::bench::Bench;
use crate::same_words::same_words;
use table::{REPORTED, Right};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/reported")
}

fn path(name: &str) -> PathBuf {
    folder().join(format!("{name}.gcode"))
}

fn file(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap()
}

#[test]
fn no_file_is_left_out() {
    let there: BTreeSet<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "README.md")
        .collect();
    let known: BTreeSet<String> = REPORTED.iter().map(|(name, _)| format!("{name}.gcode")).collect();
    assert_eq!(there, known);
    assert_eq!(known.len(), REPORTED.len(), "none twice");
}

#[test]
fn every_file_does_what_is_right_on_every_profile() {
    for (name, right) in REPORTED {
        // What `print` looks at before it opens a port.
        let is_form = matches!(right, Right::Form);
        let content = sniff(&file(name));
        let expected = if is_form { Content::Container(Container::Multipart) } else { Content::Gcode };
        assert_eq!(content, expected, "{name}");
        let cut_off = wholeness::is_cut_off(&path(name)).unwrap();
        assert_eq!(cut_off, matches!(right, Right::CutOff | Right::CutOffCold), "{name}");
        for (profile, dialect) in PROFILES {
            is_right(name, right, profile, dialect);
        }
    }
}

fn is_right(name: &str, right: &Right, profile: &str, dialect: Dialect) {
    let mut bench = Bench::connect(profile, &FaultPlan::none(), 1);
    let what = format!("{name} on {profile}");
    match right {
        Right::Printed(of) => match of(dialect) {
            Ok(commands) => is_printed(&mut bench, &file(name), &commands, dialect, &what),
            Err((line, code)) => is_refused(&mut bench, &file(name), line, code, &what),
        },
        // It is the one that refuses to extrude then.
        Right::PrintedCold | Right::CutOffCold if dialect == Dialect::Klipper => {
            ends_cold_at(&mut bench, &file(name), &commands(name), &what);
        }
        Right::PrintedCold => is_printed(&mut bench, &file(name), &commands(name), dialect, &what),
        Right::Pauses => pauses(&mut bench, &file(name), &what),
        Right::ChangesFilament => change::goes_on(&mut bench, &file(name), &commands(name), profile),
        Right::CancelledInChange => change::is_cancelled(&mut bench, &file(name), &commands(name), profile),
        Right::CutOff | Right::CutOffCold => is_not_finished(&mut bench, &file(name), &commands(name), &what),
        // Not let in as a print file: nothing of it comes to a printer (`faults`, and the hub's `library::upload`).
        Right::Form => {}
    }
    bench.settle();
    assert!(bench.printer.targets().are_off(), "{what} leaves heat: {}", bench.story(""));
}

/// The commands of a file without odd texts, read anew.
fn commands(name: &str) -> Vec<String> {
    let text = String::from_utf8(file(name)).unwrap();
    let bare = text.lines().map(|line| line.split(';').next().unwrap_or_default().trim());
    bare.filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn carried_out(bench: &Bench) -> Vec<String> {
    bench.carried_out_of_the_file()
}

/// The commands of the file, and no others; a message with the same words.
fn is_printed(bench: &mut Bench, file: &[u8], commands: &[String], dialect: Dialect, what: &str) {
    let end = bench.print(file).unwrap_or_else(|refusal| panic!("{what}: {refusal}")).0;
    assert_eq!(end, JobEvent::Completed, "{}", bench.story(what));
    bench.settle();
    let got = carried_out(bench);
    let is_right = |(got, expected): (&String, &String)| {
        if expected.starts_with("M117") { same_words(expected, got, dialect) } else { got == expected }
    };
    assert!(got.len() == commands.len() && got.iter().zip(commands).all(is_right), "{what}: {got:#?}");
}

/// Before the start, at this line, with this code.
fn is_refused(bench: &mut Bench, file: &[u8], line: u64, code: &str, what: &str) {
    let before = bench.carried_out();
    let Err(refusal) = bench.print(file) else { panic!("{}", bench.story(&format!("{what}: not refused"))) };
    assert!(matches!(refusal, Refusal::Unsendable { line: at, .. } if at == line), "{what}: {refusal}");
    assert_eq!(refusal.code(), code, "{what}: {refusal}");
    assert_eq!(bench.carried_out(), before, "{what}: refused before the start");
}

/// The firmware refuses the first extrusion, and the print ends there.
fn ends_cold_at(bench: &mut Bench, file: &[u8], commands: &[String], what: &str) {
    let end = bench.print(file).unwrap_or_else(|refusal| panic!("{what}: {refusal}")).0;
    let JobEvent::Stopped(End::Failed(reason)) = end else { panic!("{}", bench.story(what)) };
    assert!(reason.contains("Extrude below minimum temp"), "{what}: {reason}");
    let extrudes = |line: &String| line.starts_with("G1 ") && line.contains(" E");
    let first = commands.iter().position(extrudes).unwrap();
    assert_eq!(carried_out(bench)[..=first], commands[..=first], "{what}");
}

/// All that there is of it, which is no whole part.
fn is_not_finished(bench: &mut Bench, file: &[u8], commands: &[String], what: &str) {
    bench.admit(file, true).unwrap_or_else(|refusal| panic!("{what}: {refusal}"));
    let JobEvent::Stopped(End::Failed(reason)) = bench.finish() else { panic!("{}", bench.story(what)) };
    assert!(reason.contains("the part is not finished"), "{what}: {reason}");
    bench.settle();
    assert_eq!(carried_out(bench)[..commands.len()], *commands, "{what}");
}

/// The host's pause pauses, and a stop with a time waits that long.
fn pauses(bench: &mut Bench, file: &[u8], what: &str) {
    let (end, pauses) = bench.print(file).unwrap_or_else(|refusal| panic!("{what}: {refusal}"));
    assert_eq!((end, pauses), (JobEvent::Completed, 2), "{}", bench.story(what));
    bench.settle();
    let carried_out = bench.carried_out();
    let mut rest = carried_out.iter();
    let mut next = |text: &str| {
        rest.find(|(_, one)| one == text).unwrap_or_else(|| panic!("{what}: no {text}: {carried_out:#?}")).0
    };
    next("G1 X10 E1 F600");
    next("G1 X11");
    let began = next("G4 P2000");
    let waited = next("G1 X12") - began;
    next("G1 X13");
    next("M104 S0");
    assert!(waited >= Duration::from_secs(2) && waited < Duration::from_secs(4), "{what}: {waited:?}");
    assert!(carried_out.iter().all(|(_, text)| !text.contains('@')), "{what}: {carried_out:#?}");
}

/// The file is refused for one of its lines; without that, the marks and spaces in it are nothing and space.
#[test]
fn byte_order_marks_and_spaces_that_do_not_break_are_nothing_and_space() {
    let file = file("odd-nbsp-and-midfile-bom");
    let bare: Vec<&[u8]> = file
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.windows(3).any(|three| three == "–".as_bytes()))
        .collect();
    let commands = ["M104 S200", "M109 S200", "G28", "G90", "G1 X10 Y10 F3000", "G1 X20 E1", "M104 S0"];
    for (profile, dialect) in PROFILES {
        let mut bench = Bench::connect(profile, &FaultPlan::none(), 1);
        is_printed(&mut bench, &bare.join(&b'\n'), &commands.map(str::to_owned), dialect, profile);
    }
}
