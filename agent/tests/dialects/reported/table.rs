//! What is right for each reported file: one entry a file, after the README of `fixtures/reported`.

use stardust_agent::serial::dialect::Dialect::{self, *};

/// The commands that arrive at a firmware, or the line for which the file is refused and its code.
pub(super) type Arriving = Result<Vec<String>, (u64, &'static str)>;

/// What is right.
pub(super) enum Right {
    /// Printed as it stands there, or refused before the start, as the firmware reads.
    Printed(fn(Dialect) -> Arriving),
    /// The commands of the file, none of which waits until the nozzle is hot.
    PrintedCold,
    /// `@pause` and `M0` pause, `M0 S2` waits two seconds.
    Pauses,
    /// The firmware waits in M600 until somebody goes on.
    ChangesFilament,
    /// A cancel ends that wait, or the button at the printer does.
    CancelledInChange,
    /// Known to be cut off; printed all the same it is not finished, and cold.
    CutOff,
    /// Made for its picture, without its slicer's end: the same, and nothing waits until the nozzle is hot.
    CutOffCold,
    /// The body of a web form: no print file.
    Form,
}
use Right::*;

/// Every file of the folder, by its name.
pub(super) const REPORTED: &[(&str, Right)] = &[
    ("creality-bed-report", Printed(|_| all(&CREALITY))),
    ("job-at-pause-and-timed-m0", Pauses),
    ("job-cancel-in-m600", CancelledInChange),
    ("job-cut-off-prusa", CutOff),
    ("meta-cura-comma", PrintedCold),
    ("meta-griffin", PrintedCold),
    ("meta-ideamaker", PrintedCold),
    ("meta-kiss", PrintedCold),
    ("meta-prusa-comma", PrintedCold),
    ("meta-s3d-v4", PrintedCold),
    ("meta-s3d-v5", PrintedCold),
    ("meta-slic3r-comma", PrintedCold),
    (
        "odd-backslash",
        Printed(|_| all(&["M104 S200", "G28", "G1 X10 Y10 F3000", "M117 layer 1\\60", "M104 S0"])),
    ),
    ("odd-comma", Printed(|_| Err((9, "decimal_comma")))),
    ("odd-klipper-paren", Printed(parentheses)),
    (
        "odd-m110-in-text",
        Printed(|_| {
            let text = "M117 about M110 N5 here";
            all(&["M104 S200", "G28", "G1 X10 Y10 F3000", text, "G1 X20", "M104 S0"])
        }),
    ),
    (
        "odd-m117-star",
        Printed(|_| {
            let [two, part] = ["M117 2*3 copies", "M117 part *5*"];
            all(&["M104 S200", "M109 S200", "G28", two, part, "G1 X10 E1 F600", "M104 S0"])
        }),
    ),
    ("odd-m486-names", Printed(names)),
    ("odd-m600", ChangesFilament),
    ("odd-nbsp-and-midfile-bom", Printed(|_| Err((6, "not_ascii")))),
    ("odd-objects", Printed(objects)),
    (
        "odd-quoted-semicolon",
        Printed(|_| all(&["M104 S200", "G28", "M117 say \"a;b\" end", "G1 X10", "M104 S0"])),
    ),
    ("thumb-qoi-under-thumbnail", CutOffCold),
    ("upload-multipart-stored", Form),
];

const CREALITY: [&str; 8] =
    ["M140 S60", "M104 S200", "M190 S60", "M109 S200", "G28", "G1 X10 E1 F600", "M104 S0", "M140 S0"];

fn all(commands: &[&str]) -> Arriving {
    Ok(commands.iter().map(|command| (*command).to_owned()).collect())
}

/// Values in parentheses arrive as they stand.
fn parentheses(dialect: Dialect) -> Arriving {
    match dialect {
        Klipper | RepRapFirmware | Marlin | Marlin1 | Prusa => all(&[
            "M104 S200",
            "M109 S200",
            "G28",
            "SET_GCODE_VARIABLE MACRO=START VARIABLE=area VALUE=(10,20)",
            "EXCLUDE_OBJECT_START NAME=Part_(1).stl_id_0_copy_0",
            "G1 X10 E1 F600",
            "EXCLUDE_OBJECT_END NAME=Part_(1).stl_id_0_copy_0",
            "M104 S0",
        ]),
        Repetier | Teacup | Ultimaker2 | Malyan => Err((4, "words_not_known")),
    }
}

/// Names arrive as they stand: two objects stay two.
fn names(dialect: Dialect) -> Arriving {
    match dialect {
        Klipper | RepRapFirmware | Marlin | Marlin1 | Prusa => all(&[
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
        Ultimaker2 | Malyan => Err((10, "byte_with_a_meaning")),
        Repetier | Teacup => Err((6, "byte_with_a_meaning")),
    }
}

/// Long lines and names outside ASCII are fine where the firmware takes them.
fn objects(dialect: Dialect) -> Arriving {
    match dialect {
        Klipper | RepRapFirmware => all(&[
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
        Marlin | Marlin1 | Prusa => Err((12, "line_too_long")),
        Teacup => Err((11, "letter_with_a_meaning")),
        Ultimaker2 | Malyan | Repetier => Err((12, "words_not_known")),
    }
}
