//! A printer as people see it.

use serde::Serialize;
use stardust_protocol::{JobId, JobState, PrinterId, PrinterState, PrinterStatus, Timestamp, WorkspaceId};

use super::emergency::EmergencyStop;
use super::second_agent::SecondAgent;

/// A printer.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Printer {
    /// The printer's id.
    pub id: PrinterId,
    /// Whose it is.
    pub workspace_id: WorkspaceId,
    /// Its name.
    pub name: String,
    /// Which model it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// When it was paired.
    pub created_at: Timestamp,
    /// Counts the changes of name and model.
    pub version: i64,
    /// What it is doing: `offline` while its agent is not connected, `awaiting_removal` until its bed is
    /// cleared, `error` from an emergency stop until it is cleared, else what the agent says.
    pub state: PrinterState,
    /// Whether its agent is in reach.
    pub contact: Contact,
    /// The last live data; old when contact is lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<PrinterStatus>,
    /// A second agent that uses this printer's credential was refused in the last minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_agent: Option<SecondAgent>,
    /// It was stopped in an emergency, or is being: nothing starts on it until that is cleared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emergency_stop: Option<EmergencyStop>,
    /// The job that is on it, from the claim until the bed is cleared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_job_id: Option<JobId>,
}

/// Whether an agent is in reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Contact {
    /// Whether it is.
    pub state: ContactState,
    /// Since when; of one that is lost: when something was heard of it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// It is not connected, but waits for commands over HTTPS, as where MQTT does not reach it: whatever it is asked it gets at
    /// once, and it tells how its jobs go. Only what it says live, such as temperatures, is missing. Absent: it does not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub waits: bool,
}

impl Contact {
    /// As people are told of it: of one that is connected, that is all.
    #[must_use]
    pub fn shown(self) -> Self {
        Self { waits: self.waits && self.state != ContactState::Online, ..self }
    }
}

/// Whether an agent is in reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContactState {
    /// It is connected.
    Online,
    /// It was.
    Lost,
    /// It has never been.
    Never,
}

/// What the fleet knows of the job that is on a printer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobOnPrinter {
    /// Which job.
    pub id: JobId,
    /// Its state in the queue's books.
    pub state: JobState,
    /// It has ended, and its bed has to be cleared.
    pub needs_removal: bool,
}

/// What people are told that the printer is doing. `was_stopped`: at once, and nobody has said that it is in order again.
#[must_use]
pub fn shown_state(
    contact: ContactState,
    reported: Option<PrinterState>,
    job: Option<&JobOnPrinter>,
    was_stopped: bool,
) -> PrinterState {
    use PrinterState as S;
    if contact != ContactState::Online {
        return S::Offline;
    }
    if was_stopped {
        return S::Error;
    }
    // Connected, but the first status is still on its way.
    let reported = reported.unwrap_or(S::Connecting);
    // Faults come before an uncleared bed: they need a person sooner.
    let fault = matches!(reported, S::Offline | S::Connecting | S::Attention | S::Error);
    if !fault && job.is_some_and(|job| job.needs_removal) { S::AwaitingRemoval } else { reported }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stardust_protocol::Timestamp;

    #[test]
    fn contact_then_faults_then_the_bed_then_the_agents_word() {
        use ContactState::{Lost, Never, Online};
        use PrinterState as S;
        let uncleared = JobOnPrinter {
            id: JobId::generate(Timestamp::from_millis(0)),
            state: JobState::Cancelled,
            needs_removal: true,
        };
        let running = JobOnPrinter { state: JobState::Printing, needs_removal: false, ..uncleared };
        for (contact, reported, job, shown) in [
            (Never, None, None, S::Offline),
            (Lost, Some(S::Printing), Some(&running), S::Offline),
            (Online, None, None, S::Connecting),
            (Online, Some(S::Idle), None, S::Idle),
            (Online, Some(S::Printing), Some(&running), S::Printing),
            (Online, Some(S::Idle), Some(&uncleared), S::AwaitingRemoval),
            (Online, Some(S::Error), Some(&uncleared), S::Error),
            (Online, Some(S::Offline), Some(&uncleared), S::Offline),
        ] {
            assert_eq!(shown_state(contact, reported, job, false), shown, "{contact:?} {reported:?} {job:?}");
            let stopped = if contact == Online { S::Error } else { S::Offline };
            assert_eq!(
                shown_state(contact, reported, job, true),
                stopped,
                "{contact:?} {reported:?} {job:?}"
            );
        }
    }
}
