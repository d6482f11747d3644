//! What each command of a file asks of the printer: a tool, a temperature, a place.
//!
//! Owns: comparing that with the printer's profile, command by command. Must not know: files.

use stardust_gcode::command::{Code, Command};
use stardust_gcode::modal::{Effect, Modal};

use super::profile::Profile;
use crate::serial::{Heaters, sets_by_name};

/// Where nobody has said what a printer's heaters may reach: nozzles for PEEK and PEKK are sold up to 500 °C, beds up to 260 °C.
const NOZZLE_MAX_C: f64 = 550.0;
const BED_MAX_C: f64 = 300.0;

/// Slicers round; a move may end so far beyond the edge, mm.
const ROUNDING_MM: f64 = 0.5;

/// Nozzles are wiped and purged beside the bed, where the printer's word of its area does not reach (Prusa's and
/// Anycubic's at X-2 to Y-9, mm): so far below the least X and Y nothing is said.
const BESIDE_THE_BED_MM: f64 = 10.0;
/// Z offsets and levelled beds bring the nozzle a little below the plane, mm.
const BELOW_THE_BED_MM: f64 = 1.0;

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
    /// A temperature that no printer reaches.
    #[error(
        "it asks for {asked} °C, and no printer's {heater} reaches more than {max} °C: look at the file's settings"
    )]
    NoPrinters {
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
    /// A place to print at, on the near side.
    #[error(
        "it prints at {axis}{to:.1}, and the printer reaches down to {axis}{min:.1}: slice it for this printer"
    )]
    TooLow {
        /// X or Y.
        axis: char,
        /// mm.
        to: f64,
        /// mm.
        min: f64,
    },
    /// The nozzle would be driven into the bed.
    #[error("it goes to Z{to:.1}, and the bed is at Z{min:.1}: the nozzle would hit it; slice it anew")]
    IntoTheBed {
        /// mm.
        to: f64,
        /// mm.
        min: f64,
    },
}

/// Follows a file's commands.
#[derive(Debug)]
pub(super) struct Demands<'a> {
    profile: &'a Profile,
    modal: Modal,
    /// It sets heaters by their names.
    heats_by_name: bool,
    /// What it shows on the printer's display by itself: M73, M117.
    pub(super) brings_progress: bool,
    pub(super) brings_messages: bool,
}

impl<'a> Demands<'a> {
    pub(super) fn new(profile: &'a Profile) -> Self {
        Self {
            profile,
            modal: Modal::default(),
            heats_by_name: false,
            brings_progress: false,
            brings_messages: false,
        }
    }

    /// What the commands so far heat.
    pub(super) fn heaters(&self) -> Heaters {
        Heaters { words: self.heats_by_name, ..Heaters::named_by(&self.modal) }
    }

    /// Looks at the next command.
    pub(super) fn check(&mut self, command: &Command<'_>) -> Result<(), TooMuch> {
        let effect = self.modal.apply(command);
        self.heats_by_name |= sets_by_name(command);
        let Some(Code { letter, number, sub: None }) = command.code() else { return Ok(()) };
        match (letter, number) {
            (b'G', 0..=3 | 5) => match effect {
                Effect::Move(it) => self.place(it.filament_mm > 0.0),
                _ => Ok(()),
            },
            (b'T', tool) => self.tool(tool),
            (b'M', 73) => {
                self.brings_progress = true;
                Ok(())
            }
            (b'M', 117) => {
                self.brings_messages = true;
                Ok(())
            }
            (b'M', 104 | 109) => {
                self.modal.tools().try_for_each(|tool| self.tool(tool))?;
                let asked = command.param(b'S').or_else(|| command.param(b'R'));
                temperature("nozzle", asked, self.profile.nozzle_max_c, NOZZLE_MAX_C)
            }
            (b'M', 140 | 190) => {
                let asked = command.param(b'S').or_else(|| command.param(b'R'));
                temperature("bed", asked, self.profile.bed_max_c, BED_MAX_C)
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

    /// Where a move ends, in the machine: G92 is counted in, and what only the firmware knows is not judged.
    fn place(&self, prints: bool) -> Result<(), TooMuch> {
        let Profile { size_mm, lowest_mm, .. } = self.profile;
        let [x, y, z] = self.modal.machine_position();
        if size_mm.is_some() || lowest_mm.is_some() {
            let min = lowest_mm.map_or(0.0, |[_, _, min]| min);
            if let Some(to) = z.filter(|to| *to < min - BELOW_THE_BED_MM) {
                return Err(TooMuch::IntoTheBed { to, min });
            }
        }
        if !prints {
            // Where it only travels (to present the print, say) the firmware stops at the edge, and nothing is lost.
            return Ok(());
        }
        if let Some([min_x, min_y, _]) = *lowest_mm {
            for (axis, at, min) in [('X', x, min_x), ('Y', y, min_y)] {
                if let Some(to) = at.filter(|to| *to < min - BESIDE_THE_BED_MM) {
                    return Err(TooMuch::TooLow { axis, to, min });
                }
            }
        }
        if let Some(size) = *size_mm {
            for ((axis, at), max) in ['X', 'Y', 'Z'].into_iter().zip([x, y, z]).zip(size) {
                if let Some(to) = at.filter(|to| *to > max + ROUNDING_MM) {
                    return Err(TooMuch::Place { axis, to, max });
                }
            }
        }
        Ok(())
    }
}

fn temperature(heater: &'static str, asked: Option<f64>, max: Option<f64>, any: f64) -> Result<(), TooMuch> {
    match (asked, max) {
        (Some(asked), Some(max)) if asked > max => Err(TooMuch::Temperature { heater, asked, max }),
        (Some(asked), None) if asked > any => Err(TooMuch::NoPrinters { heater, asked, max: any }),
        _ => Ok(()),
    }
}
