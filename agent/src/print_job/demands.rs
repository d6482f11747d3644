//! What each command of a file asks of the printer: a tool, a temperature, a place.
//!
//! Owns: comparing that with the printer's profile, command by command. Must not know: files.

use stardust_gcode::command::{Code, Command};
use stardust_gcode::modal::{Effect, Modal};

use super::profile::Profile;

/// Slicers round; a move may end so far beyond the edge, mm.
const ROUNDING_MM: f64 = 0.5;

/// The command asks for more than the printer has.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TooMuch {
    /// A tool that is not there.
    #[error("it asks for tool T{asked}, and the printer has {has}: slice it for this printer")]
    Tool {
        /// Number from 0.
        asked: u32,
        /// How many there are.
        has: u32,
    },
    /// A temperature.
    #[error(
        "it asks for {asked} °C, and the printer's {heater} may reach {max} °C at most: slice it for this printer"
    )]
    Temperature {
        /// `nozzle` or `bed`.
        heater: &'static str,
        /// °C.
        asked: f64,
        /// °C.
        max: f64,
    },
    /// A place to print at.
    #[error(
        "it prints at {axis}{to:.1}, and the printer reaches {axis}{max:.1} at most: slice it for this printer"
    )]
    Place {
        /// X, Y or Z.
        axis: char,
        /// mm.
        to: f64,
        /// mm.
        max: f64,
    },
}

/// Follows a file's commands.
#[derive(Debug)]
pub(super) struct Demands<'a> {
    profile: &'a Profile,
    modal: Modal,
}

impl<'a> Demands<'a> {
    pub(super) fn new(profile: &'a Profile) -> Self {
        Self { profile, modal: Modal::default() }
    }

    /// Looks at the next command.
    pub(super) fn check(&mut self, command: &Command<'_>) -> Result<(), TooMuch> {
        let effect = self.modal.apply(command);
        let Some(Code { letter, number, sub: None }) = command.code() else { return Ok(()) };
        match (letter, number) {
            // Where it only travels (to present the print, say) the firmware stops at the edge, and nothing is lost.
            (b'G', 0..=3 | 5) if matches!(effect, Effect::Move(it) if it.filament_mm > 0.0) => self.place(),
            (b'T', tool) => self.tool(tool),
            (b'M', 104 | 109) => {
                self.modal.tools().try_for_each(|tool| self.tool(tool))?;
                let asked = command.param(b'S').or_else(|| command.param(b'R'));
                temperature("nozzle", asked, self.profile.nozzle_max_c)
            }
            (b'M', 140 | 190) => {
                let asked = command.param(b'S').or_else(|| command.param(b'R'));
                temperature("bed", asked, self.profile.bed_max_c)
            }
            _ => Ok(()),
        }
    }

    fn tool(&self, asked: u32) -> Result<(), TooMuch> {
        match self.profile.tools {
            Some(has) if asked >= has => Err(TooMuch::Tool { asked, has }),
            _ => Ok(()),
        }
    }

    fn place(&self) -> Result<(), TooMuch> {
        let Some(size) = self.profile.size_mm.filter(|_| !self.modal.shifted) else { return Ok(()) };
        for ((axis, at), max) in ['X', 'Y', 'Z'].into_iter().zip(self.modal.position()).zip(size) {
            if let Some(to) = at.filter(|to| *to > max + ROUNDING_MM) {
                return Err(TooMuch::Place { axis, to, max });
            }
        }
        Ok(())
    }
}

fn temperature(heater: &'static str, asked: Option<f64>, max: Option<f64>) -> Result<(), TooMuch> {
    match (asked, max) {
        (Some(asked), Some(max)) if asked > max => Err(TooMuch::Temperature { heater, asked, max }),
        _ => Ok(()),
    }
}
