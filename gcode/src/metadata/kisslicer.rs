//! Comments of KISSlicer: settings at the beginning (`; layer_thickness_mm = 0.2`), figures at the end
//! (`; Estimated Build Time:   84.51 minutes`, `;    Ext 1 =    53.49 mm  (0.378 cm^3)`).
//!
//! Owns: its keys, of versions 1.1 to 1.6 (as they stand in files that people have published). Must not know:
//! the commands.

use super::facts::Facts;
use super::numbers::number;
use super::plausible::{BED_TEMPERATURE_C, FILAMENT_MM, HEIGHT_MM, LAYER_HEIGHT_MM};
use super::values::{self, Amount};
use super::{MAX_TOOLS, Slicer};

/// What was said by lines of their own.
#[derive(Debug, Default)]
pub(super) struct Sections {
    /// Behind `; Lengths`: `; 3000.50 = 3000.50 + 0.00` are the total and each tool's.
    lengths: bool,
    /// The time that was calculated while the file was written, which is better than the estimate before.
    calculated: bool,
}

/// `; KISSlicer - FREE`, the first line. The version has a line of its own.
pub(super) fn introduction(text: &str) -> Option<Slicer> {
    let edition = text.strip_prefix("KISSlicer")?;
    (edition.is_empty() || edition.starts_with(" -"))
        .then(|| Slicer { name: "KISSlicer".into(), version: None })
}

/// The text of a comment, without its `;`.
pub(super) fn comment(facts: &mut Facts, text: &[u8]) {
    let text = String::from_utf8_lossy(text.get(..MAX_TEXT).unwrap_or(text));
    let text = text.trim();
    if let Some(z) = text.strip_prefix("END_LAYER_OBJECT z=") {
        facts.layers_seen += 1;
        let z = number(z, &HEIGHT_MM);
        facts.height_seen_mm = [facts.height_seen_mm, z].into_iter().flatten().reduce(f64::max);
    } else if let Some((key, value)) = text.split_once('=') {
        setting(facts, key.trim(), value.trim());
    } else if let Some((key, value)) = text.split_once(':') {
        build_time(facts, key, value);
    } else if let Some(version) = text.strip_prefix("version ") {
        if let Some(slicer) = &mut facts.slicer {
            slicer.version = slicer.version.take().or_else(|| values::plain(version));
        }
    } else {
        let heads_a_list = text == "Lengths" || (facts.kisslicer.lengths && text.starts_with("Total"));
        facts.kisslicer.lengths = heads_a_list;
    }
}

const MAX_TEXT: usize = 512;

fn setting(facts: &mut Facts, key: &str, value: &str) {
    match key {
        "layer_thickness_mm" | "max_layer_thickness_mm" => {
            facts.layer_height_mm = number(value, &LAYER_HEIGHT_MM);
        }
        "first_layer_thickness_mm" => facts.first_layer_height_mm = number(value, &LAYER_HEIGHT_MM),
        "bed_C" => facts.bed_temperatures_c = vec![number(value, &BED_TEMPERATURE_C)],
        _ => {
            if let Some(tool) = tool(key) {
                let length = value.split('(').next().and_then(values::amount);
                if let Some(Amount::LengthMm(mm)) = length {
                    Facts::set_of_tool(&mut facts.filament_mm, tool, Some(mm));
                }
            } else if facts.kisslicer.lengths && number(key, &FILAMENT_MM).is_some() {
                facts.kisslicer.lengths = false;
                let lengths = value.split('+').take(MAX_TOOLS);
                facts.filament_mm = lengths.map(|length| number(length, &FILAMENT_MM)).collect();
            }
        }
    }
}

/// `Ext 1` or `Ext #1`, counted from 1.
fn tool(key: &str) -> Option<usize> {
    let number = key.strip_prefix("Ext ")?.trim().trim_start_matches('#');
    number.parse::<usize>().ok()?.checked_sub(1).filter(|tool| *tool < MAX_TOOLS)
}

fn build_time(facts: &mut Facts, key: &str, value: &str) {
    let is_calculated = key.starts_with("Calculated");
    let is_estimate = key.starts_with("Estimated");
    if key.ends_with("Build Time") && (is_calculated || (is_estimate && !facts.kisslicer.calculated)) {
        facts.time_s = values::duration(value).or(facts.time_s);
        facts.kisslicer.calculated |= is_calculated;
    }
}
