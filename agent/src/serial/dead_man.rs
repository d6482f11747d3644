//! The dead-man (M85): the firmware turns everything off by itself when its host has died in mid-job.
//!
//! Owns: when it is armed, for how long, and when it must not be. Must not know: how its lines are sent.
//!
//! What M85 does is told in [`kind`]. Where it is as it should be it is set; elsewhere only if a printer's settings ask
//! for it, and then not before the printer has moved. It is taken off while nobody can tell how long a command takes, and
//! at the job's end. In a pause nothing moves: where M85 counts from itself on it is sent again and again, so that it
//! strikes when the host has died and not before; elsewhere it is taken off.

mod kind;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use stardust_gcode::command::{Code, Command, parse};

use super::firmware::Firmware;
use kind::Kind;

/// What is left besides waiting and moves are commands that take their time; and a host that thinks, for a while.
const SECONDS: u32 = 600;

/// The dead-man of one job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct DeadMan {
    /// None: this firmware has none, or the printer's settings don't want it.
    seconds: Option<u32>,
    armed: bool,
    /// M85 counts from itself on; elsewhere there has to be some other activity just before.
    restarts: bool,
    is_active: bool,
}

impl DeadMan {
    /// `set`: what the printer's settings say, 0 for never.
    pub(super) fn new(firmware: &Firmware, set: Option<u32>) -> Self {
        let kind = Kind::of(firmware);
        let seconds = match kind {
            Kind::Good => Some(set.unwrap_or(SECONDS)),
            Kind::Touchy => set,
            Kind::None => None,
        };
        Self {
            seconds: seconds.filter(|seconds| *seconds > 0),
            armed: false,
            restarts: kind == Kind::Good,
            is_active: false,
        }
    }

    /// What has to be sent before this command of the file.
    pub(super) fn ahead_of(&mut self, command: &Command<'_>) -> Option<Command<'static>> {
        let seconds = self.seconds?;
        let fresh = self.armed || self.restarts || self.is_active;
        let wanted = fresh && !self.may_strike_at(command, seconds);
        if self.armed == wanted {
            return None;
        }
        self.armed = wanted;
        line(if wanted { seconds } else { 0 })
    }

    /// A command of the file was sent.
    pub(super) fn follow(&mut self, command: &Command<'_>) {
        if let (Some(seconds), false) = (self.seconds, self.restarts) {
            // What follows a slow command, or a pause, must first show activity again.
            let slow = self.may_strike_at(command, seconds);
            self.is_active = !slow && (self.is_active || is_activity(command));
        }
        if !command.is(Code::m(85)) {
            return;
        }
        // The file knows better.
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

    /// Whether this command may well take longer than that while the firmware counts. The change of filament of Marlin
    /// from 2.0.7 on begins to count when it is over (feature/pause.cpp, `idle_no_sleep`): if the host has died meanwhile,
    /// it strikes then.
    fn may_strike_at(&self, command: &Command<'_>, seconds: u32) -> bool {
        let waits_itself =
            matches!(command.code(), Some(Code { letter: b'M', number: 125 | 600 | 701 | 702, sub: None }));
        takes_its_time(command, seconds) && !(self.restarts && waits_itself)
    }

    /// The job rests: what keeps it on where it can be kept alive ([`Self::keep_alive`]), and takes it off elsewhere.
    pub(super) fn rest(&mut self) -> Option<Command<'static>> {
        if self.restarts { self.keep_alive() } else { self.release() }
    }

    /// The job heats up again after a rest: what puts it on, if it is off.
    pub(super) fn wake(&mut self) -> Option<Command<'static>> {
        let seconds = self.seconds.filter(|_| self.restarts && !self.armed)?;
        self.armed = true;
        line(seconds)
    }

    /// What makes it count anew, if it is on.
    pub(super) fn keep_alive(&self) -> Option<Command<'static>> {
        self.seconds.filter(|_| self.armed && self.restarts).and_then(line)
    }

    /// How often that has to be sent: a host that is started anew may miss one or two.
    pub(super) fn every(&self) -> Duration {
        Duration::from_secs(u64::from(self.seconds.unwrap_or(SECONDS) / 4).clamp(1, 60))
    }

    /// What takes it off, if it is on.
    pub(super) fn release(&mut self) -> Option<Command<'static>> {
        self.is_active = false;
        if std::mem::take(&mut self.armed) { line(0) } else { None }
    }

    /// What takes it off where it may be on: left over from a job whose connection was lost, say.
    pub(super) fn off(&self) -> Option<Command<'static>> {
        self.seconds.and_then(|_| line(0))
    }
}

/// Moves, and waiting for a temperature.
fn is_activity(command: &Command<'_>) -> bool {
    let Some(Code { letter, number, sub: None }) = command.code() else { return false };
    match letter {
        b'G' => matches!(number, 0..=3 | 28),
        _ => letter == b'M' && matches!(number, 109 | 190),
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
    #[case("Marlin bugfix-2.1.x (Sep 29 2024 12:00:00)", None, Some(600))]
    #[case("Marlin 2.0.9.3 (Jan 1 2022)", None, Some(600))]
    #[case("Marlin 2.0.8.24F4 (Ender-3)", None, Some(600))]
    #[case("Marlin 2.1.2", Some(120), Some(120))]
    #[case::not_wanted("Marlin 2.1.2", Some(0), None)]
    #[case::nobody_knows_of_when("Marlin bugfix-2.0.x (Jan 1 2020)", None, None)]
    #[case("Marlin 2.0.5.3 (GitHub)", None, None)]
    #[case("Marlin 2.0.5.3 (GitHub)", Some(900), Some(900))]
    #[case("Marlin 1.1.9 (Github)", None, None)]
    #[case("Marlin 1.1.9 (Github)", Some(900), Some(900))]
    #[case("Prusa-Firmware 3.13.2 based on Marlin", None, None)]
    #[case("Prusa-Firmware 3.13.2 based on Marlin", Some(7200), Some(7200))]
    #[case("Prusa-Firmware-Buddy 6.0.1 (Github)", Some(600), None)]
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
    fn sent_to(name: &str, file: &[&str]) -> Vec<String> {
        let mut dead_man = DeadMan::new(&firmware(name), Some(600));
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
    #[case::counts_when_it_is_over(&["G1 X1", "M600", "G1 X2"], &["M85 S600", "G1 X1", "M600", "G1 X2", "M85 S0"])]
    #[case(&["G1 X1", "M226 P3", "G1 X2"], &["M85 S600", "G1 X1", "M85 S0", "M226 P3", "M85 S600", "G1 X2", "M85 S0"])]
    #[case(&["G4 S10", "G4 P400000", "Tx"], &["M85 S600", "G4 S10", "M85 S0", "G4 P400000", "Tx"])]
    #[case::the_files_own(&["M85 S60", "M303", "G1 X1"], &["M85 S600", "M85 S60", "M85 S0", "M303", "M85 S60", "G1 X1", "M85 S0"])]
    #[case::the_file_wants_none(&["M85 S0", "G1 X1"], &["M85 S600", "M85 S0", "G1 X1"])]
    fn off_while_nobody_can_tell_how_long_it_takes(#[case] file: &[&str], #[case] expected: &[&str]) {
        assert_eq!(sent_to("Marlin 2.1", file), expected);
    }

    /// Where M85 kills a printer that has stood still, it has just moved or waited.
    #[rstest]
    #[case(&["M140 S60", "M190 S60", "M104 S200", "G1 X1"], &["M140 S60", "M190 S60", "M85 S600", "M104 S200", "G1 X1", "M85 S0"])]
    #[case(&["G28", "M600", "M105", "G1 X1", "M105"], &["G28", "M600", "M105", "G1 X1", "M85 S600", "M105", "M85 S0"])]
    fn not_before_the_printer_has_moved(#[case] file: &[&str], #[case] expected: &[&str]) {
        assert_eq!(sent_to("Marlin 1.1.9", file), expected);
    }

    #[test]
    fn a_command_that_has_no_room_yet_is_no_activity() {
        let mut dead_man = DeadMan::new(&firmware("Marlin 1.1.9"), Some(600));
        let home = parse(b"G28").unwrap();
        assert!((0..3).all(|_| dead_man.ahead_of(&home).is_none()));
        dead_man.follow(&home);
        assert!(dead_man.ahead_of(&parse(b"M105").unwrap()).is_some());
    }
}
