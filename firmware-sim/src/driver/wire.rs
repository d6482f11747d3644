//! What a host did to its end of the line, written down as it happens: every byte, and each fall of DTR.
//!
//! Owns: that a reader sees it at once, unbuffered. Must not know: what the bytes mean.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::PathBuf;

use super::DriverError;

/// Stands in the record where the host has let DTR fall; no host sends these bytes.
const DTR_FELL: &[u8] = b"\n<DTR>\n";

/// The record of a line.
#[derive(Debug)]
pub(super) struct Wire {
    path: PathBuf,
    file: File,
}

impl Wire {
    pub(super) fn open(path: PathBuf) -> Result<Self, DriverError> {
        match OpenOptions::new().append(true).create(true).open(&path) {
            Ok(file) => Ok(Self { path, file }),
            Err(source) => Err(DriverError::Journal { path, source }),
        }
    }

    pub(super) fn came(&mut self, bytes: &[u8]) -> Result<(), DriverError> {
        let written = self.file.write_all(bytes);
        written.map_err(|source| self.error(source))
    }

    pub(super) fn dtr_fell(&mut self) -> Result<(), DriverError> {
        self.came(DTR_FELL)
    }

    fn error(&self, source: io::Error) -> DriverError {
        DriverError::Journal { path: self.path.clone(), source }
    }
}
