//! Whether a file can be sent at all: looked through before the first byte goes to the printer.
//!
//! Owns: the refusals, with line number and text. What the printer can do is its [`Profile`]; what a command asks
//! for is `demands`'. Must not know: where the file came from.

use std::io::BufRead;

use stardust_gcode::command::{Disposition, Unsendable};
use stardust_gcode::commands::{CommandReader, ReadError};

use super::demands::{Demands, TooMuch};
use super::profile::Profile;

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
    /// A line asks for more than the printer has.
    #[error("Line {line} of the file does not fit this printer (“{text}”): {why}.")]
    TooMuch {
        /// Its number in the file.
        line: u64,
        /// Its beginning.
        text: String,
        /// What it asks for.
        why: TooMuch,
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
pub fn check(file: impl BufRead, profile: &Profile) -> Result<u64, Refusal> {
    let mut reader = CommandReader::new(file);
    let mut demands = Demands::new(profile);
    let mut count = 0_u64;
    while let Some(placed) = reader.next_command()? {
        if placed.command.disposition() != Disposition::Send {
            continue;
        }
        count += 1;
        let (line, command) = (placed.line, &placed.command);
        let text = || command.text().chars().take(60).collect();
        command.check_sendable(count.saturating_add(OWN_LINES)).map_err(|why| Refusal::Unsendable {
            line,
            text: text(),
            why,
        })?;
        demands.check(command).map_err(|why| Refusal::TooMuch { line, text: text(), why })?;
    }
    if count == 0 { Err(Refusal::Empty) } else { Ok(count) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn check(file: &[u8]) -> Result<u64, Refusal> {
        super::check(file, &Profile::default())
    }

    #[test]
    fn a_line_that_firmware_would_cut_is_refused_with_its_place() {
        let long = format!("G28\n; note\nM117 {}\n", "x".repeat(120));
        let refusal = check(long.as_bytes()).unwrap_err().to_string();
        assert!(
            refusal.starts_with("Line 3 of the file can't be sent: the command is 125 bytes long"),
            "{refusal}"
        );
        assert!(matches!(check(b"; nothing\n"), Err(Refusal::Empty)));
        assert_eq!(check(b"G28\nG1 X1\nM0\n").unwrap(), 2);
    }

    #[rstest]
    #[case(
        "G28\nT1\n",
        "Line 2 of the file does not fit this printer (“T1”): it asks for tool T1, and the printer has 1"
    )]
    #[case(
        "M104 T2 S200\n",
        "Line 1 of the file does not fit this printer (“M104 T2 S200”): it asks for tool T2"
    )]
    #[case(
        "\nM109 S280\n",
        "Line 2 of the file does not fit this printer (“M109 S280”): it asks for 280 °C, and the printer's nozzle may reach 260 °C"
    )]
    #[case(
        "M190 S120\n",
        "Line 1 of the file does not fit this printer (“M190 S120”): it asks for 120 °C, and the printer's bed"
    )]
    #[case(
        "G1 X10\nG0 X230\nG1 X221 E1\n",
        "Line 3 of the file does not fit this printer (“G1 X221 E1”): it prints at X221.0, and the printer reaches X220.0"
    )]
    #[case("G1 X210 Y5\nG91\nG1 X20 E1\n", "Line 3")]
    #[case(
        "G20\nG1 Y9 E1\n",
        "Line 2 of the file does not fit this printer (“G1 Y9 E1”): it prints at Y228.6"
    )]
    fn more_than_the_printer_has_is_refused_with_line_and_reason(#[case] file: &str, #[case] reason: &str) {
        let profile = Profile {
            tools: Some(1),
            nozzle_max_c: Some(260.0),
            bed_max_c: Some(110.0),
            size_mm: Some([220.0, 220.0, 250.0]),
        };
        let refusal = super::check(file.as_bytes(), &profile).unwrap_err().to_string();
        assert!(refusal.starts_with(reason), "{refusal}");
        assert!(check(file.as_bytes()).is_ok(), "what is not known is not checked");
    }

    #[rstest]
    #[case("cura_teapot_ender3_marlin.gcode", 1)]
    #[case("ps_teapot_ender3_thumbs_mix.gcode", 1)]
    #[case("ps_mmu_5tool_mk3s.gcode", 5)]
    fn real_files_are_admitted_by_printers_of_their_size(#[case] name: &str, #[case] tools: u32) {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/gcode").join(name);
        let profile = Profile {
            tools: Some(tools),
            nozzle_max_c: Some(300.0),
            bed_max_c: Some(120.0),
            size_mm: Some([250.0, 210.0, 210.0]),
        };
        let file = std::io::BufReader::new(std::fs::File::open(path).unwrap());
        super::check(file, &profile).unwrap();
    }
}
