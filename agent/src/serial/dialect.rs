//! The firmwares there are, and what differs between them.
//!
//! Owns: telling them by the name of M115, and their habits. Must not know: what is in flight.
//! Sources: the firmwares' own documentation and what hosts' issue trackers report of them.

use serde::{Deserialize, Serialize};
use stardust_gcode::modal::ExtruderRule;

use super::window::MAX_LINES;

/// A firmware's family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// Marlin 2, and whatever is not known.
    #[default]
    Marlin,
    /// Marlin 1: also on Creality's boards, with reports of their own spelling.
    Marlin1,
    /// Prusa-Firmware of the MK2, MK2.5 and MK3.
    Prusa,
    /// RepRapFirmware (Duet).
    RepRapFirmware,
    /// Repetier, also on Anet's boards.
    Repetier,
    /// Klipper behind its pty.
    Klipper,
    /// Malyan (Monoprice Select Mini).
    Malyan,
    /// Teacup.
    Teacup,
    /// UltiMaker 2, whose Marlin is of 2014.
    Ultimaker2,
}

impl Dialect {
    /// By the value of `FIRMWARE_NAME:`.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        let has = |word: &str| name.contains(word);
        match () {
            // Kalico is a Klipper of others: it says its own name (`APP_NAME`).
            () if has("klipper") || has("kalico") => Self::Klipper,
            () if has("prusa-firmware") && !has("buddy") => Self::Prusa,
            () if has("reprapfirmware") || has("duet") => Self::RepRapFirmware,
            () if has("repetier") || has("anet") => Self::Repetier,
            () if has("malyan") => Self::Malyan,
            () if has("teacup") => Self::Teacup,
            () if has("ultimaker2") || has("ultimaker 2") => Self::Ultimaker2,
            () if has("marlin v1") || has("marlin 1.") || has("marlin ver 1.") => Self::Marlin1,
            () => Self::Marlin,
        }
    }

    /// M105 is answered in a line of its own before or after the `ok`, which says nothing more.
    #[must_use]
    pub(super) fn reports_apart(self) -> bool {
        matches!(self, Self::Repetier | Self::Teacup)
    }

    /// What an error means after which the next command is taken, none where it has stopped itself.
    /// Klipper: one command was refused (klippy/gcode.py). RepRapFirmware: one heater is off, the others are not
    /// (Heating/LocalHeater.cpp).
    #[must_use]
    pub(super) fn goes_on_after(self, error: &str) -> Option<&'static str> {
        match self {
            Self::Klipper if !error.starts_with("Klipper state") => Some("refused a command"),
            Self::RepRapFirmware if error.contains("fault") => Some("has turned a heater off"),
            _ => None,
        }
    }

    /// How many lines may be in flight: firmwares whose buffers are not known get one.
    #[must_use]
    pub(super) fn max_lines(self) -> usize {
        match self {
            Self::Malyan | Self::Teacup | Self::Ultimaker2 => 1,
            _ => MAX_LINES,
        }
    }

    /// It may refuse every line without a checksum: Repetier with FEATURE_CHECKSUM_FORCED, and Malyan, whose firmware is closed
    /// (OctoPrint sends it nothing without one).
    #[must_use]
    pub(super) fn wants_checksums(self) -> bool {
        matches!(self, Self::Repetier | Self::Malyan)
    }

    /// Once it has asked for a line it passes over the next ones that don't follow it, and answers them by `ok` all the same
    /// (`skip N` in Repetier's gcode.cpp): what is sent behind a request looks taken, and is not.
    #[must_use]
    pub(super) fn skips_with_ok(self) -> bool {
        self == Self::Repetier
    }

    /// Ends a print from the memory card, or keeps it from going on; `times`: it was told so already. Marlin 2 turns its heaters off
    /// with that; one that does not know `M524` (before 2.0, and whatever says nothing of itself) may know the other one.
    #[must_use]
    pub(super) fn ends_card_print(self, times: u32) -> &'static str {
        if self == Self::Marlin && times % 2 == 0 { "M524" } else { "M25" }
    }

    /// `M113 S2` sets how often it says `busy`. Elsewhere M113 is unknown or something else.
    #[must_use]
    pub(super) fn has_keep_alive(self) -> bool {
        matches!(self, Self::Marlin | Self::Marlin1 | Self::Prusa)
    }

    /// It counts lines, and tells which one it wants next.
    #[must_use]
    pub(super) fn counts_lines(self) -> bool {
        !matches!(self, Self::Klipper | Self::RepRapFirmware | Self::Teacup)
    }

    /// It can be told by `G92` how high the nozzle stands, moves before Z was homed, homes X and Y alone, and says by
    /// `M114` where it is. Klipper does not move before homing; of the others it is not known.
    #[must_use]
    pub fn can_be_told_its_height(self) -> bool {
        matches!(self, Self::Marlin | Self::Marlin1 | Self::Prusa)
    }

    /// What G90 and G91 do to the extruder.
    #[must_use]
    pub(super) fn extruder_rule(self) -> ExtruderRule {
        match self {
            Self::Marlin => ExtruderRule::GoesAlong,
            Self::Prusa | Self::RepRapFirmware => ExtruderRule::OnItsOwn,
            Self::Marlin1
            | Self::Repetier
            | Self::Klipper
            | Self::Malyan
            | Self::Teacup
            | Self::Ultimaker2 => ExtruderRule::RelativeByEither,
        }
    }

    /// `EXTRUDER_COUNT` counts the tools. Prusa's counts one where a changer feeds five.
    #[must_use]
    pub(super) fn counts_tools(self) -> bool {
        self != Self::Prusa
    }

    /// Known to come without thermal protection where M115 does not say: what name tells.
    #[must_use]
    pub fn is_known_unprotected(name: &str) -> bool {
        let lower = name.to_ascii_lowercase();
        let stock = ["anet_a8", "anet a8", "malyan", "ender-3", "cr-10s", "anycubic"];
        let old_repetier = lower
            .split_once("repetier_")
            .or_else(|| lower.split_once("repetier v"))
            .and_then(|(_, version)| version.get(..4)?.parse::<f64>().ok())
            .is_some_and(|version| version < 0.92);
        old_repetier || stock.iter().any(|name| lower.contains(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("Marlin bugfix-2.1.x (Nov 23 2026 00:37:17)", Dialect::Marlin)]
    #[case("Marlin 1.1.9 (Github)", Dialect::Marlin1)]
    #[case("Marlin V1; Sprinter/grbl mashup for gen6", Dialect::Marlin1)]
    #[case("Prusa-Firmware 3.13.2 based on Marlin", Dialect::Prusa)]
    #[case("Prusa-Firmware-Buddy 6.0.1 (Github)", Dialect::Marlin)]
    #[case("RepRapFirmware for Duet 2 WiFi/Ethernet", Dialect::RepRapFirmware)]
    #[case("Repetier_1.0.4", Dialect::Repetier)]
    #[case("ANET_A8_20160628", Dialect::Repetier)]
    #[case("Klipper", Dialect::Klipper)]
    #[case("Kalico", Dialect::Klipper)]
    #[case("Malyan VER: 2.9 MODEL: M200 HW: HA02", Dialect::Malyan)]
    #[case("Teacup", Dialect::Teacup)]
    #[case("Marlin Ultimaker2; Sprinter/grbl mashup for gen6", Dialect::Ultimaker2)]
    fn names(#[case] name: &str, #[case] dialect: Dialect) {
        assert_eq!(Dialect::of(name), dialect);
    }

    #[rstest]
    #[case("Repetier_0.91", true)]
    #[case("Repetier_1.0.4", false)]
    #[case("ANET_A8_20160628", true)]
    #[case("Malyan VER: 2.9 MODEL: M200", true)]
    #[case("Marlin 2.1.2 (Jan 1 2023)", false)]
    fn protection(#[case] name: &str, #[case] unprotected: bool) {
        assert_eq!(Dialect::is_known_unprotected(name), unprotected);
    }
}
