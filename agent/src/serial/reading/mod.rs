//! How a firmware reads a line: what may be sent to it as it stands, and what a text has to become.
//!
//! Owns: the two answers a command gets before it is sent, which are "this is what arrives" and "it can't arrive, for
//! this reason". Commands are never changed; a message for people is, so that no byte of it means anything; a name is
//! not, it either arrives or the file is refused. Pure: asked when a file is admitted and again when each command is
//! sent, so that nothing goes out that was not asked about.
//! Must not know: files, what is in flight.
//!
//! The facts are in `firmwares`, one table for each family, with their sources.

mod echoed;
mod extended;
mod firmwares;
mod hands_over;
mod letters;
mod message;

use stardust_gcode::command::{Argument, Code, Command, Flaw, Unsendable};

use super::dialect::Dialect;
use extended::Malformed;
use firmwares::{Firmware, Looks, Words};
use hands_over::HandsOver;

/// Why a command can't arrive as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// No printer could take it.
    #[error(transparent)]
    Flaw(#[from] Flaw),
    /// It is longer than the firmware's buffer.
    #[error(transparent)]
    TooLong(#[from] Unsendable),
    /// A byte in it means something else to this firmware.
    #[error("this printer's firmware takes “{0}” for something else there: take it out of the line")]
    Byte(char),
    /// It would set the line number.
    #[error(
        "this printer's firmware finds “M110” in it and loses count of the lines: take it out of the line"
    )]
    Numbering,
    /// A command of words, where letters are looked for wherever they stand.
    #[error(
        "this printer's firmware knows no commands of words and takes letters in them for commands: slice it for this \
         printer"
    )]
    Words,
    /// Marlin passes over the space, others take the letter alone for the command.
    #[error(
        "there is a space between its letter and its number, which firmwares read differently: take the space out"
    )]
    Spaced,
    /// A letter in it would be taken for another command.
    #[error(
        "this printer's firmware finds a “{0}” in it and takes it for another command: take it out of the line"
    )]
    Letter(char),
    /// What follows would not be printed.
    #[error(transparent)]
    HandsOver(#[from] HandsOver),
    /// Klipper would refuse it in mid-print.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Quotes or braces that are not closed take the checksum for a part of the text.
    #[error("“{0}” is not closed in it")]
    Open(char),
}

impl Unreadable {
    /// A stable name, for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Flaw(flaw) => flaw.code(),
            Self::TooLong(_) => "line_too_long",
            Self::Byte(_) => "byte_with_a_meaning",
            Self::Numbering => "sets_the_line_number",
            Self::Words => "words_not_known",
            Self::Spaced => "spaced_number",
            Self::Letter(_) => "letter_with_a_meaning",
            Self::HandsOver(to) => to.code(),
            Self::Malformed(_) => "malformed_words",
            Self::Open(_) => "quote_left_open",
        }
    }
}

/// What is sent for a command to this firmware as line `line_number`; none: the command as it stands.
///
/// # Errors
/// [`Unreadable`] when it can't arrive as it is written.
pub fn arriving(
    command: &Command<'_>,
    dialect: Dialect,
    line_number: u64,
) -> Result<Option<Command<'static>>, Unreadable> {
    any_printer(command)?;
    let firmware = firmwares::of(dialect);
    let kind = command.kind();
    let reworded = match kind {
        Argument::Message => message::harmless(command, firmware),
        _ => {
            check(command, kind, firmware, dialect)?;
            None
        }
    };
    let sent = reworded.as_ref().unwrap_or(command);
    if let Some(longest) = firmware.longest_line {
        sent.check_fits(line_number, longest)?;
    }
    if let Some(longest) = firmware.longest_command.filter(|longest| sent.text().len() > *longest) {
        return Err(Unsendable::TooLong { length: sent.text().len(), longest }.into());
    }
    Ok(reworded)
}

/// What can be said where nobody knows the firmware yet.
///
/// # Errors
/// [`Unreadable::Flaw`], [`Unreadable::HandsOver`].
pub fn any_printer(command: &Command<'_>) -> Result<(), Unreadable> {
    if let Some(flaw) = command.flaw() {
        return Err(flaw.into());
    }
    if letters::has_spaced_number(command.text()) {
        return Err(Unreadable::Spaced);
    }
    HandsOver::of(command).map_or(Ok(()), |to| Err(to.into()))
}

fn check(
    command: &Command<'_>,
    kind: Argument,
    firmware: &Firmware,
    dialect: Dialect,
) -> Result<(), Unreadable> {
    let text = command.text();
    if kind == Argument::Words {
        match firmware.words {
            Words::Refused => return Err(Unreadable::Words),
            Words::Extended => extended::check(text)?,
            // Quotes keep for them what would mean something elsewhere.
            Words::Told => {}
        }
    }
    if dialect == Dialect::RepRapFirmware {
        if let Some(letter) = letters::second_command(text) {
            return Err(Unreadable::Letter(letter));
        }
    }
    let is_extended = kind == Argument::Words && firmware.words == Words::Extended;
    if !is_extended {
        if let Some(byte) = message::meaning(text, firmware.means, firmware.quotes_keep) {
            return Err(Unreadable::Byte(byte));
        }
    }
    if firmware.quotes_keep {
        if let Some(open) = message::left_open(text) {
            return Err(Unreadable::Open(open));
        }
    }
    if firmware.finds_m110
        && !command.is(Code::m(110))
        && text.get(1..).is_some_and(|rest| rest.contains("M110"))
    {
        return Err(Unreadable::Numbering);
    }
    if firmware.looks != Looks::AtTheBeginning && !is_text_to(dialect, command) {
        let name = matches!(kind, Argument::Name | Argument::Object);
        if let Some(letter) = letters::found(text, name, firmware.looks) {
            return Err(Unreadable::Letter(letter));
        }
    }
    Ok(())
}

/// Whether a firmware that looks for letters everywhere knows this one for a text all the same.
fn is_text_to(dialect: Dialect, command: &Command<'_>) -> bool {
    // parseAscii of Repetier's gcode.cpp.
    let texts = [20, 23, 28, 29, 30, 32, 36];
    dialect == Dialect::Repetier
        && command.code().is_some_and(|code| code.letter == b'M' && texts.contains(&code.number))
}

#[cfg(test)]
mod tests;
