//! What `stardust-agent status` shows of one printer.
//!
//! Owns: its form, which is a file (`status.json`) that `run` keeps. Must not know: the hub's wire.

use serde::{Deserialize, Serialize};
use stardust_protocol::{PrinterStatus, Timestamp};

/// A printer as its agent sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PrinterReport {
    /// Its name.
    pub name: String,
    /// Its hub.
    pub hub: String,
    /// How the link to the hub is, in a sentence.
    pub link: String,
    /// Events that the hub does not know yet.
    pub undelivered_events: usize,
    /// The printer.
    pub status: PrinterStatus,
    /// The file being printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
}

/// All printers of an agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentReport {
    /// When it was written.
    pub at: Timestamp,
    /// The agent's process.
    pub pid: u32,
    /// Its printers.
    pub printers: Vec<PrinterReport>,
}
