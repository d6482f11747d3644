//! What can be true of a print: the bounds of every figure that is taken over from a file.
//!
//! Owns: the ranges. Must not know: how and where a slicer writes a figure.

use std::ops::RangeInclusive;

/// Nozzles are drilled from 0.1 mm to about 3 mm.
pub(super) const NOZZLE_DIAMETER_MM: RangeInclusive<f64> = 0.05..=5.0;
/// From a heated-up wax to the hottest nozzles sold. Zero means off.
pub(super) const NOZZLE_TEMPERATURE_C: RangeInclusive<f64> = 1.0..=600.0;
/// Zero means off.
pub(super) const BED_TEMPERATURE_C: RangeInclusive<f64> = 1.0..=300.0;
/// Layers of FDM printers, pellet printers included.
pub(super) const LAYER_HEIGHT_MM: RangeInclusive<f64> = 0.005..=10.0;
/// Printers are smaller than 100 m. Cura's placeholder is 2,147,480.
pub(super) const HEIGHT_MM: RangeInclusive<f64> = 0.001..=100_000.0;
/// A coordinate, on either side of the origin.
pub(super) const COORDINATE_MM: RangeInclusive<f64> = -100_000.0..=100_000.0;
/// Filament: something, and no more than fits on about three hundred spools.
pub(super) const FILAMENT_MM: RangeInclusive<f64> = 0.000_1..=1e8;
/// Filament by volume: up to a cubic metre.
pub(super) const FILAMENT_CM3: RangeInclusive<f64> = 0.000_1..=1e6;
/// Filament by weight: up to a ton.
pub(super) const FILAMENT_G: RangeInclusive<f64> = 0.000_1..=1e6;
/// Printing time, in seconds: two years; anything longer is a placeholder.
pub(super) const DURATION_S: RangeInclusive<f64> = 1.0..=(2 * 366 * 24 * 3600) as f64;
/// Number of layers.
pub(super) const LAYERS: RangeInclusive<u64> = 1..=10_000_000;
