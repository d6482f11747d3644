//! Comments of Cura: `;KEY:value`, in its Marlin and UltiGCode flavours.
//!
//! Owns: its keys and its placeholders. Cura's engine writes the header before it knows the print; the
//! program around it fills the true values in afterwards. Run without that program it leaves
//! `;TIME:6666`, `;Filament used: 0m` and `MINX:2.14748e+06` behind. Must not know: the commands.

use super::BoundingBox;
use super::facts::Facts;
use super::numbers::{self, number};
use super::plausible::{COORDINATE_MM, LAYER_HEIGHT_MM, LAYERS, NOZZLE_DIAMETER_MM};
use super::values::{self, Amount};

/// What Cura's header says, before it is known whether it has been filled in.
#[derive(Debug, Default)]
pub(super) struct Header {
    time_s: Option<u64>,
    filament_said: bool,
    filament_is_some: bool,
    corners_mm: [Option<f64>; 6],
    corner_is_placeholder: bool,
}

impl Header {
    pub(super) const fn set_time_s(&mut self, time_s: Option<u64>) {
        self.time_s = time_s;
    }

    /// The header's time, if the header was filled in.
    pub(super) fn time_s(&self) -> Option<u64> {
        if self.is_placeholder() { None } else { self.time_s }
    }

    /// The header's box, if it is one.
    pub(super) fn bounding_box(&self) -> Option<BoundingBox> {
        if self.is_placeholder() {
            return None;
        }
        let [min_x, min_y, min_z, max_x, max_y, max_z] = self.corners_mm;
        let min_mm = [min_x?, min_y?, min_z?];
        let max_mm = [max_x?, max_y?, max_z?];
        let is_box = min_mm.iter().zip(&max_mm).all(|(min, max)| min <= max);
        is_box.then_some(BoundingBox { min_mm, max_mm })
    }

    /// Nothing printed in some time is as unbelievable as a box turned inside out.
    const fn is_placeholder(&self) -> bool {
        self.corner_is_placeholder || (self.filament_said && !self.filament_is_some)
    }
}

/// `;KEY:value`.
pub(super) fn field(facts: &mut Facts, key: &[u8], value: &[u8]) {
    let value = value.get(..MAX_VALUE).unwrap_or(value);
    let text = || String::from_utf8_lossy(value);
    match key {
        b"TIME" => facts.cura.time_s = values::seconds(&text()),
        b"TIME_ELAPSED" => facts.elapsed_s = values::seconds(&text()).or(facts.elapsed_s),
        b"FLAVOR" => facts.flavor = values::plain(&text().to_ascii_lowercase()),
        b"Filament used" => filament(facts, &text()),
        b"MATERIAL" => material_mm3(facts, 0, &text()),
        b"MATERIAL2" => material_mm3(facts, 1, &text()),
        b"NOZZLE_DIAMETER" => {
            facts.nozzle_diameters_mm = numbers::list_with_decimal_commas(&text(), &NOZZLE_DIAMETER_MM);
        }
        b"Layer height" => facts.layer_height_mm = number(&text(), &LAYER_HEIGHT_MM),
        // One for each group of objects that are printed one after the other.
        b"LAYER_COUNT" => {
            if let Some(count) = values::layers(&text()) {
                let sum = facts.layers_said.unwrap_or(0).saturating_add(count);
                facts.layers_said = Some(sum.min(*LAYERS.end()));
            }
        }
        b"TARGET_MACHINE.NAME" => facts.printer_model = values::plain(&text()),
        b"MINX" => corner(facts, 0, &text()),
        b"MINY" => corner(facts, 1, &text()),
        b"MINZ" => corner(facts, 2, &text()),
        b"MAXX" => corner(facts, 3, &text()),
        b"MAXY" => corner(facts, 4, &text()),
        b"MAXZ" => corner(facts, 5, &text()),
        _ => {}
    }
}

const MAX_VALUE: usize = 1024;

/// `1.18054m, 0.5m`: one entry a tool.
fn filament(facts: &mut Facts, list: &str) {
    facts.cura.filament_said = true;
    facts.filament_mm.clear();
    facts.filament_cm3.clear();
    facts.filament_g.clear();
    for entry in numbers::entries_with_units(list) {
        let amount = values::amount(entry);
        facts.cura.filament_is_some |= amount.is_some();
        let (mm, cm3, g) = match amount {
            Some(Amount::LengthMm(mm)) => (Some(mm), None, None),
            Some(Amount::VolumeCm3(cm3)) => (None, Some(cm3), None),
            Some(Amount::WeightG(g)) => (None, None, Some(g)),
            None => (None, None, None),
        };
        facts.filament_mm.push(mm);
        facts.filament_cm3.push(cm3);
        facts.filament_g.push(g);
    }
}

/// UltiGCode's volume of a tool, in cubic millimetres.
pub(super) fn material_mm3(facts: &mut Facts, tool: usize, value: &str) {
    facts.cura.filament_said = true;
    let volume = match values::amount(&format!("{}mm3", value.trim())) {
        Some(Amount::VolumeCm3(cm3)) => Some(cm3),
        _ => None,
    };
    facts.cura.filament_is_some |= volume.is_some();
    Facts::set_of_tool(&mut facts.filament_cm3, tool, volume);
}

pub(super) fn corner(facts: &mut Facts, index: usize, value: &str) {
    let value = numbers::decimal(value);
    let far = value.is_some_and(|value| !COORDINATE_MM.contains(&value));
    facts.cura.corner_is_placeholder |= far;
    if let Some(corner) = facts.cura.corners_mm.get_mut(index) {
        *corner = if far { None } else { value };
    }
}
