//! What is known of a printer's port before it is opened.
//!
//! Owns: the settings of a port. Must not know: what is done with them.

use std::path::PathBuf;

use super::devices::{Adapter, DeviceTree};
use super::kept::Keeper;
use super::locator::Locator;
use super::speed_memory::SpeedMemory;
use crate::serial::Checkpoint;

/// How a printer's port is found and opened.
#[derive(Debug, Clone)]
pub struct PortPlan {
    /// As a person has named it.
    pub path: PathBuf,
    /// Bits a second; none: found out.
    pub baud: Option<u32>,
    /// Where a speed that was found is kept.
    pub speeds: Option<SpeedMemory>,
    /// Where the adapter that was found under the name is kept; without it, it is known until the agent ends.
    pub adapter_file: Option<PathBuf>,
    /// The adapter that is known, where there is no file to read it from.
    pub adapter: Option<Adapter>,
    /// The speed that was found last, where none was given.
    pub found: Option<u32>,
    /// Start the board anew each time its port is opened: a few don't answer otherwise.
    pub reset_on_open: bool,
    /// Where the open port is kept over the end of this process; none: it is closed then.
    pub keeper: Option<Keeper>,
    /// Where a job of an earlier process was that is not gone on with.
    pub left: Option<Checkpoint>,
    /// The machine's devices.
    pub devices: DeviceTree,
}

impl PortPlan {
    /// For this port; everything else is found out or left alone.
    #[must_use]
    pub fn new(path: PathBuf, baud: Option<u32>) -> Self {
        Self {
            path,
            baud,
            speeds: None,
            adapter_file: None,
            adapter: None,
            found: None,
            reset_on_open: false,
            keeper: None,
            left: None,
            devices: DeviceTree::default(),
        }
    }

    /// What the disk has to say of it is read now: whoever drives it by this neither asks nor tells the disk anything, however long that
    /// would take. What is found out then is not kept.
    #[must_use]
    pub fn without_disk(self) -> Self {
        let locator = Locator::of(&self);
        let recall = |speeds: &SpeedMemory| speeds.recall(&locator.identity());
        let found = self.found.or_else(|| self.speeds.as_ref().and_then(recall));
        Self { adapter: locator.into_adapter(), found, adapter_file: None, speeds: None, ..self }
    }
}
