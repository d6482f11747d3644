//! A file in a web form (multipart/form-data, RFC 7578), as `curl -F file=@bracket.gcode` and slicers' upload
//! buttons send it.
//!
//! Owns: finding the one file of a form and handing out its bytes while they come; what is held of a form is
//! one piece of it. Must not know: what is in the file.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::http::{HeaderMap, header};
use bytes::Bytes;
use futures::Stream;
use futures::stream::{self, BoxStream, StreamExt as _};
use multer::{Field, Multipart};

use crate::error::Error;

/// What a form may hold besides its file: boundaries, headers, other fields' names.
pub(super) const MAX_WRAPPER_BYTES: u64 = 256 * 1024;

/// The file of a form.
pub(super) struct FormFile<'r> {
    /// The name that the form gives it.
    pub(super) name: Option<String>,
    /// Its bytes. At their end the form's end has been seen.
    pub(super) bytes: BoxStream<'r, Result<Bytes, Error>>,
}

/// The boundary of a form; none for a body that is no form.
///
/// # Errors
/// The body is said to be a form and no boundary is named.
pub(super) fn boundary(headers: &HeaderMap) -> Result<Option<String>, Error> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_form = kind.trim_start().get(..FORM.len()).is_some_and(|start| start.eq_ignore_ascii_case(FORM));
    if !is_form {
        return Ok(None);
    }
    multer::parse_boundary(kind).map(Some).map_err(|_| bad("it names no boundary in its Content-Type"))
}

const FORM: &str = "multipart/form-data";

/// Reads a form up to its file.
///
/// # Errors
/// It is no form, holds no file, or broke off.
pub(super) async fn open<'r>(
    body: impl Stream<Item = Result<Bytes, Error>> + Send + Unpin + 'r,
    boundary: String,
) -> Result<FormFile<'r>, Error> {
    let held = Arc::new(AtomicU64::new(0));
    let body = Measured { body, held: Arc::clone(&held), paused: false };
    let mut form = Form { parts: Multipart::new(body, boundary), held };
    while let Some(mut part) = form.parts.next_field().await.map_err(error_of)? {
        if is_file(&part) {
            let name = part.file_name().filter(|name| !name.is_empty()).map(str::to_owned);
            return Ok(FormFile { name, bytes: bytes(form, part) });
        }
        while form.read(&mut part).await?.is_some() {}
    }
    Err(Error::invalid(
        "no_file",
        "The form holds no file. Send the G-code as a part with a file name: curl -F file=@bracket.gcode.",
    ))
}

struct Form<'r> {
    parts: Multipart<'r>,
    /// Bytes that came and are not handed on.
    held: Arc<AtomicU64>,
}

impl<'r> Form<'r> {
    async fn read(&self, part: &mut Field<'r>) -> Result<Option<Bytes>, Error> {
        let piece = part.chunk().await.map_err(error_of)?;
        if let Some(piece) = &piece {
            self.held.fetch_sub(piece.len() as u64, Ordering::Relaxed);
        }
        Ok(piece)
    }

    /// Nothing but other fields stands behind the file.
    async fn end(mut self) -> Result<(), Error> {
        while let Some(mut part) = self.parts.next_field().await.map_err(error_of)? {
            let is_file = is_file(&part);
            while let Some(piece) = self.read(&mut part).await? {
                if is_file && !piece.is_empty() {
                    return Err(Error::invalid(
                        "several_files",
                        "The form holds more than one file. Nothing was kept: upload one file at a time.",
                    ));
                }
            }
        }
        Ok(())
    }
}

/// A browser sends a chooser without a file as a part with an empty name.
fn is_file(part: &Field<'_>) -> bool {
    part.file_name().is_some() || part.name() == Some("file")
}

fn bytes<'r>(form: Form<'r>, part: Field<'r>) -> BoxStream<'r, Result<Bytes, Error>> {
    let pieces = stream::try_unfold(Some((form, part)), |state| async move {
        let Some((form, mut part)) = state else { return Ok(None) };
        if let Some(piece) = form.read(&mut part).await? {
            return Ok(Some((piece, Some((form, part)))));
        }
        drop(part);
        form.end().await?;
        Ok(None)
    });
    pieces.boxed()
}

/// The body as the parser gets it. The parser takes all that is ready and holds a part's headers until they are
/// complete: this hands out one piece at a time, and nothing more when too much is held.
struct Measured<S> {
    body: S,
    held: Arc<AtomicU64>,
    paused: bool,
}

impl<S: Stream<Item = Result<Bytes, Error>> + Unpin> Stream for Measured<S> {
    type Item = Result<Bytes, Box<dyn std::error::Error + Send + Sync>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.paused) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let next = futures::ready!(self.body.poll_next_unpin(context));
        self.paused = next.is_some();
        Poll::Ready(next.map(|piece| {
            let piece = piece?;
            let before = self.held.fetch_add(piece.len() as u64, Ordering::Relaxed);
            if before > MAX_WRAPPER_BYTES {
                return Err(bad("what stands around the file is too long").into());
            }
            Ok(piece)
        }))
    }
}

fn bad(why: &str) -> Error {
    Error::invalid(
        "bad_form",
        format!("The upload is not a web form that can be read: {why}. Nothing was kept: send it again."),
    )
}

fn error_of(error: multer::Error) -> Error {
    match error {
        multer::Error::StreamReadFailed(error) => match error.downcast::<Error>() {
            Ok(error) => *error,
            Err(error) => super::upload::incomplete(&error.to_string()),
        },
        multer::Error::IncompleteFieldData { .. }
        | multer::Error::IncompleteHeaders
        | multer::Error::IncompleteStream => super::upload::incomplete("the form's end is missing"),
        other => bad(&other.to_string()),
    }
}

#[cfg(test)]
mod tests;
