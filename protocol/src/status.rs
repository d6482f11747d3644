//! Live status: what an agent says about its printer several times a minute.
//!
//! Topic: `…/status` (agent → hub, QoS 0). Sent whole on every connect and when the hub asks, as a merge patch
//! of the last one after that. Nothing here must be lost for the books to be right: those are in [`crate::event`].

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{JobId, JobState, PrinterState, ProtocolVersion, SessionId, Timestamp};

/// One message on the status topic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatusMessage {
    /// What the sender speaks.
    pub protocol: ProtocolVersion,
    /// One run of the agent: a new one means that all deltas start anew.
    pub session: SessionId,
    /// Counts this session's status messages from 1: a gap means a lost delta, and the hub asks for the whole.
    pub seq: u64,
    /// When the agent wrote it, by the agent's clock.
    pub at: Timestamp,
    /// The whole, or what changed.
    pub body: StatusBody,
}

/// The whole status or a merge patch of the one before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusBody {
    /// Everything.
    Full(PrinterStatus),
    /// An RFC 7396 merge patch of the last status of this session ([`crate::patch`]).
    Delta(Value),
}

/// All that is known live about a printer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PrinterStatus {
    /// What the printer is doing.
    pub state: PrinterState,
    /// A sentence for people when the state needs one: a fault, a prompt of the firmware.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// `FIRMWARE_NAME` of M115.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware: Option<String>,
    /// Version of the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_version: Option<String>,
    /// Hot ends, by tool number.
    #[serde(default)]
    pub tools: Vec<Temperature>,
    /// The heated bed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bed: Option<Temperature>,
    /// The heated chamber.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chamber: Option<Temperature>,
    /// The job at work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobProgress>,
}

impl PrinterStatus {
    /// Nothing known but the state.
    #[must_use]
    pub fn new(state: PrinterState) -> Self {
        Self {
            state,
            message: None,
            firmware: None,
            agent_version: None,
            tools: Vec::new(),
            bed: None,
            chamber: None,
            job: None,
        }
    }
}

/// A heater, in °C.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Temperature {
    /// Measured, °C.
    pub actual: f64,
    /// Set, °C; 0 means off.
    pub target: f64,
}

/// How far the printer is with a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobProgress {
    /// Which job.
    pub job_id: JobId,
    /// The state that the agent has it in; the hub's record follows by events.
    pub state: JobState,
    /// Fraction done, 0 to 1.
    pub fraction: f64,
    /// Bytes of the file acknowledged by the firmware.
    pub acknowledged_bytes: u64,
    /// Length of the file in bytes.
    pub total_bytes: u64,
    /// Seconds since the first line, pauses excluded.
    pub elapsed_s: u64,
    /// Seconds to go as far as anyone can tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_s: Option<u64>,
    /// The layer being printed, from 1, where the file says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<u32>,
}
