//! Writes emergency stops down, behind their way to the agents.
//!
//! No stop waits for this, and none fails of it: a database that can't be written is tried again for as long as the stop stands,
//! and `recorded` says plainly whether it could be. Bounded: what is tried is one standing stop of each printer. Owns: that the
//! rows follow what is known, and that a cleared stop is not written down behind that. Must not know: how a stop travels.

use std::sync::Arc;
use std::time::Duration;

use stardust_protocol::{CommandId, JobId, PrinterId, UserId, WorkspaceId};
use tokio::task::JoinHandle;

use super::store;
use crate::accounts::Person;
use crate::app::App;
use crate::db::DbError;
use crate::fleet::emergency::EmergencyStop;
use crate::queue::{self, held_back};

/// A database that can't be written is tried again after this.
const AGAIN: Duration = Duration::from_secs(2);

/// Writes down what a person has just asked for; ends when that is done, or when none of the stops stands any more.
pub fn record(app: &Arc<App>, person: &Person, asked: Vec<(PrinterId, CommandId)>) -> JoinHandle<()> {
    let (app, by) = (Arc::clone(app), (person.workspace_id, person.user_id));
    tokio::spawn(async move {
        let mut said = false;
        loop {
            match write(&app, by, &asked).await {
                Ok(written) => {
                    // Whoever waits for what is not done any more hears of it.
                    app.command_answers.notify_waiters();
                    written.into_iter().for_each(|(printer, stop)| follow(&app, printer, stop));
                    return;
                }
                // Once, not at every attempt.
                Err(error) if !std::mem::replace(&mut said, true) => {
                    tracing::error!(%error, "an emergency stop was sent, and can't be written down; it is tried again");
                }
                Err(error) => tracing::debug!(%error, "an emergency stop can't be written down yet"),
            }
            tokio::time::sleep(AGAIN).await;
        }
    })
}

/// Those of them that stand, in one transaction.
async fn write(
    app: &App,
    (workspace, user): (WorkspaceId, UserId),
    asked: &[(PrinterId, CommandId)],
) -> Result<Vec<(PrinterId, EmergencyStop)>, DbError> {
    let _turn = app.stop_books.lock().await;
    let now = app.clock.now();
    let standing = |(printer, id): &(PrinterId, CommandId)| {
        app.fleet.stop(*printer).filter(|stop| stop.id == *id).map(|stop| (*printer, stop))
    };
    let standing: Vec<_> = asked.iter().filter_map(standing).collect();
    if standing.is_empty() {
        return Ok(standing);
    }
    let mut tx = app.db.begin().await?;
    held_back::lock(&mut tx, workspace).await?;
    let mut withdrawn = Vec::new();
    for (printer, stop) in &standing {
        // One that was answered meanwhile is not asked for any more.
        if stop.is_open(now) {
            let message = stop.message(now);
            queue::store::add_command(&mut tx, workspace, None, (*printer, user), &message).await?;
        }
        store::put(&mut tx, *printer, stop).await?;
        withdrawn.extend(held_back::withdraw(&mut tx, (workspace, *printer), now).await?);
    }
    tx.commit().await?;
    // Whoever has asked for it waits for this.
    for (printer, stop) in &standing {
        app.fleet
            .change_stop(*printer, |now| now.id == stop.id && !std::mem::replace(&mut now.recorded, true));
    }
    publish(app, workspace, withdrawn).await;
    Ok(standing)
}

/// Jobs of which something was wanted that is not done any more.
async fn publish(app: &App, workspace: WorkspaceId, jobs: Vec<JobId>) {
    for job in jobs {
        if let Err(error) = queue::publish(app, workspace, job).await {
            tracing::warn!(job.id = %job, %error, "who watches the job is not told of it yet");
        }
    }
}

/// Writes each step of a stop that is in the books, until it has reached the printer or stands no more: why it could not be carried out
/// may be said in better words later. `stop`: as it stands there.
pub fn follow(app: &Arc<App>, printer: PrinterId, stop: EmergencyStop) {
    let app = Arc::clone(app);
    tokio::spawn(async move {
        let (id, mut told, mut written) = (stop.id, stop.state, (stop.state, stop.reason));
        loop {
            let mut news = std::pin::pin!(app.fleet.stop_news().notified());
            // Listening before looking: what comes in between is heard.
            news.as_mut().enable();
            let Some(now) = app.fleet.stop(printer).filter(|now| now.id == id) else { return };
            let as_it_is = (now.state, now.reason.clone());
            if as_it_is == written {
                if now.state.has_reached() {
                    return;
                }
                news.await;
                continue;
            }
            if std::mem::replace(&mut told, now.state) != now.state {
                tracing::warn!(printer.id = %printer, stop.state = now.state.as_str(), "emergency stop");
            }
            match store::update(&app.db, printer, &now).await {
                Ok(()) => written = as_it_is,
                Err(error) => {
                    tracing::warn!(%error, printer.id = %printer, "how far a stop is can't be written yet");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    });
}

/// A person has said that the printer is in order again.
///
/// # Errors
/// The database's; then the stop stands.
pub async fn clear(app: &App, printer: PrinterId, stop: &EmergencyStop) -> Result<(), DbError> {
    let _turn = app.stop_books.lock().await;
    let (now, workspace) = (app.clock.now(), app.fleet.workspace_of(printer));
    let mut tx = app.db.begin().await?;
    if let Some(workspace) = workspace {
        held_back::lock(&mut tx, workspace).await?;
    }
    store::clear(&mut tx, printer, stop, now).await?;
    let mut withdrawn = Vec::new();
    if let Some(workspace) = workspace {
        // What the stop has held back was never to be done after it.
        withdrawn = held_back::withdraw(&mut tx, (workspace, printer), now).await?;
    }
    tx.commit().await?;
    app.fleet.clear_stop(printer, stop.id);
    app.command_answers.notify_waiters();
    if let Some(workspace) = workspace {
        publish(app, workspace, withdrawn).await;
    }
    Ok(())
}
