//! Comments of PrusaSlicer and its family: SuperSlicer, Slic3r, and the like-named ones of OrcaSlicer and
//! BambuStudio.
//!
//! Owns: their keys. The summary and the settings stand at the end of the file (`; key = value`), Orca's and
//! Bambu's header at the beginning (`; key: value`). Must not know: the commands.

use super::facts::{Facts, PerTool};
use super::numbers::{self, list, list_with_decimal_commas, number};
use super::plausible::{
    BED_TEMPERATURE_C, FILAMENT_CM3, FILAMENT_G, FILAMENT_MM, HEIGHT_MM, LAYER_HEIGHT_MM, NOZZLE_DIAMETER_MM,
    NOZZLE_TEMPERATURE_C,
};
use super::values::{self, Amount};

/// `; key = value`.
pub(super) fn setting(facts: &mut Facts, key: &[u8], value: &[u8]) {
    let value = String::from_utf8_lossy(value.get(..MAX_VALUE).unwrap_or(value));
    let value = value.trim();
    match key {
        // The summary's lists have a space behind each separating comma.
        b"filament used [mm]" => facts.filament_mm = list_with_decimal_commas(value, &FILAMENT_MM),
        b"filament used [cm3]" => facts.filament_cm3 = list_with_decimal_commas(value, &FILAMENT_CM3),
        b"filament used [g]" => facts.filament_g = list_with_decimal_commas(value, &FILAMENT_G),
        b"total filament used [g]" => facts.total_g = number(value, &FILAMENT_G),
        b"filament used" => slic3r_filament(facts, value),
        b"estimated printing time (normal mode)" | b"estimated printing time" => {
            facts.time_s = values::duration(value).or(facts.time_s);
        }
        b"estimated printing time (silent mode)" => {
            facts.other_time_s = values::duration(value).or(facts.other_time_s);
        }
        b"layer_height" => {
            facts.settings_have_decimal_commas |= numbers::has_decimal_comma(value);
            facts.layer_height_mm = number(value, &LAYER_HEIGHT_MM);
        }
        b"first_layer_height" | b"initial_layer_print_height" => {
            facts.first_layer_height_mm = number(value, &LAYER_HEIGHT_MM);
        }
        b"total layers count" => facts.layers_said = values::layers(value),
        b"nozzle_diameter" => facts.nozzle_diameters_mm = nozzle_diameters(facts, value),
        b"filament_type" => facts.materials = values::words(value),
        // Whole degrees: no list of these has decimal commas.
        b"temperature" | b"nozzle_temperature" => {
            facts.nozzle_temperatures_c = list(value, &NOZZLE_TEMPERATURE_C);
        }
        b"bed_temperature" => facts.bed_temperatures_c = list(value, &BED_TEMPERATURE_C),
        b"printer_model" => facts.printer_model = values::plain(value),
        b"printer_settings_id" => facts.printer_profile = values::plain(value.trim_matches('"')),
        b"gcode_flavor" => facts.flavor = values::plain(&value.to_ascii_lowercase()),
        _ => return,
    }
    facts.ending.summary_or_setting(key);
}

/// Longer values are custom G-code and notes, of which nothing is taken.
const MAX_VALUE: usize = 2048;

/// `; key: value`.
pub(super) fn field(facts: &mut Facts, key: &[u8], value: &[u8]) {
    let text = || String::from_utf8_lossy(value.get(..MAX_VALUE).unwrap_or(value));
    match key {
        b"model printing time" => {
            let total = text().rsplit_once("total estimated time:").map(|(_, total)| total.to_owned());
            facts.time_s = total.as_deref().and_then(values::duration).or(facts.time_s);
        }
        b"total layer number" => facts.layers_said = values::layers(&text()),
        b"max_z_height" => facts.height_said_mm = number(&text(), &HEIGHT_MM),
        b"total filament length [mm]" => {
            facts.filament_mm = list_with_decimal_commas(text().trim(), &FILAMENT_MM);
        }
        b"total filament volume [cm^3]" => {
            facts.filament_cm3 = list_with_decimal_commas(text().trim(), &FILAMENT_CM3);
        }
        b"total filament weight [g]" => {
            facts.filament_g = list_with_decimal_commas(text().trim(), &FILAMENT_G);
        }
        b"Z" | b"Z_HEIGHT" => {
            let z = number(&text(), &HEIGHT_MM);
            facts.height_seen_mm = [facts.height_seen_mm, z].into_iter().flatten().reduce(f64::max);
        }
        _ => {}
    }
}

/// The settings stand in the order of the alphabet: the layer height has told how numbers are written. No nozzle
/// begins with a zero that is not followed by a fraction.
fn nozzle_diameters(facts: &Facts, value: &str) -> PerTool<f64> {
    if facts.settings_have_decimal_commas || value.starts_with("0,") {
        list_with_decimal_commas(value, &NOZZLE_DIAMETER_MM)
    } else {
        list(value, &NOZZLE_DIAMETER_MM)
    }
}

/// `;LAYER_CHANGE`.
pub(super) fn mark(facts: &mut Facts, text: &[u8]) {
    if matches!(text, b"LAYER_CHANGE" | b"CHANGE_LAYER") {
        facts.layers_seen += 1;
    }
}

/// Slic3r's `1615.5mm (3.9cm3)`, one line an extruder.
fn slic3r_filament(facts: &mut Facts, value: &str) {
    let mut length = None;
    let mut volume = None;
    for part in value.split(['(', ')', ' ']) {
        match values::amount(part) {
            Some(Amount::LengthMm(mm)) => length = Some(mm),
            Some(Amount::VolumeCm3(cm3)) => volume = Some(cm3),
            _ => {}
        }
    }
    push(&mut facts.filament_mm, length);
    push(&mut facts.filament_cm3, volume);
}

fn push(list: &mut PerTool<f64>, value: Option<f64>) {
    if list.len() < super::MAX_TOOLS {
        list.push(value);
    }
}
