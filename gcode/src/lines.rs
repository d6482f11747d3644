//! The streaming line scanner: bytes in, lines out, each with its place in the file.
//!
//! Owns: line ends (LF, CRLF, a CR alone, none at the end of the file), the byte order mark, line numbers
//! and byte offsets, and the longest line that is kept. Must not know: what a line means.
//!
//! A CR alone ends a line because firmware takes it for one: passed on inside a command it would cut that
//! command in two.

use memchr::memchr2;

/// The longest line that is handed out whole, in bytes. No firmware takes a command of a tenth of this;
/// slicers do write settings in comments of several KiB.
pub const MAX_LINE: usize = 64 * 1024;

/// How much of an over-long line is kept, in bytes: enough to tell what it is.
pub const OVER_LONG_HEAD: usize = 128;

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// A place in a file between two lines, from which scanning can go on (see [`LineScanner::resume`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Byte offset of the next line's first byte.
    pub offset: u64,
    /// The next line's number, counted from 1.
    pub line: u64,
}

impl Position {
    /// The beginning of a file.
    pub const START: Self = Self { offset: 0, line: 1 };
}

/// One line of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// Number of the line in the file, counted from 1.
    pub number: u64,
    /// Byte offset of the line's first byte in the file (a byte order mark belongs to line 1).
    pub start: u64,
    /// Byte offset just behind the line and its line end: where the next line begins.
    pub end: u64,
    /// The line without its line end and without a byte order mark; of an over-long line only its first
    /// [`OVER_LONG_HEAD`] bytes.
    pub text: &'a [u8],
    /// The line is longer than the scanner keeps, so `text` is only its head.
    pub over_long: bool,
}

impl Line<'_> {
    /// The place from which scanning can go on behind this line.
    #[must_use]
    pub const fn next_position(&self) -> Position {
        Position { offset: self.end, line: self.number + 1 }
    }
}

/// Splits a stream of bytes into [`Line`]s.
///
/// ```
/// # use stardust_gcode::lines::LineScanner;
/// let mut scanner = LineScanner::new();
/// let mut seen = Vec::new();
/// for chunk in [b"G28\r\nG1 X".as_slice(), b"10".as_slice()] {
///     let mut rest = chunk;
///     while let Some(line) = scanner.next_line(&mut rest) {
///         seen.push((line.number, line.start, line.text.to_vec()));
///     }
/// }
/// if let Some(line) = scanner.finish() {
///     seen.push((line.number, line.start, line.text.to_vec()));
/// }
/// assert_eq!(seen, [(1, 0, b"G28".to_vec()), (2, 5, b"G1 X10".to_vec())]);
/// ```
#[derive(Debug)]
pub struct LineScanner {
    max_line: usize,
    /// What earlier chunks held of the current line; never more than `max_line` bytes.
    carry: Vec<u8>,
    /// `carry` was lent out as a line by the last call and is cleared by the next.
    lent: bool,
    /// Length of the current line so far, kept or not.
    length: u64,
    /// The last chunk ended in a CR: an LF at the beginning of the next one belongs to it.
    after_cr: bool,
    /// Offset of the next byte to be fed.
    offset: u64,
    line_start: u64,
    number: u64,
}

impl Default for LineScanner {
    fn default() -> Self {
        Self::new()
    }
}

impl LineScanner {
    /// A scanner at the beginning of a file that keeps lines of up to [`MAX_LINE`] bytes.
    #[must_use]
    pub fn new() -> Self {
        Self::resume(Position::START)
    }

    /// A scanner that goes on at `position`; the first byte fed must be the one at that offset.
    #[must_use]
    pub fn resume(position: Position) -> Self {
        Self {
            max_line: MAX_LINE,
            carry: Vec::new(),
            lent: false,
            length: 0,
            after_cr: false,
            offset: position.offset,
            line_start: position.offset,
            number: position.line,
        }
    }

    /// Keeps lines of up to `max_line` bytes instead of [`MAX_LINE`].
    #[must_use]
    pub fn with_max_line(mut self, max_line: usize) -> Self {
        self.max_line = max_line;
        self
    }

    /// Takes the next line out of `input`, moving `input` behind it. `None` when the input is used up:
    /// call again with the next chunk, or [`finish`](Self::finish) at the end of the file.
    ///
    /// The line borrows from the chunk where it can, so nothing is copied but a line that lies across two
    /// chunks.
    pub fn next_line<'s, 'i: 's>(&'s mut self, input: &mut &'i [u8]) -> Option<Line<'s>> {
        self.take_back();
        if self.after_cr {
            let first = *input.first()?;
            self.after_cr = false;
            if first == b'\n' {
                self.advance(input, 1);
            }
            return Some(self.lend_carry());
        }
        let Some(at) = memchr2(b'\n', b'\r', input) else {
            self.keep(input);
            self.advance(input, input.len());
            return None;
        };
        let (body, line_end) = input.split_at(at);
        let line_end_length = match line_end {
            [b'\r'] => {
                self.keep(body);
                self.after_cr = true;
                self.advance(input, at + 1);
                return None;
            }
            [b'\r', b'\n', ..] => 2,
            _ => 1,
        };
        self.advance(input, at + line_end_length);
        if self.length > 0 {
            self.keep(body);
            return Some(self.lend_carry());
        }
        self.length = body.len() as u64;
        Some(self.complete(body))
    }

    /// The last line, when the file does not end in a line end. The scanner must not be fed afterwards.
    pub fn finish(&mut self) -> Option<Line<'_>> {
        self.take_back();
        if self.length == 0 && !self.after_cr {
            return None;
        }
        self.after_cr = false;
        Some(self.lend_carry())
    }

    /// Forgets a line that the last call lent out of `carry`.
    fn take_back(&mut self) {
        if self.lent {
            self.carry.clear();
            self.lent = false;
        }
    }

    fn advance(&mut self, input: &mut &[u8], count: usize) {
        *input = input.get(count..).unwrap_or_default();
        self.offset += count as u64;
    }

    /// Adds a part of the current line to `carry`, as far as it is kept at all.
    fn keep(&mut self, part: &[u8]) {
        self.length += part.len() as u64;
        let room = if self.length > self.max_line as u64 {
            self.carry.truncate(OVER_LONG_HEAD);
            OVER_LONG_HEAD - self.carry.len()
        } else {
            part.len()
        };
        self.carry.extend_from_slice(part.get(..room).unwrap_or(part));
    }

    fn lend_carry(&mut self) -> Line<'_> {
        self.lent = true;
        let facts = self.next_facts();
        facts.with_text(&self.carry)
    }

    fn complete<'a>(&mut self, body: &'a [u8]) -> Line<'a> {
        self.next_facts().with_text(body)
    }

    /// Closes the books of the current line and opens those of the next.
    fn next_facts(&mut self) -> Facts {
        let facts = Facts {
            number: self.number,
            start: self.line_start,
            end: self.offset,
            over_long: self.length > self.max_line as u64,
        };
        self.number += 1;
        self.line_start = self.offset;
        self.length = 0;
        facts
    }
}

/// All of a line but its text.
struct Facts {
    number: u64,
    start: u64,
    end: u64,
    over_long: bool,
}

impl Facts {
    fn with_text(self, text: &[u8]) -> Line<'_> {
        let text = if self.over_long { text.get(..OVER_LONG_HEAD).unwrap_or(text) } else { text };
        let text = if self.start == 0 { text.strip_prefix(BOM).unwrap_or(text) } else { text };
        Line { number: self.number, start: self.start, end: self.end, text, over_long: self.over_long }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    type Owned = (u64, u64, u64, Vec<u8>, bool);

    fn scan(mut scanner: LineScanner, chunks: &[&[u8]]) -> Vec<Owned> {
        let mut lines = Vec::new();
        let own = |l: Line<'_>| (l.number, l.start, l.end, l.text.to_vec(), l.over_long);
        for chunk in chunks {
            let mut rest = *chunk;
            while let Some(line) = scanner.next_line(&mut rest) {
                lines.push(own(line));
            }
            assert!(rest.is_empty());
        }
        lines.extend(scanner.finish().map(own));
        assert!(scanner.finish().is_none());
        lines
    }

    fn texts(file: &[u8]) -> Vec<Vec<u8>> {
        scan(LineScanner::new(), &[file]).into_iter().map(|l| l.3).collect()
    }

    #[rstest]
    #[case::nothing(b"", &[])]
    #[case::lf(b"a\nb\n", &["a", "b"])]
    #[case::no_line_end(b"a\nb", &["a", "b"])]
    #[case::crlf(b"a\r\nb\r\n", &["a", "b"])]
    #[case::cr_alone(b"a\rb\r", &["a", "b"])]
    #[case::blank(b"\n\r\n\r\r\n", &["", "", "", ""])]
    #[case::bom(b"\xEF\xBB\xBFa\n\xEF\xBB\xBFb", &["a", "\u{feff}b"])]
    #[case::bom_alone(b"\xEF\xBB\xBF", &[""])]
    fn line_ends(#[case] file: &[u8], #[case] expected: &[&str]) {
        assert_eq!(texts(file), expected.iter().map(|t| t.as_bytes().to_vec()).collect::<Vec<_>>());
    }

    #[test]
    fn a_line_knows_its_place() {
        let lines = scan(LineScanner::new(), &[b"\xEF\xBB\xBFG28\r\n", b"\nG1", b" X1\r", b"\nM84"]);
        assert_eq!(
            lines,
            [
                (1, 0, 8, b"G28".to_vec(), false),
                (2, 8, 9, b"".to_vec(), false),
                (3, 9, 16, b"G1 X1".to_vec(), false),
                (4, 16, 19, b"M84".to_vec(), false),
            ]
        );
    }

    #[test]
    fn scanning_goes_on_from_any_line() {
        let file = b"G28\nG1 X1\nG1 X2\nM84";
        let all = scan(LineScanner::new(), &[file]);
        for line in &all {
            let position = Position { offset: line.1, line: line.0 };
            let tail = scan(LineScanner::resume(position), &[&file[line.1 as usize..]]);
            assert_eq!(tail, all[line.0 as usize - 1..]);
        }
    }

    #[test]
    fn an_over_long_line_is_reported_and_never_held() {
        let mut scanner = LineScanner::new();
        let chunk = vec![b'x'; 1 << 20];
        for _ in 0..100 {
            let mut rest = chunk.as_slice();
            assert!(scanner.next_line(&mut rest).is_none());
            assert!(scanner.carry.capacity() <= 2 * MAX_LINE);
        }
        let mut rest = b"\nG28\n".as_slice();
        let line = scanner.next_line(&mut rest).unwrap();
        assert!(line.over_long);
        assert_eq!((line.start, line.end, line.text.len()), (0, (100 << 20) + 1, OVER_LONG_HEAD));
        let next = scanner.next_line(&mut rest).unwrap();
        assert_eq!((next.text, next.over_long), (b"G28".as_slice(), false));
    }

    proptest! {
        #[test]
        fn chunking_changes_nothing(
            file in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(b'a'), any::<u8>()], 0..600),
            cuts in proptest::collection::vec(0_usize..600, 0..12),
            max_line in 0_usize..200,
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(file.len())).collect();
            cuts.extend([0, file.len()]);
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|w| &file[w[0]..w[1]]).collect();
            let whole = scan(LineScanner::new().with_max_line(max_line), &[&file]);
            prop_assert_eq!(&scan(LineScanner::new().with_max_line(max_line), &chunks), &whole);
            // The lines cover the file without a gap.
            let mut at = 0;
            for (index, line) in whole.iter().enumerate() {
                prop_assert_eq!((line.0, line.1), (index as u64 + 1, at));
                at = line.2;
            }
            prop_assert_eq!(at, file.len() as u64);
        }
    }
}
