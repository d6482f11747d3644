//! Which printer: its firmware's build and the line it hangs on; and the builds there are, by name.

use std::time::Duration;

use crate::firmware::{Config, Corner, Dialect};

/// A printer and its line.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// The firmware's build and the machine's size.
    pub config: Config,
    /// The line between host and printer.
    pub line: LineSettings,
    /// Simulated seconds of the printer per second of the line, greater than 0. The line never runs faster.
    pub speed: f64,
}

/// What the line does to bytes beside carrying them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineSettings {
    /// Bytes pass at a tenth of this rate a second, in both directions; `None`: at once.
    pub baud: Option<u32>,
    /// From a byte's end on one side to its arrival at the other, each way: half of a USB round trip.
    pub latency: Duration,
}

impl Default for Profile {
    fn default() -> Self {
        Self { config: Config::default(), line: LineSettings::default(), speed: 1.0 }
    }
}

/// A build by its name on the command line, and what is special about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    /// Lower case, words joined by `-`.
    pub name: &'static str,
    /// For a person.
    pub about: &'static str,
}

impl Profile {
    /// Every build that has a name.
    pub const NAMES: [Named; 14] = [
        Named { name: "marlin", about: "Marlin 2.1 with EMERGENCY_PARSER" },
        Named { name: "marlin-advanced-ok", about: "the same with ADVANCED_OK" },
        Named { name: "marlin-no-emergency-parser", about: "the same without EMERGENCY_PARSER" },
        Named {
            name: "marlin-menu",
            about: "the same with a display: M600 cools, heats again and purges more",
        },
        Named { name: "marlin-wait", about: "the same with NO_TIMEOUTS: says wait when idle" },
        Named {
            name: "marlin-avr",
            about: "the same on an 8-bit board: a rejected line empties its receive buffer",
        },
        Named { name: "prusa", about: "MK3: a repeated line is rejected, as is a checksum without a number" },
        Named {
            name: "reprapfirmware",
            about: "Duet on USB: no banner, no order of lines, a damaged one is dropped",
        },
        Named {
            name: "repetier",
            about: "ok on reception, wait, checksums always, TargetExtr0:, skip N, fatal:",
        },
        Named { name: "klipper", about: "its pty: no line numbers, !! while still saying ok" },
        Named { name: "malyan", about: "M200: checksums always, NAME. in M115, no thermal protection" },
        Named { name: "teacup", about: "rs N, no order of lines, !!" },
        Named { name: "ultimaker2", about: "Marlin of 2012: no busy, nothing reported by itself" },
        Named { name: "creality", about: "Ender-3 as delivered: broken reports, no thermal protection" },
    ];

    /// The build of this name, on a line without rate or latency. `None`: there is none, see [`Profile::NAMES`].
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let marlin = Config::default();
        let build = |dialect: Dialect, name: &str| Config {
            dialect,
            name: name.to_owned(),
            emergency_parser: false,
            corner: Corner::CLASSIC,
            ..Config::default()
        };
        let config = match name {
            "marlin" => marlin,
            "marlin-advanced-ok" => Config { advanced_ok: true, ..marlin },
            "marlin-no-emergency-parser" => Config { emergency_parser: false, ..marlin },
            "marlin-menu" => Config { menu: true, ..marlin },
            "marlin-wait" => Config { says_wait: true, ..marlin },
            "marlin-avr" => Config { reject_empties_buffer: true, corner: Corner::CLASSIC, ..marlin },
            "prusa" => {
                Config { reject_empties_buffer: true, card: true, ..build(Dialect::Prusa, "Prusa i3 MK3S") }
            }
            "reprapfirmware" => {
                Config { receive_buffer: None, ..build(Dialect::RepRapFirmware, "Duet 2 WiFi") }
            }
            "repetier" => {
                Config { says_wait: true, reject_empties_buffer: true, ..build(Dialect::Repetier, "Mendel") }
            }
            "klipper" => Config {
                emergency_parser: true,
                receive_buffer: None,
                generic_heater: Some("chamber".to_owned()),
                ..build(Dialect::Klipper, "Klipper")
            },
            "malyan" => Config {
                receive_buffer: None,
                thermal_protection: false,
                card: true,
                travel_mm: [120.0; 3],
                ..build(Dialect::Malyan, "Malyan M200")
            },
            "teacup" => build(Dialect::Teacup, "Mendel"),
            "ultimaker2" => Config {
                reject_empties_buffer: true,
                card: true,
                travel_mm: [230.0, 225.0, 205.0],
                ..build(Dialect::UltiMaker2, "Ultimaker")
            },
            "creality" => Config {
                thermal_protection: false,
                reject_empties_buffer: true,
                card: true,
                travel_mm: [220.0, 220.0, 250.0],
                ..build(Dialect::Creality, "Ender-3")
            },
            _ => return None,
        };
        Some(Self { config, ..Self::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_its_build_and_no_two_the_same() {
        let builds = Profile::NAMES.map(|named| Profile::named(named.name).unwrap());
        for (index, build) in builds.iter().enumerate() {
            assert!(!builds[..index].contains(build), "{}", Profile::NAMES[index].name);
        }
        assert_eq!(Profile::named("sailfish"), None);
    }
}
