//! The states of a printer, as its agent reports them and as people see them.

use serde::{Deserialize, Serialize};

/// What a printer is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PrinterState {
    /// No agent speaks for it, or the agent can't open its port.
    Offline,
    /// The port is open; the firmware has not answered yet.
    Connecting,
    /// Ready for a job.
    Idle,
    /// Heating, homing, levelling for a job.
    Preparing,
    /// Printing.
    Printing,
    /// A job is paused (or about to pause or to resume).
    Paused,
    /// A printed part may be on the bed: someone has to clear it and say so.
    AwaitingRemoval,
    /// The firmware waits for a person (filament, a prompt).
    Attention,
    /// The firmware reported a fault or was halted.
    Error,
    /// Out of service for maintenance.
    Maintenance,
    /// Switched off by a person.
    Disabled,
    /// A state added by a newer peer.
    #[serde(other)]
    Unknown,
}

impl PrinterState {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Offline => "offline",
            Self::Connecting => "connecting",
            Self::Idle => "idle",
            Self::Preparing => "preparing",
            Self::Printing => "printing",
            Self::Paused => "paused",
            Self::AwaitingRemoval => "awaiting_removal",
            Self::Attention => "attention",
            Self::Error => "error",
            Self::Maintenance => "maintenance",
            Self::Disabled => "disabled",
            Self::Unknown => "unknown",
        }
    }
}

impl std::fmt::Display for PrinterState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_peers_state_is_read_as_unknown() {
        assert_eq!(serde_json::from_str::<PrinterState>("\"levitating\"").unwrap(), PrinterState::Unknown);
        assert_eq!(
            serde_json::from_str::<PrinterState>("\"awaiting_removal\"").unwrap(),
            PrinterState::AwaitingRemoval
        );
        assert_eq!(serde_json::to_string(&PrinterState::AwaitingRemoval).unwrap(), "\"awaiting_removal\"");
    }
}
