//! The contract between agent and hub.
//!
//! Owns: the ids, topics, messages, job and printer states, the version of the contract and its limits.
//! Must not know: sockets, databases, clocks or async runtimes. Everything here is data and pure rules.
//!
//! # Skew
//!
//! Agents and hubs are upgraded at different times. The rule, tested in [`version`]:
//! the same major version talks to each other when the minor versions differ by at most one.
//! Within that: fields are only added, never renamed or given another meaning; a reader ignores fields it
//! does not know; an added field has a default that means "the sender is older"; an enum that may grow has
//! an `Unknown` member which the reader passes over.

pub mod agent_api;
pub mod command;
pub mod event;
pub mod file_hash;
pub mod ids;
pub mod job_state;
pub mod limits;
pub mod patch;
pub mod preheat;
pub mod printer_state;
pub mod status;
pub mod telemetry;
pub mod time;
pub mod topic;
pub mod version;

pub use command::{Command, CommandMessage, CommandOutcome};
pub use event::{AgentEvent, EventBody};
pub use file_hash::FileHash;
pub use ids::{
    AttentionId, ClaimId, CommandId, FileId, FileVersionId, JobId, PrinterId, SessionId, TokenId, UserId,
    WorkspaceId,
};
pub use job_state::JobState;
pub use preheat::{Preheat, PreheatFlaw, PreheatReason, PreheatReport};
pub use printer_state::PrinterState;
pub use status::{
    Attention, Interruption, JobProgress, LayerStart, Motion, PrinterStatus, StatusMessage, StopReach,
    StopReport, Temperature,
};
pub use telemetry::TelemetrySample;
pub use time::Timestamp;
pub use version::ProtocolVersion;
