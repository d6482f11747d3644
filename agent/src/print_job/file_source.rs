//! A print file as a source of commands.
//!
//! Owns: reading it piece by piece, and the layers that its comments tell. Must not know: how commands are sent.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::Path;

use stardust_gcode::command::Command;
use stardust_gcode::commands::of_line;
use stardust_gcode::lines::{LineScanner, Position};

use crate::plain_file;
use crate::serial::{CommandSource, Fed, SourceError};

/// A print file being read.
#[derive(Debug)]
pub struct FileSource<R> {
    reader: R,
    scanner: LineScanner,
    layer: Option<u32>,
}

impl FileSource<BufReader<File>> {
    /// Opens a file.
    ///
    /// # Errors
    /// When it can't be opened.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        Self::open_at(path, 0, None)
    }

    /// Opens a file to read on behind a line that ends at `offset`, in this layer.
    ///
    /// # Errors
    /// When it can't be opened.
    pub fn open_at(path: &Path, offset: u64, layer: Option<u32>) -> std::io::Result<Self> {
        let mut file = plain_file::open(path)?;
        file.seek(SeekFrom::Start(offset))?;
        let reader = BufReader::with_capacity(32 * 1024, file);
        // Its number is told only of a line that admission would have refused.
        let scanner = LineScanner::resume(Position { offset, ..Position::START });
        Ok(Self { reader, scanner, layer })
    }
}

impl<R: BufRead> FileSource<R> {
    /// Reads from the beginning.
    pub fn new(reader: R) -> Self {
        Self { reader, scanner: LineScanner::new(), layer: None }
    }

    fn next(&mut self) -> Result<Option<Fed>, SourceError> {
        loop {
            let chunk = match self.reader.fill_buf() {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                chunk => chunk.map_err(|error| SourceError(error.to_string()))?,
            };
            let at_end = chunk.is_empty();
            let mut rest = chunk;
            let line = if at_end { self.scanner.finish() } else { self.scanner.next_line(&mut rest) };
            let mut fed = None;
            if let Some(line) = &line {
                self.layer = layer_after(line.text, self.layer);
                let command = of_line(line).map_err(|error| SourceError(error.to_string()))?;
                fed = command.map(Command::into_owned).map(|command| (command, line.end));
            }
            let nothing = line.is_none();
            let used = chunk.len() - rest.len();
            self.reader.consume(used);
            if let Some((command, end)) = fed {
                return Ok(Some(Fed { command, end, layer: self.layer }));
            }
            if at_end && nothing {
                return Ok(None);
            }
        }
    }
}

impl<R: BufRead + Send + std::fmt::Debug> CommandSource for FileSource<R> {
    fn next_command(&mut self) -> Result<Option<Fed>, SourceError> {
        self.next()
    }
}

/// The layer after this line: `;LAYER:0` is Cura's first, `;LAYER_CHANGE` begins PrusaSlicer's next.
pub(super) fn layer_after(line: &[u8], layer: Option<u32>) -> Option<u32> {
    if !line.starts_with(b";LAYER") {
        return layer;
    }
    if line.starts_with(b";LAYER_CHANGE") {
        return Some(layer.unwrap_or(0).saturating_add(1));
    }
    let number = line.strip_prefix(b";LAYER:").and_then(|text| std::str::from_utf8(text).ok());
    match number.and_then(|number| number.trim().parse::<i64>().ok()) {
        // Cura counts the layers of a raft below zero.
        Some(number) => Some(u32::try_from(number.max(0)).unwrap_or(u32::MAX).saturating_add(1)),
        None => layer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_come_with_their_ends_and_layers() {
        let file = b"; head\nG28 ; home\n\n;LAYER:0\nG1 X1\n;LAYER:1\n(note)\nG1 X2";
        let mut source = FileSource::new(&file[..]);
        let mut seen = Vec::new();
        while let Some(fed) = source.next().unwrap() {
            seen.push((fed.command.text().to_owned(), fed.end, fed.layer));
        }
        let at =
            |text: &str| file.windows(text.len()).position(|bytes| bytes == text.as_bytes()).unwrap() as u64;
        assert_eq!(
            seen,
            [
                ("G28".to_owned(), at("\n;LAYER:0"), None),
                ("G1 X1".to_owned(), at(";LAYER:1"), Some(1)),
                ("G1 X2".to_owned(), file.len() as u64, Some(2)),
            ]
        );
    }

    #[test]
    fn a_file_is_read_on_behind_any_command() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.gcode");
        std::fs::write(&path, "G28\r\n;LAYER:0\nG1 X1\n;LAYER:1\nG1 X2\r\nG1 X3").unwrap();
        let read = |mut source: FileSource<_>| {
            let mut seen = Vec::new();
            while let Some(fed) = source.next().unwrap() {
                seen.push(fed);
            }
            seen
        };
        let all = read(FileSource::open(&path).unwrap());
        assert_eq!(all.len(), 4);
        for (at, fed) in all.iter().enumerate() {
            assert_eq!(read(FileSource::open_at(&path, fed.end, fed.layer).unwrap()), all[at + 1..]);
        }
    }

    #[test]
    fn both_slicers_layers_are_counted() {
        let layers =
            |lines: &[&str]| lines.iter().fold(None, |layer, line| layer_after(line.as_bytes(), layer));
        assert_eq!(layers(&[";LAYER:-2"]), Some(1));
        assert_eq!(layers(&[";LAYER_CHANGE", ";LAYER_CHANGE"]), Some(2));
        assert_eq!(layers(&[";LAYER_COUNT:93"]), None);
    }
}
