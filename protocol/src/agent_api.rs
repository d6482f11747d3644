//! The bodies of the HTTPS calls that an agent makes (`/agent/v1`), all JSON.
//!
//! | call | body | answer |
//! |---|---|---|
//! | `POST /agent/v1/pair` (no credential) | [`PairRequest`] | [`PairResponse`] |
//! | `POST /agent/v1/pairing-pins` (no credential) | [`PinRequest`] | [`PinResponse`] |
//! | `POST /agent/v1/pairing-pins/poll` (no credential) | [`PinPollRequest`] | [`PinPollResponse`] |
//! | `GET /agent/v1/session` | | [`SessionResponse`] |
//! | `POST /agent/v1/claim` | [`ClaimRequest`] | [`ClaimResponse`] |
//! | `GET /agent/v1/jobs/{job}/file` | `Range` honoured, `ETag` is the sha256 | the bytes |
//! | `POST /agent/v1/jobs/{job}/start` | [`StartRequest`] | [`StartResponse`] |
//! | `POST /agent/v1/events` | [`EventsRequest`] | [`EventsResponse`] |
//! | `GET /agent/v1/commands` | | [`CommandsResponse`] |
//! | `GET /agent/v1/commands/next` | | [`CommandsResponse`], when there is one |
//! | `POST /agent/v1/telemetry` | [`TelemetryRequest`] | [`TelemetryResponse`] |
//!
//! The credential is the device token: `Authorization: Bearer …`. Every error is an RFC 9457 problem.
//!
//! An agent that MQTT does not reach waits with `commands/next`: it is answered as soon as the hub says something to this agent, at
//! the latest after [`crate::limits::COMMAND_WAIT_MS`] with nothing, and holds what would have come by MQTT since the last such
//! call, hints too. One call of an agent waits at a time. A hub of before minor 1 has no such call (404).
//!
//! With the credential goes [`INSTANCE_HEADER`]: a card or a data folder may be copied, and then two agents use one
//! credential. The hub listens to one of them: whoever came first, until it has been silent for
//! [`crate::limits::INSTANCE_SILENCE_MS`]. The other is refused meanwhile with problem `another_agent` (423), tries
//! again later, and loses nothing by it: neither its claim nor its events. Without the header nothing is checked.

use serde::{Deserialize, Serialize};

use crate::file_hash::FileHash;
use crate::{
    AgentEvent, ClaimId, CommandMessage, JobId, PrinterId, ProtocolVersion, TelemetrySample, Timestamp,
    WorkspaceId,
};

/// Tells running agents apart that use the same credential: an opaque text of at most
/// [`crate::limits::MAX_INSTANCE_CHARS`] visible ASCII characters. It stays the same when the agent's process starts anew, and
/// is another one for a copied card on another machine and for a copied folder on the same one.
pub const INSTANCE_HEADER: &str = "stardust-agent-instance";

/// Turns a pairing code into a device credential.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairRequest {
    /// The eight characters that the dashboard shows; case and dashes don't matter.
    pub code: String,
    /// What the agent speaks.
    pub protocol: ProtocolVersion,
    /// Version of the agent, for people.
    pub agent_version: String,
    /// The printer's name on the dashboard.
    pub printer_name: String,
    /// Printer model, where known (M115's `MACHINE_TYPE`, or given by a person).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub printer_model: Option<String>,
    /// The credential that this hub has given the agent for this printer before: if it counts still and the code is of
    /// the same workspace, the printer stays the same and only gets a new credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

/// Asks for a PIN that a member types into the dashboard: pairing from the printer's side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinRequest {
    /// What the agent speaks.
    pub protocol: ProtocolVersion,
    /// Version of the agent, for people.
    pub agent_version: String,
    /// The printer's name on the dashboard.
    pub printer_name: String,
    /// Printer model, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub printer_model: Option<String>,
}

/// A PIN, and how to learn that it was typed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinResponse {
    /// For people to see: eight characters with a dash. Good once.
    pub pin: String,
    /// For the agent alone: who has it gets the credential.
    pub poll_token: String,
    /// Until when it can be typed.
    pub expires_at: Timestamp,
    /// For how long it can be typed, in seconds: the agent's clock may be wrong.
    pub expires_in_s: u64,
    /// How often to ask, in seconds.
    pub poll_every_s: u64,
}

/// Asks whether a PIN was typed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinPollRequest {
    /// Of [`PinResponse`].
    pub poll_token: String,
}

/// Whether a PIN was typed. An unknown or expired one is problem `no_such_pin` (404): ask for another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinPollResponse {
    /// Absent: not yet. Asked again after an answer that got lost, the credential is another one, and the last one
    /// counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paired: Option<PairResponse>,
}

/// The new printer and its credential.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairResponse {
    /// The workspace that it belongs to now.
    pub workspace_id: WorkspaceId,
    /// The printer.
    pub printer_id: PrinterId,
    /// The name that it got: the asked one, or one with a number when that was taken.
    pub printer_name: String,
    /// The device token. The hub keeps only its hash: it is never told again.
    pub token: String,
}

// The code and the token are secrets: they must not reach a log by way of Debug.
impl std::fmt::Debug for PairRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PairRequest").field("printer_name", &self.printer_name).finish_non_exhaustive()
    }
}
impl std::fmt::Debug for PinResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PinResponse").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}
impl std::fmt::Debug for PinPollRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PinPollRequest").finish_non_exhaustive()
    }
}
impl std::fmt::Debug for PairResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PairResponse").field("printer_id", &self.printer_id).finish_non_exhaustive()
    }
}

/// What an agent asks for at each start and reconnect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionResponse {
    /// What the hub speaks.
    pub protocol: ProtocolVersion,
    /// The workspace that the printer belongs to.
    pub workspace_id: WorkspaceId,
    /// The printer that the credential speaks for.
    pub printer_id: PrinterId,
    /// Its present name.
    pub printer_name: String,
    /// Where the MQTT gateway listens.
    pub mqtt: MqttEndpoint,
    /// The last event number that the hub has applied: an agent with an empty journal counts on from here.
    pub last_event_seq: u64,
    /// The hub's clock.
    pub now: Timestamp,
}

/// Where the MQTT gateway listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MqttEndpoint {
    /// Host name or address; absent: the host that the agent reaches the hub's HTTPS at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// TCP port.
    pub port: u16,
    /// Whether the port speaks TLS.
    pub tls: bool,
}

/// Asks for the next job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimRequest {
    /// What the agent speaks.
    pub protocol: ProtocolVersion,
    /// The largest file that fits into the spool now, in bytes; absent: no limit known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_spool_bytes: Option<u64>,
}

/// The next job, or none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClaimResponse {
    /// Absent: nothing to print now. Asking again while a claim is held returns that claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<Claim>,
}

/// A job leased to this printer. Nothing may be sent to the printer before the hub has given leave to start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// The job.
    pub job_id: JobId,
    /// This lease of it.
    pub claim_id: ClaimId,
    /// The lease ends here unless an event or a download of this job renews it.
    pub lease_until: Timestamp,
    /// The file's name, for people.
    pub file_name: String,
    /// Length of the file in bytes.
    pub size_bytes: u64,
    /// SHA-256 of the file, lower-case hex.
    pub sha256: FileHash,
    /// The slicer's estimate in seconds, where the file has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_s: Option<u64>,
}

/// Asks for leave to start a job whose file is on disk and verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartRequest {
    /// The claim under which the agent holds the job.
    pub claim_id: ClaimId,
}

/// Leave to start. Given once for a job, and again to the same claim when asked again; refused with
/// problem `claim_lost` (409) otherwise, and the agent drops the job unprinted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartResponse {
    /// When the hub recorded the start.
    pub started_at: Timestamp,
}

/// Events in the order of their numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventsRequest {
    /// At most [`crate::limits::MAX_EVENTS_PER_POST`], without gaps.
    pub events: Vec<AgentEvent>,
}

/// How far the hub has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventsResponse {
    /// All events up to this number are applied and may be forgotten.
    pub acknowledged_seq: u64,
}

/// The commands whose outcome the hub does not know yet, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandsResponse {
    /// The commands.
    pub commands: Vec<CommandMessage>,
}

/// What an agent saw of its prints, in the order of its time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TelemetryRequest {
    /// At most [`crate::limits::MAX_SAMPLES_PER_POST`].
    pub samples: Vec<TelemetrySample>,
}

/// All of them may be forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TelemetryResponse {
    /// How many were new to the hub.
    pub kept: u64,
}
