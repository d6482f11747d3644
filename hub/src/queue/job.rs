//! A print job: its row, and how people see it.

use serde::{Deserialize, Serialize};
use stardust_protocol::{
    ClaimId, FileId, FileVersionId, JobId, JobProgress, JobState, PrinterId, Timestamp, UserId, WorkspaceId,
};

use crate::db::{DbError, FromValue, Row, ToValue, Value};
use crate::fleet::Fleet;
use crate::fleet::speaker::Instance;
use crate::library::file::thumbnail_url;

/// What a person asked of a running job and the agent has not answered yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Requested {
    /// To pause.
    Pause,
    /// To go on.
    Resume,
    /// To stop.
    Cancel,
}

impl FromValue for Requested {
    fn from_value(value: &Value) -> Option<Self> {
        match String::from_value(value)?.as_str() {
            "pause" => Some(Self::Pause),
            "resume" => Some(Self::Resume),
            "cancel" => Some(Self::Cancel),
            _ => None,
        }
    }
}

impl ToValue for Requested {
    fn to_value(&self) -> Value {
        let name = match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Cancel => "cancel",
        };
        name.to_value()
    }
}

/// A job's row: what the rules work on.
#[derive(Debug, Clone, PartialEq)]
pub struct JobRow {
    /// The job's id.
    pub id: JobId,
    /// Whose it is.
    pub workspace_id: WorkspaceId,
    /// Who wants it printed.
    pub owner_id: UserId,
    /// What is printed.
    pub file_id: FileId,
    /// Which version of it.
    pub file_version_id: FileVersionId,
    /// Its name when the job was made.
    pub file_name: String,
    /// The printer that was asked for; absent: the first that is free.
    pub target_printer_id: Option<PrinterId>,
    /// The printer that has it.
    pub printer_id: Option<PrinterId>,
    /// The claim under which it has it.
    pub claim_id: Option<ClaimId>,
    /// Which of the agents with its printer's credential claimed it, where it said so.
    pub claim_instance: Option<Instance>,
    /// Until when the claim holds without a start.
    pub lease_until: Option<Timestamp>,
    /// Where it is on its way.
    pub state: JobState,
    /// Why it failed, or what the agent said last about a request.
    pub reason: Option<String>,
    /// What a person asked for.
    pub requested: Option<Requested>,
    /// Fraction done when it moved last, 0 to 1.
    pub fraction: f64,
    /// Seconds of printing when it moved last.
    pub elapsed_s: u64,
    /// When it was queued.
    pub queued_at: Timestamp,
    /// When a printer took it.
    pub claimed_at: Option<Timestamp>,
    /// When leave to start was given.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// When its bed was cleared.
    pub removed_at: Option<Timestamp>,
    /// Whether it stands in the queue or on a printer.
    pub open: bool,
    /// Counts the changes.
    pub version: i64,
}

/// What a job prints.
#[derive(Debug, Clone)]
pub struct Printable {
    /// Which file.
    pub file_id: FileId,
    /// Which version of it.
    pub file_version_id: FileVersionId,
    /// Its name now.
    pub file_name: String,
}

impl JobRow {
    /// A new job, at the end of the queue.
    #[must_use]
    pub fn queued(
        workspace_id: WorkspaceId,
        owner_id: UserId,
        what: Printable,
        target_printer_id: Option<PrinterId>,
        now: Timestamp,
    ) -> Self {
        Self {
            id: JobId::generate(now),
            workspace_id,
            owner_id,
            file_id: what.file_id,
            file_version_id: what.file_version_id,
            file_name: what.file_name,
            target_printer_id,
            printer_id: None,
            claim_id: None,
            claim_instance: None,
            lease_until: None,
            state: JobState::Queued,
            reason: None,
            requested: None,
            fraction: 0.0,
            elapsed_s: 0,
            queued_at: now,
            claimed_at: None,
            started_at: None,
            finished_at: None,
            removed_at: None,
            open: true,
            version: 1,
        }
    }
}

/// A job's row with what others say about it.
#[derive(Debug, Clone)]
pub struct JobWithNames {
    /// The row.
    pub row: JobRow,
    /// The owner's name.
    pub owner_name: String,
    /// The printer's name.
    pub printer_name: Option<String>,
    /// The slicer's estimate.
    pub estimated_time_s: Option<u64>,
    /// Whether the file has a picture.
    pub has_thumbnail: bool,
}

/// A print job.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PrintJob {
    /// The job's id.
    pub id: JobId,
    /// Whose it is.
    pub workspace_id: WorkspaceId,
    /// Who wants it printed.
    pub owner_id: UserId,
    /// Their name.
    pub owner_name: String,
    /// Counts the changes.
    pub version: i64,
    /// What is printed.
    pub file_id: FileId,
    /// Which version of it.
    pub file_version_id: FileVersionId,
    /// Its name when the job was made.
    pub file_name: String,
    /// The printer that was asked for; absent: the first that is free.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_printer_id: Option<PrinterId>,
    /// The printer that has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub printer_id: Option<PrinterId>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub printer_name: Option<String>,
    /// Where it is on its way.
    pub state: JobState,
    /// Why it failed, or why a request was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What a person asked for and the agent has not answered yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested: Option<Requested>,
    /// How far it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<JobProgress>,
    /// The slicer's estimate, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimated_time_s: Option<u64>,
    /// Where the file's picture is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thumbnail_url: Option<String>,
    /// When it was queued.
    pub queued_at: Timestamp,
    /// When a printer took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claimed_at: Option<Timestamp>,
    /// When it started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// When its bed was cleared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removed_at: Option<Timestamp>,
    /// The bed has to be cleared, and someone has to say so.
    pub needs_removal: bool,
}

/// A move of a job from one state to another.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct JobTransition {
    /// Where it was; absent for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<JobState>,
    /// Where it is since then.
    pub to: JobState,
    /// When, by the clock of whoever moved it.
    pub at: Timestamp,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// A person's or a printer's name; absent: the hub itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

impl JobWithNames {
    /// How people see it now.
    #[must_use]
    pub fn into_view(self, fleet: &Fleet) -> PrintJob {
        let row = self.row;
        let live = row.printer_id.filter(|_| row.state.is_running()).and_then(|p| fleet.progress(p, row.id));
        // Not running, or not heard of since the hub started: as far as it was when it moved last.
        let kept = || {
            row.started_at.map(|_| JobProgress {
                job_id: row.id,
                state: row.state,
                fraction: row.fraction,
                acknowledged_bytes: 0,
                total_bytes: 0,
                elapsed_s: row.elapsed_s,
                left_s: None,
                layer: None,
            })
        };
        PrintJob {
            id: row.id,
            workspace_id: row.workspace_id,
            owner_id: row.owner_id,
            owner_name: self.owner_name,
            version: row.version,
            file_id: row.file_id,
            file_version_id: row.file_version_id,
            target_printer_id: row.target_printer_id,
            printer_id: row.printer_id,
            printer_name: self.printer_name,
            state: row.state,
            requested: row.requested,
            progress: live.or_else(kept),
            estimated_time_s: self.estimated_time_s,
            thumbnail_url: thumbnail_url(row.file_id, row.file_version_id, self.has_thumbnail),
            queued_at: row.queued_at,
            claimed_at: row.claimed_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
            removed_at: row.removed_at,
            needs_removal: row.needs_removal(),
            reason: row.reason,
            file_name: row.file_name,
        }
    }
}

pub(super) fn read_row(row: &Row) -> Result<JobRow, DbError> {
    Ok(JobRow {
        id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        owner_id: row.get("owner_id")?,
        file_id: row.get("file_id")?,
        file_version_id: row.get("file_version_id")?,
        file_name: row.get("file_name")?,
        target_printer_id: row.get("target_printer_id")?,
        printer_id: row.get("printer_id")?,
        claim_id: row.get("claim_id")?,
        claim_instance: row.get("claim_instance")?,
        lease_until: row.get("lease_until")?,
        state: row.get("state")?,
        reason: row.get("reason")?,
        requested: row.get("requested")?,
        fraction: row.get("fraction")?,
        elapsed_s: row.get("elapsed_s")?,
        queued_at: row.get("queued_at")?,
        claimed_at: row.get("claimed_at")?,
        started_at: row.get("started_at")?,
        finished_at: row.get("finished_at")?,
        removed_at: row.get("removed_at")?,
        open: row.get("open")?,
        version: row.get("version")?,
    })
}

pub(super) fn read_with_names(row: &Row) -> Result<JobWithNames, DbError> {
    Ok(JobWithNames {
        row: read_row(row)?,
        owner_name: row.get("owner_name")?,
        printer_name: row.get("printer_name")?,
        estimated_time_s: row.get("estimated_time_s")?,
        has_thumbnail: row.get("has_thumbnail")?,
    })
}
