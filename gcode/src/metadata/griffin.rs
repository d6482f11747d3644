//! Cura's Griffin header (UltiMaker 3, S-line): `;EXTRUDER_TRAIN.0.MATERIAL.VOLUME_USED:5048`.
//!
//! Owns: its keys (UltiMaker's libCharon, GCodeFile). Profiles of other slicers imitate this header, so it does
//! not say that the file was written by Cura's engine. Must not know: the commands.

use super::cura;
use super::facts::Facts;
use super::numbers::number;
use super::plausible::{BED_TEMPERATURE_C, NOZZLE_DIAMETER_MM, NOZZLE_TEMPERATURE_C};
use super::{MAX_TOOLS, values};

/// `;KEY:value`.
pub(super) fn field(facts: &mut Facts, key: &[u8], value: &[u8]) {
    let text = String::from_utf8_lossy(value.get(..MAX_VALUE).unwrap_or(value));
    match key {
        b"GENERATOR.NAME" => {
            let name = values::plain(&text)
                .map(|name| if name == "Cura_SteamEngine" { "Cura".into() } else { name });
            facts.generator.name = name.unwrap_or_default();
        }
        b"GENERATOR.VERSION" => facts.generator.version = values::plain(&text),
        b"PRINT.TIME" => facts.cura.set_time_s(values::seconds(&text)),
        b"PRINT.SIZE.MIN.X" => cura::corner(facts, 0, &text),
        b"PRINT.SIZE.MIN.Y" => cura::corner(facts, 1, &text),
        b"PRINT.SIZE.MIN.Z" => cura::corner(facts, 2, &text),
        b"PRINT.SIZE.MAX.X" => cura::corner(facts, 3, &text),
        b"PRINT.SIZE.MAX.Y" => cura::corner(facts, 4, &text),
        b"PRINT.SIZE.MAX.Z" => cura::corner(facts, 5, &text),
        b"BUILD_PLATE.INITIAL_TEMPERATURE" => {
            facts.bed_temperatures_c = vec![number(&text, &BED_TEMPERATURE_C)];
        }
        _ => {
            if let Some((tool, key)) = key.strip_prefix(b"EXTRUDER_TRAIN.").and_then(numbered) {
                train(facts, tool, key, &text);
            }
        }
    }
}

const MAX_VALUE: usize = 1024;

/// `0.NOZZLE.DIAMETER`.
fn numbered(key: &[u8]) -> Option<(usize, &[u8])> {
    let dot = memchr::memchr(b'.', key)?;
    let (tool, key) = key.split_at(dot);
    let tool: usize = std::str::from_utf8(tool).ok()?.parse().ok()?;
    (tool < MAX_TOOLS).then_some((tool, key.get(1..)?))
}

fn train(facts: &mut Facts, tool: usize, key: &[u8], text: &str) {
    match key {
        b"MATERIAL.VOLUME_USED" => cura::material_mm3(facts, tool, text),
        b"NOZZLE.DIAMETER" => {
            Facts::set_of_tool(&mut facts.nozzle_diameters_mm, tool, number(text, &NOZZLE_DIAMETER_MM));
        }
        b"INITIAL_TEMPERATURE" => {
            Facts::set_of_tool(&mut facts.nozzle_temperatures_c, tool, number(text, &NOZZLE_TEMPERATURE_C));
        }
        _ => {}
    }
}
