//! An agent takes a job and asks for leave to start it.
//!
//! The leave is the fence: it is given once, to the claim that the job has at that moment. So a claim that ran
//! out can go back to the queue without any risk of two printers printing the same job.

use stardust_protocol::agent_api::Claim;
use stardust_protocol::{ClaimId, JobId, JobState, Timestamp};

use super::job::JobRow;
use super::leave::Leave;
use super::store::{self, Moved};
use crate::api::auth::Device;
use crate::app::App;
use crate::db::{DbError, Tx};
use crate::error::Error;
use crate::params;

/// The next job for a printer, if there is one and the printer is free. Asking again returns the same claim.
///
/// # Errors
/// The database's.
pub async fn claim(app: &App, device: Device, largest_file: u64) -> Result<Option<Claim>, Error> {
    let now = app.clock.now();
    // It was stopped in an emergency, and nobody has said yet that it is in order again.
    if app.fleet.stop(device.printer_id).is_some() {
        return Ok(None);
    }
    let mut tx = app.db.begin().await?;
    tx.lock(&format!("queue:{}", device.workspace_id)).await?;
    let mut job = match store::on_printer(&mut tx, device.printer_id).await? {
        Some(mut held) if held.state.is_before_start() => {
            if held.claim_again(ClaimId::generate(now), device.instance) {
                tracing::warn!(job.id = %held.id, printer.id = %device.printer_id, "claimed again, by another agent");
            }
            held
        }
        // At work, or its bed is not clear.
        Some(_) => return Ok(None),
        None => {
            let next = store::next_for(&mut tx, device.workspace_id, device.printer_id, largest_file).await?;
            let Some(mut job) = next else { return Ok(None) };
            job.claim(device.printer_id, (ClaimId::generate(now), device.instance), now);
            let by = printer_name(&mut tx, device).await?;
            let moved = Moved { from: Some(JobState::Queued), at: now, now, reason: None, by: by.as_deref() };
            store::record(&mut tx, &job, moved).await?;
            tracing::info!(job.id = %job.id, printer.id = %device.printer_id, "job claimed");
            job
        }
    };
    job.renew(now);
    store::save(&mut tx, &job).await?;
    let claim = describe(&mut tx, &job).await?;
    tx.commit().await?;
    super::publish(app, device.workspace_id, job.id).await?;
    Ok(Some(claim))
}

async fn describe(tx: &mut Tx, job: &JobRow) -> Result<Claim, DbError> {
    let row = tx
        .query_opt(
            "SELECT size_bytes, sha256, estimated_time_s FROM file_versions WHERE id = $1",
            params![job.file_version_id],
        )
        .await?
        .ok_or(DbError::Missing("the version of a job's file"))?;
    let hash: String = row.get("sha256")?;
    Ok(Claim {
        job_id: job.id,
        claim_id: job.claim_id.ok_or(DbError::Missing("the claim of a claimed job"))?,
        lease_until: job.lease_until.ok_or(DbError::Missing("the lease of a claimed job"))?,
        file_name: job.file_name.clone(),
        size_bytes: row.get("size_bytes")?,
        sha256: hash.parse().map_err(|_| DbError::Missing("the hash of a job's file"))?,
        estimated_s: row.get("estimated_time_s")?,
    })
}

pub(super) async fn printer_name(tx: &mut Tx, device: Device) -> Result<Option<String>, DbError> {
    let row = tx.query_opt("SELECT name FROM printers WHERE id = $1", params![device.printer_id]).await?;
    row.map(|row| row.get("name")).transpose()
}

/// Leave to start. The same claim may ask again.
///
/// # Errors
/// The claim is not (or no longer) the job's, or the database's.
pub async fn start(app: &App, device: Device, id: JobId, claim: ClaimId) -> Result<Timestamp, Error> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    tx.lock(&format!("queue:{}", device.workspace_id)).await?;
    let job = store::find(&mut tx, device.workspace_id, id).await?;
    let lost = Error::conflict(
        "claim_lost",
        "The hub has given this job up: it was cancelled or another agent has it. Don't print it.",
    );
    let Some(mut job) = job else { return Err(lost) };
    if job.state.is_before_start() && app.fleet.stop(device.printer_id).is_some() {
        return Err(lost);
    }
    match job.leave(device.printer_id, claim, device.instance) {
        Leave::Given => {}
        Leave::GivenBefore(started_at) => return Ok(started_at),
        Leave::Lost => return Err(lost),
        Leave::Forgotten => {
            forget(app, device, (tx, job)).await?;
            return Err(lost);
        }
    }
    let from = job.state;
    job.move_to(JobState::Preparing, now, None);
    store::save(&mut tx, &job).await?;
    let by = printer_name(&mut tx, device).await?;
    store::record(&mut tx, &job, Moved { from: Some(from), at: now, now, reason: None, by: by.as_deref() })
        .await?;
    tx.commit().await?;
    tracing::info!(job.id = %id, printer.id = %device.printer_id, "job started");
    super::publish(app, device.workspace_id, id).await?;
    Ok(now)
}

/// Leave was given, and whoever had it does not remember: the job would stay on its printer for ever.
async fn forget(app: &App, device: Device, (mut tx, mut job): (Tx, JobRow)) -> Result<(), Error> {
    let (now, from) = (app.clock.now(), job.state);
    let reason = "The printer's machine was started anew just when the print was to start, or its card was copied: nothing \
                  says whether anything was printed. Look at the printer, clear the bed and print the job again.";
    job.move_to(JobState::Failed, now, Some(reason.into()));
    store::save(&mut tx, &job).await?;
    store::record(&mut tx, &job, Moved { from: Some(from), at: now, now, reason: Some(reason), by: None })
        .await?;
    tx.commit().await?;
    tracing::warn!(job.id = %job.id, printer.id = %device.printer_id, "the leave to start was forgotten; the job has failed");
    super::publish(app, device.workspace_id, job.id).await.map(drop)
}

/// The object that a claimed or running job prints, for its printer's agent.
///
/// # Errors
/// The job is not this printer's, or the database's.
pub async fn object(app: &App, device: Device, id: JobId) -> Result<crate::objects::Stored, Error> {
    let row = app
        .db
        .query_opt(
            "SELECT v.sha256, v.size_bytes FROM jobs j JOIN file_versions v ON v.id = j.file_version_id \
             WHERE j.id = $1 AND j.printer_id = $2 AND j.open = 1",
            params![id, device.printer_id],
        )
        .await?
        .ok_or_else(|| Error::no_such("job on this printer"))?;
    Ok(crate::objects::Stored { sha256: row.get("sha256")?, size_bytes: row.get("size_bytes")? })
}

/// A download is under way: the lease holds on.
///
/// # Errors
/// The database's.
pub async fn renew(app: &App, device: Device, id: JobId) -> Result<(), DbError> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    tx.execute(
        "UPDATE jobs SET lease_until = $3 WHERE id = $1 AND printer_id = $2 AND state IN ('claimed', 'transferring')",
        params![id, device.printer_id, now.plus_millis(stardust_protocol::limits::CLAIM_LEASE_MS)],
    )
    .await?;
    tx.commit().await
}
