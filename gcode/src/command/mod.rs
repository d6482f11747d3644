//! One line's command: what of it goes to the firmware, and what it says.
//!
//! Owns: the rule by which a line of a file becomes the text that is sent ([`parse`]), the code and the
//! parameters in that text, whether it can be sent at all and whether a host sends it. Must not know: files,
//! serial ports, line numbers given by a host, printer state.
//!
//! # The rule
//!
//! From one line of a file (as [`crate::lines`] cut them) to the text that is sent, in this order:
//!
//! 1. Bytes: a tab, and a space that does not break a line (U+00A0, U+2007, U+202F, the byte A0), is a space; a byte
//!    order mark is nothing, wherever it stands; other control bytes (00–1F, 7F) are dropped.
//! 2. A leading line number `N123` is dropped.
//! 3. From a `;` on everything is comment, except inside double quotes. A quote that is not closed on its
//!    line quotes nothing; a backslash inside quotes takes the next byte literally.
//! 4. `(…)` outside quotes and braces is comment in a command that begins with a code and carries parameters. In a
//!    text, in an object's name (`M486 A…`) and in a command of words it stays ([`Argument`]). One that is not closed
//!    reaches to the end of the line.
//! 5. A trailing checksum `*57` is dropped (in a command with free text only when the line had a number,
//!    because `M117 2*3` is a text).
//! 6. White space around the rest is dropped; white space within is kept as it is.
//! 7. A command that begins with `g`, `m`, `t` or `d` and a digit is written with upper-case letters: that
//!    letter and the parameters' letters. Text stays as it is: quoted text, the text of a command that
//!    carries free text, and a word after a parameter's letter (`M98 Pmacro`).
//!    Everything else (Klipper's words, Prusa's `Tx` and `Tc`) is left alone.
//! 8. What is left outside ASCII is spelled in ASCII: in a message as people would (`ü` is `ue`), in an object's name so
//!    that two stay two. In any other command it is a [`Flaw`], and so is a decimal comma: the file is refused.
//! 9. `M0` and `M1` with a time (`S` seconds, `P` milliseconds) are a wait, and no stop: `G4 P…`, which every firmware
//!    has. Most of them can't wait for a person and would not wait at all. What changes is that a button at the printer
//!    does not end it early.
//! 10. Nothing left: the line has no command, nothing is sent for it.
//!
//! A line that begins with `@` is a command for the host, as `OctoPrint` has them, and is never sent: `@pause` pauses,
//! others are passed over but for those that would end the print.

mod argument;
mod clean;
mod code;
mod flaw;
mod foreign;
mod limits;
mod params;
mod timed;

use std::borrow::Cow;
use std::fmt;

pub use argument::Argument;
pub use code::Code;
pub use flaw::Flaw;
pub use limits::{LONGEST_LINE, Unsendable, longest_sendable};
pub use params::Params;

/// What a host does with a command of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Disposition {
    /// It is sent to the firmware.
    Send,
    /// It pauses the print in the host (M0, M1, M25, M601, @pause) and is not sent: sent, the firmware would wait for
    /// a button while the host waits for the firmware.
    Pause,
    /// It sets the line number (M110) and is not sent: numbering belongs to the host.
    Numbering,
    /// It is for another host's plug-ins (`@…`) and is passed over.
    PassOver,
}

/// A command as it is sent to the firmware: printable ASCII, no comment, no line number, no checksum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command<'a> {
    text: Cow<'a, str>,
    code: Option<Code>,
    flaw: Option<Flaw>,
}

impl<'a> Command<'a> {
    /// A command from what was parsed before: `text` must have come from a command with that `code` and `flaw`.
    pub(crate) const fn from_parts(text: &'a str, code: Option<Code>, flaw: Option<Flaw>) -> Self {
        Self { text: Cow::Borrowed(text), code, flaw }
    }

    /// What is wrong with the line, whatever printer it is for; its text must not be sent then.
    #[must_use]
    pub const fn flaw(&self) -> Option<Flaw> {
        self.flaw
    }

    /// What it carries.
    #[must_use]
    pub fn kind(&self) -> Argument {
        Argument::of(self.text.as_bytes(), self.code)
    }

    /// The same command with another argument behind its code, for a text that is made harmless.
    #[must_use]
    pub fn with_argument(&self, argument: &str) -> Command<'static> {
        let code = self.text.get(..code::length(self.text.as_bytes())).unwrap_or_default();
        let text = if argument.is_empty() { code.to_owned() } else { format!("{code} {argument}") };
        Command { text: Cow::Owned(text), code: self.code, flaw: self.flaw }
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
        if self.text.starts_with('@') {
            return self.text.split_once(' ').map_or("", |(_, rest)| rest.trim_start());
        }
        self.text.get(code::length(self.text.as_bytes())..).unwrap_or_default().trim_start()
    }

    /// What a host does with it.
    #[must_use]
    pub fn disposition(&self) -> Disposition {
        match self.code {
            Some(Code { letter: b'M', number: 0 | 1 | 25 | 601, sub: None }) => Disposition::Pause,
            Some(Code { letter: b'M', number: 110, sub: None }) => Disposition::Numbering,
            None if self.text.starts_with('@') => {
                if self.host_word().eq_ignore_ascii_case("pause") {
                    Disposition::Pause
                } else {
                    Disposition::PassOver
                }
            }
            _ => Disposition::Send,
        }
    }

    /// `pause` of `@pause now`.
    fn host_word(&self) -> &str {
        let word = self.text.strip_prefix('@').unwrap_or_default();
        word.split(' ').next().unwrap_or_default()
    }

    /// Whether it is a stop that a person ends: `M0` or `M1`.
    #[must_use]
    pub fn is_stop(&self) -> bool {
        self.is(Code::m(0)) || self.is(Code::m(1))
    }

    /// Whether it fits Marlin's line buffer when it is sent as line `line_number`.
    ///
    /// # Errors
    /// [`Unsendable::TooLong`] when the firmware would cut the line off.
    pub fn check_sendable(&self, line_number: u64) -> Result<(), Unsendable> {
        self.check_fits(line_number, LONGEST_LINE)
    }

    /// Whether it is, as line `line_number` with its checksum, at most `longest_line` bytes long.
    ///
    /// # Errors
    /// [`Unsendable::TooLong`].
    pub fn check_fits(&self, line_number: u64, longest_line: usize) -> Result<(), Unsendable> {
        limits::check(self.text.len(), line_number, longest_line)
    }

    /// The same command that borrows nothing.
    #[must_use]
    pub fn into_owned(self) -> Command<'static> {
        Command { text: Cow::Owned(self.text.into_owned()), code: self.code, flaw: self.flaw }
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
    match clean::visible(line) {
        Cow::Borrowed(line) => parse_visible(line),
        Cow::Owned(line) => parse_visible(&line).map(Command::into_owned),
    }
}

fn parse_visible(line: &[u8]) -> Option<Command<'_>> {
    let (body, numbered) = clean::without_line_number(line);
    if body.first().is_none_or(|byte| *byte == b';') {
        return None;
    }
    let kind = Argument::of(body, Code::at_start_of(body));
    let is_text = matches!(kind, Argument::Message | Argument::Name | Argument::Object);
    let mut text = clean::without_comments(body, kind != Argument::Parameters);
    let kept = clean::length_without_checksum(&text, is_text, numbered);
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
        clean::upper_case(&mut text, code, is_text);
        if matches!(code, Code { letter: b'M', number: 0 | 1, sub: None }) {
            if let Some(ms) = timed::wait_ms(text.get(code::length(&text)..).unwrap_or_default()) {
                return Some(Command {
                    text: Cow::Owned(format!("G4 P{ms}")),
                    code: Some(Code::g(4)),
                    flaw: None,
                });
            }
        }
    }
    let (text, flaw) = flaw::in_ascii(text, kind);
    Some(Command { text, code, flaw })
}

#[cfg(test)]
mod tests;
