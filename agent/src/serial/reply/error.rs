//! What the firmware's errors mean for a print.
//!
//! Owns: the texts that stop the machine, and those that only announce a resend. Must not know: the job.

/// What an error means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// A line came damaged or out of order: a `Resend` goes with it.
    Transmission,
    /// The firmware has stopped and turned its heaters off; only a reset brings it back.
    Fatal,
    /// Reported, and the print goes on.
    Other,
}

const TRANSMISSION: [&str; 6] = [
    "checksum mismatch",
    "line number is not last line number",
    "no checksum with line number",
    "no line number with checksum",
    "missing checksum",
    "expected line",
];

const FATAL: [&str; 12] = [
    "printer halted",
    "kill() called",
    "mintemp",
    "maxtemp",
    "thermal runaway",
    "heating failed",
    "temp malfunction",
    "homing failed",
    "printer stopped due to errors",
    "emergency shutdown",
    // RepRapFirmware: `Heating fault on heater 1, …`, `Temperature reading fault on heater 1: …`
    "fault on heater",
    "heater fault",
];

/// Reads `Error:…`, `!!…` (RepRapFirmware, Klipper, Teacup) and `fatal:…` (Repetier).
pub(super) fn parse(text: &str) -> Option<(ErrorKind, &str)> {
    if let Some(message) = text.strip_prefix("!!").or_else(|| text.strip_prefix("fatal:")) {
        return Some((ErrorKind::Fatal, message.trim()));
    }
    // RepRapFirmware after M112, without a mark.
    if text.starts_with("Emergency Stop!") {
        return Some((ErrorKind::Fatal, text));
    }
    let message = text.strip_prefix("Error:").or_else(|| text.strip_prefix("error:"))?.trim();
    let lower = message.to_ascii_lowercase();
    let kind = if TRANSMISSION.iter().any(|known| lower.contains(known)) {
        ErrorKind::Transmission
    } else if FATAL.iter().any(|known| lower.contains(known)) {
        ErrorKind::Fatal
    } else {
        ErrorKind::Other
    };
    Some((kind, message))
}
