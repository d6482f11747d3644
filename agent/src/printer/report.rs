//! What `stardust-agent status` shows.
//!
//! Owns: its form, which is the JSON on the agent's socket and on its status page. Must not know: the hub's wire.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use stardust_protocol::{PreheatReason, PrinterState, PrinterStatus, Timestamp};

/// A printer as its task sees it.
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
    /// Minutes until heaters are turned off that stay on without a job, the one that has begun counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preheat_minutes: Option<u64>,
    /// Something of it may be on, and can't be turned off now: the printer is out of the agent's reach.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_be_hot: bool,
    /// Its agent drives it, by the settings that it has read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub driven: bool,
    /// The port that is driven, where that is another one than its settings name.
    #[serde(skip)]
    pub driven_at: Option<PathBuf>,
}

impl PrinterReport {
    /// What a person is told of heat without a job, if there is some.
    #[must_use]
    pub fn preheat(&self) -> Option<String> {
        let (preheat, minutes) = (self.status.preheat?, self.preheat_minutes?);
        Some(match preheat.reason {
            PreheatReason::Interrupted => format!("its bed is kept warm for {minutes} min more"),
            PreheatReason::Asked | PreheatReason::Unknown => format!("preheated for {minutes} min more"),
        })
    }

    /// Of a printer that is not driven, for a reason.
    #[must_use]
    pub fn idle(
        name: String,
        hub: String,
        link: String,
        state: PrinterState,
        message: Option<String>,
    ) -> Self {
        let status = PrinterStatus { message, ..PrinterStatus::new(state) };
        Self {
            name,
            hub,
            link,
            undelivered_events: 0,
            status,
            file_name: None,
            preheat_minutes: None,
            may_be_hot: false,
            driven: false,
            driven_at: None,
        }
    }
}

/// A printer as its agent sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PrinterEntry {
    /// What its task says.
    #[serde(flatten)]
    pub report: PrinterReport,
    /// Its serial port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<PathBuf>,
    /// What went wrong last, since the agent was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<LastError>,
    /// To be typed into the dashboard: the printer is not paired yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<String>,
    /// It has a PIN, which is not told here: anybody could read it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pin_withheld: bool,
}

/// Something that went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastError {
    /// When it was seen.
    pub at: Timestamp,
    /// What it was.
    pub message: String,
}

/// All printers of an agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentReport {
    /// When it was asked.
    pub at: Timestamp,
    /// The agent's process.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// Where the status page is, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_page: Option<String>,
    /// Its printers.
    pub printers: Vec<PrinterEntry>,
}

impl AgentReport {
    /// For whoever uses this machine: a PIN would let them pair the printer with a hub of theirs.
    #[must_use]
    pub fn without_pins(mut self) -> Self {
        for printer in &mut self.printers {
            printer.pin_withheld = printer.pin.take().is_some();
        }
        self
    }
}
