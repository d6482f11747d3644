//! What a firmware makes of an accepted line: the command that it carries out, which need not be the one that was sent.
//!
//! Owns: where each dialect looks for letters. `dialect::reading` has the sources. Must not know: numbers, checksums.

use std::borrow::Cow;

use super::dialect::{Dialect, Meaning};

/// RepRapFirmware: MaxGCodeLength (src/Config/Configuration.h), one for the end.
const REPRAP_LONGEST: usize = 255;

/// The command as it is carried out.
pub(crate) fn of(dialect: Dialect, text: &str) -> Cow<'_, str> {
    match dialect.speech().reading.meaning {
        Meaning::UpToStar => Cow::Borrowed(text.split_once('*').map_or(text, |(head, _)| head).trim_end()),
        Meaning::FirstLetter => {
            let at = ['G', 'M', 'T'].iter().find_map(|letter| text.find(*letter));
            Cow::Borrowed(text.get(at.unwrap_or(0)..).unwrap_or(text))
        }
        Meaning::EveryLetter => Cow::Owned(by_letters(text)),
        // A whole line is cut at a semicolon before the command is known, and words and texts are read from it anew.
        Meaning::Whole if dialect == Dialect::Klipper && !is_read_anew(text) => {
            Cow::Borrowed(text.split_once(';').map_or(text, |(head, _)| head).trim_end())
        }
        Meaning::Whole | Meaning::Repetier => Cow::Borrowed(text),
    }
}

/// What is said instead of carrying it out.
pub(crate) fn complaint(dialect: Dialect, text: &str) -> Option<String> {
    match dialect {
        Dialect::RepRapFirmware if text.len() > REPRAP_LONGEST => {
            Some("Error: GCode command too long".to_owned())
        }
        Dialect::Klipper if is_words(text) && !is_well_formed(text) => {
            Some(format!("!! Malformed command '{text}'"))
        }
        _ => None,
    }
}

/// Without comments, upper case, the last G or M first.
fn by_letters(text: &str) -> String {
    let mut bare = String::with_capacity(text.len());
    let mut within = false;
    for c in text.chars() {
        match c {
            ';' if !within => break,
            '(' => within = true,
            ')' => within = false,
            _ if !within => bare.push(c.to_ascii_uppercase()),
            _ => {}
        }
    }
    let bare = bare.trim();
    match bare.rfind(['G', 'M']) {
        Some(at @ 1..) => {
            let (parameters, command) = bare.split_at(at);
            format!("{} {}", command.trim(), parameters.trim())
        }
        _ => bare.to_owned(),
    }
}

fn is_words(text: &str) -> bool {
    let mut bytes = text.bytes();
    let letter = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic());
    letter && bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
}

fn is_read_anew(text: &str) -> bool {
    is_words(text) || ["M117", "M118"].iter().any(|code| text.starts_with(code))
}

/// Python's `shlex` in its POSIX mode, split at white space, `#` and `;` being comments: each part must have an `=`.
fn is_well_formed(text: &str) -> bool {
    let arguments = text.split_once(' ').map_or("", |(_, arguments)| arguments);
    let mut parts: Vec<String> = Vec::new();
    let mut part: Option<String> = None;
    let mut quote = None;
    let mut chars = arguments.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, '#' | ';') => break,
            (None, ' ') => parts.extend(part.take()),
            (None, '"' | '\'') => {
                quote = Some(c);
                part.get_or_insert_default();
            }
            (Some(open), _) if open == c => quote = None,
            (None | Some('"'), '\\') => match chars.next() {
                Some(next) => part.get_or_insert_default().push(next),
                None => return false,
            },
            _ => part.get_or_insert_default().push(c),
        }
    }
    parts.extend(part);
    quote.is_none() && parts.iter().all(|part| part.contains('='))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Dialect::Marlin, "M117 2*3 copies", "M117 2")]
    #[case(Dialect::Prusa, "M117 Go", "M117 Go")]
    #[case(Dialect::UltiMaker2, "M117 Go to X10", "Go to X10")]
    #[case(Dialect::UltiMaker2, "M117 go to X10", "M117 go to X10")]
    #[case(Dialect::UltiMaker2, "SET T1", "T T1")]
    #[case(Dialect::Teacup, "M117 Go X10", "GO X10 M117")]
    #[case(Dialect::Teacup, "M117 (Go X10)", "M117")]
    #[case(Dialect::Teacup, "G1 X10", "G1 X10")]
    #[case(Dialect::Klipper, "M117 a;b", "M117 a;b")]
    #[case(Dialect::Klipper, "M862.3 P\"a;b\"", "M862.3 P\"a")]
    #[case(Dialect::Klipper, "RESPOND MSG=\"a;b\"", "RESPOND MSG=\"a;b\"")]
    fn what_is_carried_out(#[case] dialect: Dialect, #[case] text: &str, #[case] expected: &str) {
        assert_eq!(of(dialect, text), expected);
    }

    #[rstest]
    #[case("EXCLUDE_OBJECT_START NAME=Part_(1)", true)]
    #[case("EXCLUDE_OBJECT_START NAME=part (1)", false)]
    #[case("EXCLUDE_OBJECT_START NAME=\"part (1)\"", true)]
    #[case("RESPOND MSG=\"open", false)]
    #[case("RESPOND MSG='it''s'", true)]
    #[case("PRINT_START", true)]
    #[case("PRINT_START # hot", true)]
    #[case("SET X=1 \\", false)]
    #[case("M117 hello", true)]
    fn what_klipper_takes(#[case] text: &str, #[case] taken: bool) {
        assert_eq!(complaint(Dialect::Klipper, text).is_none(), taken);
    }
}
