//! The commands of a file: what an exact host sends for it, in order.
//!
//! Owns: the canonical reading of a whole file. Must not know: how commands are numbered, sent or answered.
//!
//! # The canonical commands of a file
//!
//! Cut the file into lines ([`crate::lines`]); take each line's command by [the rule](crate::command#the-rule);
//! leave out lines that have none. That is the sequence [`CommandReader`] gives. What is *sent* of it is every
//! command whose [disposition](crate::command::Command::disposition) is
//! [`Send`](crate::command::Disposition::Send): a printer's journal of accepted commands equals exactly these
//! texts, in this order ([`sent_commands`]), besides what the host sends on its own account.
//!
//! An over-long line that is a comment has no command; any other over-long line is an error, because no
//! firmware could take it and nothing of it may be guessed.

use std::io::{self, BufRead};

use crate::command::{self, Code, Command, Disposition, Flaw};
use crate::lines::{Line, LineScanner, Position};

/// A line is longer than any command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {number} is {length} bytes long, which no printer takes: the file is damaged or is not G-code")]
pub struct OverLongLine {
    /// Number of the line, counted from 1.
    pub number: u64,
    /// Length of the line with its line end, in bytes.
    pub length: u64,
}

/// Why the commands of a file can't be read on.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The reader failed.
    #[error("the print file could not be read: {0}")]
    Io(#[from] io::Error),
    /// A line is not a command and can't be one.
    #[error(transparent)]
    OverLong(#[from] OverLongLine),
}

/// The command of a scanned line.
///
/// # Errors
/// [`OverLongLine`] when the line was not kept whole and is not a comment.
pub fn of_line<'a>(line: &Line<'a>) -> Result<Option<Command<'a>>, OverLongLine> {
    if !line.over_long {
        return Ok(command::parse(line.text));
    }
    let is_comment = line.text.trim_ascii_start().first() == Some(&b';');
    if is_comment {
        Ok(None)
    } else {
        Err(OverLongLine { number: line.number, length: line.end - line.start })
    }
}

/// A command and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedCommand<'a> {
    /// The command.
    pub command: Command<'a>,
    /// Number of its line in the file, counted from 1.
    pub line: u64,
    /// Byte offset of its line's first byte.
    pub start: u64,
    /// Byte offset of the next line's first byte.
    pub end: u64,
}

/// Reads the commands of a file one by one, holding no more than one line and the reader's own buffer.
#[derive(Debug)]
pub struct CommandReader<R> {
    reader: R,
    scanner: LineScanner,
    text: String,
}

/// What of a [`PlacedCommand`] is not its text.
struct Found {
    code: Option<Code>,
    flaw: Option<Flaw>,
    line: u64,
    start: u64,
    end: u64,
}

impl<R: BufRead> CommandReader<R> {
    /// Reads from the beginning of a file.
    pub fn new(reader: R) -> Self {
        Self::resume(reader, Position::START)
    }

    /// Reads on at `position`; the reader must stand there.
    pub fn resume(reader: R, position: Position) -> Self {
        Self { reader, scanner: LineScanner::resume(position), text: String::new() }
    }

    /// The next command with its place; none at the end of the file.
    ///
    /// # Errors
    /// [`ReadError`] when the reader fails or a line is too long to be a command. Reading may go on behind an
    /// over-long line.
    pub fn next_command(&mut self) -> Result<Option<PlacedCommand<'_>>, ReadError> {
        let Some(found) = self.find_next()? else { return Ok(None) };
        let command = Command::from_parts(&self.text, found.code, found.flaw);
        Ok(Some(PlacedCommand { command, line: found.line, start: found.start, end: found.end }))
    }

    /// Puts the text of the next command into `self.text`.
    fn find_next(&mut self) -> Result<Option<Found>, ReadError> {
        loop {
            let chunk = match self.reader.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                chunk => chunk?,
            };
            let at_end = chunk.is_empty();
            let mut rest = chunk;
            let line = if at_end { self.scanner.finish() } else { self.scanner.next_line(&mut rest) };
            let found = line.as_ref().map(|line| {
                let command = of_line(line)?;
                Ok(command.map(|command| {
                    self.text.clear();
                    self.text.push_str(command.text());
                    Found {
                        code: command.code(),
                        flaw: command.flaw(),
                        line: line.number,
                        start: line.start,
                        end: line.end,
                    }
                }))
            });
            let used = chunk.len() - rest.len();
            self.reader.consume(used);
            match found {
                Some(Err(error)) => return Err(error),
                Some(Ok(Some(found))) => return Ok(Some(found)),
                Some(Ok(None)) | None if at_end => return Ok(None),
                Some(Ok(None)) | None => {}
            }
        }
    }
}

/// Calls `each` with every command of a file that a host sends, in order; returns how many there were.
///
/// # Errors
/// As [`CommandReader::next_command`].
pub fn sent_commands(reader: impl BufRead, mut each: impl FnMut(&Command<'_>)) -> Result<u64, ReadError> {
    let mut reader = CommandReader::new(reader);
    let mut count = 0;
    while let Some(placed) = reader.next_command()? {
        if placed.command.disposition() == Disposition::Send {
            each(&placed.command);
            count += 1;
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::BufReader;

    type Seen = (String, u64, u64, u64);

    fn read(file: &[u8], buffer: usize) -> Vec<Result<Seen, OverLongLine>> {
        let mut reader = CommandReader::new(BufReader::with_capacity(buffer, file));
        let mut seen = Vec::new();
        loop {
            match reader.next_command() {
                Ok(None) => return seen,
                Ok(Some(p)) => seen.push(Ok((p.command.text().to_owned(), p.line, p.start, p.end))),
                Err(ReadError::OverLong(error)) => seen.push(Err(error)),
                Err(ReadError::Io(error)) => panic!("{error}"),
            }
        }
    }

    #[test]
    fn commands_with_their_places() {
        let file = b"; head\r\nG28 ; home\r\n\r\nG1 X1\nM0\nN5 M84*37";
        let seen: Vec<_> = read(file, 7).into_iter().map(Result::unwrap).collect();
        let expected = [("G28", 2, 8, 20), ("G1 X1", 4, 22, 28), ("M0", 5, 28, 31), ("M84", 6, 31, 40)];
        assert_eq!(seen, expected.map(|(text, line, start, end)| (text.to_owned(), line, start, end)));

        let mut sent = Vec::new();
        let count = sent_commands(file.as_slice(), |command| sent.push(command.text().to_owned())).unwrap();
        assert_eq!((count, sent), (3, ["G28", "G1 X1", "M84"].map(String::from).to_vec()));
    }

    #[test]
    fn a_long_comment_is_a_comment_and_a_long_command_is_an_error() {
        let long = "x".repeat(200_000);
        let file = format!("G28\n;{long}\nM117 {long}\nM84\n");
        let seen = read(file.as_bytes(), 8192);
        let error = OverLongLine { number: 3, length: 200_006 };
        assert_eq!(seen[1], Err(error));
        assert_eq!(seen[2].as_ref().unwrap().0, "M84");
        assert_eq!(
            error.to_string(),
            "line 3 is 200006 bytes long, which no printer takes: the file is damaged or is not G-code"
        );
    }

    proptest! {
        #[test]
        fn chunking_changes_nothing(
            file in proptest::collection::vec(
                prop_oneof![any::<u8>(), proptest::sample::select(b"\r\n\n\nG1XM5;( ".to_vec())], 0..400,
            ),
            buffer in 1_usize..40,
        ) {
            prop_assert_eq!(read(&file, buffer), read(&file, 1 << 16));
        }
    }
}
