//! What is wrong with a received line, and how each dialect asks for it again.

use super::Dialect;

/// Why a line is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Complaint {
    /// It has this number, and another is expected.
    Order(i64),
    /// It has a number and no checksum, or nothing where both are needed.
    NoChecksum,
    /// This is what its checksum should be.
    Mismatch(u8),
}

impl Complaint {
    /// The lines said, the request to resend and the `ok` if there is one included. `last` is the last accepted.
    pub(crate) fn lines(self, dialect: Dialect, last: i64) -> Vec<String> {
        let next = last.saturating_add(1);
        match dialect {
            Dialect::Repetier => vec![self.in_repetier(next), format!("Resend:{next}"), "ok".to_owned()],
            Dialect::Teacup => vec![match self {
                Self::Order(_) => format!("rs N{next} Expected line number {next}"),
                Self::NoChecksum => format!("rs N{next} Expected checksum"),
                Self::Mismatch(sum) => format!("rs N{next} Expected checksum {sum}"),
            }],
            Dialect::RepRapFirmware => vec![format!("rs {next}")],
            _ => {
                let reason = match self {
                    Self::Order(_) => "Line Number is not Last Line Number+1",
                    Self::NoChecksum => "No Checksum with line number",
                    Self::Mismatch(_) => "checksum mismatch",
                };
                vec![format!("Error:{reason}, Last Line: {last}"), format!("Resend: {next}"), "ok".to_owned()]
            }
        }
    }

    fn in_repetier(self, next: i64) -> String {
        match self {
            Self::Order(got) => format!("Error:expected line {next} got {got}"),
            Self::NoChecksum => "Error:Missing checksum".to_owned(),
            Self::Mismatch(_) => "Error:Wrong checksum".to_owned(),
        }
    }
}
