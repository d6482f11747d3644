//! One printer of this agent: its settings, and the task that brings its port, its jobs and its hub together.
//!
//! Owns: wiring. A fault here ends this printer's task and no other. Must not know: other printers.

pub mod at_hand;
pub mod berth;
pub mod by_hand;
mod calls;
pub mod folder;
mod host_trouble;
mod interrupted;
pub mod left_hot;
mod no_return;
pub mod picture;
mod preheat;
mod progress;
mod question;
pub mod report;
mod return_to_job;
pub mod section;
pub mod stop_desk;
mod stops;
mod task;
pub mod wiring;

pub use task::Printer;

use std::path::PathBuf;

use crate::hub_link::client::HubError;
use crate::journal::JournalError;

/// How a printer's task has left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// With nothing at work, and safe as far as that could be had.
    Safe,
    /// At what it was at, with its port open: the next task has to go on with it, also if only to stop it.
    AsItIs,
    /// Because nothing can be done at this port, at which something may be hot: the next task looks after others first.
    PortGivenUp(PathBuf),
}

/// The printer can't be driven.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Its folder.
    #[error(transparent)]
    Folder(#[from] folder::FolderError),
    /// Its journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Its hub.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// Its port.
    #[error(transparent)]
    NotOurs(#[from] berth::NotOurs),
    /// A fault of the agent.
    #[error("the thread of its port has ended, which is a fault of the agent; please report it")]
    PortThread,
    /// Another task of this process works in its folder.
    #[error("the printer is just being made safe")]
    BeingMadeSafe,
    /// The system.
    #[error("the system refuses: {0}")]
    System(#[from] std::io::Error),
}

#[cfg(test)]
mod slow_disk;
