//! The print that an agent has at hand at a port, for who wants that port while no agent is there.
//!
//! Owns: whose part may be on the bed there, and whether the next agent goes on with it. Must not know: what is wanted of the port.

use super::berth;
use super::folder::PrinterFolder;
use crate::disk_work::DiskWork;
use crate::folder_lock::FolderLock;
use crate::port::PortPlan;
use crate::settings::Settings;

/// A print that is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AtHand {
    /// Its printer.
    pub printer: String,
    /// Its file.
    pub file_name: String,
    /// The next agent goes on with it by itself, as long as the printer counts its lines as it did. Else it waits for a person.
    pub goes_on: bool,
    /// An agent has the printer, perhaps at another port than its settings name by now.
    pub has_agent: bool,
}

impl AtHand {
    /// What is at hand at the device of this plan.
    ///
    /// # Errors
    /// It can't be looked up.
    pub async fn at(settings: &Settings, plan: &PortPlan) -> std::io::Result<Option<Self>> {
        let (settings, plan) = (settings.clone(), plan.clone());
        let look =
            move || Ok(PrinterFolder::all(&settings).iter().find_map(|folder| Self::of(folder, &plan)));
        DiskWork::on_threads().run(look).await
    }

    fn of(folder: &PrinterFolder, plan: &PortPlan) -> Option<Self> {
        // One that can't be read owes heat, and that is said.
        let held = folder.look_at_journal().ok()?.held.filter(|held| held.started)?;
        berth::is_at_plan(folder, plan).then(|| Self {
            printer: folder.name(),
            file_name: held.claim.file_name,
            goes_on: held.cut_off.is_none(),
            has_agent: FolderLock::take_if_free(folder.path()).is_none(),
        })
    }
}
