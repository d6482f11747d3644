//! What the firmware said about itself (M115).
//!
//! Owns: name and capabilities. Must not know: what is done with them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::dialect::Dialect;
use super::reply::Reply;

/// The firmware at the other end.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Firmware {
    /// `FIRMWARE_NAME`.
    pub name: Option<String>,
    /// Its family.
    pub dialect: Dialect,
    /// `EXTRUDER_COUNT`, where it counts the tools.
    pub extruders: Option<u32>,
    /// `MACHINE_TYPE`.
    pub machine_type: Option<String>,
    capabilities: BTreeMap<String, bool>,
    /// The reachable area in mm, where the firmware tells it.
    pub area: Option<Area>,
    /// Who made this build, as the banner tells: `(CREALITY, Ender-3)`.
    maker: Option<String>,
}

/// The reachable area, mm.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Area {
    /// Lowest X, Y, Z.
    pub min: [f64; 3],
    /// Highest X, Y, Z.
    pub max: [f64; 3],
}

impl Firmware {
    /// Whether M115 lists this capability as there. A missing one is not.
    #[must_use]
    pub fn can(&self, capability: &str) -> bool {
        self.capabilities.get(capability).copied().unwrap_or(false)
    }

    /// Whether it has said what it is and what it can. Until then what it can't is not known either.
    #[must_use]
    pub fn has_introduced_itself(&self) -> bool {
        self.name.is_some()
    }

    /// What a person should know about the safety of this firmware.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        let said = self.capabilities.get("THERMAL_PROTECTION");
        let name = self.name.as_deref()?;
        let unprotected = match said {
            Some(protected) => !protected,
            // Creality's builds tell it in their banner only.
            None => {
                [Some(name), self.maker.as_deref()].into_iter().flatten().any(Dialect::is_known_unprotected)
            }
        };
        unprotected.then(|| {
            format!(
                "This printer's firmware ({name}) has no thermal protection: a loose sensor can set it on fire. \
                 Update the firmware, and don't leave it alone."
            )
        })
    }

    /// Takes what a reply tells about the firmware.
    pub(super) fn learn(&mut self, reply: &Reply) {
        match reply {
            Reply::Firmware(name, extruders, machine) => {
                self.machine_type = machine.clone();
                self.name = Some(name.clone());
                self.dialect = Dialect::of(name);
                self.extruders = extruders.filter(|_| self.dialect.counts_tools());
            }
            Reply::Capability(name, there) => {
                self.capabilities.insert(name.clone(), *there);
            }
            // Creality's word for it. Old firmware does not name the capability, but says so at its start.
            Reply::Other(line) | Reply::Echo(line)
                if ["SD card ok", "TF card ok"].contains(&line.as_str()) =>
            {
                self.capabilities.entry("SDCARD".to_owned()).or_insert(true);
            }
            Reply::Echo(line) => {
                if let Some((_, maker)) = line.split_once("| Author: ") {
                    self.maker = Some(maker.to_owned());
                }
            }
            Reply::Other(line) => {
                if let Some(area) = Area::parse(line) {
                    self.area = Some(area);
                }
            }
            _ => {}
        }
    }
}

impl Area {
    /// What both of them hold.
    #[must_use]
    pub fn within(&self, other: &Self) -> Self {
        let both = |mine: [f64; 3], others: [f64; 3], pick: fn(f64, f64) -> f64| {
            let ([x, y, z], [other_x, other_y, other_z]) = (mine, others);
            [pick(x, other_x), pick(y, other_y), pick(z, other_z)]
        };
        Self { min: both(self.min, other.min, f64::max), max: both(self.max, other.max, f64::min) }
    }

    /// `area:{full:{min:{x:0.00,y:0.00,z:0.00},max:{…}},work:{min:{…},max:{…}}}`: the work area.
    fn parse(line: &str) -> Option<Self> {
        let work = line.strip_prefix("area:")?.split_once("work:")?.1;
        let (min, max) = work.split_once("max:")?;
        let corner = |text: &str| {
            let axis = |name: &str| -> Option<f64> {
                let value = text.split_once(name)?.1;
                value.split([',', '}']).next()?.trim().parse().ok()
            };
            Some([axis("x:")?, axis("y:")?, axis("z:")?])
        };
        Some(Self { min: corner(min.split_once("min:")?.1)?, max: corner(max)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_work_area_is_read() {
        let line = "area:{full:{min:{x:-1.00,y:0.00,z:0.00},max:{x:201.00,y:200.00,z:200.00}},\
                    work:{min:{x:0.00,y:5.00,z:0.00},max:{x:220.00,y:215.00,z:250.00}}}";
        let area = Area::parse(line).unwrap();
        assert_eq!(area, Area { min: [0.0, 5.0, 0.0], max: [220.0, 215.0, 250.0] });
        assert_eq!(Area::parse("area:{}"), None);
    }

    #[test]
    fn a_memory_card_that_is_announced_is_a_capability() {
        for line in ["echo:SD card ok", "TF card ok"] {
            let mut firmware = Firmware::default();
            firmware.learn(&Reply::parse(line));
            assert!(firmware.can("SDCARD"), "{line}");
            firmware.learn(&Reply::parse("Cap:SDCARD:0"));
            assert!(!firmware.can("SDCARD"), "M115 knows better");
        }
    }

    #[test]
    fn a_missing_capability_is_not_there() {
        let mut firmware = Firmware::default();
        firmware.learn(&Reply::parse("Cap:AUTOREPORT_TEMP:1"));
        firmware.learn(&Reply::parse("Cap:SDCARD:0"));
        assert!(firmware.can("AUTOREPORT_TEMP"));
        assert!(!firmware.can("SDCARD"));
        assert!(!firmware.can("EMERGENCY_PARSER"));
    }

    #[test]
    fn firmware_without_thermal_protection_is_warned_about() {
        let warned = |lines: &[&str]| {
            let mut firmware = Firmware::default();
            lines.iter().for_each(|line| firmware.learn(&Reply::parse(line)));
            firmware.warning().is_some()
        };
        assert!(!warned(&["FIRMWARE_NAME:Marlin 2.1", "Cap:THERMAL_PROTECTION:1"]));
        assert!(warned(&["FIRMWARE_NAME:Marlin 2.1", "Cap:THERMAL_PROTECTION:0"]));
        assert!(warned(&["NAME. Malyan VER: 2.9 MODEL: M200 HW: HA02"]));
        assert!(!warned(&["FIRMWARE_NAME:Ender-3 Marlin 2", "Cap:THERMAL_PROTECTION:1"]));
        let banner = |maker: &str| format!("echo: Last Updated: 2018-01-20 | Author: {maker}");
        assert!(warned(&[&banner("(CREALITY, Ender-3)"), "FIRMWARE_NAME:Marlin 1.1.6 (Github)"]));
        assert!(!warned(&[&banner("(Bob Kuhn, Anet A6)"), "FIRMWARE_NAME:Marlin 1.1.6 (Github)"]));
    }
}
