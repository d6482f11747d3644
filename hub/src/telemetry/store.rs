//! The samples in the database.
//!
//! Owns: that a sample is kept once, and only of a job that its sender's printer has. Must not know: HTTP.

use std::collections::btree_map::{BTreeMap, Entry};

use stardust_protocol::telemetry::Heat;
use stardust_protocol::{JobId, TelemetrySample, Timestamp, WorkspaceId};

use super::points::TelemetryPoint;
use crate::api::auth::Device;
use crate::db::{Db, DbError, Row, Tx};
use crate::params;

/// More of one job are not kept: an agent takes some 2,000 of a print of a week, one that is out of order may send any
/// number.
pub const MOST_OF_A_JOB: u64 = 20_000;
/// And no printer has more heaters.
const MOST_TOOLS: usize = 32;

/// What is known of a job that samples come for.
struct Known {
    /// No sample is older.
    since: Timestamp,
    room: u64,
}

/// Keeps those that are new; how many they are. Those of jobs that the sender's printer does not have are passed over.
///
/// # Errors
/// The database's; then none is kept.
pub async fn keep(
    db: &Db,
    device: Device,
    samples: &[TelemetrySample],
    now: Timestamp,
) -> Result<u64, DbError> {
    let mut tx = db.begin().await?;
    // Two deliveries of the same at once wait for each other.
    tx.lock(&format!("telemetry:{}", device.printer_id)).await?;
    let mut jobs: BTreeMap<JobId, Option<Known>> = BTreeMap::new();
    let mut kept = 0;
    for sample in samples {
        let job = match jobs.entry(sample.job_id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(known(&mut tx, device, sample.job_id).await?),
        };
        let Some(job) = job else {
            tracing::info!(job.id = %sample.job_id, printer.id = %device.printer_id, "telemetry of a job that the printer has not is ignored");
            continue;
        };
        if job.room == 0 || sample.heat.tools.len() > MOST_TOOLS {
            continue;
        }
        let new = add(&mut tx, device.workspace_id, sample, job.since, now).await?;
        job.room -= new;
        kept += new;
    }
    tx.commit().await?;
    Ok(kept)
}

async fn known(tx: &mut Tx, device: Device, job: JobId) -> Result<Option<Known>, DbError> {
    let sql = "SELECT COALESCE(started_at, claimed_at, queued_at) AS since,
                      (SELECT COUNT(*) FROM job_telemetry WHERE job_id = $1) AS samples
               FROM jobs WHERE id = $1 AND workspace_id = $2 AND printer_id = $3";
    let row = tx.query_opt(sql, params![job, device.workspace_id, device.printer_id]).await?;
    row.map(|row| {
        let samples: u64 = row.get("samples")?;
        Ok(Known { since: row.get("since")?, room: MOST_OF_A_JOB.saturating_sub(samples) })
    })
    .transpose()
}

/// A printer's host may have a clock that is wrong by decades: no sample is in the future, or before its job began.
async fn add(
    tx: &mut Tx,
    workspace: WorkspaceId,
    sample: &TelemetrySample,
    since: Timestamp,
    now: Timestamp,
) -> Result<u64, DbError> {
    let fraction = if sample.fraction.is_finite() { sample.fraction.clamp(0.0, 1.0) } else { 0.0 };
    let heat = serde_json::to_string(&sample.heat).unwrap_or_default();
    let sql = "INSERT INTO job_telemetry (job_id, number, workspace_id, at, fraction, layer, heat)
               VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (job_id, number) DO NOTHING";
    let (at, layer) = (sample.at.max(since).min(now), sample.layer.map(u64::from));
    tx.execute(sql, params![sample.job_id, sample.number, workspace, at, fraction, layer, heat]).await
}

/// All of a job, oldest first.
///
/// # Errors
/// The database's.
pub async fn of_job(db: &Db, workspace: WorkspaceId, job: JobId) -> Result<Vec<TelemetryPoint>, DbError> {
    let sql = "SELECT at, fraction, layer, heat FROM job_telemetry WHERE job_id = $1 AND workspace_id = $2
               ORDER BY at, number";
    db.query(sql, params![job, workspace]).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<TelemetryPoint, DbError> {
    let (heat, layer) = (row.get::<String>("heat")?, row.get::<Option<u64>>("layer")?);
    Ok(TelemetryPoint {
        at: row.get("at")?,
        fraction: row.get("fraction")?,
        layer: layer.and_then(|layer| layer.try_into().ok()),
        heat: serde_json::from_str::<Heat>(&heat).unwrap_or_default(),
    })
}
