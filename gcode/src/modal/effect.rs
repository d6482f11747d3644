//! What a command makes the printer do, once it is read in the light of all before it.
//!
//! Owns: the vocabulary between the modal state and those who follow motion. Must not know: speeds that a
//! printer can reach.

use crate::arc::Arc;

/// What the printer does for a command. Everything is in millimetres and seconds, whatever the units of the
/// file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Effect {
    /// Nothing that moves: a setting, or a command that this crate doesn't know.
    None,
    /// G0 to G3.
    Move(Move),
    /// G10 and G11: the firmware moves the filament, and the nozzle up or down.
    FirmwareRetraction(FirmwareMove),
    /// G28, G29, G30, G34 and the like: the firmware moves as it likes and the nozzle stands somewhere else.
    FirmwareMotion,
    /// G92: no motion, but positions mean something else from here on.
    PositionSet,
    /// G4: standing still, after all motion has ended.
    Dwell {
        /// How long, in seconds.
        seconds: f64,
    },
    /// The firmware ends all motion before it goes on: M400, M109, M190 and the like.
    Standstill,
    /// Another tool is in use.
    ToolChange {
        /// The tool before.
        from: u32,
        /// The tool from here on.
        to: u32,
    },
}

/// A move by G0, G1, G2 or G3.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Move {
    /// Where it begins: X, Y, Z of the machine (without what G92 shifted), in mm.
    pub from: [f64; 3],
    /// Where it ends, likewise.
    pub to: [f64; 3],
    /// How much filament goes in (or comes back, negative), in mm, with flow (M221) and volume (M200) counted
    /// in.
    pub filament_mm: f64,
    /// The speed that is asked for, in mm/s, with M220 counted in. Not yet what the printer can do.
    pub speed_mm_s: f64,
    /// The way between the two ends.
    pub path: Path,
}

impl Move {
    /// Whether it lays down filament on its way: not a purge on the spot, not a retraction.
    #[must_use]
    pub fn prints(&self) -> bool {
        let ([x, y, _], [to_x, to_y, _]) = (self.from, self.to);
        let goes = x != to_x || y != to_y || matches!(self.path, Path::Arc(_));
        goes && self.filament_mm > 0.0
    }
}

/// The way of a move.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Path {
    /// Straight: G0 and G1.
    Line,
    /// G2 and G3.
    Arc(Arc),
}

/// A retraction that the firmware makes by its own settings (M207, M208).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FirmwareMove {
    /// Filament, in mm; negative is back.
    pub filament_mm: f64,
    /// Speed of the filament, in mm/s.
    pub speed_mm_s: f64,
    /// How far the nozzle goes up (negative: down), in mm.
    pub lift_mm: f64,
}
