//! What becomes of a command of a file when the printer has forgotten it: each one has a verdict, and what is not known is
//! refused.
//!
//! Owns: the verdicts. Must not know: what is done with them.
//!
//! Sources: Marlin's `gcode.h` and the files of its commands; Prusa's `Marlin_main.cpp`. Only these firmwares can be told how
//! high the nozzle stands, so other firmwares' codes need no verdict of their own. After a reset Marlin has loaded by
//! itself what `M501` loads; `M500` stores, and what is stored is not forgotten. Without their parameters most settings
//! only report.

use stardust_gcode::command::{Code, Command};
use stardust_gcode::metadata::MAX_TOOLS;
use stardust_gcode::modal::MAX_FANS;

/// What becomes of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The modal state follows it, and the way back sets what it has set: moves, modes, heat, fans, speed, flow, plane.
    Followed,
    /// Nothing of it bears on what follows: reports, messages, lights, checks, what is over when it has ended.
    Nothing,
    /// It is sent again, the last of its kind: one of the same letters and with the same values of these is of its kind.
    Again(&'static [u8]),
    /// Levelling of the bed is on from here on, or off.
    Levelled(bool),
    /// It can't be had back: what it has done, as the end of a sentence.
    Lost(&'static str),
}

use Verdict::{Again, Followed, Levelled, Lost, Nothing};

const ORIGIN: Verdict = Lost("it has moved the origin");
const NOZZLES: Verdict = Lost("it has set where its nozzles are");
const UNKNOWN: Verdict = Lost("nobody knows what it has set");
const MEMORY_CARD: Verdict = Lost("it is about prints from the memory card");
const MECHANICS: Verdict = Lost("it has changed the machine's geometry");

/// What becomes of a command.
pub(super) fn of(command: &Command<'_>) -> Verdict {
    match command.code() {
        Some(Code { letter: b'G', number, sub }) => of_g(number, sub, command),
        // Which printer, nozzle and firmware the file is for: checks.
        Some(Code { letter: b'M', number: 862, sub: Some(_) }) => Nothing,
        Some(Code { letter: b'M', number, sub: None }) => of_m(number, command),
        // More than one tool makes a file unfit as a whole.
        Some(Code { letter: b'T', sub: None, .. }) => Followed,
        // Words of a firmware's own, and of a filament changer's (Tx, Tc).
        _ => UNKNOWN,
    }
}

fn of_g(number: u32, sub: Option<u32>, command: &Command<'_>) -> Verdict {
    match (number, sub) {
        (29 | 80 | 81, _) | (33, None) => Levelled(true),
        (10, None) if command.has_param(b'L') => NOZZLES,
        (10, None) if command.has_param(b'P') && b"XYZ".iter().any(|axis| command.has_param(*axis)) => {
            NOZZLES
        }
        (0..=5 | 10..=12 | 17..=21 | 26..=28 | 30..=32 | 34..=36 | 61 | 90..=92, None) => Followed,
        (38, _) | (92, Some(1)) => Followed,
        // The first workspace is the usual one; per minute is the usual feed; UltiMaker's priming.
        (54 | 94 | 280, None) => Nothing,
        (55..=59, _) => ORIGIN,
        (60, None) => Lost("it has kept a place that the printer has forgotten"),
        (76 | 425, None) => Lost("it has measured what the printer has forgotten"),
        _ => UNKNOWN,
    }
}

fn of_m(number: u32, command: &Command<'_>) -> Verdict {
    let has = |letter| command.has_param(letter);
    let value = |letter| command.param(letter);
    let too_high =
        |letter, most: usize| value(letter).is_some_and(|index| index < 0.0 || index >= most as f64);
    match number {
        104 | 109 if has(b'F') => Lost("it lets the speed decide how hot the nozzle is"),
        104 | 109 | 140 | 190 | 141 | 191 if has(b'I') => Lost("it heats by a preset of the printer's own"),
        104 | 109 if too_high(b'T', MAX_TOOLS) => UNKNOWN,
        106 | 107 if too_high(b'P', MAX_FANS) => Lost("it has set a fan that is not known here"),
        106 if command.params().any(|(letter, _)| !matches!(letter, b'P' | b'S')) => {
            Lost("it has set more of a fan than its speed")
        }
        82 | 83 | 104 | 106 | 107 | 109 | 140 | 141 | 190 | 191 | 220 | 221 => Followed,
        // What waits, changes filament or pauses comes back to where it began.
        0 | 1 | 25 | 116 | 125 | 226 | 400 | 600..=602 | 701 | 702 => Followed,
        18 | 84 if has(b'S') => Again(&[]),
        18 | 84 => Followed,
        420 => match value(b'S') {
            Some(on) => Levelled(on != 0.0),
            None => Nothing,
        },
        209 if value(b'S').is_some_and(|on| on != 0.0) => {
            Lost("it has the firmware take moves of the filament for its own retraction")
        }
        149 if !has(b'C') => Lost("it has changed the unit of temperatures"),
        303 | 306 if number == 303 && has(b'U') || number == 306 && has(b'T') => {
            Lost("it has measured what the printer has forgotten")
        }
        486 => of_object(command.argument()),
        // Reports, messages and the display, lights and sounds, times, checks, the host's own, what is kept or over.
        5
        | 9
        | 16
        | 17
        | 20..=22
        | 27
        | 31
        | 33
        | 34
        | 73
        | 75..=78
        | 85
        | 105
        | 108
        | 110
        | 113..=115
        | 117..=119 => Nothing,
        122 | 123 | 145 | 149 | 150 | 154 | 155 | 192 | 209 | 240 | 250 | 255 | 256 | 300 | 303 | 355 => {
            Nothing
        }
        402 | 407 | 408 | 414 | 430 | 500 | 503 | 504 | 530..=532 | 555 | 876 | 909 | 911 | 912 | 999 => {
            Nothing
        }
        // Power, and switches of which the last counts.
        10 | 11 | 80 | 111 | 405 | 406 | 412 | 413 | 501 | 540 => Again(&[]),
        // Steps, limits, retraction, heaters' control, drivers, compensation, filament.
        74 | 86 | 87 | 92 | 142 | 211 | 302 | 304 | 309 | 404 | 425 | 564 | 566 | 593 | 710 | 851 | 907
        | 910 => Again(&[]),
        200..=205 | 207 | 208 | 217 | 592 | 603 | 900 => Again(b"T"),
        301 | 306 | 403 => Again(b"E"),
        307 | 570 => Again(b"H"),
        42 | 280..=282 | 305 | 908 => Again(b"P"),
        569 | 906 | 913 | 914 | 919 => Again(b"IPT"),
        572 => Again(b"DT"),
        422 => Again(b"SW"),
        206 | 428 => ORIGIN,
        218 => NOZZLES,
        290 => Lost("it has changed the nozzle's height"),
        350 | 351 => Lost("it has changed the motors' steps"),
        421 => Lost("it has changed the measured bed, and the printer has forgotten it"),
        502 => Lost("it has set everything back as it came from its maker"),
        605 | 665 | 666 | 852 => MECHANICS,
        163..=166 => Lost("it has set how filaments are mixed"),
        23 | 24 | 26 | 28..=30 | 32 | 524 | 928 => MEMORY_CARD,
        575 => Lost("it has changed the speed of the line"),
        915..=918 => Lost("the firmware may move by itself when it is sent again"),
        _ => UNKNOWN,
    }
}

/// M486: which object is printed, and which are left out. Names are only shown.
fn of_object(argument: &str) -> Verdict {
    match argument.bytes().next().map(|letter| letter.to_ascii_uppercase()) {
        None | Some(b'A' | b'N') => Nothing,
        Some(b'S' | b'T') => Again(&[]),
        Some(_) => Lost("it leaves out an object"),
    }
}
