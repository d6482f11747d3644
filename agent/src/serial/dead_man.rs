//! The dead-man (M85): the firmware turns everything off by itself when its host has died in mid-job.
//!
//! Owns: when it is armed, for how long, and when it must not be. Must not know: how its lines are sent.
//!
//! What M85 does, by the firmwares' sources: after S seconds without activity the firmware stops for good (`kill`),
//! heaters off; S0 is off, as after power-on. Activity is
//! - Marlin since 2.0.6: a move, waiting for a temperature (M109, M190, M191), its own filament change, and M85
//!   itself. Not a dwell, and not other commands;
//! - Marlin before, and Prusa's 8-bit firmware: any command that ends. Waiting for a temperature or a person is none.
//!
//! So it is taken off while the job is paused, while nobody can tell how long a command takes, and at the job's end.

use stardust_gcode::command::{Code, Command, parse};

use super::dialect::Dialect;
use super::firmware::Firmware;

/// Marlin counts its own waiting as activity: what remains are commands that take their time.
const SECONDS: u32 = 600;
/// Where it does not, the longest heating has to fit: a large bed takes half an hour and more.
const SECONDS_WITH_WAITING: u32 = 3600;

/// The dead-man of one job.
#[derive(Debug)]
pub(super) struct DeadMan {
    /// None: this firmware has none, or the printer's settings don't want it.
    seconds: Option<u32>,
    armed: bool,
}

impl DeadMan {
    /// `set`: what the printer's settings say, 0 for never.
    pub(super) fn new(firmware: &Firmware, set: Option<u32>) -> Self {
        let seconds =
            usual_seconds(firmware).map(|usual| set.unwrap_or(usual)).filter(|seconds| *seconds > 0);
        Self { seconds, armed: false }
    }

    /// What has to be sent before this command of the file.
    pub(super) fn ahead_of(&mut self, command: &Command<'_>) -> Option<Command<'static>> {
        let seconds = self.seconds?;
        let wanted = !takes_its_time(command, seconds);
        if self.armed == wanted {
            return None;
        }
        self.armed = wanted;
        line(if wanted { seconds } else { 0 })
    }

    /// A command of the file was sent: one that sets the dead-man itself knows better.
    pub(super) fn follow(&mut self, command: &Command<'_>) {
        if !command.is(Code::m(85)) {
            return;
        }
        if let Some(seconds) = command.param(b'S').filter(|seconds| (0.0..=1e6).contains(seconds)) {
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the range is checked"
            )]
            let seconds = seconds as u32;
            self.seconds = Some(seconds).filter(|seconds| *seconds > 0);
            self.armed = self.seconds.is_some();
        }
    }

    /// What takes it off, if it is on.
    pub(super) fn release(&mut self) -> Option<Command<'static>> {
        if std::mem::take(&mut self.armed) { line(0) } else { None }
    }

    /// What takes it off where it may be on: left over from a job whose connection was lost, say.
    pub(super) fn off(&self) -> Option<Command<'static>> {
        self.seconds.and_then(|_| line(0))
    }
}

/// None for firmware that has no M85, or nobody knows whether.
fn usual_seconds(firmware: &Firmware) -> Option<u32> {
    let name = firmware.name.as_deref()?.to_ascii_lowercase();
    match firmware.dialect {
        Dialect::Marlin if name.contains("marlin") && !name.contains("buddy") => Some(SECONDS),
        Dialect::Marlin1 | Dialect::Prusa => Some(SECONDS_WITH_WAITING),
        _ => None,
    }
}

/// Whether a command may well take longer than that without any activity: it waits for a person, calibrates, or is a
/// word of a firmware's own.
fn takes_its_time(command: &Command<'_>, seconds: u32) -> bool {
    match command.code() {
        // A filament changer that fails waits for a person in the middle of a tool change.
        None | Some(Code { letter: b'T', .. }) => true,
        Some(Code { letter: b'M', number: 125 | 226 | 303 | 306 | 600 | 603 | 701 | 702, .. })
        | Some(Code { letter: b'G', number: 76, .. }) => true,
        Some(Code { letter: b'G', number: 4, .. }) => {
            let ms = command.param(b'P').map(|ms| ms / 1000.0);
            let dwell = command.param(b'S').or(ms).unwrap_or(0.0);
            dwell >= f64::from(seconds) / 2.0
        }
        Some(_) => false,
    }
}

fn line(seconds: u32) -> Option<Command<'static>> {
    parse(format!("M85 S{seconds}").as_bytes()).map(Command::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serial::reply::Reply;
    use rstest::rstest;

    fn firmware(name: &str) -> Firmware {
        let mut firmware = Firmware::default();
        firmware.learn(&Reply::parse(&format!("FIRMWARE_NAME:{name} MACHINE_TYPE:None")));
        firmware
    }

    #[rstest]
    #[case("Marlin 2.1.2", None, Some(600))]
    #[case("Marlin 2.1.2", Some(120), Some(120))]
    #[case::not_wanted("Marlin 2.1.2", Some(0), None)]
    #[case("Marlin 1.1.9 (Github)", None, Some(3600))]
    #[case("Prusa-Firmware 3.13.2 based on Marlin", None, Some(3600))]
    #[case("Prusa-Firmware-Buddy 6.0.1 (Github)", None, None)]
    #[case("RepRapFirmware for Duet 2", Some(600), None)]
    #[case("Klipper", Some(600), None)]
    #[case("Nobody knows 1.0", Some(600), None)]
    fn only_where_the_firmware_has_it(
        #[case] name: &str,
        #[case] set: Option<u32>,
        #[case] seconds: Option<u32>,
    ) {
        assert_eq!(DeadMan::new(&firmware(name), set).seconds, seconds);
    }

    /// What is sent for a file, with the dead-man's lines in their places.
    fn sent(file: &[&str]) -> Vec<String> {
        let mut dead_man = DeadMan::new(&firmware("Marlin 2.1"), None);
        let mut sent = Vec::new();
        for text in file {
            let command = parse(text.as_bytes()).unwrap();
            sent.extend(dead_man.ahead_of(&command).map(|line| line.text().to_owned()));
            sent.push((*text).to_owned());
            dead_man.follow(&command);
        }
        sent.extend(dead_man.release().map(|line| line.text().to_owned()));
        sent
    }

    #[rstest]
    #[case(&["M190 S60", "G1 X1"], &["M85 S600", "M190 S60", "G1 X1", "M85 S0"])]
    #[case(&["G1 X1", "M600", "G1 X2"], &["M85 S600", "G1 X1", "M85 S0", "M600", "M85 S600", "G1 X2", "M85 S0"])]
    #[case(&["G4 S10", "G4 P400000", "Tx"], &["M85 S600", "G4 S10", "M85 S0", "G4 P400000", "Tx"])]
    #[case::the_files_own(&["M85 S60", "M600", "G1 X1"], &["M85 S600", "M85 S60", "M85 S0", "M600", "M85 S60", "G1 X1", "M85 S0"])]
    #[case::the_file_wants_none(&["M85 S0", "G1 X1"], &["M85 S600", "M85 S0", "G1 X1"])]
    fn off_while_nobody_can_tell_how_long_it_takes(#[case] file: &[&str], #[case] expected: &[&str]) {
        assert_eq!(sent(file), expected);
    }
}
