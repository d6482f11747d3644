//! What was asked of a job and is not done: its agent did not answer, or the printer was stopped meanwhile.
//!
//! Owns: what the job shows then. Must not know: why the command has ended.

use stardust_protocol::{JobId, WorkspaceId};

use super::store;
use crate::db::{DbError, Tx};

/// A command of this job has ended without being done: unless something else is still asked of it, nothing is any more, and `reason`
/// says why. Returns whether the job shows that. Behind the workspace's lock: the whole row is written.
///
/// # Errors
/// The database's.
pub(super) async fn give_up(
    tx: &mut Tx,
    workspace: WorkspaceId,
    job: JobId,
    reason: &str,
) -> Result<bool, DbError> {
    let Some(mut job) = store::find(tx, workspace, job).await? else { return Ok(false) };
    if job.requested.is_none() || !store::open_commands_of(tx, job.id).await?.is_empty() {
        return Ok(false);
    }
    (job.requested, job.reason) = (None, Some(reason.into()));
    store::save(tx, &job).await?;
    Ok(true)
}
