//! Time passes: claims that ran out go back to the queue, requests that came too late are forgotten.

use std::sync::Arc;
use std::time::Duration;

use stardust_protocol::{JobState, WorkspaceId};
use tokio::sync::watch;

use super::given_up::give_up;
use super::store::{self, Moved};
use crate::app::App;
use crate::error::Error;
use crate::events::outbox::{self, Event};

const EVERY: Duration = Duration::from_secs(5);
/// An agent may have carried a command out in its last moment; its answer gets this long to arrive, ms.
const ANSWER_GRACE_MS: i64 = 10_000;

/// What a job says of a request that nobody has answered. Who is out of reach may have done it all the same.
pub(super) const NO_ANSWER: &str = "The printer's agent did not answer in time. Whether it did what was asked shows when it is in reach again.";

/// Sweeps until `stop` says so.
pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        if let Err(error) = sweep(&app).await {
            tracing::error!(%error, "the queue could not be swept; trying again");
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = stop.changed() => {}
        }
    }
}

/// One sweep.
///
/// # Errors
/// The database's.
pub async fn sweep(app: &App) -> Result<(), Error> {
    requeue_expired_claims(app).await?;
    forget_late_commands(app).await
}

async fn requeue_expired_claims(app: &App) -> Result<(), Error> {
    let now = app.clock.now();
    for seen in store::expired_claims(&app.db, now).await? {
        let mut tx = app.db.begin().await?;
        tx.lock(&format!("queue:{}", seen.workspace_id)).await?;
        let job = store::find(&mut tx, seen.workspace_id, seen.id).await?;
        let expired = |until| until <= now;
        let Some(mut job) = job.filter(|j| j.state.is_before_start() && j.lease_until.is_some_and(expired))
        else {
            continue;
        };
        let (from, printer) = (job.state, job.printer_id);
        // Safe: without our leave, which this claim will never get now, nothing is printed.
        job.move_to(JobState::Queued, now, None);
        store::save(&mut tx, &job).await?;
        let reason = Some("The printer's agent was not heard of before the print started.");
        store::record(&mut tx, &job, Moved { from: Some(from), at: now, now, reason, by: None }).await?;
        outbox::add(&mut tx, job.workspace_id, now, &Event::JobWaiting { printer_id: None }).await?;
        tx.commit().await?;
        app.bell.ring();
        tracing::warn!(job.id = %job.id, "claim ran out; the job is in the queue again");
        if let Some(printer) = printer {
            app.fleet.let_go(printer, job.id);
        }
        super::publish(app, job.workspace_id, job.id).await?;
    }
    Ok(())
}

async fn forget_late_commands(app: &App) -> Result<(), Error> {
    let now = app.clock.now();
    let before = now.plus_millis(-ANSWER_GRACE_MS);
    let open = "SELECT DISTINCT workspace_id FROM commands WHERE outcome IS NULL";
    for row in app.db.query(open, crate::params![]).await? {
        let workspace: WorkspaceId = row.get("workspace_id")?;
        let mut tx = app.db.begin().await?;
        // What an agent reports meanwhile, or whoever stops its printer, must not be written over.
        tx.lock(&format!("queue:{workspace}")).await?;
        let late = store::expire_commands(&mut tx, workspace, before, now).await?;
        for id in &late {
            give_up(&mut tx, workspace, *id, NO_ANSWER).await?;
        }
        tx.commit().await?;
        for id in late {
            super::publish(app, workspace, id).await?;
        }
    }
    Ok(())
}
