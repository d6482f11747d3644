//! One command's text taken apart: letter, code, parameters. No meaning, no state.

/// A parsed command, borrowing its text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Command<'a> {
    /// The whole command up to the first `*`, for messages.
    pub(crate) text: &'a str,
    pub(crate) letter: char,
    pub(crate) code: u32,
    /// What follows the code.
    arguments: &'a str,
}

impl<'a> Command<'a> {
    /// `None` for what cannot be a command: wrong letter, no code.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let text = Self::visible(text);
        let letter = text.chars().next().filter(|letter| matches!(letter, 'G' | 'M' | 'T'))?;
        let rest = text.get(1..)?;
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let code = rest.get(..digits)?.parse().ok()?;
        let rest = rest.get(digits..)?;
        // `M862.3`: the part after the point selects a variant nobody here tells apart.
        let variant = match rest.strip_prefix('.') {
            Some(tail) => 1 + tail.bytes().take_while(u8::is_ascii_digit).count(),
            None => 0,
        };
        let arguments = rest.get(variant..)?.trim_start_matches(' ');
        Some(Self { text, letter, code, arguments })
    }

    /// The text Marlin looks at: up to the first `*`, without trailing blanks.
    pub(crate) fn visible(text: &str) -> &str {
        text.split_once('*').map_or(text, |(head, _)| head).trim_end()
    }

    /// The arguments as one text, for M117 and its like.
    pub(crate) fn message(&self) -> &'a str {
        self.arguments
    }

    /// Whether the parameter is there, with or without a value.
    pub(crate) fn has(&self, letter: char) -> bool {
        self.find(letter).is_some()
    }

    /// A parameter's value, if it has one.
    pub(crate) fn value(&self, letter: char) -> Option<f64> {
        let text = self.find(letter)?.trim_start_matches(' ');
        let length = number_length(text.as_bytes());
        text.get(..length)?.parse().ok()
    }

    /// A parameter's value as a whole number.
    pub(crate) fn integer(&self, letter: char) -> Option<i64> {
        self.value(letter).map(|value| value as i64)
    }

    /// What stands after the parameter's letter.
    fn find(&self, letter: char) -> Option<&'a str> {
        let at = self.arguments.bytes().position(|byte| char::from(byte) == letter)?;
        self.arguments.get(at + 1..)
    }
}

fn number_length(text: &[u8]) -> usize {
    let sign = usize::from(matches!(text.first(), Some(b'+' | b'-')));
    let mut point = false;
    let mut length = sign;
    while let Some(byte) = text.get(length) {
        match byte {
            b'0'..=b'9' => {}
            b'.' if !point => point = true,
            _ => break,
        }
        length += 1;
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("G1 X1.5 Y-2 E.03 F1800", 'G', 1, &[('X', Some(1.5)), ('Y', Some(-2.0)), ('E', Some(0.03)), ('Z', None)])]
    #[case("G1X1Y2", 'G', 1, &[('X', Some(1.0)), ('Y', Some(2.0))])]
    #[case("M104 S 200*33", 'M', 104, &[('S', Some(200.0))])]
    #[case("T1", 'T', 1, &[('S', None)])]
    #[case("M862.3 P \"MK3S\"", 'M', 862, &[('P', None)])]
    #[case("G28 X Y0", 'G', 28, &[('X', None), ('Y', Some(0.0))])]
    fn letter_code_and_values(
        #[case] text: &str,
        #[case] letter: char,
        #[case] code: u32,
        #[case] values: &[(char, Option<f64>)],
    ) {
        let command = Command::parse(text).unwrap();
        assert_eq!((command.letter, command.code), (letter, code));
        for &(name, value) in values {
            assert_eq!(command.value(name), value, "{name}");
        }
    }

    #[rstest]
    #[case("HELLO")]
    #[case("m105")]
    #[case("(paren) M105")]
    #[case("G")]
    #[case("")]
    #[case("G99999999999")]
    fn not_a_command(#[case] text: &str) {
        assert_eq!(Command::parse(text), None);
    }

    #[test]
    fn a_flag_without_value_is_there() {
        let command = Command::parse("G28 X Y").unwrap();
        assert!(command.has('X') && command.has('Y') && !command.has('Z'));
    }
}
