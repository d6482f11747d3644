//! The journal's file: lines behind lines, and now and then all of them anew.
//!
//! Owns: that they are on disk when a call returns. Must not know: what they say.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use crate::plain_file;

/// Lines could not be written.
#[derive(Debug)]
pub(super) struct Unwritten {
    pub(super) source: std::io::Error,
    /// The next process may find some or all of them there all the same, the last one cut off.
    pub(super) may_be_there: bool,
}

/// Where lines are kept.
pub(super) trait Medium: Send + std::fmt::Debug {
    /// Puts lines behind what is there.
    fn append(&mut self, text: &[u8]) -> Result<(), Unwritten>;

    /// Puts lines in place of all others; never some of them.
    fn replace(&mut self, text: &[u8]) -> Result<(), Unwritten>;
}

/// A file, at a path.
#[derive(Debug)]
pub(super) struct JournalFile {
    path: PathBuf,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    file: File,
    /// Bytes that are whole lines.
    length: u64,
}

impl JournalFile {
    /// It is opened when it is first written.
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, open: None }
    }
}

impl Medium for JournalFile {
    fn append(&mut self, text: &[u8]) -> Result<(), Unwritten> {
        let Some(open) = &mut self.open else {
            return Err(Unwritten { source: ErrorKind::NotConnected.into(), may_be_there: false });
        };
        if let Err(source) = open.file.write_all(text).and_then(|()| open.file.sync_data()) {
            // What was half written counts for nothing. Where even that does not work, it is dropped when it is read.
            let may_be_there = open.file.set_len(open.length).is_err();
            self.open = None;
            return Err(Unwritten { source, may_be_there });
        }
        open.length += text.len() as u64;
        Ok(())
    }

    fn replace(&mut self, text: &[u8]) -> Result<(), Unwritten> {
        self.open = None;
        let new = self.path.with_extension("new");
        let written = plain_file::draft(&new).and_then(|mut file| {
            file.write_all(text)?;
            file.sync_all()?;
            std::fs::rename(&new, &self.path)
        });
        if let Err(source) = written {
            // Where there is no room, the half of it takes what there is.
            let _ = std::fs::remove_file(&new);
            return Err(Unwritten { source, may_be_there: false });
        }
        let settled = || {
            if let Some(folder) = self.path.parent() {
                plain_file::folder(folder)?.sync_all()?;
            }
            plain_file::open_to_append(&self.path)
        };
        let file = settled().map_err(|source| Unwritten { source, may_be_there: true })?;
        self.open = Some(Open { file, length: text.len() as u64 });
        Ok(())
    }
}
