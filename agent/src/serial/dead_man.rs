//! The dead-man (M85): the firmware turns everything off by itself when its host has died in mid-job.
//!
//! Owns: when it is armed, for how long, and when it must not be. Must not know: how its lines are sent.
//!
//! What M85 does is told in [`kind`]. Where it is as it should be it is set; elsewhere only if a printer's settings ask
//! for it, and then not before the printer has moved. Before a command that takes its time it is set to longer: a dwell's
//! own time and the usual one more, or hours where nobody can tell. So a host that dies meanwhile leaves a printer that
//! turns itself off in the end, and one that lives loses nothing. Then it is put back. It is taken off behind the job, when it
//! was read back that everything is off. In a pause nothing moves: where M85 counts from itself on it is sent again and
//! again, so that it strikes when the host has died and not before; elsewhere it is taken off.

mod kind;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use stardust_gcode::command::{Code, Command, parse};

use super::firmware::Firmware;
use kind::Kind;

/// What is left besides waiting and moves are commands that take their time; and a host that thinks, for a while.
const SECONDS: u32 = 600;
/// For a wait without an end of its own that the firmware counts in: for a pin (M226), for a calibration. As long as a bed
/// stays warm in a pause of the host's own.
const WITHOUT_END: u32 = 2 * 3600;
/// For one in which a person may be waited for: a change of filament, a filament changer, a word of a firmware's own. As long
/// as a bed may stay warm in a pause at most.
const FOR_A_PERSON: u32 = 12 * 3600;
/// M85 counts milliseconds in 32 bits.
const LONGEST: f64 = 4_000_000.0;

/// The dead-man of one job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct DeadMan {
    /// None: this firmware has none, or the printer's settings don't want it.
    seconds: Option<u32>,
    armed: bool,
    /// What it is set to while it is on; none: an earlier release has not written it down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    set_to: Option<u32>,
    /// How long the printer may have counted already when it carries out the next command, s: dwells and waits.
    #[serde(default, skip_serializing_if = "is_zero")]
    quiet_s: f64,
    /// It was set for the command that is sent next.
    #[serde(skip)]
    is_set_for_next: bool,
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
            set_to: None,
            quiet_s: 0.0,
            is_set_for_next: false,
            restarts: kind == Kind::Good,
            is_active: false,
        }
    }

    /// What has to be sent before this command of the file.
    pub(super) fn ahead_of(&mut self, command: &Command<'_>) -> Option<Command<'static>> {
        let seconds = self.seconds?;
        if self.is_set_for_next || !(self.armed || self.restarts || self.is_active) {
            return None;
        }
        let longer = self.longer_for(command, seconds);
        let wanted = longer.unwrap_or(seconds);
        let set_to = self.set_to.filter(|_| self.armed);
        let begins_anew = longer.is_some() && self.restarts && self.quiet_s > 0.0;
        // Where M85 does not count from itself on, a shorter time may strike before anything has moved.
        let is_long_enough =
            !self.restarts && !self.is_active && set_to.is_some_and(|set_to| set_to >= wanted);
        if set_to == Some(wanted) && !begins_anew || is_long_enough {
            return None;
        }
        let line = self.set(wanted);
        self.is_set_for_next = true;
        line
    }

    /// A command of the file was sent.
    pub(super) fn follow(&mut self, command: &Command<'_>) {
        if let Some(seconds) = self.seconds {
            let slow = self.longer_for(command, seconds).is_some();
            self.count(command);
            if !self.restarts {
                // What follows a slow command, or a pause, must first show activity again.
                self.is_active = !slow && (self.is_active || is_activity(command));
            }
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
            self.set_to = self.seconds;
        }
    }

    /// What M85 has to be set to where this command may well take longer than that while the firmware counts.
    fn longer_for(&self, command: &Command<'_>, seconds: u32) -> Option<u32> {
        // Counted anew by M85 itself, or not.
        let counted_s = if self.restarts { 0.0 } else { self.quiet_s };
        if let Some(dwell_s) = dwell_s(command) {
            let is_long = self.quiet_s + dwell_s >= f64::from(seconds) / 2.0;
            return is_long.then(|| whole(counted_s + dwell_s + f64::from(seconds)));
        }
        let takes = self.takes_its_time(command)?;
        Some(whole(counted_s + f64::from(takes.max(seconds))))
    }

    /// How long a command may take in which the firmware counts, and nobody can tell how long it will. The change of
    /// filament of Marlin from 2.0.7 on begins to count when it is over (feature/pause.cpp, `idle_no_sleep`): if the
    /// host has died meanwhile, it strikes then.
    fn takes_its_time(&self, command: &Command<'_>) -> Option<u32> {
        let waits_itself =
            matches!(command.code(), Some(Code { letter: b'M', number: 125 | 600 | 701 | 702, sub: None }));
        takes_its_time(command).filter(|_| !(self.restarts && waits_itself))
    }

    /// What the firmware has counted when this command is carried out.
    fn count(&mut self, command: &Command<'_>) {
        if std::mem::take(&mut self.is_set_for_next) && self.restarts {
            self.quiet_s = 0.0;
        }
        let counted_s = dwell_s(command).or_else(|| self.takes_its_time(command).map(f64::from));
        match counted_s {
            Some(counted_s) => self.quiet_s = (self.quiet_s + counted_s).min(LONGEST),
            None if is_activity(command) => self.quiet_s = 0.0,
            None => {}
        }
    }

    fn set(&mut self, seconds: u32) -> Option<Command<'static>> {
        self.is_set_for_next = false;
        self.armed = seconds > 0;
        self.set_to = Some(seconds).filter(|_| self.armed);
        line(seconds)
    }

    /// The job rests: what keeps it on where it can be kept alive ([`Self::keep_alive`]), and takes it off elsewhere.
    pub(super) fn rest(&mut self) -> Option<Command<'static>> {
        if !self.restarts {
            return self.release();
        }
        self.quiet_s = 0.0;
        let seconds = self.seconds.filter(|_| self.armed)?;
        self.set(seconds)
    }

    /// The job heats up again after a rest: what puts it on, if it is off.
    pub(super) fn wake(&mut self) -> Option<Command<'static>> {
        let seconds = self.seconds.filter(|_| self.restarts && !self.armed)?;
        self.set(seconds)
    }

    /// What makes it count anew, if it is on: after [`Self::rest`], so it is the usual time.
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
        if self.armed { self.set(0) } else { None }
    }

    /// Whether it is on.
    pub(super) fn is_on(&self) -> bool {
        self.armed
    }

    /// One that may be on: left over from a job whose connection was lost, say. None where there can't be one.
    pub(super) fn left_over(firmware: &Firmware, set: Option<u32>) -> Option<Self> {
        let off = Self::new(firmware, set);
        off.seconds.is_some().then_some(Self { armed: true, ..off })
    }

    /// An earlier job has left it on: it is this one's to take off.
    pub(super) fn take_over(&mut self, earlier: &Self) {
        (self.armed, self.set_to) = (earlier.armed, earlier.set_to);
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

/// The seconds of a dwell: `S` goes before `P`, milliseconds (Marlin's gcode/motion/G4.cpp).
fn dwell_s(command: &Command<'_>) -> Option<f64> {
    let is_dwell = command.is(Code::g(4));
    let ms = || command.param(b'P').map(|ms| ms / 1000.0);
    is_dwell.then(|| command.param(b'S').or_else(ms).unwrap_or(0.0).clamp(0.0, LONGEST))
}

/// How long a command may take in which the firmware counts, and nobody can tell how long it will: it waits for a pin or a
/// person, calibrates, or is a word of a firmware's own.
fn takes_its_time(command: &Command<'_>) -> Option<u32> {
    match command.code() {
        // A filament changer that fails waits for a person in the middle of a tool change.
        None | Some(Code { letter: b'T', .. }) => Some(FOR_A_PERSON),
        Some(Code { letter: b'M', number: 125 | 600 | 603 | 701 | 702, .. }) => Some(FOR_A_PERSON),
        Some(Code { letter: b'M', number: 226 | 303 | 306, .. }) => Some(WITHOUT_END),
        Some(Code { letter: b'G', number: 76, .. }) => Some(WITHOUT_END),
        Some(_) => None,
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
fn whole(seconds: f64) -> u32 {
    seconds.ceil().clamp(1.0, LONGEST) as u32
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(seconds: &f64) -> bool {
    *seconds == 0.0
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
    #[case::a_pin(&["G1 X1", "M226 P3", "G1 X2"], &["M85 S600", "G1 X1", "M85 S7200", "M226 P3", "M85 S600", "G1 X2", "M85 S0"])]
    #[case::a_dwell(&["G4 S10", "G4 P400000", "Tx"], &["M85 S600", "G4 S10", "M85 S1000", "G4 P400000", "M85 S43200", "Tx", "M85 S0"])]
    #[case::the_same_twice(&["G4 S400", "G4 S400", "G1 X1"], &["M85 S1000", "G4 S400", "M85 S1000", "G4 S400", "M85 S600", "G1 X1", "M85 S0"])]
    #[case::short_ones_add_up(&["G4 S200", "G4 S200", "G4 S50", "G1 X1"],
        &["M85 S600", "G4 S200", "M85 S800", "G4 S200", "M85 S600", "G4 S50", "G1 X1", "M85 S0"])]
    #[case::and_end_with_a_move(&["G4 S200", "G1 X1", "G4 S200"], &["M85 S600", "G4 S200", "G1 X1", "G4 S200", "M85 S0"])]
    #[case::of_days(&["G4 S99999999"], &["M85 S4000000", "G4 S99999999", "M85 S0"])]
    #[case::the_files_own(&["M85 S60", "M303", "G1 X1"], &["M85 S600", "M85 S60", "M85 S7200", "M303", "M85 S60", "G1 X1", "M85 S0"])]
    #[case::the_file_wants_none(&["M85 S0", "G1 X1"], &["M85 S600", "M85 S0", "G1 X1"])]
    fn longer_for_what_takes_longer_and_never_without_end(#[case] file: &[&str], #[case] expected: &[&str]) {
        assert_eq!(sent_to("Marlin 2.1", file), expected);
    }

    /// No file has it off while it prints, nor on for longer than anything may take.
    #[test]
    fn it_is_never_off_in_mid_job_unless_the_file_says_so() {
        let file =
            ["G28", "G4 S7200", "M226 P3", "T1", "M303", "Tx", "M600", "G76", "M701", "G4", "G1 X1", "M400"];
        let mut dead_man = DeadMan::new(&firmware("Marlin 2.1"), None);
        for text in file.iter().cycle().take(5 * file.len()).chain(file.iter().rev()) {
            let command = parse(text.as_bytes()).unwrap();
            let said = dead_man.ahead_of(&command);
            assert_eq!(dead_man.ahead_of(&command), None, "once is enough before {text}");
            assert_ne!(said.as_ref().map(Command::text), Some("M85 S0"), "before {text}");
            dead_man.follow(&command);
            assert!(
                dead_man.set_to.is_some_and(|seconds| (1..=FOR_A_PERSON).contains(&seconds)),
                "at {text}"
            );
        }
    }

    /// Its state was written down by a release that knew on and off only.
    #[test]
    fn an_earlier_releases_is_on_as_before() {
        let written = r#"{"seconds":600,"armed":true,"restarts":true,"is_active":false}"#;
        let mut dead_man: DeadMan = serde_json::from_str(written).unwrap();
        assert_eq!(dead_man.clone().release().unwrap().text(), "M85 S0");
        assert_eq!(dead_man.ahead_of(&parse(b"G1 X1").unwrap()).unwrap().text(), "M85 S600");
        assert_eq!(dead_man.ahead_of(&parse(b"G1 X1").unwrap()), None);
    }

    /// Where M85 kills a printer that has stood still, it has just moved or waited.
    #[rstest]
    #[case(&["M140 S60", "M190 S60", "M104 S200", "G1 X1"], &["M140 S60", "M190 S60", "M85 S600", "M104 S200", "G1 X1", "M85 S0"])]
    #[case(&["G28", "M600", "M105", "G1 X1", "M105"],
        &["G28", "M85 S43200", "M600", "M105", "G1 X1", "M85 S600", "M105", "M85 S0"])]
    #[case::dwells_are_counted_from_the_last_move_on(&["G28", "G4 S400", "G4 S400", "M105", "G1 X1", "M105"],
        &["G28", "M85 S1000", "G4 S400", "M85 S1400", "G4 S400", "M105", "G1 X1", "M85 S600", "M105", "M85 S0"])]
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
