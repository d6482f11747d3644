//! From what was said to what is believed.
//!
//! Owns: which of several statements counts, how lists are laid to tools, and the totals. Must not know: how
//! any slicer writes.

use std::ops::RangeInclusive;

use super::facts::{Facts, PerTool};
use super::plausible::{FILAMENT_CM3, FILAMENT_G, FILAMENT_MM};
use super::values::rounded;
use super::{Completeness, Metadata, Tool};

impl Facts {
    /// Puts everything together.
    pub(crate) fn into_metadata(self, size_bytes: u64) -> Metadata {
        let completeness = self.ending.completeness(self.slicer.as_ref());
        // What was counted on the way is true only of a file that is all there.
        let counted = completeness != Completeness::EndMissing;
        let bounding_box = self.cura.bounding_box();
        let elapsed_s = self.elapsed_s.filter(|_| completeness == Completeness::Complete);
        let tools = self.tools();
        let layers_seen = Some(self.layers_seen).filter(|count| counted && *count > 0);
        let first_used = tools.iter().find(|tool| tool.used).map_or(0, |tool| tool.index as usize);
        let bed_said = entry(&self.bed_temperatures_c, first_used);
        Metadata {
            size_bytes,
            command_count: self.command_count,
            completeness,
            estimated_time_s: self.time_s.or(self.cura.time_s()).or(elapsed_s).or(self.other_time_s),
            filament_total_mm: self.total_mm.or_else(|| total(&self.filament_mm, &FILAMENT_MM)),
            filament_total_g: self.total_g.or_else(|| total(&self.filament_g, &FILAMENT_G)),
            filament_total_cm3: self.total_cm3.or_else(|| total(&self.filament_cm3, &FILAMENT_CM3)),
            materials: materials(&tools),
            layer_height_mm: self.layer_height_mm,
            first_layer_height_mm: self.first_layer_height_mm,
            layer_count: self.layers_said.or(layers_seen),
            height_mm: self
                .height_said_mm
                .or_else(|| bounding_box.map(|bounds| bounds.max_mm[2]).filter(|height| *height > 0.0))
                .or(self.height_seen_mm.filter(|_| counted)),
            bounding_box,
            bed_temperature_c: bed_said.or(self.bed_asked_c),
            highest_tool: self.tools_chosen.checked_ilog2(),
            tools,
            slicer: self.slicer.or_else(|| Some(self.generator).filter(|slicer| !slicer.name.is_empty())),
            generated_at: self.generated_at,
            flavor: self.flavor,
            printer_model: self.printer_model,
            printer_profile: self.printer_profile,
            over_long_lines: self.over_long_lines,
        }
    }

    /// The tools that are used: those chosen, else the first.
    fn used(&self) -> Vec<usize> {
        let chosen: Vec<usize> =
            (0..super::MAX_TOOLS).filter(|tool| self.tools_chosen >> tool & 1 == 1).collect();
        if chosen.is_empty() { vec![0] } else { chosen }
    }

    fn tools(&self) -> Vec<Tool> {
        let used = self.used();
        let lengths = [
            self.materials.len(),
            self.nozzle_diameters_mm.len(),
            self.nozzle_temperatures_c.len(),
            self.filament_mm.len(),
            self.filament_g.len(),
            self.filament_cm3.len(),
            used.last().map_or(0, |last| last + 1),
        ];
        let count = lengths.into_iter().max().unwrap_or(0);
        (0..count)
            .filter_map(|index| {
                let tool = Tool {
                    index: u32::try_from(index).ok()?,
                    used: used.contains(&index),
                    material: self.materials.get(index).cloned().flatten(),
                    nozzle_diameter_mm: entry(&self.nozzle_diameters_mm, index),
                    nozzle_temperature_c: entry(&self.nozzle_temperatures_c, index)
                        .or_else(|| entry(&self.nozzles_asked_c, index)),
                    filament_mm: of_used(&self.filament_mm, self.total_mm, &used, index),
                    filament_g: of_used(&self.filament_g, self.total_g, &used, index),
                    filament_cm3: of_used(&self.filament_cm3, self.total_cm3, &used, index),
                };
                let is_known = tool != Tool { index: tool.index, used: tool.used, ..Tool::default() };
                is_known.then_some(tool)
            })
            .collect()
    }
}

fn entry(list: &PerTool<f64>, tool: usize) -> Option<f64> {
    list.get(tool).copied().flatten()
}

/// PrusaSlicer lists filament for the used tools only: a list as long as the used tools belongs to those,
/// any other goes by the tools' numbers. Without a list, the total is the one used tool's.
fn of_used(list: &PerTool<f64>, total: Option<f64>, used: &[usize], tool: usize) -> Option<f64> {
    if list.is_empty() {
        total.filter(|_| used == [tool])
    } else if list.len() == used.len() {
        used.iter().position(|index| *index == tool).and_then(|position| entry(list, position))
    } else {
        entry(list, tool)
    }
}

fn total(list: &PerTool<f64>, plausible: &RangeInclusive<f64>) -> Option<f64> {
    let sum = list.iter().copied().flatten().reduce(|sum, amount| sum + amount).map(rounded);
    sum.filter(|sum| plausible.contains(sum))
}

fn materials(tools: &[Tool]) -> Vec<String> {
    let mut materials = Vec::new();
    for material in tools.iter().filter(|tool| tool.used).filter_map(|tool| tool.material.as_ref()) {
        if !materials.contains(material) {
            materials.push(material.clone());
        }
    }
    materials
}
