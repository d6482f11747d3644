//! From what the G-code library finds in a file to what the library of the hub keeps of it.

use stardust_gcode::metadata::{Completeness, Metadata};

use crate::library::FileMetadata;

/// The part that people see.
pub(super) fn from_scan(scan: &Metadata) -> FileMetadata {
    // What the print uses says more than what the printer has; a file that does not tell uses its first tool.
    let first = scan.tools.iter().find(|tool| tool.used).or_else(|| scan.tools.first());
    FileMetadata {
        slicer: scan.slicer.as_ref().map(|slicer| slicer.name.clone()),
        slicer_version: scan.slicer.as_ref().and_then(|slicer| slicer.version.clone()),
        estimated_time_s: scan.estimated_time_s,
        filament_mm: scan.filament_total_mm,
        filament_g: scan.filament_total_g,
        filament_cm3: scan.filament_total_cm3,
        layer_height_mm: scan.layer_height_mm,
        layer_count: scan.layer_count,
        nozzle_diameter_mm: first.and_then(|tool| tool.nozzle_diameter_mm),
        material: (!scan.materials.is_empty()).then(|| scan.materials.join(", ")),
        nozzle_temperature_c: first.and_then(|tool| tool.nozzle_temperature_c),
        bed_temperature_c: scan.bed_temperature_c,
        printer_model: scan.printer_model.clone(),
        truncated: scan.completeness == Completeness::EndMissing,
        command_count: Some(scan.command_count),
    }
}
