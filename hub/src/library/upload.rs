//! Taking an upload in: bytes to the object store while they are hashed and looked at; a row only at the end.
//!
//! Whatever goes wrong before that leaves neither a row nor bytes.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt as _};
use stardust_gcode::sniff::{self, Content};
use stardust_protocol::{FileId, FileVersionId, WorkspaceId};

use super::file::{Extraction, PrintFile};
use super::name;
use super::store::{self, Added};
use crate::accounts::Person;
use crate::app::App;
use crate::error::Error;
use crate::events::bus::Resource;
use crate::objects::{Incoming, Stored};

/// How long the rest of a refused upload is read and thrown away.
const DRAIN_AT_MOST: Duration = Duration::from_secs(30);

/// What an upload became.
pub struct Uploaded {
    /// The file.
    pub file: PrintFile,
    /// Whether anything is new.
    pub new: bool,
}

/// Takes a body in as a print file.
///
/// # Errors
/// A bad name, no G-code, too large, broken off, or our own. Nothing is stored then.
pub async fn take<E: std::fmt::Display>(
    app: &App,
    person: &Person,
    given_name: &str,
    declared_bytes: Option<u64>,
    body: impl Stream<Item = Result<Bytes, E>> + Unpin,
) -> Result<Uploaded, Error> {
    let name = name::parse(given_name)?;
    let mut body = body;
    let taken = take_body(app, person, &name, declared_bytes, &mut body).await;
    if taken.is_err() {
        drain(body).await;
    }
    taken
}

async fn take_body<E: std::fmt::Display>(
    app: &App,
    person: &Person,
    name: &str,
    declared_bytes: Option<u64>,
    body: &mut (impl Stream<Item = Result<Bytes, E>> + Unpin),
) -> Result<Uploaded, Error> {
    let limit = app.config.max_upload_bytes;
    if declared_bytes.is_some_and(|bytes| bytes > limit) {
        return Err(too_large(limit));
    }
    let now = app.clock.now();
    // A version id is as good a name as any while the hash is not known.
    let mut incoming = app.objects.receive(&FileVersionId::generate(now).to_string()).await?;
    if let Err(error) = receive(&mut incoming, body, limit).await {
        incoming.abandon().await;
        return Err(error);
    }
    if declared_bytes.is_some_and(|bytes| bytes != incoming.size_bytes()) {
        incoming.abandon().await;
        return Err(incomplete("it ended before the announced length"));
    }
    let stored: Stored = incoming.finish().await?;
    let added = store::add(&app.db, now, person, name, &stored).await?;
    let (Added::New(id) | Added::Same(id)) = added;
    let new = added != Added::Same(id);
    let file = if new {
        tracing::info!(file.id = %id, file.name = name, file.size_bytes = stored.size_bytes, "file uploaded");
        app.bell.ring();
        publish(app, person.workspace_id, id).await?
    } else {
        store::get(&app.db, person.workspace_id, id).await?
    };
    Ok(Uploaded { file, new })
}

/// After a change was committed: tells those who watch how a file looks now.
///
/// # Errors
/// The file has been deleted, or the database's.
pub async fn publish(app: &App, workspace: WorkspaceId, id: FileId) -> Result<PrintFile, Error> {
    let _turn = app.publishing.lock().await;
    let file = store::get(&app.db, workspace, id).await?;
    match serde_json::to_value(&file) {
        Ok(document) => {
            app.bus.publish(workspace, Resource::File, id.to_string(), document);
            // It changes again only when somebody uploads a new version: that is then told whole.
            if file.extraction != Extraction::Pending {
                app.bus.settle(Resource::File, &id.to_string());
            }
        }
        Err(error) => tracing::error!(%error, "a file could not be serialised"),
    }
    Ok(file)
}

async fn receive<E: std::fmt::Display>(
    incoming: &mut Incoming,
    body: &mut (impl Stream<Item = Result<Bytes, E>> + Unpin),
    limit: u64,
) -> Result<(), Error> {
    // The head decides whether this is G-code before the rest is taken.
    let mut head = Some(BytesMut::new());
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|error| incomplete(&error.to_string()))?;
        if incoming.size_bytes() + piece.len() as u64 > limit {
            return Err(too_large(limit));
        }
        if let Some(collected) = &mut head {
            collected.extend_from_slice(&piece);
            if collected.len() >= sniff::WINDOW {
                check(collected)?;
                head = None;
            }
        }
        incoming.write(piece).await?;
    }
    head.map_or(Ok(()), |whole| check(&whole))
}

/// Most browsers look for an answer only when they have sent everything: a connection that is closed before
/// that shows them a broken network instead of our sentence.
async fn drain<E>(mut body: impl Stream<Item = Result<Bytes, E>> + Unpin) {
    let rest = async { while let Some(Ok(_)) = body.next().await {} };
    let _ = tokio::time::timeout(DRAIN_AT_MOST, rest).await;
}

fn check(head: &[u8]) -> Result<(), Error> {
    match sniff::sniff(head) {
        Content::Gcode => Ok(()),
        empty @ Content::Empty => Err(Error::invalid("empty_file", empty.to_string())),
        other => Err(Error::invalid("not_gcode", other.to_string())),
    }
}

fn too_large(limit: u64) -> Error {
    let limit = if limit >= 1 << 20 { format!("{} MiB", limit >> 20) } else { format!("{limit} bytes") };
    Error::TooLarge {
        detail: format!(
            "The file is larger than this hub takes ({limit}). Whoever runs the hub can raise max_upload_bytes."
        ),
    }
}

fn incomplete(why: &str) -> Error {
    tracing::info!(why, "an upload broke off");
    Error::invalid(
        "upload_incomplete",
        "The upload broke off before its end. Nothing was kept: upload the file again.",
    )
}
