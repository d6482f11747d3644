//! What a print file sets for good, beside positions and temperatures: what a printer that was reset has to be told again
//! before the file can be gone on with.
//!
//! Owns: which of those commands are overwritten by later ones, and what can't be had back. Every command has a verdict
//! ([`verdict`]). Must not know: why they are needed, how they are sent.
//!
//! Sources: Marlin's `M200` to `M208`, `M211`, `M900` take the letters that are there and keep the rest; `G28` of Marlin
//! switches levelling off unless it was built otherwise; a mesh that was measured (`G29`, Prusa's `G80`) is kept in RAM;
//! `M218`, `M206`, `M428` and `G10 L` shift what positions mean, `M290` what heights mean.

mod verdict;

use std::sync::Arc;

use stardust_gcode::command::{Code, Command, parse};
use verdict::Verdict;

/// Files set each over and over, in few forms.
const MOST: usize = 64;
/// So much of a command is told, characters.
const TOLD: usize = 40;

/// What the commands so far have set.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Settings {
    /// In the order in which they were given last.
    lines: Vec<Kept>,
    lost: Option<Arc<str>>,
    levelled: Option<Arc<str>>,
}

/// A command that is sent again.
#[derive(Debug, Clone, PartialEq)]
struct Kept {
    code: Code,
    /// One bit each.
    letters: u32,
    text: String,
}

impl Settings {
    /// Follows a command that stands in this line of the file.
    pub(super) fn follow(&mut self, line: u64, command: &Command<'_>) {
        match verdict::of(command) {
            Verdict::Followed | Verdict::Nothing => {}
            Verdict::Again(named) => self.keep(line, command, named),
            Verdict::Levelled(false) => self.levelled = None,
            Verdict::Levelled(true) => {
                let why = "the bed is levelled by what was measured for this print, and the printer has forgotten it";
                self.levelled = Some(told(line, command, why));
            }
            Verdict::Lost(why) => self.lose(line, command, why),
        }
    }

    /// What can't be had back, by its command and line.
    pub(super) fn lost(&self) -> Option<&Arc<str>> {
        self.lost.as_ref().or(self.levelled.as_ref())
    }

    /// The commands that set it all again, in order.
    ///
    /// # Errors
    /// [`Self::lost`].
    pub(super) fn again(self) -> Result<Vec<String>, Arc<str>> {
        match self.lost() {
            Some(lost) => Err(Arc::clone(lost)),
            None => Ok(self.lines.into_iter().map(|kept| kept.text).collect()),
        }
    }

    /// One of the same letters overwrites the one before entirely; others may overwrite a part, so the order stays. What
    /// `named` names (a tool, a heater, a pin) is another's.
    fn keep(&mut self, line: u64, command: &Command<'_>, named: &[u8]) {
        let Some(code) = command.code() else { return };
        let letters = command.params().fold(0, |all, (letter, _)| {
            all | 1_u32.checked_shl(u32::from(letter.wrapping_sub(b'A'))).unwrap_or(0)
        });
        self.lines.retain(|kept| {
            let same =
                |other: &Command<'_>| named.iter().all(|name| other.param(*name) == command.param(*name));
            (kept.code, kept.letters) != (code, letters)
                || !parse(kept.text.as_bytes()).is_some_and(|kept| same(&kept))
        });
        if self.lines.len() >= MOST {
            return self.lose(line, command, "the file sets too many things to be had back");
        }
        self.lines.push(Kept { code, letters, text: command.text().to_owned() });
    }

    fn lose(&mut self, line: u64, command: &Command<'_>, why: &str) {
        if self.lost.is_none() {
            self.lost = Some(told(line, command, why));
        }
    }
}

fn told(line: u64, command: &Command<'_>, why: &str) -> Arc<str> {
    let text: String = command.text().chars().take(TOLD).collect();
    format!("“{text}” in line {line} of its file can't be had back: {why}").into()
}

#[cfg(test)]
mod tests;
