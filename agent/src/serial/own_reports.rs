//! The firmware's reports that the host lives by: by them and by `busy` it knows what is hot and who is waited for, in a job and in
//! those behind it.
//!
//! Owns: which commands of a file or of a printer's own scripts silence them, and what asks for them again: who silences them does so
//! for the machine's own display, or by mistake. Must not know: when that is sent.

use stardust_gcode::command::{Code, Command};

/// What comes less often than this is as good as none, s.
const SELDOM_S: f64 = 10.0;

/// Whether it says how often the firmware reports.
pub(super) fn is_of_reports(command: &Command<'_>) -> bool {
    command.is(Code::m(155)) || command.is(Code::m(113))
}

/// Behind a command that silences reports: what asks for them again.
pub(super) fn again(command: &Command<'_>) -> Option<&'static str> {
    if !is_of_reports(command) {
        return None;
    }
    let is_silent = command.param(b'S').is_some_and(|every_s| !(1.0..=SELDOM_S).contains(&every_s));
    is_silent.then(|| if command.is(Code::m(155)) { "M155 S1" } else { "M113 S2" })
}
