//! What must not be lost: transitions of jobs and outcomes of commands.
//!
//! The agent writes each event to its journal with the next sequence number, posts them in order to
//! `POST /agent/v1/events`, and keeps them until the hub has acknowledged that number. The hub
//! applies each number once; repeats are acknowledged again and change nothing.

use serde::{Deserialize, Serialize};

use crate::{ClaimId, CommandId, CommandOutcome, JobId, JobState, Timestamp};

/// One event of an agent's journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentEvent {
    /// Counts this printer's events from 1, without gaps, over restarts of the agent.
    pub seq: u64,
    /// When it happened, by the agent's clock.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub body: EventBody,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EventBody {
    /// A job moved to another state.
    JobMoved {
        /// The job.
        job_id: JobId,
        /// The claim under which the agent holds it: a claim that the hub has given up changes nothing.
        claim_id: ClaimId,
        /// The state that it is in now.
        state: JobState,
        /// For `failed` (and `paused` when the printer paused itself): a sentence a person can act on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Fraction done, 0 to 1, when it moved.
        #[serde(default)]
        fraction: f64,
        /// Seconds of printing so far, pauses excluded.
        #[serde(default)]
        elapsed_s: u64,
    },
    /// A command was carried out, came too late, or was refused.
    CommandAnswered {
        /// The command.
        command_id: CommandId,
        /// What became of it.
        #[serde(flatten)]
        outcome: CommandOutcome,
    },
    /// From a newer agent: acknowledged and passed over.
    #[serde(other)]
    Unknown,
}
