//! Live status: what an agent says about its printer several times a minute.
//!
//! Topic: `…/status` (agent → hub, QoS 0). Sent whole on every connect and when the hub asks, as a merge patch
//! of the last one after that. Nothing here must be lost for the books to be right: those are in [`crate::event`].

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    AttentionId, CommandId, JobId, JobState, PreheatReport, PrinterState, ProtocolVersion, SessionId,
    Timestamp,
};

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
#[allow(clippy::large_enum_variant, reason = "one at a time: made, sent and taken apart")]
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
    /// What the printer wants of a person: with the state `attention` alone. `message` then says it in a
    /// sentence, for readers who show no buttons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attention: Option<Attention>,
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
    /// Where the job has sent the nozzle and how fast things run, while there is a job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub motion: Option<Motion>,
    /// The job at work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobProgress>,
    /// The job was cut off and waits for a person to say from which layer it goes on. It is `paused` then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interruption: Option<Interruption>,
    /// How far the last stop at once came that this run of the agent was asked for. From minor 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emergency_stop: Option<StopReport>,
    /// Its heaters stay on although no job is at work, for a time. From minor 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preheat: Option<PreheatReport>,
    /// It has stopped, by itself or by a stop at once, and tells nothing any more: temperatures and targets are those of before.
    /// From minor 1.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub halted: bool,
    /// `message` tells of a stop at once: it is over and done with when a person has cleared that. From minor 1.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub about_stop: bool,
    /// Something was heated and was not read back as off since, and its agent does not reach it: its heaters stay as they were set,
    /// whatever was measured, or was not. From minor 1.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_be_hot: bool,
}

impl PrinterStatus {
    /// Nothing known but the state.
    #[must_use]
    pub fn new(state: PrinterState) -> Self {
        Self {
            state,
            message: None,
            attention: None,
            firmware: None,
            agent_version: None,
            tools: Vec::new(),
            bed: None,
            chamber: None,
            motion: None,
            job: None,
            interruption: None,
            emergency_stop: None,
            preheat: None,
            halted: false,
            about_stop: false,
            may_be_hot: false,
        }
    }
}

/// How far a stop at once ([`crate::Command::EmergencyStop`]) has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StopReport {
    /// Which one.
    pub command_id: CommandId,
    /// How far.
    pub reach: StopReach,
    /// Since when, by the hub's time as far as the agent knows it.
    pub at: Timestamp,
}

/// How far a stop at once has come at its agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum StopReach {
    /// The printer's port is closed: `M112` is the first thing that it is sent when it is open again.
    PortClosed,
    /// `M112` was sent, and the board was not reset: the firmware acts on it as it comes, or the DTR line could not be pulsed.
    Sent,
    /// `M112` was sent, and the board was reset by its DTR line, too, where it is wired so: the firmware may not listen in
    /// time.
    SentAndReset,
    /// The port takes no bytes, so `M112` was not sent. Whether the board's DTR line could be pulsed is in the command's outcome.
    NotTaken,
    /// The port stayed closed for too long: nothing was sent.
    GivenUp,
    /// From a newer agent.
    #[serde(other)]
    Unknown,
}

/// A print that was cut off because its printer lost its power or was reset. The firmware has forgotten everything; the
/// part and the file are there. A person looks at the part and says from which layer it goes on
/// ([`crate::Command::ResumeFrom`]), or gives it up ([`crate::Command::Cancel`]).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Interruption {
    /// The job.
    pub job_id: JobId,
    /// The layer that was being printed, from 1, as far as it is known: power may have failed a little later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<u32>,
    /// How high the nozzle stood, mm, as far as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height_mm: Option<f64>,
    /// It was paused, and the pause has left the nozzle above the part, [`Self::height_mm`] (mm) up. The printer is told that
    /// height when the print goes on: the nozzle is to be left there, and *not* to be brought to the height of a layer. From
    /// minor 1.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub parked: bool,
    /// The layers that it may go on from, lowest first: those about [`Self::layer`]. Empty when it can't go on at all, or while
    /// its file is being read.
    #[serde(default)]
    pub layers: Vec<LayerStart>,
    /// What has happened, a sentence: the reason that its job was paused with, as long as no request has put another in its place.
    /// From minor 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why it can't go on, a sentence. Without [`Self::layers`] it can only be given up; with them it did not go on from the
    /// layer that was chosen last, and another one may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
}

/// A layer that a print may go on from. Whoever names it says that the nozzle stands at its height; where the print was
/// [parked](Interruption::parked), that it stands where the pause has left it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LayerStart {
    /// Its number, from 1.
    pub layer: u32,
    /// How high the nozzle is when it is printed, mm.
    pub height_mm: f64,
}

/// What a printer wants of a person: a question of its firmware, or a wait at its panel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Attention {
    /// Which question: the next one has another id, even with the same words.
    pub id: AttentionId,
    /// The question, in the firmware's words where it has some.
    pub text: String,
    /// The answers that it offers, in their order. None: all that can be said is "go on".
    #[serde(default)]
    pub buttons: Vec<String>,
    /// It is answered at the printer alone: its firmware takes no command before. From minor 1.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_at_printer: bool,
}

/// What the job's commands have set. Of the commands that were sent: the nozzle is some moves behind.
/// What was set at the printer's own panel does not show here.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Motion {
    /// X, mm; absent while nobody knows, as after homing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x: Option<f64>,
    /// Y, mm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y: Option<f64>,
    /// Z, mm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub z: Option<f64>,
    /// Part cooling, percent of full speed (`M106`); absent: the job has not set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fan_percent: Option<f64>,
    /// Feed rate, percent of what the file says (`M220`); absent: the job has not set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed_percent: Option<f64>,
    /// Extrusion, percent of what the file says (`M221`); absent: the job has not set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow_percent: Option<f64>,
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
