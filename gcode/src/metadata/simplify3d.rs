//! Comments of Simplify3D: settings at the beginning (`;   layerHeight,0.2`), a summary at the end
//! (`;   Filament length: 3000.5 mm (3.00 m)`; from version 5 on `;   Material Length: …`).
//!
//! Owns: its keys, of versions 4 and 5 (as Moonraker and RepRapFirmware read them). Must not know: the commands.

use super::facts::Facts;
use super::numbers::{list_with_decimal_commas, number};
use super::plausible::{LAYER_HEIGHT_MM, NOZZLE_DIAMETER_MM};
use super::values::{self, Amount};

/// The text of a comment, without its `;`.
pub(super) fn comment(facts: &mut Facts, text: &[u8]) {
    let text = String::from_utf8_lossy(text.get(..MAX_TEXT).unwrap_or(text));
    if let Some((key, value)) = text.split_once(':') {
        summary(facts, key, value);
    } else if let Some((key, value)) = text.split_once(',') {
        match key {
            "layerHeight" => facts.layer_height_mm = number(value, &LAYER_HEIGHT_MM),
            "extruderDiameter" | "nozzleDiameter" => {
                facts.nozzle_diameters_mm = list_with_decimal_commas(value, &NOZZLE_DIAMETER_MM);
            }
            "printMaterial" | "makerBotModelMaterial" => facts.materials = vec![values::plain(value)],
            _ => {}
        }
    }
}

const MAX_TEXT: usize = 512;

/// Figures of all tools together.
fn summary(facts: &mut Facts, key: &str, value: &str) {
    // In brackets stands the same in another unit.
    let value = value.split('(').next().unwrap_or(value);
    match (key, values::amount(value)) {
        ("Build time" | "Build Time", _) => facts.time_s = values::duration(value),
        ("Filament length" | "Material Length", Some(Amount::LengthMm(mm))) => facts.total_mm = Some(mm),
        ("Plastic volume" | "Material Volume", Some(Amount::VolumeCm3(cm3))) => facts.total_cm3 = Some(cm3),
        ("Plastic weight" | "Material Weight", Some(Amount::WeightG(g))) => facts.total_g = Some(g),
        _ => {}
    }
}
