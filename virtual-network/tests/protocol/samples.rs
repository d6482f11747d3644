//! What the agents saw of their prints: as it was told, and as the hub keeps it.
//!
//! Owns: collecting it, and what must be so of it. Must not know: why a sample was taken.

use std::collections::{BTreeMap, BTreeSet};

use stardust_hub::params;
use stardust_protocol::{JobId, TelemetrySample, Timestamp};

use crate::evidence::{Evidence, JobEvidence};
use crate::time::at;
use crate::world::World;

/// A sample that has arrived at the hub: how it was told then, the first time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ToldSample {
    pub(crate) at_ms: i64,
    pub(crate) sample: TelemetrySample,
}

/// All that have arrived, by job and number.
pub(crate) type ToldSamples = BTreeMap<(JobId, u64), ToldSample>;

/// A sample as the hub has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Kept {
    pub(crate) number: u64,
    pub(crate) at: Timestamp,
}

/// What the hub has of a job, in the order in which it tells people.
pub(crate) fn collect(world: &World, job: JobId) -> Vec<Kept> {
    let sql = "SELECT number, at FROM job_telemetry WHERE job_id = $1 ORDER BY at, number";
    let rows =
        world.hub.inside(move |app| Box::pin(async move { app.db.query(sql, params![job]).await.unwrap() }));
    let read =
        |row: &stardust_hub::db::Row| Kept { number: row.get("number").unwrap(), at: row.get("at").unwrap() };
    rows.unwrap().iter().map(read).collect()
}

/// The hub has of each job what was told of it, each sample once, none of it in the future.
pub(crate) fn judge(evidence: &Evidence, wrong: &mut Vec<String>) {
    for printer in evidence.printers.iter().filter(|printer| printer.has_untold_samples) {
        wrong.push(format!("{}: samples of its prints were never delivered", printer.name));
    }
    for job in &evidence.jobs {
        of_job(&evidence.seen.samples, job, wrong);
    }
}

fn of_job(told: &ToldSamples, job: &JobEvidence, wrong: &mut Vec<String>) {
    let id = job.id;
    let told: BTreeMap<u64, &ToldSample> =
        told.iter().filter(|((of, _), _)| *of == id).map(|((_, number), told)| (*number, told)).collect();
    let kept: BTreeSet<u64> = job.samples.iter().map(|kept| kept.number).collect();
    if kept.len() != job.samples.len() {
        wrong.push(format!("job {id}: the hub has samples twice"));
    }
    if !kept.iter().eq(told.keys()) {
        wrong.push(format!("job {id}: the hub has samples {kept:?}, it was told {:?}", told.keys()));
        return;
    }
    for kept in &job.samples {
        let told = told[&kept.number];
        let heard = at(told.at_ms);
        if kept.at > heard || kept.at < told.sample.at.min(heard) {
            wrong.push(format!("job {id}: a sample is kept as of {}, it was told as {told:?}", kept.at));
        }
    }
}
