//! What prints may have left hot, of this data directory.
//!
//! Owns: which folders of prints owe something, and which of them at a device: by their adapters, whatever its name has become. Must not
//! know: how anything is turned off.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::names::{BY_HAND, alive, is_by_hand, port_of};
use crate::folder_lock::FolderLock;
use crate::port::{self, PortPlan};
use crate::printer::folder::{JournalStamp, PrinterFolder};
use crate::serial::Heaters;
use crate::settings::Settings;

/// The folders of prints that may have left something hot, or still may.
pub(in crate::printer) fn left_hot(settings: &Settings) -> Vec<PrinterFolder> {
    all(&settings.data)
        .into_iter()
        .map(|path| PrinterFolder::at(settings, path))
        .filter(PrinterFolder::may_be_hot)
        .collect()
}

/// Where prints that are over may have left something hot: by their adapters, whatever has their ports' names now.
#[must_use]
pub fn plans_left_hot(settings: &Settings) -> Vec<PortPlan> {
    let is_over = |print: &PrinterFolder| FolderLock::take_if_free(&alive(print.path())).is_some();
    // What is found out on the way is not kept: what is theirs is gone when their heaters are off.
    let plan = |print: PrinterFolder| Some(print.port_plan_of(port_of(&print)?, None).without_disk());
    left_hot(settings).into_iter().filter(is_over).filter_map(plan).collect()
}

/// A print that may have left something hot, and what its journal was then.
#[derive(Debug, Clone)]
pub(crate) struct LeftByHand {
    print: PrinterFolder,
    journal: Option<JournalStamp>,
    heaters: Heaters,
}

/// The same folder, in which nobody has written since.
impl PartialEq for LeftByHand {
    fn eq(&self, other: &Self) -> bool {
        self.print.path() == other.print.path() && self.journal == other.journal
    }
}

impl LeftByHand {
    pub(super) fn of(print: PrinterFolder) -> Self {
        Self { journal: print.journal_stamp(), heaters: heated_by(&print), print }
    }

    /// The name of its port then.
    pub(super) fn port(&self) -> Option<PathBuf> {
        port_of(&self.print)
    }

    /// Nobody has written there since.
    pub(super) fn is_as_it_was(&self) -> bool {
        self.print.journal_stamp() == self.journal
    }

    /// What it has heated, beside the heaters that the printer tells of.
    pub(in crate::printer) fn heaters(&self) -> &Heaters {
        &self.heaters
    }

    /// It was read back that all is off. Another print that has begun there meanwhile, on a slow disk, owes for itself.
    pub(in crate::printer) fn forget(&self) -> std::io::Result<()> {
        if self.is_as_it_was() { forget(&self.print) } else { Ok(()) }
    }
}

/// Those that may have left the printer at this port hot, for who drives a printer of the same data.
pub(in crate::printer) fn left_at(folder: &PrinterFolder, plan: &PortPlan) -> Vec<LeftByHand> {
    left_hot_at(folder, plan).into_iter().map(LeftByHand::of).collect()
}

fn heated_by(print: &PrinterFolder) -> Heaters {
    let mut heaters = Heaters::default();
    match print.look_at_journal() {
        Ok(state) => state.heat.iter().for_each(|owed| heaters.add(&owed.heaters)),
        Err(_) => heaters = Heaters::unknown(),
    }
    heaters
}

/// The same, by their folders.
pub(in crate::printer) fn left_hot_at(folder: &PrinterFolder, plan: &PortPlan) -> Vec<PrinterFolder> {
    let data = folder.path().parent().and_then(Path::parent);
    let (Some(data), Some(device)) = (data, port::device(plan)) else { return Vec::new() };
    let prints = all(data).into_iter().map(|path| folder.beside(path)).filter(PrinterFolder::may_be_hot);
    let is_there = |print: &PrinterFolder| {
        let port = port_of(print)?;
        let theirs = PortPlan { devices: plan.devices.clone(), ..print.port_plan_of(port, None) };
        Some(port::device(&theirs)? == device)
    };
    prints.filter(|print| is_there(print) == Some(true)).collect()
}

/// Nothing is owed any more: of a print nothing is kept.
pub(in crate::printer) fn forget(folder: &PrinterFolder) -> std::io::Result<()> {
    if !is_by_hand(folder) {
        return Ok(());
    }
    for file in [folder.adapter_file(), folder.journal()] {
        match fs::remove_file(&file) {
            Err(error) if error.kind() == ErrorKind::IsADirectory => fs::remove_dir_all(file)?,
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn all(data: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(data.join(BY_HAND)).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}
