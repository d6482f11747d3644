//! Which topic names and topic filters are well-formed. The Router checks neither, and panics on some.
//!
//! Pure, and stricter than MQTT 3.1.1 where the Router needs it. Who may use which is [`crate::policy`]'s.

/// Longest topic name or filter, bytes. Ours have 96.
pub const MAX_TOPIC_BYTES: usize = 256;
/// Most levels of a topic name or filter. Ours have 5.
pub const MAX_TOPIC_LEVELS: usize = 16;

/// What is wrong with a topic name or filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// MQTT 3.1.1, 4.7.3.
    #[error("it is empty")]
    Empty,
    /// MQTT 3.1.1, 1.5.3.
    #[error("it is not UTF-8")]
    NotUtf8,
    /// NUL is forbidden by MQTT 3.1.1, 1.5.3, which allows refusing the other control characters too.
    #[error("it has a control character")]
    Control,
    /// Ours: [`MAX_TOPIC_BYTES`].
    #[error("it is longer than {MAX_TOPIC_BYTES} bytes")]
    TooLong,
    /// Ours: [`MAX_TOPIC_LEVELS`].
    #[error("it has more than {MAX_TOPIC_LEVELS} levels")]
    TooDeep,
    /// MQTT 3.1.1, 4.7.1: a wildcard in a topic name, or one that does not fill its level, or a `#` before the end.
    #[error("it has a wildcard where none may be")]
    Wildcard,
    /// Ours: `$SYS`, `$share` and the like are not offered.
    #[error("it begins with $")]
    Dollar,
    /// Ours: rumqttd 0.20 cuts the first byte off as if it were a character, and dies of it.
    #[error("it does not begin with an ASCII character")]
    FirstNotAscii,
}

/// Checks the topic name of a PUBLISH or will.
///
/// # Errors
/// What is wrong with it.
pub fn topic_name(name: &[u8]) -> Result<&str, Invalid> {
    let name = text(name)?;
    if name.contains(['+', '#']) {
        return Err(Invalid::Wildcard);
    }
    Ok(name)
}

/// Checks a topic filter of a SUBSCRIBE or UNSUBSCRIBE.
///
/// # Errors
/// What is wrong with it.
pub fn topic_filter(filter: &str) -> Result<&str, Invalid> {
    let filter = text(filter.as_bytes())?;
    let mut levels = filter.split('/').peekable();
    while let Some(level) = levels.next() {
        let last = levels.peek().is_none();
        let misplaced = match level {
            "+" => false,
            "#" => !last,
            _ => level.contains(['+', '#']),
        };
        if misplaced {
            return Err(Invalid::Wildcard);
        }
    }
    Ok(filter)
}

fn text(bytes: &[u8]) -> Result<&str, Invalid> {
    if bytes.len() > MAX_TOPIC_BYTES {
        return Err(Invalid::TooLong);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Invalid::NotUtf8)?;
    let first = text.chars().next().ok_or(Invalid::Empty)?;
    if text.chars().any(char::is_control) {
        return Err(Invalid::Control);
    }
    if !first.is_ascii() {
        return Err(Invalid::FirstNotAscii);
    }
    if first == '$' {
        return Err(Invalid::Dollar);
    }
    if text.split('/').count() > MAX_TOPIC_LEVELS {
        return Err(Invalid::TooDeep);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case(b"a/b/c", Ok(()))]
    #[case(b"/", Ok(()))]
    #[case("a/ä".as_bytes(), Ok(()))]
    #[case(b"", Err(Invalid::Empty))]
    #[case(b"a/\xff", Err(Invalid::NotUtf8))]
    #[case(b"a\0b", Err(Invalid::Control))]
    #[case("ä/b".as_bytes(), Err(Invalid::FirstNotAscii))]
    #[case(b"$SYS/x", Err(Invalid::Dollar))]
    #[case(b"a/+", Err(Invalid::Wildcard))]
    #[case(b"a/#", Err(Invalid::Wildcard))]
    #[case(b"a#", Err(Invalid::Wildcard))]
    #[case(&[b'a'; 257], Err(Invalid::TooLong))]
    #[case(b"a////////////////", Err(Invalid::TooDeep))]
    fn names(#[case] name: &[u8], #[case] expected: Result<(), Invalid>) {
        assert_eq!(topic_name(name).map(|_| ()), expected);
    }

    #[rstest]
    #[case("a/b", Ok(()))]
    #[case("#", Ok(()))]
    #[case("+/b/#", Ok(()))]
    #[case("a/+/b", Ok(()))]
    #[case("", Err(Invalid::Empty))]
    #[case("a+", Err(Invalid::Wildcard))]
    #[case("a/++", Err(Invalid::Wildcard))]
    #[case("a/#/b", Err(Invalid::Wildcard))]
    #[case("a/b#", Err(Invalid::Wildcard))]
    #[case("$share/g/a", Err(Invalid::Dollar))]
    #[case("ä/+", Err(Invalid::FirstNotAscii))]
    fn filters(#[case] filter: &str, #[case] expected: Result<(), Invalid>) {
        assert_eq!(topic_filter(filter).map(|_| ()), expected);
    }

    proptest! {
        #[test]
        fn a_valid_name_has_what_the_router_relies_on(bytes: Vec<u8>) {
            if let Ok(name) = topic_name(&bytes) {
                prop_assert!(name.is_char_boundary(1) && !name.starts_with('$') && !name.contains(['+', '#', '\0']));
                prop_assert_eq!(topic_filter(name), Ok(name));
            }
        }
    }
}
