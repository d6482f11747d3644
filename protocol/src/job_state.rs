//! The states of a print job and the moves between them.

use serde::{Deserialize, Serialize};

/// Where a print job is on its way from the queue to a cleared bed.
///
/// Contact with the agent is never part of it: a job whose agent is out of reach keeps its last state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// A member has to approve it first.
    AwaitingApproval,
    /// Waits for a printer.
    Queued,
    /// One agent holds it under a lease.
    Claimed,
    /// The agent downloads and verifies the file.
    Transferring,
    /// Started: heating, homing, levelling. From here on the job never goes back to the queue.
    Preparing,
    /// Extruding.
    Printing,
    /// Asked to pause; the moves in the firmware's buffer are still running.
    Pausing,
    /// Parked; heaters may be on.
    Paused,
    /// Heating again and going back to where it stopped.
    Resuming,
    /// Printed to the end; someone has to clear the bed.
    AwaitingRemoval,
    /// Printed, and the bed was cleared.
    Finished,
    /// Asked to stop; the printer is being made safe.
    Cancelling,
    /// Stopped by a person.
    Cancelled,
    /// Stopped by a fault, with a reason a person can act on.
    Failed,
}

impl JobState {
    /// Every state, in the order of a job's life.
    pub const ALL: [Self; 14] = [
        Self::AwaitingApproval,
        Self::Queued,
        Self::Claimed,
        Self::Transferring,
        Self::Preparing,
        Self::Printing,
        Self::Pausing,
        Self::Paused,
        Self::Resuming,
        Self::AwaitingRemoval,
        Self::Finished,
        Self::Cancelling,
        Self::Cancelled,
        Self::Failed,
    ];

    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AwaitingApproval => "awaiting_approval",
            Self::Queued => "queued",
            Self::Claimed => "claimed",
            Self::Transferring => "transferring",
            Self::Preparing => "preparing",
            Self::Printing => "printing",
            Self::Pausing => "pausing",
            Self::Paused => "paused",
            Self::Resuming => "resuming",
            Self::AwaitingRemoval => "awaiting_removal",
            Self::Finished => "finished",
            Self::Cancelling => "cancelling",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    /// Whether nothing follows any more.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Finished | Self::Cancelled | Self::Failed)
    }

    /// Whether an agent holds the job but has not been allowed to start it.
    #[must_use]
    pub fn is_before_start(self) -> bool {
        matches!(self, Self::Claimed | Self::Transferring)
    }

    /// Whether the printer is at work on it: started, and neither printed to the end nor stopped.
    #[must_use]
    pub fn is_running(self) -> bool {
        matches!(
            self,
            Self::Preparing
                | Self::Printing
                | Self::Pausing
                | Self::Paused
                | Self::Resuming
                | Self::Cancelling
        )
    }

    /// Whether a job in this state may move to `next`. Staying is not a move.
    ///
    /// A running job may fail or be cancelled at any time; intermediate states may be skipped when the agent
    /// was out of reach while they passed, except that `preparing` is entered only by the hub's leave to start.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        use JobState as S;
        match self {
            S::AwaitingApproval => matches!(next, S::Queued | S::Cancelled),
            S::Queued => matches!(next, S::Claimed | S::Cancelled),
            S::Claimed => {
                matches!(next, S::Transferring | S::Preparing | S::Queued | S::Cancelled | S::Failed)
            }
            S::Transferring => matches!(next, S::Preparing | S::Queued | S::Cancelled | S::Failed),
            S::Preparing | S::Printing | S::Pausing | S::Paused | S::Resuming => {
                next != self
                    && (next.is_running() && next != S::Preparing
                        || matches!(next, S::AwaitingRemoval | S::Cancelled | S::Failed))
            }
            S::Cancelling => matches!(next, S::Cancelled | S::Failed | S::AwaitingRemoval),
            S::AwaitingRemoval => next == S::Finished,
            S::Finished | S::Cancelled | S::Failed => false,
        }
    }
}

impl std::fmt::Display for JobState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no job state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is not a job state")]
pub struct UnknownJobState(pub String);

impl std::str::FromStr for JobState {
    type Err = UnknownJobState;

    fn from_str(text: &str) -> Result<Self, UnknownJobState> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| UnknownJobState(text.chars().take(64).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_on_the_wire_and_in_the_database_agree() {
        for state in JobState::ALL {
            assert_eq!(serde_json::to_string(&state).unwrap(), format!("\"{state}\""));
            assert_eq!(state.as_str().parse(), Ok(state));
        }
    }

    #[test]
    fn final_states_stay_and_nothing_that_started_goes_back_to_the_queue() {
        for from in JobState::ALL {
            assert!(!from.may_become(from), "{from} to itself is no move");
            for to in JobState::ALL {
                if from.is_final() {
                    assert!(!from.may_become(to), "{from} is final, yet may become {to}");
                }
                if from.is_running() || from == JobState::AwaitingRemoval {
                    assert!(to != JobState::Queued || !from.may_become(to), "{from} may not be queued again");
                    assert!(!to.is_before_start() || !from.may_become(to), "{from} may not become {to}");
                }
            }
        }
    }

    #[test]
    fn the_whole_table() {
        let table: Vec<String> = JobState::ALL
            .into_iter()
            .map(|from| {
                let next: Vec<_> = JobState::ALL
                    .into_iter()
                    .filter(|to| from.may_become(*to))
                    .map(JobState::as_str)
                    .collect();
                format!("{from}: {}", next.join(" "))
            })
            .collect();
        insta::assert_snapshot!(table.join("\n"), @r"
        awaiting_approval: queued cancelled
        queued: claimed cancelled
        claimed: queued transferring preparing cancelled failed
        transferring: queued preparing cancelled failed
        preparing: printing pausing paused resuming awaiting_removal cancelling cancelled failed
        printing: pausing paused resuming awaiting_removal cancelling cancelled failed
        pausing: printing paused resuming awaiting_removal cancelling cancelled failed
        paused: printing pausing resuming awaiting_removal cancelling cancelled failed
        resuming: printing pausing paused awaiting_removal cancelling cancelled failed
        awaiting_removal: finished
        finished: 
        cancelling: awaiting_removal cancelled failed
        cancelled: 
        failed:
        ");
    }
}
