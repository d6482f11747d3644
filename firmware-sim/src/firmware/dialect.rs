//! The firmwares there are and how their speech differs. What they do to a machine is the same for all.
//!
//! Each fact is from the firmware's own source, named where it stands: Prusa-Firmware 3.13.3, RepRapFirmware 3.5,
//! Repetier-Firmware 1.0.5, Klipper (2026), Teacup (2023), Ultimaker2Marlin (2018); what is closed (Malyan,
//! Creality) from logs in public issue threads and from what OctoPrint's serial connector says of it.
//!
//! Known simplifications: Prusa's restarts after a kill and waits for a person after a thermal fault, here it falls
//! silent; Teacup's M84 ends the program, here it only lets go of the motors.

mod complaint;
mod last_words;
mod reading;
mod tables;

use std::time::Duration;

pub(crate) use complaint::Complaint;
#[cfg(test)]
pub(crate) use reading::MARLIN as MARLIN_READING;
pub(crate) use reading::{Meaning, Overflow, Reading, Semicolon, Star};

/// A family of firmware.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Dialect {
    /// Marlin 2.1, as in the recorded conversations.
    #[default]
    Marlin,
    /// Prusa's firmware for its 8-bit boards.
    Prusa,
    /// RepRapFirmware on USB: no order of lines, a damaged one is dropped without a word.
    RepRapFirmware,
    /// Repetier: checksums always, `wait` when idle, `TargetExtr0:`, `skip N`, `fatal:`.
    Repetier,
    /// Klipper's pty: no line numbers, `!!` while still saying ok.
    Klipper,
    /// Malyan M200 and its kin: checksums always, `NAME.` in M115.
    Malyan,
    /// Teacup: `rs N12 Expected checksum 67`, no order of lines, `!!`.
    Teacup,
    /// UltiMaker 2: Marlin of 2012, nothing reported by itself, no busy.
    UltiMaker2,
    /// Creality's builds of Marlin 1: broken temperature reports, `TF card ok`, no thermal protection.
    Creality,
}

/// How temperatures are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Temperatures {
    /// `T:21.30 /0.00 B:21.30 /0.00 @:0 B@:0`.
    Marlin,
    /// One decimal, T0 always, and a board's own sensors.
    Prusa,
    /// One decimal.
    OldMarlin,
    /// Whole targets, powers in another order.
    Repetier,
    /// No powers, the tools before the bed, T0 always.
    RepRap,
    /// The bed first, T0 instead of T.
    Klipper,
    /// No space before the slash, no powers.
    Teacup,
}

/// What becomes of a line that has been accepted before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeats {
    /// Of the last two lines: nothing at all is said.
    Silent,
    /// As any other line out of order.
    Rejected,
    /// `skip N` and `ok`.
    Skipped,
}

/// What becomes of a line that has a checksum and no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stray {
    /// It is taken, the checksum not looked at.
    Taken,
    /// It is complained about, and a resend asked for.
    Rejected,
    /// It is complained about, and nothing asked for.
    Dropped,
}

/// When M27 tells a position in a file of the memory card instead of `Not SD printing`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CardTold {
    /// While that file is printed.
    WhilePrinting,
    /// As long as its print has not ended, also in a pause.
    WhileBegun,
    /// Whenever a card is in: `0/0` before a file was opened, and where the last print ended after that.
    Always,
}

/// How the dialect treats line numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counting {
    /// A number must be one more than the last.
    pub(crate) in_order: bool,
    /// A checksum is looked at.
    pub(crate) checksums: bool,
    /// A number needs a checksum.
    pub(crate) number_needs_checksum: bool,
    pub(crate) stray_checksum: Stray,
    pub(crate) repeats: Repeats,
    /// A line without number and checksum is rejected once there has been one with them.
    pub(crate) checksums_always: bool,
    /// So many lines out of order are skipped after a rejected one before the next is complained about.
    pub(crate) skips: u8,
}

/// Everything that differs between dialects and is not in the [configuration](super::Config).
#[derive(Debug)]
pub(crate) struct Speech {
    /// At power-up.
    pub(crate) banner: &'static [&'static str],
    /// Before that, when it is started anew.
    pub(crate) parting: &'static [&'static str],
    pub(crate) counting: Counting,
    pub(crate) reading: Reading,
    pub(crate) temperatures: Temperatures,
    /// M105 is answered in the `ok` line itself.
    pub(crate) temperatures_in_ok: bool,
    /// Reports by itself and in waits come broken.
    pub(crate) broken_reports: bool,
    /// `TargetExtr0:215` after M104, `TargetBed:60` after M140.
    pub(crate) tells_targets: bool,
    /// `ok 12` for line 12.
    pub(crate) ok_with_number: bool,
    /// The `ok` says that a line has been put into the queue, not that it was carried out.
    pub(crate) ok_on_reception: bool,
    /// Commands that wait, the running one included.
    pub(crate) queue: usize,
    pub(crate) card: CardTold,
    /// After so long a silence it asks again for what it waits for: the rest of a line, a line to be resent.
    pub(crate) asks_again: Option<Duration>,
    /// What stands before the state in a busy line; `None`: it never says so.
    pub(crate) busy: Option<&'static str>,
    /// What stands before `action:`; `None`: it has no such commands.
    pub(crate) action: Option<&'static str>,
    /// It shows its questions to the host, too.
    pub(crate) prompts: bool,
    /// M154, M155 and M113 exist.
    pub(crate) reports: bool,
    /// G28, G92, M73, M106 say what they did, and M114 counts steps.
    pub(crate) chatty: bool,
    /// Before and after the text of an unknown command.
    pub(crate) unknown: (&'static str, &'static str),
    /// The lines said of a move that would extrude cold filament; the last one decides whether it moves at all.
    pub(crate) cold: &'static [&'static str],
    /// Says no to a move that would extrude cold filament as a whole.
    pub(crate) refuses_cold_moves: bool,
}

/// How often an idle printer says `wait`, if it does.
pub(crate) const WAIT_EVERY: Duration = Duration::from_secs(1);

impl Dialect {
    pub(crate) fn speech(self) -> &'static Speech {
        match self {
            Self::Marlin => &tables::MARLIN,
            Self::Prusa => &tables::PRUSA,
            Self::RepRapFirmware => &tables::REPRAP,
            Self::Repetier => &tables::REPETIER,
            Self::Klipper => &tables::KLIPPER,
            Self::Malyan => &tables::MALYAN,
            Self::Teacup => &tables::TEACUP,
            Self::UltiMaker2 => &tables::ULTIMAKER2,
            Self::Creality => &tables::CREALITY,
        }
    }
}
