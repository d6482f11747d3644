//! Letters that no firmware reads: how a text is told without them.
//!
//! Owns: the spellings. A message is spelled as people would without such a key; an object's name so that two names
//! never become one. Must not know: commands.

use std::fmt::Write;

/// Whether a character counts as a space: those that don't break a line.
pub(super) const fn is_space(c: char) -> bool {
    matches!(c, '\u{a0}' | '\u{2007}' | '\u{202f}')
}

/// Whether a character counts as nothing: a byte order mark, wherever two files were put together.
pub(super) const fn is_nothing(c: char) -> bool {
    matches!(c, '\u{feff}')
}

/// A text for people.
pub(super) fn spelled(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            out.push_str(in_ascii(c));
        }
    }
    out
}

/// An object's name: what is not ASCII by its number.
pub(super) fn numbered(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            // Writing into a string does not fail.
            let _ = write!(out, "_u{:x}_", u32::from(c));
        }
    }
    out
}

fn in_ascii(c: char) -> &'static str {
    match c {
        'À'..='Ã' | 'Å' | 'Ā' | 'Ă' | 'Ą' => "A",
        'à'..='ã' | 'å' | 'ā' | 'ă' | 'ą' => "a",
        'Ä' | 'Æ' => "Ae",
        'ä' | 'æ' => "ae",
        'Ç' | 'Ć' | 'Č' => "C",
        'ç' | 'ć' | 'č' => "c",
        'Ď' | 'Đ' | 'Ð' => "D",
        'ď' | 'đ' | 'ð' => "d",
        'È'..='Ë' | 'Ē' | 'Ę' | 'Ě' => "E",
        'è'..='ë' | 'ē' | 'ę' | 'ě' => "e",
        'Ğ' => "G",
        'ğ' => "g",
        'Ì'..='Ï' | 'İ' => "I",
        'ì'..='ï' | 'ı' => "i",
        'Ł' => "L",
        'ł' => "l",
        'Ñ' | 'Ń' | 'Ň' => "N",
        'ñ' | 'ń' | 'ň' => "n",
        'Ò'..='Õ' | 'Ő' => "O",
        'ò'..='õ' | 'ő' => "o",
        'Ö' | 'Ø' | 'Œ' => "Oe",
        'ö' | 'ø' | 'œ' => "oe",
        'Ř' => "R",
        'ř' => "r",
        'Ś' | 'Ş' | 'Š' => "S",
        'ś' | 'ş' | 'š' => "s",
        'ß' => "ss",
        'Ť' => "T",
        'ť' => "t",
        'Ù'..='Û' | 'Ů' | 'Ű' => "U",
        'ù'..='û' | 'ů' | 'ű' => "u",
        'Ü' => "Ue",
        'ü' => "ue",
        'Ý' => "Y",
        'ý' | 'ÿ' => "y",
        'Ź' | 'Ż' | 'Ž' => "Z",
        'ź' | 'ż' | 'ž' => "z",
        '°' => "deg",
        'µ' | 'μ' => "u",
        '×' => "x",
        '±' => "+-",
        '²' => "2",
        '³' => "3",
        '½' => "1/2",
        '€' => "EUR",
        '…' => "...",
        '‐'..='―' | '−' => "-",
        '‘'..='‛' | '“'..='‟' | '´' | '«' | '»' => "'",
        '•' | '·' => "-",
        '→' => "->",
        _ => "?",
    }
}
