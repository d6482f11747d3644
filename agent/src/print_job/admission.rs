//! Whether a file can be sent at all: looked through before the first byte goes to the printer.
//!
//! Owns: the refusals, with line number and text. Must not know: where the file came from.

use std::io::BufRead;

use stardust_gcode::command::{Disposition, Unsendable};
use stardust_gcode::commands::{CommandReader, ReadError};

/// Pauses and probes put lines of the host's own between: so many at most are reckoned with.
const OWN_LINES: u64 = 1000;

/// The file can't be printed.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// A line does not fit the firmware's buffer.
    #[error("Line {line} of the file can't be sent: {why} (“{text}”).")]
    Unsendable {
        /// Its number in the file.
        line: u64,
        /// Its beginning.
        text: String,
        /// What is wrong with it.
        why: Unsendable,
    },
    /// There is nothing to print in it.
    #[error("The file holds no commands: it is not G-code, or it is empty.")]
    Empty,
    /// The file is damaged.
    #[error("The file can't be printed: {0}.")]
    Unreadable(#[from] ReadError),
}

/// Looks a file through; returns how many commands will be sent.
///
/// # Errors
/// [`Refusal`].
pub fn check(file: impl BufRead) -> Result<u64, Refusal> {
    let mut reader = CommandReader::new(file);
    let mut count = 0_u64;
    while let Some(placed) = reader.next_command()? {
        if placed.command.disposition() != Disposition::Send {
            continue;
        }
        count += 1;
        placed.command.check_sendable(count.saturating_add(OWN_LINES)).map_err(|why| {
            Refusal::Unsendable {
                line: placed.line,
                text: placed.command.text().chars().take(60).collect(),
                why,
            }
        })?;
    }
    if count == 0 { Err(Refusal::Empty) } else { Ok(count) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_firmware_would_cut_is_refused_with_its_place() {
        let long = format!("G28\n; note\nM117 {}\n", "x".repeat(120));
        let refusal = check(long.as_bytes()).unwrap_err().to_string();
        assert!(
            refusal.starts_with("Line 3 of the file can't be sent: the command is 125 bytes long"),
            "{refusal}"
        );
        assert!(matches!(check(&b"; nothing\n"[..]), Err(Refusal::Empty)));
        assert_eq!(check(&b"G28\nG1 X1\nM0\n"[..]).unwrap(), 2);
    }
}
