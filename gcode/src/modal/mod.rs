//! The modal state of a stream of commands: all that an earlier command has set and a later one relies on.
//!
//! Owns: [`Modal`], which follows commands one by one, and what each means in its light ([`Effect`]). Must not
//! know: how fast a printer can move, how commands reach it, what a pause is.
//!
//! Nothing here is on the heap ([`Modal`] is `Copy`), so following a line allocates nothing, and a host may
//! keep a copy of the state at any line. It can be written down and read again (serde): a host that is started anew
//! in mid-print goes on from there.
//!
//! # The rules, and where they come from
//!
//! Marlin 2's sources, where nothing else is said.
//!
//! | command | rule | source |
//! |---|---|---|
//! | `G0` `G1` | letters that are missing keep their value; `F` of 0 or less is ignored | `get_destination_from_command` |
//! | `G2` `G3` | `I`, `J`, `K` are relative to the start; without centre or radius there is no move, but `F` counts | `G2_G3` |
//! | `G5` | as a straight line from end to end | `G5` |
//! | `G4` | `P` milliseconds, then `S` seconds, which wins | `G4` |
//! | `G10` `G11` | doubled ones are ignored; E's position does not change. `G10 P…` sets a tool's temperature instead (RepRapFirmware) | `FWRetract::retract` |
//! | `G17` `G18` `G19` | the plane of arcs | `CNC_WORKSPACE_PLANES` |
//! | `G20` `G21` | inches or millimetres, also for `E` and `F`, from here on | `GcodeParser` |
//! | `G28` | ends at a place that only the firmware knows and forgets `G92`; with axes named only theirs, but Z may have been lifted; arcs lie in X and Y again | `set_axis_is_at_home`, `Z_HOMING_HEIGHT`, `G28` |
//! | `G90` `G91` | the extruder goes along, as far as [`ExtruderRule`] says | `set_relative_mode` |
//! | `G92` | X, Y, Z shift coordinates without moving; `E` sets the position | `G92` |
//! | `G92.1` | takes the shift of X, Y, Z back | `G92` |
//! | `M82` `M83` | absolute or relative extruder | `set_e_absolute`, `set_e_relative` |
//! | `M104` `M109` | `T` or the tool in use; `S`, or `R` | `M104_M109` |
//! | `M106` `M107` | fan `P` or 0; `S` 0 to 255, without it 255. Marlin takes the tool's own fan without `P` where there are several | `M106_M107` |
//! | `M140` `M190`, `M141` `M191` | `S`, or `R` | `M140_M190`, `M141_M191` |
//! | `M200` | `D` of more than 0: `E` is a volume; 0: a length; `S0`, `S1` switch | `M200` |
//! | `M207` `M208` | settings of G10 and G11 | `M207-M209` |
//! | `M220` | percent on the speed of G0 to G3; `B` keeps the value, `R` brings it back | `M220` |
//! | `M221` | percent on the filament of tool `T` or the tool in use; E's position is not changed by it | `M221` |
//! | `T` | the tool in use | `T` |

mod apply;
mod effect;
mod per_tool;
#[cfg(test)]
mod tests;
mod travel;
pub(crate) mod words;

pub use effect::{Effect, FirmwareMove, Move, Path};
pub use per_tool::PerTool;

use serde::{Deserialize, Serialize};

use crate::arc::Plane;

/// How many fans are told apart.
pub const MAX_FANS: usize = 10;

/// The speed and flow factors of a printer that was not told any, in percent.
const USUAL_PERCENT: f64 = 100.0;

/// Millimetres in an inch.
pub const MM_PER_INCH: f64 = 25.4;

/// How `G90` and `G91` bear on the extruder.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExtruderRule {
    /// They set the extruder's mode too, until the next `M82` or `M83`: Marlin.
    #[default]
    GoesAlong,
    /// They don't; only `M82` and `M83` do: Prusa's 8-bit firmware, RepRapFirmware.
    OnItsOwn,
    /// It is relative when either says so: Klipper, Repetier, Teacup, Marlin before 2.0 (`axis_relative_modes[i] ||
    /// relative_mode`).
    RelativeByEither,
}

/// What G10 and G11 do by themselves: M207 and M208. The defaults are Marlin's (`RETRACT_LENGTH` and so on).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FirmwareRetraction {
    /// Filament that is pulled back, in mm.
    pub length_mm: f64,
    /// How fast, in mm/s.
    pub speed_mm_s: f64,
    /// How far the nozzle is lifted, in mm.
    pub lift_mm: f64,
    /// What is given more than was taken, in mm.
    pub extra_mm: f64,
    /// How fast it is given back, in mm/s.
    pub recover_speed_mm_s: f64,
}

impl Default for FirmwareRetraction {
    fn default() -> Self {
        Self { length_mm: 3.0, speed_mm_s: 45.0, lift_mm: 0.0, extra_mm: 0.0, recover_speed_mm_s: 8.0 }
    }
}

/// The state in which the commands so far have put a printer.
///
/// ```
/// # use stardust_gcode::{command, modal::Modal};
/// let mut modal = Modal::default();
/// for line in ["G28", "G21", "G90", "M82", "G1 X10 Y20 Z0.3 F3000", "G91", "G1 X5 E2"] {
///     modal.apply(&command::parse(line.as_bytes()).unwrap());
/// }
/// assert_eq!(modal.position(), [Some(15.0), Some(20.0), Some(0.3)]);
/// assert_eq!(modal.e, 2.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Modal {
    /// How `G90` and `G91` bear on the extruder.
    pub extruder_rule: ExtruderRule,
    /// Inches (G20) instead of millimetres (G21).
    pub inches: bool,
    /// X, Y, Z are given relative to where the nozzle is: G91.
    pub relative: bool,
    /// What M82 or M83 (or, in [`ExtruderRule::GoesAlong`], G90 or G91) said last of the extruder.
    pub extruder_relative: bool,
    /// The plane of arcs.
    pub plane: Plane,
    /// Where the nozzle is in the machine: X, Y, Z in mm. A guess on axes that aren't `known`.
    pub machine_mm: [f64; 3],
    /// On which axes the file has said where the nozzle is since it was last unknown.
    pub known: [bool; 3],
    /// What G92 has added to the machine's X, Y, Z, in mm.
    pub shift_mm: [f64; 3],
    /// On which axes `shift_mm` is a guess, too: G92 came while only the firmware knew where the nozzle was.
    pub shift_guessed: [bool; 3],
    /// G92 has set X, Y or Z: positions in the file don't mean the machine's.
    pub shifted: bool,
    /// The extruder's position, in mm (mm³ when `volumetric`).
    pub e: f64,
    /// The speed that was asked for last, in mm/min; none when the file has not said.
    pub feed_mm_min: Option<f64>,
    /// Speed factor in percent, M220; none when the file has not said: then it is the printer's own, 100 as a rule.
    pub speed_percent: Option<f64>,
    /// The speed factor that M220 B has kept.
    pub kept_speed_percent: f64,
    /// Flow factor of each tool in percent, M221; none when the file has not said, likewise.
    pub flow_percent: PerTool<Option<f64>>,
    /// E is a volume, not a length: M200.
    pub volumetric: bool,
    /// Filament diameter of each tool in mm, for `volumetric`.
    pub filament_diameter_mm: PerTool<f64>,
    /// The tool in use.
    pub tool: u32,
    /// Targets of the nozzles, °C; of those that the file has set.
    pub nozzle_c: PerTool<Option<f64>>,
    /// Target of the bed, °C.
    pub bed_c: Option<f64>,
    /// Target of the chamber, °C.
    pub chamber_c: Option<f64>,
    /// Speeds of the fans, 0 to 255; of those that the file has set.
    pub fans: [Option<f64>; MAX_FANS],
    /// What G10 and G11 do.
    pub retraction: FirmwareRetraction,
    /// G10 without G11, by tool.
    pub retracted: PerTool<bool>,
    /// How far G10 has lifted the nozzle, in mm; not in `machine_mm`.
    pub lift_mm: f64,
}

impl Default for Modal {
    /// The state of a printer after its start: millimetres, absolute, tool 0.
    fn default() -> Self {
        Self {
            extruder_rule: ExtruderRule::default(),
            inches: false,
            relative: false,
            extruder_relative: false,
            plane: Plane::Xy,
            machine_mm: [0.0; 3],
            known: [false; 3],
            shift_mm: [0.0; 3],
            shift_guessed: [false; 3],
            shifted: false,
            e: 0.0,
            feed_mm_min: None,
            speed_percent: None,
            kept_speed_percent: USUAL_PERCENT,
            flow_percent: PerTool::all(None),
            volumetric: false,
            filament_diameter_mm: PerTool::all(1.75),
            tool: 0,
            nozzle_c: PerTool::all(None),
            bed_c: None,
            chamber_c: None,
            fans: [None; MAX_FANS],
            retraction: FirmwareRetraction::default(),
            retracted: PerTool::all(false),
            lift_mm: 0.0,
        }
    }
}

impl Modal {
    /// The state of a printer after its start whose firmware has this rule for the extruder.
    #[must_use]
    pub fn new(extruder_rule: ExtruderRule) -> Self {
        Self { extruder_rule, ..Self::default() }
    }

    /// Where the nozzle is in the file's coordinates: X, Y, Z in mm; none on an axis where only the firmware
    /// knows.
    #[must_use]
    pub fn position(&self) -> [Option<f64>; 3] {
        let [x, y, z] = self.machine_mm;
        let [dx, dy, dz] = self.shift_mm;
        let [kx, ky, kz] = self.known;
        [kx.then_some(x + dx), ky.then_some(y + dy), kz.then_some(z + dz)]
    }

    /// Where the nozzle is in the machine: X, Y, Z in mm; none on an axis where only the firmware knows.
    #[must_use]
    pub fn machine_position(&self) -> [Option<f64>; 3] {
        let [x, y, z] = self.machine_mm;
        let [x_known, y_known, z_known] = self.known;
        let [x_guessed, y_guessed, z_guessed] = self.shift_guessed;
        [
            (x_known && !x_guessed).then_some(x),
            (y_known && !y_guessed).then_some(y),
            (z_known && !z_guessed).then_some(z),
        ]
    }

    /// Whether E is given relative to where the extruder is.
    #[must_use]
    pub const fn e_is_relative(&self) -> bool {
        match self.extruder_rule {
            ExtruderRule::GoesAlong | ExtruderRule::OnItsOwn => self.extruder_relative,
            ExtruderRule::RelativeByEither => self.relative || self.extruder_relative,
        }
    }

    /// The target of the tool in use, °C, if the file has set one.
    #[must_use]
    pub fn nozzle_in_use_c(&self) -> Option<f64> {
        self.nozzle_c.get(self.tool).flatten()
    }

    /// The tools that the file has heated, and the one in use.
    pub fn tools(&self) -> impl Iterator<Item = u32> + '_ {
        let used =
            move |(tool, target): (u32, Option<f64>)| (target.is_some() || tool == self.tool).then_some(tool);
        self.nozzle_c.iter().filter_map(used)
    }

    /// All heaters that the file has set are off, by a command that is none of the codes.
    pub fn turn_heaters_off(&mut self) {
        for tool in self.nozzle_c.iter().filter_map(|(tool, target)| target.map(|_| tool)).collect::<Vec<_>>()
        {
            self.nozzle_c.set(tool, Some(0.0));
        }
        self.bed_c = self.bed_c.map(|_| 0.0);
        self.chamber_c = self.chamber_c.map(|_| 0.0);
    }

    /// Whether the filament of the tool in use is retracted by the firmware (G10).
    #[must_use]
    pub fn is_retracted(&self) -> bool {
        self.retracted.get(self.tool) == Some(true)
    }
}
