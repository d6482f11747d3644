//! The dialects, one table each. Every difference to Marlin 2.1 is a line here.

use super::{Counting, Repeats, Speech, Temperatures};

const MARLIN_COUNTING: Counting =
    Counting { verifies: true, repeats: Repeats::Silent, checksums_always: false };
/// Marlin before 2.0: a repeated line is out of order like any other.
const OLD_COUNTING: Counting = Counting { repeats: Repeats::Rejected, ..MARLIN_COUNTING };

pub(super) static MARLIN: Speech = Speech {
    banner: &[
        "start",
        "PowerUp",
        "Marlin bugfix-2.1.x",
        "echo: Last Updated: 2024-09-29 | Author: (none, default config)",
        "echo: Compiled: Sep 29 2024",
        "echo: Free Memory: 0  PlannerBufferBytes: 1472",
        "echo:EEPROM version mismatch (EEPROM=? Marlin=V90)",
        "echo:Hardcoded Default Settings Loaded",
        "//action:prompt_end",
    ],
    counting: MARLIN_COUNTING,
    temperatures: Temperatures::Marlin,
    temperatures_in_ok: true,
    broken_reports: false,
    tells_targets: false,
    ok_with_number: false,
    busy: Some("echo:"),
    action: Some("//"),
    reports: true,
    chatty: true,
    unknown: ("echo:Unknown command: \"", "\""),
    answers_dead: None,
};

pub(super) static PRUSA: Speech = Speech {
    banner: &[
        "start",
        "echo: 3.13.2-7080",
        "echo: Last Updated: Jul 11 2023 14:15:16 | Author: (none, default config)",
        "echo: Free Memory: 1755  PlannerBufferBytes: 1312",
        "echo:Stored settings retrieved",
        "adc_init",
        "CrashDetect ENABLED!",
        "Sending 0xFF",
    ],
    counting: OLD_COUNTING,
    temperatures: Temperatures::Prusa,
    action: Some("// "),
    chatty: false,
    ..MARLIN
};

pub(super) static REPRAP: Speech = Speech {
    // It starts without a word.
    banner: &[],
    temperatures: Temperatures::RepRap,
    busy: None,
    chatty: false,
    unknown: ("Error: ", ": Command is not supported"),
    ..MARLIN
};

pub(super) static REPETIER: Speech = Speech {
    banner: &["start", "Info:PowerUp", "Free RAM:3456", "SelectExtruder:0", "FlowMultiply:100"],
    counting: Counting { verifies: true, repeats: Repeats::Skipped, checksums_always: true },
    temperatures: Temperatures::Repetier,
    temperatures_in_ok: false,
    tells_targets: true,
    ok_with_number: true,
    busy: None,
    action: None,
    chatty: false,
    unknown: ("Unknown command:", ""),
    ..MARLIN
};

pub(super) static KLIPPER: Speech = Speech {
    banner: &[],
    counting: Counting { verifies: false, ..MARLIN_COUNTING },
    temperatures: Temperatures::Klipper,
    busy: None,
    reports: false,
    chatty: false,
    unknown: ("// Unknown command:\"", "\""),
    answers_dead: Some("!! Lost communication with MCU 'mcu'"),
    ..MARLIN
};

pub(super) static MALYAN: Speech = Speech {
    banner: &["start"],
    counting: Counting { checksums_always: true, ..OLD_COUNTING },
    temperatures: Temperatures::OldMarlin,
    busy: None,
    action: None,
    reports: false,
    chatty: false,
    ..MARLIN
};

pub(super) static TEACUP: Speech = Speech {
    banner: &["start", "ok"],
    counting: OLD_COUNTING,
    temperatures: Temperatures::Teacup,
    busy: None,
    action: None,
    reports: false,
    chatty: false,
    unknown: ("E: Bad command ", ""),
    ..MARLIN
};

pub(super) static ULTIMAKER2: Speech = Speech {
    banner: &[
        "start",
        "echo: Last Updated: Jan  1 2015 00:00:00 | Author: Version DEV",
        "echo: Free Memory: 2270  PlannerBufferBytes: 1232",
    ],
    counting: OLD_COUNTING,
    temperatures: Temperatures::OldMarlin,
    busy: None,
    action: None,
    reports: false,
    chatty: false,
    ..MARLIN
};

pub(super) static CREALITY: Speech = Speech {
    banner: &[
        "start",
        "echo:Marlin 1.1.6.2",
        "echo: Last Updated: 2018-01-20 | Author: (CREALITY, Ender-3)",
        "echo: Free Memory: 10413  PlannerBufferBytes: 1232",
        "TF card ok",
        "Init power off infomation.",
        "size:",
        "591",
    ],
    counting: OLD_COUNTING,
    temperatures: Temperatures::Marlin,
    broken_reports: true,
    action: None,
    chatty: false,
    ..MARLIN
};
