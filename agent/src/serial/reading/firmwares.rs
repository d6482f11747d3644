//! The firmwares' readers, as facts.
//!
//! Owns: the tables. Must not know: what is made of them.
//! Sources: Marlin `src/gcode/queue.cpp` (`process_stream_char`, `get_serial_commands`) and `parser.cpp`; Marlin 1.1
//! `Marlin_main.cpp`; Prusa-Firmware `cmdqueue.cpp` and `Marlin_main.cpp`; Ultimaker2Marlin `Marlin_main.cpp`
//! (`get_command`, `process_command`); Repetier `gcode.cpp` (`parseAscii`); `RepRapFirmware` `StringParser.cpp`, `GCodes2.cpp`;
//! Klipper `klippy/gcode.py`; Teacup `gcode_parse.c`; Smoothie `GcodeDispatch.cpp`. Malyan's is closed: it gets what suits all.

use stardust_gcode::command::LONGEST_LINE;

use super::super::dialect::Dialect;

/// What a firmware does with a command of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    /// It has some, or says that it does not know it.
    Told,
    /// `WORD NAME=value`, with quotes as a shell has them.
    Extended,
    /// It finds letters in it and carries those out.
    Refused,
}

/// Where a firmware looks for its letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Looks {
    /// A command is its first letter.
    AtTheBeginning,
    /// The first G anywhere, else the first M, else the first T.
    ForG,
    /// Each letter, in either case: the last G or M is the command, N is the line number.
    Everywhere,
    /// The same, and what the others set stays set for the moves that follow.
    ForGood,
}

/// How a message gets past it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// With what means something replaced.
    Plain,
    /// As it is: it is read from the line anew, to its end.
    Untouched,
    /// Its letters are looked at as long as they are upper case.
    LowerCase,
    /// Its letters are looked at in either case, and `( )` is comment.
    Comment,
}

/// How a firmware reads.
#[derive(Debug)]
pub(super) struct Firmware {
    /// The longest line with number and checksum, bytes.
    pub(super) longest_line: Option<usize>,
    /// The longest command without those, bytes.
    pub(super) longest_command: Option<usize>,
    /// Bytes that mean something wherever they stand.
    pub(super) means: &'static [u8],
    /// Bytes that are replaced in a message besides: they do mean something in some builds.
    pub(super) may_mean: &'static [u8],
    /// Quotes and braces keep what is within from meaning anything.
    pub(super) quotes_keep: bool,
    /// `M110` anywhere sets the line number.
    pub(super) finds_m110: bool,
    pub(super) words: Words,
    pub(super) looks: Looks,
    pub(super) shape: Shape,
}

/// Also what is not known: Smoothie takes the first star and cuts at `;` and `(`.
static MARLIN: Firmware = Firmware {
    longest_line: Some(LONGEST_LINE),
    longest_command: None,
    means: b";*\\",
    // GCODE_QUOTED_STRINGS and PAREN_COMMENTS, which M115 does not tell.
    may_mean: b"\"()",
    quotes_keep: false,
    finds_m110: true,
    words: Words::Told,
    looks: Looks::AtTheBeginning,
    shape: Shape::Plain,
};

static PRUSA: Firmware = Firmware { means: b";*", may_mean: b"", finds_m110: false, ..MARLIN };

/// Marlin of 2014: a colon ends a line, and `M117 Go to X10` goes there.
static ULTIMAKER2: Firmware = Firmware {
    means: b";*:",
    may_mean: b"",
    words: Words::Refused,
    looks: Looks::ForG,
    shape: Shape::LowerCase,
    ..MARLIN
};

static MALYAN: Firmware = Firmware { means: b";*:\\", may_mean: b"\"()", ..ULTIMAKER2 };

/// Behind `(` and `%` nothing is read, and a text ends at a star.
static REPETIER: Firmware = Firmware {
    means: b";*(%",
    may_mean: b"",
    finds_m110: false,
    words: Words::Refused,
    looks: Looks::Everywhere,
    ..MARLIN
};

static REPRAP: Firmware = Firmware {
    longest_line: None,
    // MaxGCodeLength with its end.
    longest_command: Some(255),
    means: b";*",
    may_mean: b"",
    quotes_keep: true,
    finds_m110: false,
    ..MARLIN
};

/// Lines of any length come over its pty. Bytes outside ASCII would do, unless a piece that it reads ends within one:
/// then the whole piece is lost (`_process_data`).
static KLIPPER: Firmware = Firmware {
    longest_line: None,
    means: b";*",
    may_mean: b"",
    finds_m110: false,
    words: Words::Extended,
    shape: Shape::Untouched,
    ..MARLIN
};

/// It has no quotes: letters within are letters, too.
static TEACUP: Firmware =
    Firmware { means: b";*(\"", looks: Looks::ForGood, shape: Shape::Comment, ..REPETIER };

/// The reader of a family.
pub(super) fn of(dialect: Dialect) -> &'static Firmware {
    match dialect {
        Dialect::Marlin | Dialect::Marlin1 => &MARLIN,
        Dialect::Prusa => &PRUSA,
        Dialect::Ultimaker2 => &ULTIMAKER2,
        Dialect::Malyan => &MALYAN,
        Dialect::Repetier => &REPETIER,
        Dialect::RepRapFirmware => &REPRAP,
        Dialect::Klipper => &KLIPPER,
        Dialect::Teacup => &TEACUP,
    }
}
