//! The extractor: reads what the slicer says of a file, and its picture, when an upload's event comes.
//!
//! Owns: the way from stored bytes to the library's metadata. Must not know: G-code dialects (those are
//! `stardust-gcode`'s) or who uploaded the file.

mod metadata;
mod picture;

use futures::StreamExt as _;
use stardust_gcode::scan::{MetadataScanner, ScanOutcome};
use stardust_gcode::thumbnail;
use stardust_protocol::{FileVersionId, WorkspaceId};

use crate::app::App;
use crate::error::Error;
use crate::library;
use crate::library::store::Extracted;
use crate::objects::Objects;

/// Reads a version's metadata and picture and writes them into the library. A repeat does no harm.
///
/// # Errors
/// A sentence for the outbox.
pub async fn extract(app: &App, workspace: WorkspaceId, id: FileVersionId) -> Result<(), String> {
    run(app, workspace, id).await.map_err(|error| match std::error::Error::source(&error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    })
}

async fn run(app: &App, workspace: WorkspaceId, id: FileVersionId) -> Result<(), Error> {
    let version = library::store::version(&app.db, workspace, id).await?;
    let outcome = scan(&app.objects, &version.object.sha256).await?;
    let pictures = thumbnail::by_preference(&outcome.thumbnails);
    let thumbnail = match pictures.into_iter().find_map(picture::for_browsers) {
        Some((media_type, picture)) => {
            let stored = app.objects.put(picture.into_owned().into()).await?;
            Some((stored.sha256, media_type.to_owned()))
        }
        None => None,
    };
    let found = Extracted { metadata: metadata::from_scan(&outcome.metadata), thumbnail };
    tracing::info!(version.id = %id, slicer = found.metadata.slicer, "metadata extracted");
    write(app, workspace, id, Ok(found)).await
}

/// The last try has failed: the file can't be printed, and says why.
pub async fn give_up(app: &App, workspace: WorkspaceId, id: FileVersionId) {
    // The error itself is in the outbox and the log; people get what they can act on.
    let sentence = "The hub could not read the stored file. Upload it again.".to_owned();
    if let Err(error) = write(app, workspace, id, Err(sentence)).await {
        tracing::error!(%error, version.id = %id, "a failed extraction could not be recorded");
    }
}

async fn scan(objects: &Objects, sha256: &str) -> Result<ScanOutcome, Error> {
    let mut bytes = objects.read(sha256, None).await?;
    let mut scanner = MetadataScanner::new();
    while let Some(piece) = bytes.next().await {
        // A piece is a few KiB: far below what would hold up the other tasks of this thread.
        scanner.feed(&piece?);
    }
    Ok(scanner.finish())
}

async fn write(
    app: &App,
    workspace: WorkspaceId,
    id: FileVersionId,
    found: Result<Extracted, String>,
) -> Result<(), Error> {
    let file_id = library::store::version(&app.db, workspace, id).await?.file_id;
    let mut tx = app.db.begin().await?;
    library::store::set_extracted(&mut tx, id, &found).await?;
    tx.commit().await?;
    match library::upload::publish(app, workspace, file_id).await {
        Ok(_) => {}
        // Deleted meanwhile: nobody to tell.
        Err(Error::NotFound { .. }) => return Ok(()),
        Err(error) => return Err(error),
    }
    // Jobs that were queued before the metadata was there show its picture and estimate now.
    crate::queue::republish_jobs_of_version(app, workspace, id).await
}
