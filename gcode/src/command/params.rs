//! The parameters of a command: letters with numbers.
//!
//! Owns: how parameters are found in a command's text as Marlin reads it (spaces between them are optional,
//! also between a letter and its number). Must not know: what a parameter means.

use super::clean::quoted_length;

/// Iterator over the parameters of a command: letter (upper case) and number, if it has one.
#[derive(Debug, Clone)]
pub struct Params<'a> {
    rest: &'a [u8],
}

impl<'a> Params<'a> {
    pub(super) const fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    fn skip(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
    }

    fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }
}

impl Iterator for Params<'_> {
    type Item = (u8, Option<f64>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let first = *self.rest.first()?;
            if first.is_ascii_alphabetic() {
                self.skip(1);
                self.skip_spaces();
                let length = number_length(self.rest);
                let value = number(self.rest.get(..length).unwrap_or_default());
                self.skip(length);
                return Some((first.to_ascii_uppercase(), value));
            }
            self.skip(if first == b'"' { quoted_length(self.rest).unwrap_or(1) } else { 1 });
        }
    }
}

/// How many bytes at the beginning belong to a number: a sign, digits, one point.
pub(super) fn number_length(text: &[u8]) -> usize {
    let sign = usize::from(matches!(text.first(), Some(b'+' | b'-')));
    let mut point = false;
    sign + text
        .iter()
        .skip(sign)
        .take_while(|byte| byte.is_ascii_digit() || (**byte == b'.' && !std::mem::replace(&mut point, true)))
        .count()
}

fn number(text: &[u8]) -> Option<f64> {
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    value.is_finite().then_some(value)
}
