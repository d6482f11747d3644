//! The journal in a file, flushed in time. Told the time, it has no clock of its own.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter};
use std::path::PathBuf;
use std::time::Duration;

use super::DriverError;
use crate::firmware::Accepted;
use crate::journal::Journal;

/// Readers see an entry at the latest after this.
const FLUSH_AFTER: Duration = Duration::from_millis(100);

/// A journal that is appended to.
#[derive(Debug)]
pub(super) struct JournalFile {
    path: PathBuf,
    journal: Journal<BufWriter<File>>,
    flush_at: Option<Duration>,
}

impl JournalFile {
    pub(super) fn open(path: PathBuf) -> Result<Self, DriverError> {
        let journal = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&path)
            .and_then(|file| Journal::begin(BufWriter::with_capacity(64 * 1024, file)))
            .and_then(|mut journal| journal.flush().map(|()| journal));
        match journal {
            Ok(journal) => Ok(Self { path, journal, flush_at: None }),
            Err(source) => Err(DriverError::Journal { path, source }),
        }
    }

    /// Writes down what was accepted; returns when it must be called again to flush.
    pub(super) fn record(
        &mut self,
        accepted: &[Accepted],
        real: Duration,
    ) -> Result<Option<Duration>, DriverError> {
        for accepted in accepted {
            self.journal.append(accepted).map_err(|source| self.error(source))?;
            self.flush_at.get_or_insert(real + FLUSH_AFTER);
        }
        if self.flush_at.is_some_and(|at| real >= at) {
            self.flush()?;
        }
        Ok(self.flush_at)
    }

    pub(super) fn flush(&mut self) -> Result<(), DriverError> {
        self.flush_at = None;
        self.journal.flush().map_err(|source| self.error(source))
    }

    fn error(&self, source: io::Error) -> DriverError {
        DriverError::Journal { path: self.path.clone(), source }
    }
}
