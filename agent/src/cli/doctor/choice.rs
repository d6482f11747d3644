//! Which printers `doctor` looks at: the named port, or those of all paired printers and of prints that were killed.
//!
//! Owns: the choice. It asks the disk, and the agent that runs here. Must not know: what is found at a port.

use super::Examination;
use super::findings;
use crate::cli::DoctorArguments;
use crate::cli::left_behind::LeftBehind;
use crate::cli::own_agent;
use crate::folder_lock::FolderLock;
use crate::port::{PortPlan, SpeedMemory, device};
use crate::printer::by_hand;
use crate::printer::folder::PrinterFolder;
use crate::settings::Settings;

/// What is looked at.
#[derive(Debug, Default)]
pub(super) struct Choice {
    /// The ports, and the names of their printers on this machine, where they were not named by their ports.
    pub(super) plans: Vec<(Option<String>, PortPlan)>,
    /// Of printers whose settings can't be read.
    pub(super) unread: Vec<Examination>,
}

impl Choice {
    /// By what was asked for.
    pub(super) fn of(options: &DoctorArguments, settings: &Settings) -> Self {
        let mut choice = Self::default();
        match &options.port {
            Some(port) => {
                let speeds = Some(SpeedMemory::new(&settings.data));
                choice.plans.push((None, PortPlan { speeds, ..PortPlan::new(port.clone(), options.baud) }));
            }
            None => {
                choice.add_paired(settings);
                choice.add_left_hot(settings);
            }
        }
        choice
    }

    fn add_paired(&mut self, settings: &Settings) {
        for folder in PrinterFolder::all(settings) {
            let printer = Some(folder.name());
            match folder.load() {
                Ok((config, _)) => self.plans.push((printer, folder.port_plan(&config))),
                Err(error) => {
                    let is_driven = own_agent::drives(settings, &folder) == Some(true);
                    // An agent that runs sees to the heaters, also of a printer that it can't drive.
                    let is_left = FolderLock::take_if_free(&settings.data).is_some() && folder.may_be_hot();
                    let hot = is_left.then(|| findings::left_behind(&LeftBehind::TheAgents));
                    let findings = [findings::unread(&error, is_driven)].into_iter().chain(hot).collect();
                    self.unread.push(Examination { port: None, printer, findings });
                }
            }
        }
    }

    /// What a print without a hub has left hot, where no printer of these is.
    fn add_left_hot(&mut self, settings: &Settings) {
        for plan in by_hand::plans_left_hot(settings) {
            // Whatever it is called in either.
            let here = device(&plan);
            let is_same =
                |other: &PortPlan| other.path == plan.path || here.is_some() && device(other) == here;
            if !self.plans.iter().any(|(_, other)| is_same(other)) {
                self.plans.push((None, plan));
            }
        }
    }
}
