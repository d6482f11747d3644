//! Bytes to lines, as Marlin's serial reader does it. Knows nothing of what a line means.

/// A line's bytes are kept up to here; the rest is dropped without a word (MAX_CMD_SIZE 96, one for the end).
const KEPT: usize = 95;
const BACKSPACE: u8 = 0x08;

/// Collects bytes until a line is complete.
#[derive(Debug, Default)]
pub(crate) struct LineAssembler {
    line: Vec<u8>,
    mode: Mode,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    Text,
    /// After a backslash: the next byte is taken as it is.
    Escaped,
    /// In a comment, or past the length a line may have.
    Skip,
}

impl LineAssembler {
    /// Whether a line has begun and not ended.
    pub(crate) fn is_within_line(&self) -> bool {
        !self.line.is_empty()
    }

    /// Forgets what has come of a line.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Takes one byte; returns the line it completes. A line with nothing in it is none.
    pub(crate) fn take(&mut self, byte: u8) -> Option<Vec<u8>> {
        match byte {
            b'\n' | b'\r' => {
                self.mode = Mode::Text;
                let line = std::mem::take(&mut self.line);
                return (!line.is_empty()).then_some(line);
            }
            _ if self.mode == Mode::Skip => return None,
            _ if self.mode == Mode::Escaped => self.mode = Mode::Text,
            b'\\' => {
                self.mode = Mode::Escaped;
                return None;
            }
            b';' => {
                self.mode = Mode::Skip;
                return None;
            }
            _ => {}
        }
        if byte == BACKSPACE {
            self.line.pop();
        } else {
            self.line.push(byte);
            if self.line.len() >= KEPT {
                self.mode = Mode::Skip;
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn lines(bytes: &[u8]) -> Vec<String> {
        let mut assembler = LineAssembler::default();
        bytes
            .iter()
            .filter_map(|&byte| assembler.take(byte))
            .map(|line| String::from_utf8_lossy(&line).into_owned())
            .collect()
    }

    #[rstest]
    #[case::plain(b"G28\n".as_slice(), &["G28"])]
    #[case::crlf_is_one_line(b"G28\r\nM105\r\n", &["G28", "M105"])]
    #[case::blank(b"\n\r\n", &[])]
    #[case::comment_only(b"; hello\n", &[])]
    #[case::comment_after_text(b"G1 X1 ; go\n", &["G1 X1 "])]
    #[case::escaped_semicolon(b"M117 a\\;b\n", &["M117 a;b"])]
    #[case::parentheses_stay(b"(paren) M105\n", &["(paren) M105"])]
    #[case::backspace(b"G29\x088\n", &["G28"])]
    #[case::unfinished(b"G28", &[])]
    fn bytes_become_lines(#[case] bytes: &[u8], #[case] expected: &[&str]) {
        assert_eq!(lines(bytes), expected);
    }

    #[test]
    fn a_long_line_is_cut_and_the_next_one_is_whole() {
        let got = lines(format!("M117 {}\nG28\n", "x".repeat(200)).as_bytes());
        assert_eq!(got, [format!("M117 {}", "x".repeat(90)), "G28".to_owned()]);
    }
}
