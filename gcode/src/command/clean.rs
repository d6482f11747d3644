//! The steps by which a line becomes a command's text; `command`'s documentation has the rule.
//!
//! Owns: removing what firmware must not see. Must not know: codes beyond whether they carry text.

use std::borrow::Cow;

use super::code::{self, Code};
use super::foreign;
use super::params::number_length;

/// Step 1: control bytes, byte order marks and spaces that don't break a line. Other bytes outside ASCII stay for now.
pub(super) fn visible(line: &[u8]) -> Cow<'_, [u8]> {
    if line.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(line);
    }
    let mut seen = Vec::with_capacity(line.len());
    for chunk in line.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\t' => seen.push(b' '),
                _ if foreign::is_space(c) => seen.push(b' '),
                _ if c.is_ascii_control() || foreign::is_nothing(c) => {}
                _ => seen.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        // As slicers of old write it, in Latin-1.
        seen.extend(chunk.invalid().iter().map(|byte| if *byte == 0xA0 { b' ' } else { *byte }));
    }
    Cow::Owned(seen)
}

/// Where a decimal comma stands between a parameter's letter and the end of its number: firmware reads no further
/// than to it (C's `strtod`), and `Z0,3` is Z0. Not within quotes or an expression in braces.
pub(super) fn has_decimal_comma(text: &[u8]) -> bool {
    let mut from = 0;
    while let Some(at) = memchr::memchr(b',', text.get(from..).unwrap_or_default()) {
        let at = from + at;
        let digit = text.get(at + 1).is_some_and(u8::is_ascii_digit);
        let number = at > 0 && text.get(at - 1).is_some_and(u8::is_ascii_alphanumeric);
        if digit && number && !is_within(text.get(..at).unwrap_or_default()) {
            return true;
        }
        from = at + 1;
    }
    false
}

/// Whether quotes or braces are open at the end of a text.
fn is_within(text: &[u8]) -> bool {
    let (mut quoted, mut braces) = (false, 0_usize);
    for byte in text {
        match byte {
            b'"' => quoted = !quoted,
            b'{' if !quoted => braces += 1,
            b'}' if !quoted => braces = braces.saturating_sub(1),
            _ => {}
        }
    }
    quoted || braces > 0
}

/// Step 2: what follows white space, `(…)` and a line number at the beginning, and whether there was a number.
pub(super) fn without_line_number(line: &[u8]) -> (&[u8], bool) {
    let body = without_leading_comments(line);
    if let [b'N' | b'n', rest @ ..] = body {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits > 0 {
            return (without_leading_comments(rest.get(digits..).unwrap_or_default()), true);
        }
    }
    (body, false)
}

fn without_leading_comments(text: &[u8]) -> &[u8] {
    let mut text = text.trim_ascii_start();
    while text.first() == Some(&b'(') {
        let Some(close) = memchr::memchr(b')', text) else { return &[] };
        text = text.get(close + 1..).unwrap_or_default().trim_ascii_start();
    }
    text
}

/// Steps 3 and 4: without comments.
pub(super) fn without_comments(body: &[u8], keeps_parentheses: bool) -> Cow<'_, [u8]> {
    let mut kept: Option<Vec<u8>> = None;
    let mut quotes = true;
    let mut braces = 0_usize;
    let mut at = 0;
    while let Some(&byte) = body.get(at) {
        let mut take = 1;
        match byte {
            b';' => break,
            b'"' if quotes => match quoted_length(body.get(at..).unwrap_or_default()) {
                Some(length) => take = length,
                None => quotes = false,
            },
            b'{' => braces += 1,
            b'}' => braces = braces.saturating_sub(1),
            // Within braces they belong to an expression.
            b'(' if !keeps_parentheses && braces == 0 => {
                kept.get_or_insert_with(|| body.get(..at).unwrap_or_default().to_vec());
                let rest = body.get(at..).unwrap_or_default();
                at += memchr::memchr(b')', rest).map_or(rest.len(), |close| close + 1);
                continue;
            }
            _ => {}
        }
        if let Some(kept) = &mut kept {
            kept.extend_from_slice(body.get(at..at + take).unwrap_or_default());
        }
        at += take;
    }
    kept.map_or_else(|| Cow::Borrowed(body.get(..at).unwrap_or(body)), Cow::Owned)
}

/// The length of the quoted text at the beginning, with its quotes; none when it is not closed.
pub(super) fn quoted_length(text: &[u8]) -> Option<usize> {
    let mut escaped = false;
    let inside = text.get(1..)?.iter().position(|byte| match byte {
        _ if escaped => {
            escaped = false;
            false
        }
        b'\\' => {
            escaped = true;
            false
        }
        byte => *byte == b'"',
    })?;
    Some(inside + 2)
}

/// Step 5: how much of the text stands before a trailing checksum.
pub(super) fn length_without_checksum(text: &[u8], is_text: bool, numbered: bool) -> usize {
    let text = text.trim_ascii_end();
    let Some(star) = memchr::memrchr(b'*', text) else { return text.len() };
    let (before, sum) = text.split_at(star);
    let sum = sum.get(1..).unwrap_or_default().trim_ascii_start();
    if sum.is_empty() || sum.len() > 3 || !sum.iter().all(u8::is_ascii_digit) || (is_text && !numbered) {
        return text.len();
    }
    before.len()
}

/// Step 7: upper-case letters where firmware needs them.
pub(super) fn upper_case(text: &mut Cow<'_, [u8]>, code: Code, is_text: bool) {
    let reach = if is_text { 1 } else { text.len() };
    if !text.iter().take(reach).any(u8::is_ascii_lowercase) {
        return;
    }
    let text = text.to_mut();
    let body = code::length(text);
    if let Some(letter) = text.first_mut() {
        letter.make_ascii_uppercase();
    }
    if is_text {
        return;
    }
    // G and T codes carry no words but letters (`g28 xy`); elsewhere letters in a row are a word.
    let words = !matches!(code.letter, b'G' | b'T');
    let mut at = body;
    let mut quotes = true;
    while let Some(&byte) = text.get(at) {
        let mut take = 1;
        if byte == b'"' && quotes {
            match quoted_length(text.get(at..).unwrap_or_default()) {
                Some(length) => take = length,
                None => quotes = false,
            }
        } else if byte == b'{' {
            // An expression: its names are what they are.
            let rest = text.get(at..).unwrap_or_default();
            take = memchr::memchr(b'}', rest).map_or(rest.len(), |close| close + 1);
        } else if byte.is_ascii_alphabetic() {
            if let Some(letter) = text.get_mut(at) {
                letter.make_ascii_uppercase();
            }
            let rest = text.get(at + 1..).unwrap_or_default();
            let value = number_length(rest);
            take += value;
            if value == 0 && words {
                take += rest.iter().take_while(|byte| !matches!(byte, b' ' | b'"')).count();
            }
        }
        at += take;
    }
}
