//! The heaters as the firmware last reported them.
//!
//! Owns: merging reports that tell only a part. Must not know: who asked.

use std::collections::BTreeMap;

use super::reply::{Heat, TemperatureReport};

/// Heaters as last reported, °C.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Thermometer {
    /// Hot ends by tool.
    pub tools: BTreeMap<u8, Heat>,
    /// The bed.
    pub bed: Option<Heat>,
    /// The chamber.
    pub chamber: Option<Heat>,
}

impl Thermometer {
    /// The highest temperature that something is set to, °C; none: nothing was told.
    #[must_use]
    pub fn highest_target(&self) -> Option<f64> {
        let all = self.tools.values().chain(&self.bed).chain(&self.chamber);
        all.filter_map(|heat| heat.target).max_by(f64::total_cmp)
    }

    /// Takes a report.
    pub(super) fn read(&mut self, report: &TemperatureReport) {
        for (tool, heat) in &report.tools {
            let known = self.tools.get(tool).copied();
            self.tools.insert(*tool, merged(known, *heat));
        }
        if let Some(bed) = report.bed {
            self.bed = Some(merged(self.bed, bed));
        }
        if let Some(chamber) = report.chamber {
            self.chamber = Some(merged(self.chamber, chamber));
        }
    }
}

/// A report without the set temperature leaves the known one.
fn merged(known: Option<Heat>, new: Heat) -> Heat {
    Heat { target: new.target.or(known.and_then(|known| known.target)), ..new }
}
