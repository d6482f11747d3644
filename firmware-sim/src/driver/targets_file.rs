//! What the heaters are set to, in a file: for tests that must not take a host's word for it.
//!
//! A JSON object `{"nozzles":[210.0],"bed":60.0,"chamber":null}`, replaced in one piece whenever it changes.

use std::fs;
use std::path::PathBuf;

use super::DriverError;
use crate::firmware::Targets;

/// The file, and what it says.
#[derive(Debug)]
pub(super) struct TargetsFile {
    path: PathBuf,
    told: Option<Targets>,
}

impl TargetsFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, told: None }
    }

    /// Writes them down if they are others than before.
    pub(super) fn tell(&mut self, targets: Targets) -> Result<(), DriverError> {
        if self.told.as_ref() == Some(&targets) {
            return Ok(());
        }
        let new = self.path.with_extension("new");
        let written = serde_json::to_vec(&targets)
            .map_err(Into::into)
            .and_then(|text| fs::write(&new, text))
            .and_then(|()| fs::rename(&new, &self.path));
        written.map_err(|source| DriverError::Targets { path: self.path.clone(), source })?;
        self.told = Some(targets);
        Ok(())
    }
}
