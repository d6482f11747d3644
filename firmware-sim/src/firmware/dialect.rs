//! The firmwares there are and how their speech differs. What they do to a machine is the same for all.
//!
//! Facts from the project's checklist of the host protocol and the firmwares' published behaviour. Where only a form
//! is known (`rs N…`, `fatal:`, `!!`), the words after it are plausible ones: no host may depend on them.
//!
//! Known simplifications: RepRapFirmware counts lines as Marlin does; Repetier answers every line after a rejected
//! one with a request of its own instead of skipping some; nothing prints from SD cards.

mod complaint;
mod last_words;
mod tables;

use std::time::Duration;

pub(crate) use complaint::Complaint;

/// A family of firmware.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Dialect {
    /// Marlin 2.1, as in the recorded conversations.
    #[default]
    Marlin,
    /// Prusa's firmware for its 8-bit boards.
    Prusa,
    /// RepRapFirmware on USB: `rs N`, `!!`.
    RepRapFirmware,
    /// Repetier: checksums always, `wait` when idle, `TargetExtr0:`, `skip N`, `fatal:`.
    Repetier,
    /// Klipper's pty: no line numbers, `!!` while still saying ok.
    Klipper,
    /// Malyan M200 and its kin: checksums always, `NAME.` in M115.
    Malyan,
    /// Teacup: `rs N12 Expected checksum 67` without an ok, `!!`.
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
    /// One decimal, T0 always.
    OldMarlin,
    /// Whole targets, powers in another order.
    Repetier,
    /// No powers.
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

/// How the dialect treats line numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counting {
    /// Numbers and checksums are verified at all.
    pub(crate) verifies: bool,
    pub(crate) repeats: Repeats,
    /// A line without number and checksum is rejected once there has been one with them.
    pub(crate) checksums_always: bool,
}

/// Everything that differs between dialects and is not in the [configuration](super::Config).
#[derive(Debug)]
pub(crate) struct Speech {
    /// At power-up.
    pub(crate) banner: &'static [&'static str],
    pub(crate) counting: Counting,
    pub(crate) temperatures: Temperatures,
    /// M105 is answered in the `ok` line itself.
    pub(crate) temperatures_in_ok: bool,
    /// Reports by itself and in waits come broken.
    pub(crate) broken_reports: bool,
    /// `TargetExtr0:215` after M104, `TargetBed:60` after M140.
    pub(crate) tells_targets: bool,
    /// `ok 12` for line 12.
    pub(crate) ok_with_number: bool,
    /// What stands before `busy: …`; `None`: it never says so.
    pub(crate) busy: Option<&'static str>,
    /// What stands before `action:`; `None`: it has no such commands.
    pub(crate) action: Option<&'static str>,
    /// M154, M155 and M113 exist.
    pub(crate) reports: bool,
    /// G28, G92, M73, M106 say what they did, and M114 counts steps.
    pub(crate) chatty: bool,
    /// Before and after the text of an unknown command.
    pub(crate) unknown: (&'static str, &'static str),
    /// After its end it still answers, with this and an `ok`.
    pub(crate) answers_dead: Option<&'static str>,
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
