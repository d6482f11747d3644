//! What is wrong with a line whatever printer it is for, and the last step to a text in ASCII.
//!
//! Owns: the refusals that need no firmware. Must not know: line numbers in the file.

use std::borrow::Cow;

use super::argument::{self, Argument};
use super::{clean, foreign};

/// Why a line can't be sent to any printer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Flaw {
    /// A letter outside ASCII where firmware reads commands and numbers.
    #[error("“{0}” is no letter that printers read in a command: take it out, or export the file anew")]
    NotAscii(char),
    /// A decimal comma.
    #[error(
        "it has a decimal comma, and printers read no further than to it: export the file with decimal points (the \
         slicer's or a script's number format is set to a comma)"
    )]
    DecimalComma,
    /// A command for another host (`@cancel`) that would end the print.
    #[error(
        "it asks the host to end the print in the middle, and this host does that for people alone: take it out"
    )]
    EndsPrint,
}

impl Flaw {
    /// A stable name, for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotAscii(_) => "not_ascii",
            Self::DecimalComma => "decimal_comma",
            Self::EndsPrint => "ends_print",
        }
    }
}

/// The text in ASCII, and what is wrong with it.
pub(super) fn in_ascii(text: Cow<'_, [u8]>, kind: Argument) -> (Cow<'_, str>, Option<Flaw>) {
    if text.is_ascii() {
        let flaw = match kind {
            Argument::Parameters => clean::has_decimal_comma(&text).then_some(Flaw::DecimalComma),
            Argument::Words if text.first() == Some(&b'@') => ends_print(&text),
            _ => None,
        };
        return (into_str(text), flaw);
    }
    // What is no UTF-8 at all has become U+FFFD.
    let text = String::from_utf8_lossy(&text);
    let kind = match kind {
        // It is never sent.
        Argument::Words if text.starts_with('@') => Argument::Message,
        Argument::Words => argument::of_words(text.as_bytes()),
        kind => kind,
    };
    match kind {
        Argument::Message => (Cow::Owned(foreign::spelled(&text)), ends_print(text.as_bytes())),
        // Bytes that nobody can tell apart would make two names one.
        Argument::Object if !text.contains('\u{fffd}') => (Cow::Owned(foreign::numbered(&text)), None),
        _ => {
            let found = text.chars().find(|c| !c.is_ascii());
            let shown: String = text.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect();
            (Cow::Owned(shown), found.map(Flaw::NotAscii))
        }
    }
}

fn ends_print(text: &[u8]) -> Option<Flaw> {
    let word = text.split(|byte| *byte == b' ').next().unwrap_or_default();
    let ends = word.eq_ignore_ascii_case(b"@cancel") || word.eq_ignore_ascii_case(b"@abort");
    ends.then_some(Flaw::EndsPrint)
}

/// Printable ASCII, so nothing is ever replaced.
fn into_str(text: Cow<'_, [u8]>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => String::from_utf8_lossy(text),
        Cow::Owned(text) => Cow::Owned(String::from_utf8_lossy(&text).into_owned()),
    }
}
