//! What each dialect says when it stops for good.

use super::Dialect;
use crate::firmware::machine::Failure;

impl Dialect {
    /// The lines said at the end. After them there is silence, or an answer to every line (Klipper).
    pub(crate) fn last_words(self, failure: Failure) -> Vec<String> {
        match self {
            Self::Repetier => vec![format!(
                "fatal:{} - Printer stopped and heaters disabled due to this error. Fix error and restart with M999.",
                failure.reason().unwrap_or("Emergency stop")
            )],
            Self::RepRapFirmware | Self::Teacup => {
                vec![format!("!! {}", failure.reason().unwrap_or("Emergency stop"))]
            }
            Self::Klipper => {
                vec!["!! Lost communication with MCU 'mcu'".to_owned()]
            }
            _ => {
                let mut lines = Vec::new();
                if let Some(reason) = failure.reason() {
                    let heater = failure.heater(self == Self::Marlin);
                    lines.push(format!("Error:{reason}, system stopped! Heater_ID: {heater}"));
                }
                lines.push("Error:Printer halted. kill() called!".to_owned());
                lines.extend((self == Self::Marlin).then(|| "//action:poweroff".to_owned()));
                lines
            }
        }
    }
}
