//! What keeps a print from going on at a layer: what its file has left before it.
//!
//! Owns: the reasons, one rule for the layers that are offered and for the one that was chosen. Pure. Must not know: how the
//! file is read, who chooses.

use std::fmt;
use std::sync::Arc;

use stardust_gcode::modal::Modal;

/// A nozzle that is colder than this can't be got loose from the part, nor push filament, °C.
const MELTS_C: f64 = 170.0;
/// A layer's first line may begin so much lower than it ends: spirals, rounding.
const RISING_MM: f64 = 0.05;

/// Why not, as the end of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hindrance {
    /// How the layer begins.
    Beginning(&'static str),
    /// A command can't be had back: with its line. All layers behind it share the text.
    Command(Arc<str>),
}

impl fmt::Display for Hindrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Beginning(why) => why,
            Self::Command(why) => why,
        })
    }
}

/// Of a layer this high. `before`: as its first extrusion finds it; `lost`: the command before it that can't be had back.
pub(super) fn find(before: &Modal, height_mm: f64, lost: Option<&Arc<str>>) -> Option<Hindrance> {
    // A command and its line can be looked up in the file.
    lost.map(|why| Hindrance::Command(Arc::clone(why)))
        .or_else(|| beginning(before, height_mm).map(Hindrance::Beginning))
}

fn beginning(before: &Modal, height_mm: f64) -> Option<&'static str> {
    let [Some(_), Some(_), Some(z)] = before.position() else {
        return Some("where the nozzle is before it is known to the firmware alone");
    };
    if before.shifted {
        return Some("the file has moved the origin (G92)");
    }
    if before.tool != 0 {
        return Some("it is printed with another nozzle than the first");
    }
    if before.nozzle_in_use_c().is_none_or(|target| target < MELTS_C) {
        return Some("the file does not tell how hot the nozzle has to be");
    }
    if before.inches {
        return Some("the file is in inches (G20)");
    }
    if before.is_retracted() {
        return Some("its first line begins while the firmware has drawn the filament back (G10)");
    }
    (z < height_mm - RISING_MM).then_some("its first line begins below it, where the part may stand")
}
