//! Whether a file can be sent at all: looked through before the first byte goes to the printer.
//!
//! Owns: the refusals, with line number and text. What the printer can do is its [`Profile`]; what a command asks
//! for is `demands`'. Must not know: where the file came from.

use std::io::BufRead;

use stardust_gcode::command::Disposition;
use stardust_gcode::commands::{CommandReader, ReadError};

use super::demands::{Demands, TooMuch};
use super::profile::Profile;
use crate::serial::Brief;
use crate::serial::reading::{self, Unreadable};

/// Pauses, probes and progress put lines of the host's own between: so many at most are reckoned with, and two more
/// for each command (the dead-man goes off and on again around a tool change).
const OWN_LINES: u64 = 1000;

/// The file can't be printed.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// A line can't arrive as it is written.
    #[error("Line {line} of the file can't be sent: {why} (“{text}”).")]
    Unsendable {
        /// Its number in the file.
        line: u64,
        /// Its beginning.
        text: String,
        /// What is wrong with it.
        why: Unreadable,
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

impl Refusal {
    /// A stable name, for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unsendable { why, .. } => why.code(),
            Self::TooMuch { .. } => "does_not_fit_the_printer",
            Self::Empty => "no_commands",
            Self::Unreadable(_) => "unreadable",
        }
    }
}

/// A file that can be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// How many commands will be sent.
    pub commands: u64,
    /// What the printing of it needs to know beforehand.
    pub brief: Brief,
}

/// Looks a file through.
///
/// # Errors
/// [`Refusal`].
pub fn check(file: impl BufRead, profile: &Profile) -> Result<Admitted, Refusal> {
    let mut reader = CommandReader::new(file);
    let mut demands = Demands::new(profile);
    let mut brief = Brief::default();
    let mut count = 0_u64;
    while let Some(placed) = reader.next_command()? {
        let (line, command) = (placed.line, &placed.command);
        let text = || command.text().chars().take(60).collect();
        let unsendable = |why| Refusal::Unsendable { line, text: text(), why };
        // Also of what is not sent (`@cancel`).
        reading::any_printer(command).map_err(unsendable)?;
        if command.disposition() != Disposition::Send {
            continue;
        }
        count += 1;
        brief.size_bytes = placed.end;
        if let Some(dialect) = profile.dialect {
            let number = count.saturating_mul(3).saturating_add(OWN_LINES);
            reading::arriving(command, dialect, number).map_err(unsendable)?;
        }
        demands.check(command).map_err(|why| Refusal::TooMuch { line, text: text(), why })?;
    }
    if count == 0 {
        return Err(Refusal::Empty);
    }
    brief.brings_progress = demands.brings_progress;
    brief.brings_messages = demands.brings_messages;
    brief.heaters = demands.heaters();
    Ok(Admitted { commands: count, brief })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serial::Heaters;
    use crate::serial::dialect::Dialect;
    use rstest::rstest;

    fn check(file: &[u8]) -> Result<Admitted, Refusal> {
        super::check(file, &Profile::default().read_by(Some(Dialect::Marlin)))
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
        assert_eq!(check(b"G28\nG1 X1\nM0\n").unwrap().commands, 2);
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
        "G28\nG1 X5 Y-12 E1\n",
        "Line 2 of the file does not fit this printer (“G1 X5 Y-12 E1”): it prints at Y-12.0, and the printer reaches down to Y0.0"
    )]
    #[case(
        "G28\nG1 Z-3\n",
        "Line 2 of the file does not fit this printer (“G1 Z-3”): it goes to Z-3.0, and the bed is at Z0.0: the nozzle"
    )]
    #[case::relative("G1 X5 Y5 Z1\nG91\nG1 Z-2.5\n", "Line 3")]
    #[case::shifted("G1 X5 Y5 Z10\nG92 Z0\nG1 Z-5\nG1 Z-11.5\n", "Line 4")]
    #[case::shifted_upwards("G1 X215 Y5\nG92 X0\nG1 X4 E1\nG1 X6 E2\n", "Line 4")]
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
            lowest_mm: Some([0.0; 3]),
            dialect: None,
        };
        let refusal = super::check(file.as_bytes(), &profile).unwrap_err().to_string();
        assert!(refusal.starts_with(reason), "{refusal}");
        assert!(check(file.as_bytes()).is_ok(), "what is not known is not checked");
    }

    #[rstest]
    #[case::travel_is_stopped_at_the_edge("G28\nG1 X-50 Y-50\n")]
    #[case::purged_beside_the_bed("G28\nG1 X-2 Y-9 Z0.3 E5\n")]
    #[case::z_offset("G28\nG1 Z-0.4\n")]
    #[case::lifted_from_the_unknown("G28\nG91\nG1 Z-2\nG90\n")]
    #[case::shifted_in_the_dark("G28\nG92 X0 Y0 Z0\nG1 X-50 Y-50 Z-5 E1\n")]
    #[case::after_homing("G1 Z0\nG28\nG91\nG1 Z-5\n")]
    fn what_real_files_do_at_the_edge_is_not_refused(#[case] file: &str) {
        let lowest_mm = Some([0.0; 3]);
        let profile = Profile { size_mm: Some([220.0, 220.0, 250.0]), lowest_mm, ..Profile::default() };
        super::check(file.as_bytes(), &profile).unwrap();
    }

    #[test]
    fn a_printer_whose_origin_is_in_the_middle_prints_on_both_sides_of_it() {
        let profile = Profile { size_mm: Some([100.0, 100.0, 300.0]), ..Profile::default() };
        super::check(&b"G28\nG1 X-90 Y-30 Z1 E1\n"[..], &profile).unwrap();
        let known = Profile { lowest_mm: Some([-60.0, -60.0, 0.0]), ..profile };
        assert!(super::check(&b"G28\nG1 X-90 Y-30 Z1 E1\n"[..], &known).is_err());
    }

    #[rstest]
    #[case(
        "G28\nM104 S2000\n",
        "Line 2 of the file does not fit this printer (“M104 S2000”): it asks for 2000 °C"
    )]
    #[case("M190 R2000\n", "Line 1")]
    fn what_no_printer_reaches_is_refused_where_nothing_is_known_of_it(
        #[case] file: &str,
        #[case] reason: &str,
    ) {
        let refusal = check(file.as_bytes()).unwrap_err().to_string();
        assert!(refusal.starts_with(reason), "{refusal}");
    }

    #[test]
    fn what_the_file_shows_by_itself_is_found() {
        let brief = |file: &[u8]| check(file).unwrap().brief;
        let heaters = |tools: &[u32], chamber| Heaters {
            tools: tools.iter().copied().collect(),
            chamber,
            ..Heaters::default()
        };
        let bare = Brief { size_bytes: 8, heaters: heaters(&[0], false), ..Brief::default() };
        assert_eq!(brief(b"G1\nM105\n; end\n"), bare);
        assert_eq!(brief(b"M104 T2 S200\nM141 S45\nT1\n").heaters, heaters(&[1, 2], true));
        assert_eq!(brief(b"M141.0 S45\n").heaters, heaters(&[0], true), "as firmware reads it");
        let chamber = b"SET_HEATER_TEMPERATURE HEATER=chamber TARGET=60\n";
        assert_eq!(brief(chamber).heaters, Heaters { words: true, ..heaters(&[0], false) });
        assert!(brief(b"G1\nM73 P1 R5\n").brings_progress && !brief(b"G1\nM73 P1 R5\n").brings_messages);
        assert!(brief(b"G1\nm117 Hello\n").brings_messages);
    }

    /// `STARDUST_SAMPLES` names a folder of more real files, where one has them.
    #[test]
    fn real_files_are_admitted_by_printers_of_their_size() {
        let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/gcode");
        let folders = std::env::var_os("STARDUST_SAMPLES").map(Into::into).into_iter().chain([fixtures]);
        let files = folders.flat_map(|folder: std::path::PathBuf| std::fs::read_dir(folder).unwrap());
        let mut count = 0;
        for path in files.map(|entry| entry.unwrap().path()) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if !name.ends_with(".gcode") {
                continue;
            }
            let size = match () {
                () if name.contains("ender3") => [220.0, 220.0, 250.0],
                () if name.contains("um2plus") => [223.0, 223.0, 205.0],
                // Prusa's MK3S, and what a slicer takes for an unknown printer.
                () => [250.0, 210.0, 210.0],
            };
            let profile = Profile {
                tools: Some(if name.contains("5tool") { 5 } else { 1 }),
                nozzle_max_c: Some(300.0),
                bed_max_c: Some(120.0),
                size_mm: Some(size),
                lowest_mm: Some([0.0; 3]),
                dialect: Some(Dialect::Marlin),
            };
            let file = std::io::BufReader::new(std::fs::File::open(&path).unwrap());
            super::check(file, &profile).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
            count += 1;
        }
        assert!(count >= 3);
    }
}
