//! How a command goes over the line: alone or with others, quickly done or not.
//!
//! Owns: the list of commands before and after which the line must drain, and of those that take long.
//! Must not know: what is in flight.

use serde::{Deserialize, Serialize};
use stardust_gcode::command::{Code, Command};

/// How a command goes over the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pace {
    /// Nothing else may be in flight with it.
    pub(super) alone: bool,
    /// Its `ok` may take minutes.
    pub(super) slow: bool,
    /// Its answer carries temperatures: no other `ok` is taken for it.
    pub(super) proves: bool,
    /// It waits for a temperature or a person: `M108` ends that wait.
    pub(super) waits: bool,
}

/// Whether the firmware may wait for a person in it: a change of filament, a stop of the file's own.
pub(super) fn may_wait_for_person(command: &Command<'_>) -> bool {
    matches!(command.code(), Some(Code { letter: b'M', number: 0 | 1 | 125 | 226 | 600 | 701 | 702, .. }))
}

impl Pace {
    /// An ordinary line.
    pub(super) const ORDINARY: Self = Self { alone: false, slow: false, proves: false, waits: false };
    /// Alone, and answered soon.
    pub(super) const ALONE: Self = Self { alone: true, slow: false, proves: false, waits: false };
    /// Alone, and answered when the machine has done with it.
    pub(super) const SLOW: Self = Self { alone: true, slow: true, proves: false, waits: false };
    /// `M105` alone, to prove that all before it was taken.
    pub(super) const PROOF: Self = Self { alone: true, slow: true, proves: true, waits: false };
    /// Alone, until a temperature is reached or a person has come.
    pub(super) const WAIT: Self = Self { alone: true, slow: true, proves: false, waits: true };

    /// The pace of a command.
    #[must_use]
    pub(super) fn of(command: &Command<'_>) -> Self {
        match command.code() {
            Some(Code { letter: b'M', number: 0 | 1 | 109 | 116 | 190 | 191 | 192 | 226, .. }) => Self::WAIT,
            Some(Code { letter: b'G', number: 4 | 28 | 29 | 30 | 33 | 34 | 76 | 80 | 425, .. })
            | Some(Code { letter: b'T', .. })
            | Some(Code { letter: b'M', number: 48 | 303 | 306 | 400 | 600 | 701 | 702, .. }) => Self::SLOW,
            Some(Code { letter: b'M', number: 28 | 29 | 110, .. }) => Self::ALONE,
            // Klipper's and Prusa's words (`Tx`, `PRINT_START`) may do anything.
            None => Self::SLOW,
            Some(_) => Self::ORDINARY,
        }
    }
}
