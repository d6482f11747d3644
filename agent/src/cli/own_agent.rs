//! Whether the agent that runs on this machine has a port, or drives a printer: it is no other program to its owner.
//!
//! Owns: finding that out and saying it. Must not know: why somebody else wants the port.

use std::path::Path;

use stardust_protocol::PrinterState;

use crate::printer::folder::PrinterFolder;
use crate::printer::report::AgentReport;
use crate::settings::Settings;
use crate::status_socket;

/// The printer on this port of the agent that runs here.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Driven {
    pub(super) printer: String,
    pub(super) state: PrinterState,
}

/// What the agent that runs here says of the printer in this folder: whether it drives it. None where nobody can be asked.
pub(super) fn drives(settings: &Settings, folder: &PrinterFolder) -> Option<bool> {
    let text = status_socket::ask(settings).ok()?;
    let report: AgentReport = serde_json::from_str(&text).ok()?;
    Some(report.printers.iter().any(|entry| folder.is_of(&entry.report.name) && entry.report.driven))
}

/// None as well where nobody can be asked: then whoever opens the port finds out.
pub(super) fn that_drives(settings: &Settings, port: &Path) -> Option<Driven> {
    let text = status_socket::ask(settings).ok()?;
    let report: AgentReport = serde_json::from_str(&text).ok()?;
    let device = port.canonicalize().ok()?;
    let entry = report.printers.iter().find(|entry| {
        let its = entry.port.as_deref().and_then(|path| path.canonicalize().ok());
        // One that is offline waits for a port that is not open.
        entry.report.status.state != PrinterState::Offline && its.as_ref() == Some(&device)
    })?;
    Some(Driven { printer: entry.report.name.clone(), state: entry.report.status.state })
}

impl Driven {
    /// Whether a print would be ended with its agent.
    pub(super) fn is_at_work(&self) -> bool {
        use PrinterState::{Attention, Paused, Preparing, Printing};
        matches!(self.state, Printing | Paused | Preparing | Attention)
    }

    /// What it is, without what to do.
    pub(super) fn in_words(&self, port: &Path) -> String {
        let (printer, state) = (&self.printer, self.state);
        format!("the agent that runs here has {} open, for its printer “{printer}” ({state})", port.display())
    }
}

/// How it is stopped.
pub(super) const STOP_IT: &str = "sudo systemctl stop stardust-agent (or end `stardust-agent run`)";
