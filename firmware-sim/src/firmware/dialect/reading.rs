//! How each firmware makes a line of bytes and a command of a line. Facts only; `assembler`, `numbering` and `meaning`
//! act on them.
//!
//! | firmware | source | `;` | `\` | checksum behind | M110 | longest |
//! |---|---|---|---|---|---|---|
//! | Marlin 2.1, as configured by default (no GCODE_QUOTED_STRINGS, no PAREN_COMMENTS) | src/gcode/queue.cpp, parser.cpp | comment | next byte as it is | the last star | anywhere | 95, the rest dropped |
//! | Marlin 1.1.6 | Marlin/Marlin_main.cpp, get_serial_commands | comment | next byte as it is | the first star | anywhere | 95, the rest dropped |
//! | Prusa-Firmware 3.13 | Firmware/cmdqueue.cpp, get_command | comment | a byte | the first star | the command itself | 95, the rest is a line; bytes above 7F are dropped |
//! | UltiMaker 2 | Marlin/Marlin_main.cpp, get_command, process_command | comment | a byte | the first star | anywhere | 95, the rest is a line; `:` ends a line; the first G wins over the first M |
//! | Repetier 1.0 | src/ArduinoAVR/Repetier/gcode.cpp, parseAscii | comment | a byte | the first star; none is looked at behind a text, `(` or `%` | the command itself; any N is the number | 95, asked for again |
//! | RepRapFirmware 3.5 | src/GCodes/GCodeBuffer/StringParser.cpp, Put | comment outside quotes | a byte | the first star outside quotes and braces | numbers are not looked at | 255 without number and checksum |
//! | Klipper | klippy/gcode.py, _process_commands, _get_extended_params | comment, but not to commands of words and M117 | a byte | the last star | numbers are not looked at | none |
//! | Teacup | gcode_parse.c, gcode_parse_char | comment | a byte | the first star | numbers are not looked at | none; letters count wherever they stand, `( )` is comment |
//!
//! Malyan's is closed; it is taken for Marlin 1. Known simplification: Repetier's checksum is looked at behind `(` and
//! `%`, too (see `numbering`).

/// What becomes of more bytes than fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overflow {
    /// Dropped until the line ends.
    Dropped,
    /// The line ends there, the byte is gone, and what follows is the next line.
    Split,
}

/// What a semicolon does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Semicolon {
    /// The rest of the line is never kept.
    Comment,
    /// The same, but not within double quotes.
    CommentOutsideQuotes,
    /// It is kept; the command decides.
    Kept,
}

/// Behind which star the checksum stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Star {
    First,
    Last,
    /// The first outside quotes and braces.
    Bare,
}

/// Where the command is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// At the beginning, up to a star.
    UpToStar,
    /// At the beginning, and all of it.
    Whole,
    /// At the first G, else the first M, else the first T.
    FirstLetter,
    /// Every letter counts, the last G or M is the command.
    EveryLetter,
    /// The whole; a text is told from parameters, and any N in those is the line number.
    Repetier,
}

/// How a line is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Bytes of a line that are kept.
    pub(crate) longest: Option<usize>,
    pub(crate) overflow: Overflow,
    pub(crate) semicolon: Semicolon,
    /// A backslash is not kept, and the byte behind it is whatever it is.
    pub(crate) escapes: bool,
    /// A colon ends a line, too.
    pub(crate) colon_ends: bool,
    /// Bytes above 7F are not kept.
    pub(crate) drops_high: bool,
    pub(crate) star: Star,
    /// `M110` is recognised wherever it stands.
    pub(crate) finds_m110: bool,
    pub(crate) meaning: Meaning,
}

pub(crate) const MARLIN: Reading = Reading {
    longest: Some(95),
    overflow: Overflow::Dropped,
    semicolon: Semicolon::Comment,
    escapes: true,
    colon_ends: false,
    drops_high: false,
    star: Star::Last,
    finds_m110: true,
    meaning: Meaning::UpToStar,
};

pub(super) const MARLIN1: Reading = Reading { star: Star::First, ..MARLIN };

pub(super) const PRUSA: Reading = Reading {
    overflow: Overflow::Split,
    escapes: false,
    drops_high: true,
    star: Star::First,
    finds_m110: false,
    meaning: Meaning::Whole,
    ..MARLIN
};

pub(super) const ULTIMAKER2: Reading = Reading {
    overflow: Overflow::Split,
    escapes: false,
    colon_ends: true,
    star: Star::First,
    meaning: Meaning::FirstLetter,
    ..MARLIN
};

pub(super) const REPETIER: Reading =
    Reading { escapes: false, star: Star::First, finds_m110: false, meaning: Meaning::Repetier, ..MARLIN };

pub(super) const REPRAP: Reading = Reading {
    longest: None,
    semicolon: Semicolon::CommentOutsideQuotes,
    escapes: false,
    star: Star::Bare,
    finds_m110: false,
    meaning: Meaning::Whole,
    ..MARLIN
};

pub(super) const KLIPPER: Reading = Reading {
    longest: None,
    semicolon: Semicolon::Kept,
    escapes: false,
    finds_m110: false,
    meaning: Meaning::Whole,
    ..MARLIN
};

pub(super) const TEACUP: Reading = Reading {
    longest: None,
    escapes: false,
    star: Star::First,
    finds_m110: false,
    meaning: Meaning::EveryLetter,
    ..MARLIN
};
