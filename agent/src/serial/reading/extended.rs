//! Klipper's commands of words: `WORD NAME=value …`, split as a shell would.
//!
//! Owns: whether Klipper takes such a line, or ends the print by refusing it. Must not know: which words there are.
//! Source: `klippy/gcode.py`, `_get_extended_params`: Python's `shlex` in its POSIX mode, split at white space, with `#`
//! and `;` for comments; each part must have an `=`.

/// Why Klipper would refuse it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// A part without `=`: a name with a space in it that is not quoted.
    #[error(
        "Klipper refuses it: each part behind the first word must be NAME=value, and a value with spaces in quotes"
    )]
    NoValue,
    /// A quote that is not closed.
    #[error("Klipper refuses it: a quote in it is not closed")]
    Quote,
}

/// Whether Klipper takes the line.
pub(super) fn check(text: &str) -> Result<(), Malformed> {
    let arguments = text.split_once(' ').map_or("", |(_, arguments)| arguments);
    let mut quote: Option<char> = None;
    let mut escaped = false;
    // Within a part: whether it has its `=` yet.
    let mut part: Option<bool> = None;
    for c in arguments.chars() {
        if escaped {
            escaped = false;
            part = Some(part.unwrap_or(false) || c == '=');
            continue;
        }
        match (quote, c) {
            (None, '#' | ';') => break,
            (None, ' ') => {
                if part.take() == Some(false) {
                    return Err(Malformed::NoValue);
                }
                continue;
            }
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (None | Some('"'), '\\') => escaped = true,
            _ => {}
        }
        part = Some(part.unwrap_or(false) || c == '=');
    }
    if quote.is_some() || escaped {
        return Err(Malformed::Quote);
    }
    if part == Some(false) { Err(Malformed::NoValue) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("PRINT_START", Ok(()))]
    #[case("PRINT_START BED=60  EXTRUDER=210", Ok(()))]
    #[case("EXCLUDE_OBJECT_START NAME=Part_(1).stl", Ok(()))]
    #[case("EXCLUDE_OBJECT_START NAME=part (1)", Err(Malformed::NoValue))]
    #[case("EXCLUDE_OBJECT_START NAME=\"part (1)\"", Ok(()))]
    #[case("EXCLUDE_OBJECT_START NAME=Bob's", Err(Malformed::Quote))]
    #[case("PRINT_START # it begins", Ok(()))]
    #[case("PRINT_START (it begins)", Err(Malformed::NoValue))]
    #[case("SET X=1\\", Err(Malformed::Quote))]
    fn what_klipper_takes(#[case] text: &str, #[case] expected: Result<(), Malformed>) {
        assert_eq!(check(text), expected);
    }
}
