//! The kinds of M85 that there are.
//!
//! Owns: which firmware has which, by its name and version. Must not know: when it is sent.
//!
//! What M85 does, by the firmwares' sources and issue trackers: after S seconds without activity the firmware stops
//! for good (`kill`), heaters off; S0 is off, as after power-on. Activity is
//! - in Marlin from 2.0.7 on: a move, waiting for a temperature (M109, M190, M191), the firmware's own filament change,
//!   and M85 itself (gcode/control/M85.cpp, `reset_stepper_timeout`). Not a dwell (gcode/motion/G4.cpp, `dwell`) nor the wait
//!   for a pin (gcode/control/M226.cpp): both go round in `idle`, whose `manage_inactivity` (MarlinCore.cpp) counts on and
//!   kills when `stepper_max_timed_out`. And not other commands;
//! - in Marlin from 1.1.9 to 2.0.6, more or less: moves and that waiting only. M85 to a printer that has long stood
//!   still kills it at once (Marlin#12804, #16569), and so does a long wait for filament (#19302);
//! - in Marlin before, and in Prusa's 8-bit firmware: any command that ends. Waiting for a temperature, for filament or in
//!   a dwell is none.

use super::super::dialect::Dialect;
use super::super::firmware::Firmware;

/// What a firmware's M85 is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// As it should be.
    Good,
    /// It stops a printer that it should not.
    Touchy,
    /// It has none, or nobody knows.
    None,
}

impl Kind {
    pub(super) fn of(firmware: &Firmware) -> Self {
        let name = firmware.name.as_deref().unwrap_or_default().to_ascii_lowercase();
        match firmware.dialect {
            // Prusa's 32-bit firmware has its own timer.
            Dialect::Marlin if name.contains("buddy") => Self::None,
            Dialect::Marlin => match name.split_once("marlin") {
                Some((_, version)) if is_from_2_0_7(version) => Self::Good,
                Some(_) => Self::Touchy,
                None => Self::None,
            },
            Dialect::Marlin1 | Dialect::Prusa => Self::Touchy,
            _ => Self::None,
        }
    }
}

/// ` 2.0.9.3 (…)`, ` bugfix-2.1.x (…)`.
fn is_from_2_0_7(version: &str) -> bool {
    let digits = version.trim_start_matches(|c: char| !c.is_ascii_digit());
    let mut parts = digits.split(|c: char| !c.is_ascii_alphanumeric()).map(|part| {
        let length = part.bytes().take_while(u8::is_ascii_digit).count();
        part.get(..length).and_then(|number| number.parse::<u32>().ok()).unwrap_or(0)
    });
    let [major, minor, patch] = [(); 3].map(|()| parts.next().unwrap_or(0));
    (major, minor, patch) >= (2, 0, 7)
}
