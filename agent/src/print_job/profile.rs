//! What a printer can do: tools, temperatures, reach. From its settings, and from what its firmware says.
//!
//! Owns: which source goes before which. Must not know: files, ports.

use serde::{Deserialize, Serialize};

use crate::serial::dialect::Dialect;
use crate::serial::firmware::Area;

/// The limits of a printer; what is not known is not checked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// How many tools it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<u32>,
    /// The highest nozzle temperature, °C.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nozzle_max_c: Option<f64>,
    /// The highest bed temperature, °C.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bed_max_c: Option<f64>,
    /// The highest X, Y and Z that it reaches, mm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_mm: Option<[f64; 3]>,
    /// The lowest X, Y and Z that it reaches, mm: below zero where the origin is in the middle of the bed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lowest_mm: Option<[f64; 3]>,
    /// Whose firmware it has: no setting, the printer says so.
    #[serde(skip)]
    pub dialect: Option<Dialect>,
}

impl Profile {
    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Where it reaches, as far as it is set. A lowest place that is not set is the bed's corner.
    #[must_use]
    pub fn area(&self) -> Option<Area> {
        self.size_mm.map(|max| Area { min: self.lowest_mm.unwrap_or_default(), max })
    }

    /// Fills in what the settings leave open with what the firmware says (`area:` and `EXTRUDER_COUNT` of M115).
    #[must_use]
    pub fn with_firmware(&self, (area, extruders): (Option<Area>, Option<u32>)) -> Self {
        let size_mm = self.size_mm.or(area.map(|area| area.max));
        let lowest_mm = self.lowest_mm.or(area.map(|area| area.min));
        Self { tools: self.tools.or(extruders), size_mm, lowest_mm, ..self.clone() }
    }

    /// The same for a printer that has said whose firmware it has.
    #[must_use]
    pub fn read_by(self, dialect: Option<Dialect>) -> Self {
        Self { dialect, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_go_before_what_the_firmware_says() {
        let area = Area { min: [0.0; 3], max: [200.0, 200.0, 180.0] };
        let set = Profile { tools: Some(5), ..Profile::default() }.with_firmware((Some(area), Some(1)));
        assert_eq!((set.tools, set.size_mm), (Some(5), Some([200.0, 200.0, 180.0])));
        assert_eq!(set.lowest_mm, Some([0.0; 3]));
        let text = "nozzle_max_c = 260\nsize_mm = [220.0, 220.0, 250.0]";
        let read: Profile = toml::from_str(text).unwrap();
        assert_eq!(read.with_firmware((Some(area), None)).size_mm, Some([220.0, 220.0, 250.0]));
    }
}
