//! What a slicer says of a print file, in the comments it writes around the commands.
//!
//! Owns: [`Metadata`] and how it is gathered from comment lines, one module a family of slicers. Must not
//! know: the commands beyond what [`crate::scan`] tells, files, databases.
//!
//! A value that can't be true (zero seconds, a nozzle "porkchop", -280 °C, a placeholder that was never
//! filled in) counts as not given. Where a list's entries don't match the tools, nothing is guessed.

mod assemble;
mod cura;
mod ending;
mod facts;
mod griffin;
mod ideamaker;
mod kisslicer;
mod numbers;
mod plausible;
mod prusa;
mod simplify3d;
mod slicer;
mod values;

use serde::{Deserialize, Serialize};

pub(crate) use facts::Facts;

/// How many tools are told apart; no printer has more.
pub const MAX_TOOLS: usize = 64;

/// What is known of a print file without printing it. Everything a slicer may leave out is optional.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Metadata {
    /// Length of the file, in bytes.
    pub size_bytes: u64,
    /// Number of commands that are sent to a printer for it.
    pub command_count: u64,
    /// Whether the file's end is there.
    pub completeness: Completeness,
    /// The program that made the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slicer: Option<Slicer>,
    /// When the slicer made it, as RFC 3339: with `Z` where the slicer says that it is UTC, else without a
    /// zone because the slicer gives none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generated_at: Option<String>,
    /// The dialect the slicer wrote for, lower case (`marlin`, `reprap`, `ultigcode`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flavor: Option<String>,
    /// The printer model the slicer made it for, in the slicer's word (`MK3S`, `ENDER3`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub printer_model: Option<String>,
    /// The slicer's printer profile (`Original Prusa i3 MK3S & MK3S+`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub printer_profile: Option<String>,
    /// The slicer's estimate of the printing time, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimated_time_s: Option<u64>,
    /// Filament of all tools, in millimetres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filament_total_mm: Option<f64>,
    /// Filament of all tools, in grams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filament_total_g: Option<f64>,
    /// Filament of all tools, in cubic centimetres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filament_total_cm3: Option<f64>,
    /// The types of the materials that are used (`PLA`), each once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub materials: Vec<String>,
    /// Layer height, in millimetres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer_height_mm: Option<f64>,
    /// Height of the first layer, in millimetres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_layer_height_mm: Option<f64>,
    /// Number of layers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer_count: Option<u64>,
    /// Height of the print, in millimetres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height_mm: Option<f64>,
    /// The box of the print as the header gives it (Cura's holds skirt and brim too).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bounding_box: Option<BoundingBox>,
    /// Temperature of the bed, in °C.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bed_temperature_c: Option<f64>,
    /// The highest tool that is chosen (`T2` → 2); none when the file never chooses one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub highest_tool: Option<u32>,
    /// What is known of each tool, by index. Also tools that are set up but not used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Tool>,
    /// Lines too long to be commands or known comments.
    #[serde(skip_serializing_if = "is_zero")]
    pub over_long_lines: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A slicer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Slicer {
    /// Its name (`PrusaSlicer`, `Cura`).
    pub name: String,
    /// Its version (`2.5.0`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// One tool (extruder) of a print.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tool {
    /// Its number, from 0 (`T0`).
    pub index: u32,
    /// Whether the print uses it.
    pub used: bool,
    /// Type of its material (`PETG`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub material: Option<String>,
    /// Diameter of its nozzle, in millimetres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nozzle_diameter_mm: Option<f64>,
    /// Temperature of its nozzle, in °C.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nozzle_temperature_c: Option<f64>,
    /// Filament it takes, in millimetres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filament_mm: Option<f64>,
    /// Filament it takes, in grams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filament_g: Option<f64>,
    /// Filament it takes, in cubic centimetres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filament_cm3: Option<f64>,
}

/// A box, in millimetres of the printer's coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BoundingBox {
    /// The corner with the least x, y and z.
    pub min_mm: [f64; 3],
    /// The corner with the greatest x, y and z.
    pub max_mm: [f64; 3],
}

/// Whether a file's end is there, judged by the marks its slicer puts at the end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Completeness {
    /// The end mark is there.
    Complete,
    /// The slicer always writes an end mark and it is missing: the file was cut off, perhaps in a transfer.
    EndMissing,
    /// The slicer writes no end mark, or is not known.
    #[default]
    Unknown,
}
