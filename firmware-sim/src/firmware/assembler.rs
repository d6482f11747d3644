//! Bytes to lines, as each firmware's serial reader does it. Knows nothing of what a line means.

use super::dialect::{Overflow, Reading, Semicolon};

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
    /// Within double quotes, where those mean something.
    Quoted,
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
    pub(crate) fn take(&mut self, byte: u8, reading: &Reading) -> Option<Vec<u8>> {
        if reading.drops_high && byte > 0x7F {
            return None;
        }
        let ends =
            matches!(byte, b'\n' | b'\r') || byte == b':' && reading.colon_ends && self.mode != Mode::Skip;
        if ends || self.is_full(reading) && reading.overflow == Overflow::Split && self.mode != Mode::Skip {
            self.mode = Mode::Text;
            let line = std::mem::take(&mut self.line);
            return (!line.is_empty()).then_some(line);
        }
        match (&self.mode, byte) {
            (Mode::Skip, _) => return None,
            (Mode::Escaped, _) => self.mode = Mode::Text,
            (_, b'\\') if reading.escapes => {
                self.mode = Mode::Escaped;
                return None;
            }
            (Mode::Quoted, b'"') => self.mode = Mode::Text,
            (Mode::Text, b'"') if reading.semicolon == Semicolon::CommentOutsideQuotes => {
                self.mode = Mode::Quoted
            }
            (Mode::Text, b';') if reading.semicolon != Semicolon::Kept => {
                self.mode = Mode::Skip;
                return None;
            }
            _ => {}
        }
        if byte == BACKSPACE && reading.escapes {
            self.line.pop();
        } else {
            self.line.push(byte);
            if self.is_full(reading) && reading.overflow == Overflow::Dropped {
                self.mode = Mode::Skip;
            }
        }
        None
    }

    fn is_full(&self, reading: &Reading) -> bool {
        reading.longest.is_some_and(|longest| self.line.len() >= longest)
    }
}

#[cfg(test)]
mod tests {
    use super::super::dialect::Dialect;
    use super::*;
    use rstest::rstest;

    fn lines(bytes: &[u8]) -> Vec<String> {
        lines_of(Dialect::Marlin, bytes)
    }

    fn lines_of(dialect: Dialect, bytes: &[u8]) -> Vec<String> {
        let mut assembler = LineAssembler::default();
        bytes
            .iter()
            .filter_map(|&byte| assembler.take(byte, &dialect.speech().reading))
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

    #[rstest]
    #[case::a_colon_ends_a_line(Dialect::UltiMaker2, "M117 a: b*5\n", &["M117 a", " b*5"])]
    #[case::but_no_comment(Dialect::UltiMaker2, "G28 ; a: b\n", &["G28 "])]
    #[case::a_backslash_is_a_byte(Dialect::Prusa, "M117 a\\b\n", &["M117 a\\b"])]
    #[case::high_bytes_are_none(Dialect::Prusa, "G\u{a0}1\n", &["G1"])]
    #[case::quotes_keep_a_semicolon(Dialect::RepRapFirmware, "M117 \"a;b\" ; c\n", &["M117 \"a;b\" "])]
    #[case::klipper_keeps_it(Dialect::Klipper, "M117 a;b\n", &["M117 a;b"])]
    fn other_firmware_reads_otherwise(
        #[case] dialect: Dialect,
        #[case] bytes: &str,
        #[case] expected: &[&str],
    ) {
        assert_eq!(lines_of(dialect, bytes.as_bytes()), expected);
    }

    #[test]
    fn a_long_line_is_two_for_prusas_and_one_for_klipper() {
        let long = format!("{}{}\n", "x".repeat(95), "y".repeat(10));
        assert_eq!(lines_of(Dialect::Prusa, long.as_bytes()), ["x".repeat(95), "y".repeat(9)]);
        assert_eq!(lines_of(Dialect::Klipper, long.as_bytes()), [long.trim_end()]);
    }
}
