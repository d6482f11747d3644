//! The queue: print jobs from the wish to the cleared bed.
//!
//! Promises: a job starts at most once; nothing starts on a bed that nobody cleared; no time-out ever
//! dispatches again what may have started. [`rules`] says how a job changes, [`leave`] who may print it and [`wanted`]
//! what may be asked of its agent (all pure), [`store`] keeps it;
//! [`submit`], [`control`] and [`answer`] are for people ([`printer_command`] asks an agent for them), [`claim`] and [`report`] for agents, [`dispatch`] and
//! [`sweep`] run by themselves; [`held_back`] is what does not reach a printer that was stopped in an emergency, `given_up` what a job
//! shows of a request that nobody carries out.
//! Must not know: MQTT beyond "tell this agent", nor what is in a file.

pub mod agent_routes;
pub mod answer;
pub mod claim;
pub mod control;
pub mod dispatch;
mod given_up;
pub mod held_back;
pub mod job;
pub mod leave;
pub mod printer_command;
pub mod report;
pub mod routes;
pub mod rules;
pub mod store;
pub mod submit;
pub mod sweep;
#[cfg(test)]
mod tests;
pub mod wanted;

use job::JobRow;
pub use job::PrintJob;

use serde_json::Value;
use stardust_protocol::{FileVersionId, JobId, WorkspaceId};

use crate::app::App;
use crate::error::Error;
use crate::events::bus::Resource;
use crate::fleet::JobOnPrinter;

/// After a change was committed: tells the fleet and those who watch how the job looks now.
///
/// # Errors
/// The database's.
pub async fn publish(app: &App, workspace: WorkspaceId, id: JobId) -> Result<PrintJob, Error> {
    let _turn = app.publishing.lock().await;
    let job = store::view(&app.db, workspace, id).await?;
    if let Some(printer) = job.row.printer_id {
        if job.row.open {
            app.fleet.set_job(printer, on_printer(&job.row));
        } else {
            app.fleet.let_go(printer, id);
        }
    }
    let open = job.row.open;
    let view = job.into_view(&app.fleet);
    let document = serde_json::to_value(&view).unwrap_or(Value::Null);
    app.bus.publish(workspace, Resource::Job, id.to_string(), document);
    if !open {
        app.bus.settle(Resource::Job, &id.to_string());
    }
    Ok(view)
}

fn on_printer(job: &JobRow) -> JobOnPrinter {
    JobOnPrinter { id: job.id, state: job.state, needs_removal: job.needs_removal() }
}

/// The metadata of a file has come: the open jobs that print it show its picture and estimate now.
///
/// # Errors
/// The database's.
pub async fn republish_jobs_of_version(
    app: &App,
    workspace: WorkspaceId,
    id: FileVersionId,
) -> Result<(), Error> {
    for job in store::open_of_version(&app.db, workspace, id).await? {
        publish(app, workspace, job).await?;
    }
    Ok(())
}

/// At the start of the hub: which jobs are on which printers, and what watchers may be told patches of.
///
/// # Errors
/// The database's.
pub async fn load(app: &App) -> Result<(), Error> {
    for job in store::open(&app.db).await? {
        if let Some(printer) = job.row.printer_id {
            app.fleet.set_job(printer, on_printer(&job.row));
        }
        let view = job.into_view(&app.fleet);
        app.bus.seed(Resource::Job, view.id.to_string(), serde_json::to_value(&view).unwrap_or(Value::Null));
    }
    Ok(())
}
