//! A person wants something printed.

use stardust_protocol::{FileId, PrinterId};

use super::job::{JobRow, PrintJob, Printable};
use super::store::{self, Moved};
use crate::accounts::Person;
use crate::app::App;
use crate::error::Error;
use crate::events::outbox::{self, Event};
use crate::library;
use crate::library::file::Extraction;

/// What is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// Which file.
    pub file_id: FileId,
    /// On which printer; absent: the first that is free.
    pub printer_id: Option<PrinterId>,
    /// Also where the file's end is missing: whoever says so knows that the part will be, too.
    pub even_if_cut_off: bool,
    /// The same key again is the same wish.
    pub idempotency_key: Option<&'a str>,
}

/// Puts a job into the queue.
///
/// # Errors
/// No such file or printer, the file can't be printed, the key was used for another wish, or the database's.
pub async fn submit(app: &App, person: &Person, wish: Wish<'_>) -> Result<PrintJob, Error> {
    let (now, workspace) = (app.clock.now(), person.workspace_id);
    let file = library::store::get(&app.db, workspace, wish.file_id).await?;
    if file.extraction == Extraction::Failed {
        let why = file.extraction_error.unwrap_or_default();
        return Err(Error::conflict("file_not_ready", format!("This file can't be printed: {why}")));
    }
    // As long as its metadata has not been read nobody knows; the agent finds it out and does not call it finished.
    if file.metadata.as_ref().is_some_and(|known| known.truncated) && !wish.even_if_cut_off {
        return Err(Error::conflict(
            "file_cut_off",
            "This file is cut off: its end is missing, and so is the end of the part. Export it again and upload that, \
             or say that it is to be printed as far as it goes.",
        ));
    }
    if let Some(printer) = wish.printer_id {
        app.fleet.printer(workspace, printer).ok_or_else(|| Error::no_such("printer"))?;
    }
    let what = Printable { file_id: file.id, file_version_id: file.version_id, file_name: file.name };
    let job = JobRow::queued(workspace, person.user_id, what, wish.printer_id, now);
    let mut tx = app.db.begin().await?;
    tx.lock(&format!("queue:{workspace}")).await?;
    if let Some(key) = wish.idempotency_key
        && let Some((earlier, file_id)) = store::by_idempotency_key(&mut tx, person.user_id, key).await?
    {
        drop(tx);
        if file_id != wish.file_id {
            return Err(Error::conflict(
                "idempotency_key_reused",
                "This Idempotency-Key was used for another print job. Use a new key for a new job.",
            ));
        }
        return Ok(store::view(&app.db, workspace, earlier).await?.into_view(&app.fleet));
    }
    store::insert(&mut tx, &job, wish.idempotency_key).await?;
    let moved = Moved { from: None, at: now, now, reason: None, by: Some(&person.name) };
    store::record(&mut tx, &job, moved).await?;
    outbox::add(&mut tx, workspace, now, &Event::JobWaiting { printer_id: wish.printer_id }).await?;
    tx.commit().await?;
    app.bell.ring();
    tracing::info!(job.id = %job.id, file.id = %job.file_id, "job queued");
    super::publish(app, workspace, job.id).await
}
