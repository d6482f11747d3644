//! Comments of ideaMaker: `;Print Time: 5140`, `;Material#1 Used: 3000.5`.
//!
//! Owns: its keys (as Raise3D's printers, Moonraker and RepRapFirmware read them). Its tools are counted from 1.
//! Must not know: the commands.

use super::facts::Facts;
use super::numbers::{decimal, number};
use super::plausible::{FILAMENT_MM, HEIGHT_MM, LAYER_HEIGHT_MM, NOZZLE_DIAMETER_MM};
use super::{MAX_TOOLS, cura, values};

/// The text of a comment, without its `;`.
pub(super) fn comment(facts: &mut Facts, text: &[u8]) {
    let text = String::from_utf8_lossy(text.get(..MAX_TEXT).unwrap_or(text));
    let Some((key, value)) = text.split_once(':') else { return };
    match key {
        "Print Time" => facts.time_s = values::seconds(value).or(facts.time_s),
        "Layer Height" => facts.layer_height_mm = number(value, &LAYER_HEIGHT_MM),
        "Dimension" => dimension(facts, value),
        "Bounding Box" => bounding_box(facts, value),
        "Printer Type" => facts.printer_model = values::plain(value),
        "LAYER" => facts.layers_seen += 1,
        "Z" => {
            let z = number(value, &HEIGHT_MM);
            facts.height_seen_mm = [facts.height_seen_mm, z].into_iter().flatten().reduce(f64::max);
        }
        // Of each layer; the first may be thicker.
        "HEIGHT" if facts.layers_seen > 1 && facts.layer_height_mm.is_none() => {
            facts.layer_height_mm = number(value, &LAYER_HEIGHT_MM);
        }
        key => {
            if let Some(tool) = numbered(key, "Material#", " Used") {
                Facts::set_of_tool(&mut facts.filament_mm, tool, number(value, &FILAMENT_MM));
            } else if let Some(tool) = numbered(key, "Filament Type #", "") {
                Facts::set_of_tool(&mut facts.materials, tool, values::plain(value));
            }
        }
    }
}

const MAX_TEXT: usize = 512;

fn numbered(key: &str, opening: &str, ending: &str) -> Option<usize> {
    let number: usize = key.strip_prefix(opening)?.strip_suffix(ending)?.parse().ok()?;
    number.checked_sub(1).filter(|tool| *tool < MAX_TOOLS)
}

/// The printer's width, depth and height, then the diameter of each nozzle.
fn dimension(facts: &mut Facts, value: &str) {
    let nozzles = value.split_ascii_whitespace().skip(3).take(MAX_TOOLS);
    facts.nozzle_diameters_mm = nozzles.map(|nozzle| number(nozzle, &NOZZLE_DIAMETER_MM)).collect();
}

/// Least and greatest x, then y, then z.
fn bounding_box(facts: &mut Facts, value: &str) {
    let corners: Vec<&str> = value.split_ascii_whitespace().take(6).collect();
    if corners.len() == 6 && corners.iter().all(|corner| decimal(corner).is_some()) {
        for (corner, index) in corners.into_iter().zip([0, 3, 1, 4, 2, 5]) {
            cura::corner(facts, index, corner);
        }
    }
}
