//! What commands set for good: what a printer that was reset has forgotten, seen from outside.
//!
//! Owns: settings that change nothing this model shows, letter by letter, and the view of all settings. Must not know: who
//! sets them.

use std::collections::BTreeMap;

use super::command::Command;
use super::machine::Machine;
use super::thermal::Targets;

/// Settings that are kept, by command, by what they are of (a tool, a heater, a pin) and by letter: Marlin's take the
/// letters that are there and keep the rest.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Kept(BTreeMap<(String, char), f64>);

/// The plane of arcs, as one setting.
const PLANE: &str = "plane";

impl Kept {
    pub(crate) fn keep(&mut self, command: &Command<'_>) {
        if command.letter == 'G' {
            if matches!(command.code, 17..=19) {
                self.0.insert((PLANE.to_owned(), 'G'), f64::from(command.code));
            }
            return;
        }
        // Loading, filaments, checks of the printer and messages are no settings.
        if matches!(command.code, 75..=78 | 117 | 300 | 303 | 500..=504 | 601 | 602 | 701 | 702 | 862 | 999) {
            return;
        }
        let of = match command.code {
            301 => 'E',
            403 => 'E',
            42 | 280 | 305 => 'P',
            _ => 'T',
        };
        let of_what = command.integer(of).map_or_else(String::new, |number| format!(" {of}{number}"));
        for letter in ('A'..='Z').filter(|letter| *letter != of) {
            if let Some(value) = command.value(letter) {
                self.0.insert((format!("{}{}{of_what}", command.letter, command.code), letter), value);
            }
        }
    }

    pub(crate) fn forget_plane(&mut self) {
        self.0.remove(&(PLANE.to_owned(), 'G'));
    }
}

/// Everything that is set, as far as it is modelled.
#[derive(Debug, Clone, PartialEq)]
pub struct SetTo {
    /// M220, percent.
    pub feed_percent: f64,
    /// M221, percent.
    pub flow_percent: i64,
    /// M106, 0 to 255.
    pub fan: u8,
    /// Of the heaters.
    pub targets: Targets,
    /// M203: X, Y, Z, E, mm/s.
    pub max_feed: [f64; 4],
    /// M201, mm/s².
    pub max_acceleration: [f64; 4],
    /// M204: of moves that print, of the filament alone, of travels, mm/s².
    pub acceleration: [f64; 3],
    /// M205.
    pub corner: super::Corner,
    /// Millimetres and absolute X, Y, Z, E, or not.
    pub modes: (bool, [bool; 4]),
    /// M211.
    pub soft_end_stops: bool,
    /// M302.
    pub cold_extrusion: bool,
    /// The rest, by command and letter.
    pub kept: BTreeMap<(String, char), f64>,
}

impl Machine {
    pub(crate) fn set_to(&self) -> SetTo {
        let limits = &self.motion.limits;
        SetTo {
            feed_percent: self.motion.feed_percent,
            flow_percent: self.flow_percent,
            fan: self.fan,
            targets: self.thermal.targets(),
            max_feed: limits.max_feed,
            max_acceleration: limits.max_acceleration,
            acceleration: [limits.printing, limits.retracting, limits.travelling],
            corner: limits.corner,
            modes: (!self.motion.inches, self.motion.relative.map(|relative| !relative)),
            soft_end_stops: self.motion.soft_end_stops,
            cold_extrusion: self.cold_extrusion,
            kept: self.kept.0.clone(),
        }
    }
}
