//! Marlin's EMERGENCY_PARSER: commands that act the moment their line ends, however full the queue is.
//!
//! It sees every received byte, before lines are made of them, and only recognises; acting is the firmware's.
//! A line number may stand before the command; neither number nor checksum is verified.

/// A command that does not wait for its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Emergency {
    /// M108: the wait that is running now ends.
    EndWait,
    /// M112: everything off, for good.
    Kill,
    /// M410: the moves end here.
    QuickStop,
    /// M876 S…: a person's answer to a prompt, by the number of a button.
    PromptAnswer(u8),
}

/// Long enough for `N` with a number, spaces and the longest command looked for.
const HEAD: usize = 24;

/// Looks at the head of every line.
#[derive(Debug, Default)]
pub(crate) struct EmergencyParser {
    head: Vec<u8>,
    /// The line cannot be an emergency any more.
    ignore: bool,
}

impl EmergencyParser {
    /// Takes one byte; returns what the line it ends demands at once.
    pub(crate) fn take(&mut self, byte: u8) -> Option<Emergency> {
        if byte == b'\n' || byte == b'\r' {
            let found = if self.ignore { None } else { recognise(&self.head) };
            self.head.clear();
            self.ignore = false;
            return found;
        }
        if self.ignore || (byte == b' ' && self.head.is_empty()) {
            return None;
        }
        if self.head.is_empty() && byte != b'N' && byte != b'M' {
            self.ignore = true;
        } else if self.head.len() < HEAD {
            self.head.push(byte);
        }
        None
    }
}

fn recognise(head: &[u8]) -> Option<Emergency> {
    let mut head = head;
    if let [b'N', rest @ ..] = head {
        head = rest;
        while let [b'0'..=b'9' | b'-' | b' ', rest @ ..] = head {
            head = rest;
        }
    }
    match head {
        [b'M', b'1', b'0', b'8', ..] => Some(Emergency::EndWait),
        [b'M', b'1', b'1', b'2', ..] => Some(Emergency::Kill),
        [b'M', b'4', b'1', b'0', ..] => Some(Emergency::QuickStop),
        [b'M', b'8', b'7', b'6', rest @ ..] => {
            let answer = rest.trim_ascii_start();
            match answer {
                // A second digit is not looked at: e_parser.h knows buttons up to 9.
                [b'S', digit @ b'0'..=b'9', ..] => Some(Emergency::PromptAnswer(digit - b'0')),
                _ => None,
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("M108\n", Some(Emergency::EndWait))]
    #[case("  M112\r", Some(Emergency::Kill))]
    #[case("N12 M112*33\n", Some(Emergency::Kill))]
    #[case("M410 ; stop\n", Some(Emergency::QuickStop))]
    #[case("M876 S0\n", Some(Emergency::PromptAnswer(0)))]
    #[case("M876 S1\n", Some(Emergency::PromptAnswer(1)))]
    #[case("M876 P1\n", None)]
    #[case("G1 X1 M112\n", None)]
    #[case("M117 M112\n", None)]
    #[case("M112", None)]
    fn the_head_of_a_line_decides(#[case] bytes: &str, #[case] expected: Option<Emergency>) {
        let mut parser = EmergencyParser::default();
        let found = bytes.bytes().filter_map(|byte| parser.take(byte)).next();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_line_after_an_ignored_one_is_seen() {
        let mut parser = EmergencyParser::default();
        let found: Vec<_> = "G1 X1\nM108\n".bytes().filter_map(|byte| parser.take(byte)).collect();
        assert_eq!(found, [Emergency::EndWait]);
    }
}
