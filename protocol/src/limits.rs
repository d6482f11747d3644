//! Bounds that both sides keep.

/// Largest MQTT payload in either direction, bytes.
pub const MAX_MQTT_PAYLOAD_BYTES: usize = 64 * 1024;

/// Most events in one `POST /agent/v1/events`.
pub const MAX_EVENTS_PER_POST: usize = 100;

/// Most samples in one `POST /agent/v1/telemetry`.
pub const MAX_SAMPLES_PER_POST: usize = 100;

/// A stop at once may be carried out for so long, milliseconds: whoever comes back later has been seen to.
pub const EMERGENCY_STOP_EXPIRY_MS: i64 = 600_000;

/// How long `GET /agent/v1/commands/next` waits at most until it is answered with nothing, milliseconds. Shorter than what lies
/// between an agent and its hub lets a silent connection be.
pub const COMMAND_WAIT_MS: i64 = 20_000;

/// Longest time that heaters may stay on without a job because a person has asked for it, minutes.
pub const MAX_PREHEAT_MINUTES: u16 = 240;

/// Hottest that a nozzle may be set to without a job, °C. What the printer can do is its own matter.
pub const MAX_NOZZLE_C: u16 = 350;

/// The same for a bed, °C.
pub const MAX_BED_C: u16 = 150;

/// Most nozzles of a printer that can be named.
pub const MAX_TOOLS: usize = 16;

/// Longest name of a printer or print file, in characters.
pub const MAX_NAME_CHARS: usize = 200;

/// How long a claim holds without a sign of life of the agent, milliseconds.
pub const CLAIM_LEASE_MS: i64 = 120_000;

/// How long after it was asked for a pause or resume may still be carried out, milliseconds.
/// A later one would surprise whoever stands at the printer.
pub const COMMAND_EXPIRY_MS: i64 = 60_000;

/// The same for going on from a layer ([`crate::Command::ResumeFrom`]), milliseconds. Shorter: whoever asks has just looked
/// at the part and taken their hands away, and must be able to look again soon when nothing happens.
pub const RESUME_FROM_EXPIRY_MS: i64 = 20_000;

/// Longest [`crate::agent_api::INSTANCE_HEADER`], in characters.
pub const MAX_INSTANCE_CHARS: usize = 64;

/// How long the agent that speaks for a printer must have been silent before another one with the same credential takes
/// over, milliseconds. Longer than the silence after which an MQTT connection counts as lost.
pub const INSTANCE_SILENCE_MS: i64 = 60_000;
