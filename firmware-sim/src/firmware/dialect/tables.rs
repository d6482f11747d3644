//! The dialects, one table each. Every difference to Marlin 2.1 is a line here.

use std::time::Duration;

use super::{CardTold, Counting, Repeats, Speech, Stray, Temperatures, reading};

const MARLIN_COUNTING: Counting = Counting {
    in_order: true,
    checksums: true,
    number_needs_checksum: true,
    stray_checksum: Stray::Taken,
    repeats: Repeats::Silent,
    checksums_always: false,
    skips: 0,
};
/// Marlin before 2.0: a repeated line is out of order like any other, a checksum wants a number.
const OLD_COUNTING: Counting =
    Counting { repeats: Repeats::Rejected, stray_checksum: Stray::Rejected, ..MARLIN_COUNTING };
/// Numbers are read over.
const LOOSE_COUNTING: Counting =
    Counting { in_order: false, number_needs_checksum: false, ..MARLIN_COUNTING };

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
    parting: &[],
    counting: MARLIN_COUNTING,
    reading: reading::MARLIN,
    temperatures: Temperatures::Marlin,
    temperatures_in_ok: true,
    broken_reports: false,
    tells_targets: false,
    ok_with_number: false,
    ok_on_reception: false,
    // BUFSIZE
    queue: 4,
    // sd/cardreader.cpp, report_status, as every Marlin since 2.0: only while it prints.
    card: CardTold::WhilePrinting,
    asks_again: None,
    busy: Some("echo:busy: "),
    action: Some("//"),
    prompts: true,
    reports: true,
    chatty: true,
    unknown: ("echo:Unknown command: \"", "\""),
    cold: &["echo: cold extrusion prevented"],
    refuses_cold_moves: false,
};

/// Prusa-Firmware: Firmware/Marlin_main.cpp (setup, M105, M115, FlushSerialRequestResend), cmdqueue.cpp, messages.cpp.
pub(super) static PRUSA: Speech = Speech {
    banner: &[
        "start",
        "echo: 3.13.3-7094_0c9bf5d44",
        "echo: Last Updated: Mar 28 2024 06:59:07 | Author: (none, default config)",
        "echo: Free Memory: 1755  PlannerBufferBytes: 1312",
        "echo:Stored settings retrieved",
        "adc_init",
    ],
    counting: OLD_COUNTING,
    reading: reading::PRUSA,
    temperatures: Temperatures::Prusa,
    prompts: false,
    chatty: false,
    unknown: ("echo:Unknown command: \"", "\"(2)"),
    ..MARLIN
};

/// RepRapFirmware in its Marlin mode, that of USB: src/GCodes/GCodes.cpp (HandleReply, GenerateTemperatureReport),
/// GCodes2.cpp (M115, what is not supported), GCodeBuffer/StringParser.cpp (LineFinished).
pub(super) static REPRAP: Speech = Speech {
    // It starts without a word.
    banner: &[],
    counting: LOOSE_COUNTING,
    reading: reading::REPRAP,
    temperatures: Temperatures::RepRap,
    busy: None,
    action: None,
    prompts: false,
    chatty: false,
    unknown: ("Warning: ", ": Command is not supported"),
    cold: &[
        "Warning: Tool 0 was not driven because its heater temperatures were not high enough or it has a heater fault",
    ],
    ..MARLIN
};

/// Repetier-Firmware: src/ArduinoAVR/Repetier/Communication.cpp, gcode.cpp (checkAndPushCommand, requestResend,
/// readFromSerial, keepAlive), Configuration.h (ACK_WITH_LINENUMBER, KEEP_ALIVE_INTERVAL, WAITING_IDENTIFIER),
/// Repetier.h (GCODE_BUFFER_SIZE 1). With FEATURE_CHECKSUM_FORCED, as boards of old have it; without it a line whose
/// star is damaged is taken for one without a checksum.
pub(super) static REPETIER: Speech = Speech {
    banner: &["start", "Info:PowerUp", "Free RAM:3456"],
    counting: Counting { repeats: Repeats::Skipped, checksums_always: true, skips: 14, ..MARLIN_COUNTING },
    reading: reading::REPETIER,
    temperatures: Temperatures::Repetier,
    temperatures_in_ok: false,
    tells_targets: true,
    ok_with_number: true,
    ok_on_reception: true,
    queue: 2,
    // SDCard.cpp, printStatus: `sdactive` is that a card is in (2.0 asks whether it prints).
    card: CardTold::Always,
    asks_again: Some(Duration::from_millis(200)),
    busy: Some("busy:"),
    action: None,
    prompts: false,
    chatty: false,
    unknown: ("Unknown command:", ""),
    cold: &[],
    ..MARLIN
};

/// Klipper: klippy/gcode.py, klippy/extras/heaters.py (M105), gcode_move.py (M114).
///
/// Its controller is started anew by a person (FIRMWARE_RESTART), also behind a loss of its power: klippy stays where it is, and says
/// so on its pty (gcode.py, `_respond_state`).
pub(super) static KLIPPER: Speech = Speech {
    banner: &["// Klipper state: Ready"],
    parting: &["// Klipper state: Disconnect"],
    counting: Counting { checksums: false, ..LOOSE_COUNTING },
    reading: reading::KLIPPER,
    temperatures: Temperatures::Klipper,
    // klippy/extras/virtual_sdcard.py, cmd_M27: as long as a file is loaded, which its end closes.
    card: CardTold::WhileBegun,
    busy: None,
    prompts: false,
    reports: false,
    chatty: false,
    unknown: ("// Unknown command:\"", "\""),
    // klippy/kinematics/extruder.py
    cold: &[
        "// Extrude below minimum temp",
        "// See the 'min_extrude_temp' config option for details",
        "!! Extrude below minimum temp",
    ],
    refuses_cold_moves: true,
    ..MARLIN
};

/// Malyan's own, closed. That it wants checksums always: OctoPrint's serial_comm.py, which turns that on for it.
pub(super) static MALYAN: Speech = Speech {
    banner: &["start"],
    counting: Counting { checksums_always: true, ..OLD_COUNTING },
    reading: reading::MARLIN1,
    temperatures: Temperatures::OldMarlin,
    busy: None,
    action: None,
    prompts: false,
    reports: false,
    chatty: false,
    ..MARLIN
};

/// Teacup: mendel.c (start, ok), gcode_parse.c and .h (REQUIRE_LINENUMBER and REQUIRE_CHECKSUM are off), temp.c.
pub(super) static TEACUP: Speech = Speech {
    banner: &["start", "ok"],
    counting: LOOSE_COUNTING,
    reading: reading::TEACUP,
    temperatures: Temperatures::Teacup,
    temperatures_in_ok: false,
    busy: None,
    action: None,
    prompts: false,
    reports: false,
    chatty: false,
    // gcode_process.c: the letter's name and the number, no more.
    unknown: ("E: Bad ", ""),
    cold: &[],
    ..MARLIN
};

/// Ultimaker2Marlin: Marlin/Marlin_main.cpp (setup, M105, FlushSerialRequestResend), language.h.
pub(super) static ULTIMAKER2: Speech = Speech {
    banner: &[
        "start",
        "echo:Marlin 1.0.0",
        "echo: Last Updated: Jun 20 2018 14:58:40 | Author: Version DEV",
        "Compiled: Jun 20 2018",
        "echo: Free Memory: 2270  PlannerBufferBytes: 1232",
    ],
    counting: Counting { stray_checksum: Stray::Dropped, ..OLD_COUNTING },
    reading: reading::ULTIMAKER2,
    temperatures: Temperatures::OldMarlin,
    // cardreader.cpp, getStatus: `cardOK` is that a card is in.
    card: CardTold::Always,
    busy: None,
    action: None,
    prompts: false,
    reports: false,
    chatty: false,
    ..MARLIN
};

/// Creality's Marlin 1.1.6, closed: the banner's end as users of such boards quote it; `TF card ok` is what an
/// OctoPrint plugin (Ender3tf2sd) is there for.
pub(super) static CREALITY: Speech = Speech {
    banner: &[
        "start",
        "echo:Marlin 1.1.6",
        "",
        "echo: Last Updated: 2018-01-20 | Author: (CREALITY, Ender-3)",
        "echo:Compiled: Jan 20 2018",
        "echo: Free Memory: 10510  PlannerBufferBytes: 1232",
        "echo:Hardcoded Default Settings Loaded",
        "TF card ok",
        "Init power off infomation.",
        "size: ",
        "585",
        "init valid: ",
    ],
    counting: OLD_COUNTING,
    reading: reading::MARLIN1,
    temperatures: Temperatures::Marlin,
    // Marlin 1.1 of 2017, cardreader.cpp, getStatus: `cardOK`, as in 1.0.
    card: CardTold::Always,
    broken_reports: true,
    action: None,
    prompts: false,
    chatty: false,
    ..MARLIN
};
