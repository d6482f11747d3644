//! What the hub asks of an agent.
//!
//! Topic: `…/command` (hub → agent, QoS 1). A command is a row in the hub's database until its outcome is known:
//! the agent fetches the open ones (`GET /agent/v1/commands`) on every connect, so a lost message costs
//! time, never the command. An agent carries out each id once and answers a repeat with the same outcome.

use serde::{Deserialize, Serialize};

use crate::{AttentionId, CommandId, JobId, Preheat, ProtocolVersion, Timestamp};

/// One message on the command topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandMessage {
    /// What the hub speaks.
    pub protocol: ProtocolVersion,
    /// Identifies the command in its outcome. Hints have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<CommandId>,
    /// When the hub wrote it.
    pub at: Timestamp,
    /// After this it must not be carried out any more; the outcome is then `expired`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// What to do.
    pub command: Command,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Command {
    /// A hint: there may be a job to claim. Has no outcome.
    Wake,
    /// A hint: send the whole status. Has no outcome.
    ReportStatus,
    /// Pause this job.
    Pause {
        /// The job; another one at work means `refused`.
        job_id: JobId,
    },
    /// Go on with this paused job.
    Resume {
        /// The job.
        job_id: JobId,
    },
    /// Go on with this job, which was cut off ([`crate::Interruption`]), from the beginning of a layer.
    ResumeFrom {
        /// The job.
        job_id: JobId,
        /// One of [`crate::Interruption::layers`]; anything else means `refused`.
        layer: u32,
    },
    /// Stop this job and make the printer safe: heaters off.
    Cancel {
        /// The job.
        job_id: JobId,
    },
    /// Answer what the printer asks ([`crate::Attention`]).
    Answer {
        /// What is answered; anything else that is asked by then means `refused`.
        attention_id: AttentionId,
        /// The button, by its place in the list from 0. Without buttons: 0, which lets the printer go on.
        button: u8,
    },
    /// Stop the machine itself, at once: `M112`, and the board's DTR line. Needs no job and no state; it is done before anything
    /// else, and never too late by the agent's clock: the hub takes it back by itself. Sent again and again until it is
    /// answered: `done` when `M112` has left the printer's host, `refused` when it could not be sent. How far it is meanwhile is in
    /// [`crate::PrinterStatus::emergency_stop`]. From minor 1.
    EmergencyStop,
    /// Heat a printer that has no job, for a time. `done` when its heaters are set: until when they stay so is in
    /// [`crate::PrinterStatus::preheat`]. Another one takes its place. From minor 1.
    Preheat(Preheat),
    /// Turn off what is heated without a job. From minor 1.
    CoolDown,
    /// From a newer hub; answered as `refused`.
    #[serde(other)]
    Unknown,
}

impl Command {
    /// Whether whoever carries it out lets something on the printer begin or go on: it moves or heats then. None of these is done on a
    /// printer that was stopped at once, unless it was asked for after a person had said that the printer is in order again.
    #[must_use]
    pub fn starts_something(&self) -> bool {
        match self {
            Self::Resume { .. } | Self::ResumeFrom { .. } | Self::Answer { .. } | Self::Preheat(_) => true,
            // A job is given by a claim, and by a leave to start.
            Self::Wake | Self::ReportStatus => false,
            Self::Pause { .. } | Self::Cancel { .. } | Self::EmergencyStop | Self::CoolDown => false,
            // It is refused.
            Self::Unknown => false,
        }
    }
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum CommandOutcome {
    /// Carried out, or under way: the job's transitions tell the rest.
    Done,
    /// Arrived too late.
    Expired,
    /// Not possible now.
    Refused {
        /// A sentence for the person who asked.
        reason: String,
    },
}
