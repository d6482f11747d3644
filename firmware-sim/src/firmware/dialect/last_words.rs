//! What each dialect says when it stops for good, and what it answers then.

use super::Dialect;
use crate::firmware::machine::Failure;

impl Dialect {
    /// The lines said at the end.
    pub(crate) fn last_words(self, failure: Failure) -> Vec<String> {
        let reason = failure.reason();
        match self {
            // gcode.cpp, reportFatalError; M112 (Commands.cpp, emergencyStop) stops without a word.
            Self::Repetier => {
                reason.map(|_| self.dead_answer(failure).unwrap_or_default().to_owned()).into_iter().collect()
            }
            // heater.c; M112 (gcode_process.c) stops without a word.
            Self::Teacup => reason
                .map(|_| "!! heater 0 or its temp sensor broken - temp is 21.0C, target is 205.0C".to_owned())
                .into_iter()
                .collect(),
            // GCodes.cpp, DoEmergencyStop; Platform/Event.cpp.
            Self::RepRapFirmware => vec![match reason {
                Some(reason) => format!("Error: Heater 1 fault: {}", reason.to_lowercase()),
                None => "Emergency Stop! Reset the controller to continue.".to_owned(),
            }],
            // klippy/gcode.py: the reason comes with the answer to the next command.
            Self::Klipper => vec!["// Klipper state: Shutdown".to_owned()],
            // Firmware/temperature.cpp.
            Self::Prusa => vec![match failure {
                Failure::Killed => "Error:Printer halted. kill() called!".to_owned(),
                Failure::BedRunaway => "Error: HEATBED THERMAL RUNAWAY".to_owned(),
                Failure::NozzleRunaway => "Error: HOTEND THERMAL RUNAWAY".to_owned(),
                Failure::HeatingFailed => "Error: THERMAL RUNAWAY (PREHEAT HOTEND)".to_owned(),
                Failure::NozzleTooCold => "Error:0: Heaters switched off. MINTEMP triggered!".to_owned(),
                Failure::NozzleTooHot => "Error:0: Heaters switched off. MAXTEMP triggered!".to_owned(),
            }],
            _ => {
                let mut lines = Vec::new();
                if let Some(reason) = reason {
                    let heater = failure.heater(self == Self::Marlin);
                    lines.push(format!("Error:{reason}, system stopped! Heater_ID: {heater}"));
                }
                lines.push("Error:Printer halted. kill() called!".to_owned());
                lines.extend((self == Self::Marlin).then(|| "//action:poweroff".to_owned()));
                lines
            }
        }
    }

    /// What every line is answered with after its end, before an `ok`. `None`: it is silent.
    pub(crate) fn dead_answer(self, failure: Failure) -> Option<&'static str> {
        match (self, failure) {
            (Self::Klipper, Failure::Killed) => Some("!! Lost communication with MCU 'mcu'"),
            // klippy/extras/verify_heater.py
            (Self::Klipper, Failure::BedRunaway) => Some("!! Heater heater_bed not heating at expected rate"),
            (Self::Klipper, _) => Some("!! Heater extruder not heating at expected rate"),
            (Self::Repetier, Failure::Killed) => None,
            (Self::Repetier, _) => Some(
                "fatal:Heater/sensor error - Printer stopped and heaters disabled due to this error. \
                 Fix error and restart with M999.",
            ),
            _ => None,
        }
    }
}
