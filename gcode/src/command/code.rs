//! The code a command begins with: a letter and a number.
//!
//! Owns: how a code is read and written, and which codes are followed by free text. Must not know: what any
//! code does.

use std::fmt;

/// No firmware knows longer numbers; anything longer is text.
const MAX_DIGITS: usize = 6;

/// A command's code, such as `G1`, `M862.3` or `T0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code {
    /// `G`, `M`, `T` or `D` (Prusa's debug codes), upper case.
    pub letter: u8,
    /// The number after the letter.
    pub number: u32,
    /// The number after the point, of `G29.1` and the like.
    pub sub: Option<u32>,
}

impl Code {
    /// The code `G…`.
    #[must_use]
    pub const fn g(number: u32) -> Self {
        Self { letter: b'G', number, sub: None }
    }

    /// The code `M…`.
    #[must_use]
    pub const fn m(number: u32) -> Self {
        Self { letter: b'M', number, sub: None }
    }

    /// The code `T…`.
    #[must_use]
    pub const fn t(number: u32) -> Self {
        Self { letter: b'T', number, sub: None }
    }

    /// Whether the rest of such a command is one free text, in which parentheses and lower case mean
    /// something: names (M16, M23, M28, M30, M32, M33, M36, M928) and messages (M0, M1, M117, M118, M531).
    #[must_use]
    pub const fn carries_text(self) -> bool {
        self.letter == b'M'
            && matches!(self.number, 0 | 1 | 16 | 23 | 28 | 30 | 32 | 33 | 36 | 117 | 118 | 531 | 928)
    }

    /// Reads the code at the beginning of a text, in either case.
    pub(super) fn at_start_of(text: &[u8]) -> Option<Self> {
        let (letter, rest) = text.split_first()?;
        let letter = letter.to_ascii_uppercase();
        if !matches!(letter, b'G' | b'M' | b'T' | b'D') {
            return None;
        }
        let (number, rest) = digits(rest)?;
        let sub = match rest {
            [b'.', rest @ ..] => digits(rest).map(|(sub, _)| sub),
            _ => None,
        };
        Some(Self { letter, number, sub })
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", char::from(self.letter), self.number)?;
        self.sub.map_or(Ok(()), |sub| write!(f, ".{sub}"))
    }
}

/// How many bytes the code at the beginning of a text takes.
pub(super) fn length(text: &[u8]) -> usize {
    let digits = |from: usize| text.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
    let whole = 1 + digits(1);
    let sub = if text.get(whole) == Some(&b'.') { digits(whole + 1) } else { 0 };
    if sub > 0 { whole + 1 + sub } else { whole }
}

fn digits(text: &[u8]) -> Option<(u32, &[u8])> {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count == 0 || count > MAX_DIGITS {
        return None;
    }
    let (number, rest) = text.split_at(count);
    Some((number.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')), rest))
}
