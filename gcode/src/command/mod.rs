//! One line's command: what of it goes to the firmware, and what it says.
//!
//! Owns: the rule by which a line of a file becomes the text that is sent ([`parse`]), the code and the
//! parameters in that text, whether it can be sent at all and whether a host sends it. Must not know: files,
//! serial ports, line numbers given by a host, printer state.
//!
//! # The rule
//!
//! From one line of a file (as [`crate::lines`] cuts them) to the text that is sent, in this order:
//!
//! 1. Bytes: a tab becomes a space; other control bytes (00–1F, 7F) are dropped; every byte above 7E becomes
//!    `?`.
//! 2. A leading line number `N123` is dropped.
//! 3. From a `;` on everything is comment, except inside double quotes. A quote that is not closed on its
//!    line quotes nothing; a backslash inside quotes takes the next byte literally.
//! 4. `(…)` outside quotes is comment, except in commands that carry free text ([`Code::carries_text`]).
//!    One that is not closed reaches to the end of the line.
//! 5. A trailing checksum `*57` is dropped (in a command with free text only when the line had a number,
//!    because `M117 2*3` is a text).
//! 6. White space around the rest is dropped; white space within is kept as it is.
//! 7. A command that begins with `g`, `m`, `t` or `d` and a digit is written with upper-case letters: that
//!    letter and the parameters' letters. Text stays as it is: quoted text, the text of a command that
//!    carries free text, and a word after a parameter's letter (`M98 Pmacro`).
//!    Everything else (Klipper's words, Prusa's `Tx` and `Tc`) is left alone.
//! 8. Nothing left: the line has no command, nothing is sent for it.

mod clean;
mod code;
mod limits;
mod params;

use std::borrow::Cow;
use std::fmt;

pub use code::Code;
pub use limits::{LONGEST_LINE, Unsendable, longest_sendable};
pub use params::Params;

/// What a host does with a command of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Disposition {
    /// It is sent to the firmware.
    Send,
    /// It pauses the print in the host (M0, M1, M25, M601) and is not sent: sent, the firmware would wait for
    /// a button while the host waits for the firmware.
    Pause,
    /// It sets the line number (M110) and is not sent: numbering belongs to the host.
    Numbering,
}

/// A command as it is sent to the firmware: printable ASCII, no comment, no line number, no checksum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command<'a> {
    text: Cow<'a, str>,
    code: Option<Code>,
}

impl<'a> Command<'a> {
    /// A command from what was parsed before: `text` must have come from a command with that `code`.
    pub(crate) const fn from_parts(text: &'a str, code: Option<Code>) -> Self {
        Self { text: Cow::Borrowed(text), code }
    }

    /// The text that is sent.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text that is sent, without a copy where the line could be used as it is.
    #[must_use]
    pub fn into_text(self) -> Cow<'a, str> {
        self.text
    }

    /// The code the command begins with (`G1`, `M862.3`, `T0`); none for words such as `PRINT_START` or `Tx`.
    #[must_use]
    pub const fn code(&self) -> Option<Code> {
        self.code
    }

    /// Whether this is exactly the given code, without a sub-number.
    #[must_use]
    pub fn is(&self, code: Code) -> bool {
        self.code == Some(code)
    }

    /// The number after a parameter's letter (upper case): `param(b'S')` of `M104 S215` is 215.
    /// None when it is not there, has no number, or the command carries free text.
    #[must_use]
    pub fn param(&self, letter: u8) -> Option<f64> {
        self.params().find(|(name, _)| *name == letter).and_then(|(_, value)| value)
    }

    /// Whether a parameter is there, with a number or without (`G28 X`).
    #[must_use]
    pub fn has_param(&self, letter: u8) -> bool {
        self.params().any(|(name, _)| name == letter)
    }

    /// All parameters in order.
    #[must_use]
    pub fn params(&self) -> Params<'_> {
        match self.code {
            Some(code) if !code.carries_text() => Params::new(
                self.text.as_bytes().get(code::length(self.text.as_bytes())..).unwrap_or_default(),
            ),
            _ => Params::new(&[]),
        }
    }

    /// What follows the code, for commands with free text (`M117 Hello` → `Hello`).
    #[must_use]
    pub fn argument(&self) -> &str {
        self.text.get(code::length(self.text.as_bytes())..).unwrap_or_default().trim_start()
    }

    /// What a host does with it.
    #[must_use]
    pub fn disposition(&self) -> Disposition {
        match self.code {
            Some(Code { letter: b'M', number: 0 | 1 | 25 | 601, sub: None }) => Disposition::Pause,
            Some(Code { letter: b'M', number: 110, sub: None }) => Disposition::Numbering,
            _ => Disposition::Send,
        }
    }

    /// Whether it is a stop that a person ends: `M0` or `M1`.
    #[must_use]
    pub fn is_stop(&self) -> bool {
        self.is(Code::m(0)) || self.is(Code::m(1))
    }

    /// Whether it fits the firmware's line buffer when it is sent as line `line_number`.
    ///
    /// # Errors
    /// [`Unsendable::TooLong`] when the firmware would cut the line off.
    pub fn check_sendable(&self, line_number: u64) -> Result<(), Unsendable> {
        limits::check(self.text.len(), line_number)
    }

    /// The same command that borrows nothing.
    #[must_use]
    pub fn into_owned(self) -> Command<'static> {
        Command { text: Cow::Owned(self.text.into_owned()), code: self.code }
    }
}

impl fmt::Display for Command<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The command of a line, by [the rule](self#the-rule); none when the line is blank or only comment.
#[must_use]
pub fn parse(line: &[u8]) -> Option<Command<'_>> {
    if line.trim_ascii_start().first() == Some(&b';') {
        return None;
    }
    match clean::printable(line) {
        Cow::Borrowed(line) => parse_printable(line),
        Cow::Owned(line) => parse_printable(&line).map(Command::into_owned),
    }
}

fn parse_printable(line: &[u8]) -> Option<Command<'_>> {
    let (body, numbered) = clean::without_line_number(line);
    if body.first().is_none_or(|byte| *byte == b';') {
        return None;
    }
    let carries_text = Code::at_start_of(body).is_some_and(Code::carries_text);
    let mut text = clean::without_comments(body, carries_text);
    let kept = clean::length_without_checksum(&text, carries_text, numbered);
    match &mut text {
        Cow::Borrowed(text) => *text = text.get(..kept).unwrap_or(text).trim_ascii(),
        Cow::Owned(text) => {
            text.truncate(kept);
            *text = text.trim_ascii().to_vec();
        }
    }
    if text.is_empty() {
        return None;
    }
    let code = Code::at_start_of(&text);
    if let Some(code) = code {
        clean::upper_case(&mut text, code);
    }
    Some(Command { text: into_str(text), code })
}

/// The text is printable ASCII here, so nothing is ever replaced.
fn into_str(text: Cow<'_, [u8]>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => String::from_utf8_lossy(text),
        Cow::Owned(text) => Cow::Owned(String::from_utf8_lossy(&text).into_owned()),
    }
}

#[cfg(test)]
mod tests;
