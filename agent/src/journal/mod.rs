//! The agent's memory over restarts: one append-only file per printer, a JSON object a line.
//!
//! Owns: durability. Every append is on disk when it returns (few a job: an SD card must live); a line torn by a
//! power cut is dropped; the file is rewritten to its essence at each start.
//! Must not know: what the records are for.

mod record;

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

pub use record::{Held, Record, State};
use stardust_protocol::{EventBody, Timestamp};

/// The journal can't be kept: nothing may be printed without it.
#[derive(Debug, thiserror::Error)]
#[error("the journal {path} can't be written: {source}; free some space or check the disk")]
pub struct JournalError {
    path: PathBuf,
    source: std::io::Error,
}

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    /// Bytes that are whole records.
    length: u64,
    state: State,
}

impl Journal {
    /// Reads what is there, rewrites it to its essence, and opens it for more.
    ///
    /// # Errors
    /// [`JournalError`] when the disk does not let us.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let failed = |source| JournalError { path: path.to_owned(), source };
        let mut bytes = Vec::new();
        match File::open(path) {
            Ok(mut file) => {
                file.read_to_end(&mut bytes).map_err(failed)?;
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        let state = replay(&bytes);
        let new = path.with_extension("new");
        let mut file = File::create(&new).map_err(failed)?;
        let text = lines(&state.compacted());
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(failed)?;
        std::fs::rename(&new, path).map_err(failed)?;
        if let Some(folder) = path.parent() {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
        }
        let file = OpenOptions::new().append(true).open(path).map_err(failed)?;
        Ok(Self { path: path.to_owned(), file, length: text.len() as u64, state })
    }

    /// What the journal says, without opening it for more: quick, for who can't wait for the disk. A journal that can't
    /// be read says nothing.
    #[must_use]
    pub fn peek(path: &Path) -> State {
        std::fs::read(path).map(|bytes| replay(&bytes)).unwrap_or_default()
    }

    /// What the journal says.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Appends records; they are on disk when this returns. On an error none of them counts.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn append(&mut self, records: &[Record]) -> Result<(), JournalError> {
        let text = lines(records);
        if let Err(source) = self.file.write_all(&text).and_then(|()| self.file.sync_data()) {
            // What was half written must not stand in front of the next record.
            let _ = self.file.set_len(self.length);
            return Err(JournalError { path: self.path.clone(), source });
        }
        self.length += text.len() as u64;
        records.iter().for_each(|record| self.state.apply(record));
        Ok(())
    }

    /// Appends an event with the next number, and records that belong to it.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn append_event(
        &mut self,
        at: Timestamp,
        body: EventBody,
        with: impl IntoIterator<Item = Record>,
    ) -> Result<(), JournalError> {
        let mut records = vec![Record::Event(self.state.number(at, body))];
        records.extend(with);
        self.append(&records)
    }
}

fn lines(records: &[Record]) -> Vec<u8> {
    let mut text = Vec::new();
    for record in records {
        // Records are plain data: writing them to memory does not fail.
        if serde_json::to_writer(&mut text, record).is_ok() {
            text.push(b'\n');
        }
    }
    text
}

/// Adds up the records. A line that can't be read is one that was torn.
fn replay(bytes: &[u8]) -> State {
    let mut state = State::default();
    for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        match serde_json::from_slice(line) {
            Ok(record) => state.apply(&record),
            Err(error) => tracing::warn!(error = %error, "a torn line of the journal was dropped"),
        }
    }
    state
}

#[cfg(test)]
mod tests;
