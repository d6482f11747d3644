//! What stands behind a command's code or word: numbers, or somebody's text.
//!
//! Owns: telling apart what a host may reword (a message on a display), what it must not (a file's name), and what it
//! may as long as two stay two (an object's name). Must not know: what any firmware makes of a byte.

use super::code::{self, Code};

/// What a command carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Argument {
    /// Letters with numbers: `G1 X10`.
    Parameters,
    /// A text for people: `M117 Hello`. Nothing depends on its exact bytes.
    Message,
    /// The name of a file or of a machine, that has to be found by it: `M23 part.gco`.
    Name,
    /// The name of an object, by which it is told from others: `M486 Apart (1)`.
    Object,
    /// A command of words: `PRINT_START BED=60`, `Tx`.
    Words,
}

impl Argument {
    /// Of a command without comments, which begins with `code`.
    pub(super) fn of(body: &[u8], code: Option<Code>) -> Self {
        let Some(code) = code else { return Self::Words };
        if code.letter != b'M' {
            return Self::Parameters;
        }
        match code.number {
            0 | 1 | 117 | 118 | 531 => Self::Message,
            // Its other forms are numbers: `M486 S0`, `M486 T2`.
            486 if starts_with_a(body.get(code::length(body)..).unwrap_or_default()) => Self::Object,
            _ if code.carries_text() => Self::Name,
            _ => Self::Parameters,
        }
    }
}

fn starts_with_a(rest: &[u8]) -> bool {
    matches!(rest.trim_ascii_start().first(), Some(b'A' | b'a'))
}

/// Which of its bytes outside ASCII a command of words may carry: Klipper's names of objects, and its messages.
pub(super) fn of_words(body: &[u8]) -> Argument {
    let word = body.split(|byte| *byte == b' ').next().unwrap_or_default();
    let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
    if word.get(..14).is_some_and(|head| head.eq_ignore_ascii_case(b"EXCLUDE_OBJECT")) {
        Argument::Object
    } else if is(b"RESPOND") || is(b"SET_DISPLAY_TEXT") {
        Argument::Message
    } else {
        Argument::Words
    }
}
