//! Taking an upload in: bytes to the object store while they are hashed and looked at; a row only at the end.
//!
//! Whatever goes wrong before that leaves neither a row nor bytes.

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

/// What an upload became.
pub struct Uploaded {
    /// The file.
    pub file: PrintFile,
    /// Whether anything is new.
    pub new: bool,
}

/// Refuses at once what is announced to be too large, before a byte of it has been read. `wrapper_bytes` may come
/// on top of a file.
///
/// # Errors
/// It is too large.
pub(super) fn check_announced(app: &App, announced: Option<u64>, wrapper_bytes: u64) -> Result<(), Error> {
    let limit = app.config.max_upload_bytes;
    match announced {
        Some(bytes) if bytes > limit.saturating_add(wrapper_bytes) => Err(too_large(limit, Some(bytes))),
        _ => Ok(()),
    }
}

/// Takes a body in as a print file. Nothing that is left of it after a failure is read.
///
/// # Errors
/// A bad name, no G-code, too large, broken off, or our own. Nothing is stored then.
pub async fn take(
    app: &App,
    person: &Person,
    given_name: &str,
    declared_bytes: Option<u64>,
    mut body: impl Stream<Item = Result<Bytes, Error>> + Unpin,
) -> Result<Uploaded, Error> {
    let name = &name::parse(given_name)?;
    check_announced(app, declared_bytes, 0)?;
    let now = app.clock.now();
    // A version id is as good a name as any while the hash is not known.
    let mut incoming = app.objects.receive(&FileVersionId::generate(now).to_string()).await?;
    if let Err(error) = receive(&mut incoming, &mut body, app.config.max_upload_bytes).await {
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

async fn receive(
    incoming: &mut Incoming,
    body: &mut (impl Stream<Item = Result<Bytes, Error>> + Unpin),
    limit: u64,
) -> Result<(), Error> {
    // The head decides whether this is G-code before the rest is taken.
    let mut head = Some(BytesMut::new());
    while let Some(piece) = body.next().await {
        let piece = piece?;
        if incoming.size_bytes() + piece.len() as u64 > limit {
            return Err(too_large(limit, None));
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

fn check(head: &[u8]) -> Result<(), Error> {
    match sniff::sniff(head) {
        Content::Gcode => Ok(()),
        empty @ Content::Empty => Err(Error::invalid("empty_file", empty.to_string())),
        other => Err(Error::invalid("not_gcode", other.to_string())),
    }
}

fn too_large(limit_bytes: u64, size_bytes: Option<u64>) -> Error {
    let limit = in_words(limit_bytes);
    let size = size_bytes.map(|bytes| format!(" has {} and", in_words(bytes))).unwrap_or_default();
    Error::TooLarge {
        detail: format!(
            "The file{size} is larger than this hub takes ({limit}). Nothing was kept. Whoever runs the hub can \
             raise max_upload_bytes."
        ),
        limit_bytes: Some(limit_bytes),
        size_bytes,
    }
}

/// Exact for small sizes, in the unit of the setting's documentation for large ones.
fn in_words(bytes: u64) -> String {
    const MIB: u64 = 1 << 20;
    if bytes < MIB {
        return format!("{bytes} bytes");
    }
    let tenths = bytes.saturating_mul(10) / MIB;
    if tenths.is_multiple_of(10) {
        format!("{} MiB", tenths / 10)
    } else {
        format!("{}.{} MiB", tenths / 10, tenths % 10)
    }
}

/// The client went away, or the body is shorter than was said.
pub(super) fn incomplete(why: &str) -> Error {
    tracing::info!(why, "an upload broke off");
    Error::invalid(
        "upload_incomplete",
        "The upload broke off before its end. Nothing was kept: upload the file again.",
    )
}

#[cfg(test)]
mod tests;
