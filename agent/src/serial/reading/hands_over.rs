//! Commands behind which the rest of a file would not be printed: what follows goes to somewhere else, or to nobody.
//!
//! Owns: which they are. Firmware carries them out faultlessly, so nothing would be said: a file with `M28` in it ends as a file on the
//! printer's card, and the print as finished. Must not know: how lines are read.
//! Sources: Marlin's gcode/sd, gcode/host, gcode/control, feature/password; RepRapFirmware's GCodes2.cpp; Klipper's virtual_sdcard.py.

use stardust_gcode::command::{Code, Command};

/// To what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HandsOver {
    /// `M28`, and RepRapFirmware's `M559` and `M560`: all lines behind it are written to the card, and not carried out.
    #[error(
        "behind it every line is written to the printer's memory card and not printed: take it out of the file"
    )]
    WritesToCard,
    /// `M24`, `M32`, Klipper's `SDCARD_PRINT_FILE`: the printer prints another file.
    #[error(
        "with it the printer begins to print from its memory card beside this print: take it out of the file"
    )]
    PrintsFromCard,
    /// `M37 S1`: what follows is only reckoned through (RepRapFirmware).
    #[error("behind it the printer reckons lines through and prints none: take it out of the file")]
    Simulates,
    /// `M575`: the line's speed.
    #[error(
        "it changes the speed of the connection, and nothing behind it would arrive: take it out of the file"
    )]
    Speed,
    /// `M997`, `M999`, Klipper's `RESTART`: the firmware is replaced, begins anew, or throws away what it has taken.
    #[error(
        "it has the printer begin anew, and what was sent before is lost with that: take it out of the file"
    )]
    StartsAnew,
    /// `M510`: by a password, which nobody but a person at the panel knows.
    #[error(
        "it locks the printer, which takes nothing behind it, not even that its heaters are turned off: take it out of the file"
    )]
    Locks,
    /// `M111` with its bit 8 (Marlin's M104_M109.cpp, M140_M190.cpp: no target is set then, not even 0).
    #[error("behind it the printer neither heats nor turns a heater off (dry run): take it out of the file")]
    RunsDry,
    /// `M112`
    #[error("it stops the printer at once and for good: take it out of the file")]
    Stops,
}

impl HandsOver {
    /// A stable name, for programs.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::WritesToCard => "writes_to_card",
            Self::PrintsFromCard => "prints_from_card",
            Self::Simulates => "simulates",
            Self::Speed => "changes_the_speed",
            Self::StartsAnew => "starts_anew",
            Self::Locks => "locks",
            Self::RunsDry => "runs_dry",
            Self::Stops => "stops_at_once",
        }
    }

    /// What a command does of that, on whatever firmware.
    pub(super) fn of(command: &Command<'_>) -> Option<Self> {
        let Some(Code { letter: b'M', number, .. }) = command.code() else {
            let word = command.text().split_ascii_whitespace().next().unwrap_or_default();
            let is = |words: &[&str]| words.iter().any(|known| word.eq_ignore_ascii_case(known));
            return match () {
                () if is(&["SDCARD_PRINT_FILE"]) => Some(Self::PrintsFromCard),
                () if is(&["RESTART", "FIRMWARE_RESTART", "SAVE_CONFIG"]) => Some(Self::StartsAnew),
                () => None,
            };
        };
        match number {
            24 | 32 => Some(Self::PrintsFromCard),
            28 | 559 | 560 => Some(Self::WritesToCard),
            37 if command.param(b'S').is_some_and(|on| on > 0.0) || command.text().contains(['P', 'p']) => {
                Some(Self::Simulates)
            }
            111 if command.param(b'S').is_some_and(|bits| bits.rem_euclid(16.0) >= 8.0) => {
                Some(Self::RunsDry)
            }
            112 => Some(Self::Stops),
            510 => Some(Self::Locks),
            575 => Some(Self::Speed),
            997 | 999 => Some(Self::StartsAnew),
            _ => None,
        }
    }
}
