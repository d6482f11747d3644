//! What is wrong with a received line, and how each dialect asks for it again.

use super::Dialect;

/// Why a line is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Complaint {
    /// It has this number, and another is expected.
    Order(i64),
    /// It has a number and no checksum, or nothing where both are needed.
    NoChecksum,
    /// It has a checksum and no number.
    NoNumber,
    /// This is what its checksum should be.
    Mismatch(u8),
}

impl Complaint {
    /// The lines said, the request to resend and the `ok` if there is one included. `last` is the last accepted.
    pub(crate) fn lines(self, dialect: Dialect, last: i64) -> Vec<String> {
        let next = last.saturating_add(1);
        match dialect {
            // src/ArduinoAVR/Repetier/gcode.cpp: an empty line, the request and an `ok`.
            Dialect::Repetier => {
                let mut lines = vec![self.in_repetier(next)];
                lines.extend(Self::asking_again(dialect, last));
                lines
            }
            // gcode_parse.c; the `ok` is the main loop's (mendel.c), for every line that has ended.
            Dialect::Teacup => {
                let what = match self {
                    Self::Mismatch(sum) => format!("checksum {sum}"),
                    _ => format!("line number {next}"),
                };
                vec![format!("rs N{next} Expected {what}"), "ok".to_owned()]
            }
            // src/GCodes/GCodeBuffer/StringParser.cpp, LineFinished: dropped.
            Dialect::RepRapFirmware => Vec::new(),
            _ => {
                let reason = match self {
                    Self::Order(_) => "Line Number is not Last Line Number+1",
                    Self::NoChecksum => "No Checksum with line number",
                    Self::NoNumber => "No Line Number with checksum",
                    Self::Mismatch(_) => "checksum mismatch",
                };
                let mut lines = vec![format!("Error:{reason}, Last Line: {last}")];
                // Marlin/Marlin_main.cpp of the UltiMaker 2: nothing is asked for then.
                if !(dialect == Dialect::UltiMaker2 && self == Self::NoNumber) {
                    lines.extend([format!("Resend: {next}"), "ok".to_owned()]);
                }
                lines
            }
        }
    }

    /// The same request once more, after a silence.
    pub(crate) fn asking_again(dialect: Dialect, last: i64) -> Vec<String> {
        match dialect {
            Dialect::Repetier => {
                vec![String::new(), format!("Resend:{}", last.saturating_add(1)), "ok".to_owned()]
            }
            _ => Vec::new(),
        }
    }

    fn in_repetier(self, next: i64) -> String {
        match self {
            Self::Order(got) => format!("Error:expected line {next} got {got}"),
            // Up to 0.92; since 1.0 a line may be without.
            Self::NoChecksum | Self::NoNumber => "Error:Missing checksum".to_owned(),
            Self::Mismatch(_) => "Error:Wrong checksum".to_owned(),
        }
    }
}
