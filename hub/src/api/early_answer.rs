//! Answers that are given before the request's body has been read, so that the client gets to see them.
//!
//! Most clients look for an answer only when they have sent everything, and a connection that is closed with
//! unread bytes is reset: they would be shown a broken network instead of our sentence. So the answer goes out
//! at once, and what still comes is read and thrown away behind it, for a while.
//!
//! Owns: the rest of a body that a handler has not read. Must not know: why it was not read.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use futures::StreamExt as _;
use http_body::{Frame, SizeHint};
use tokio::sync::oneshot;

/// How long the rest of a body is thrown away.
const AT_MOST: Duration = Duration::from_secs(30);

/// Lets a handler answer without having read the body.
pub(super) async fn answer_early(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (give_back, mut rest) = oneshot::channel();
    let request = request.map(|body| Body::new(Watched { body, dropped: Some(give_back) }));
    let mut response = next.run(request).await;
    // Not given back: it was read to its end, or somebody still reads it.
    let Some(rest) = rest.try_recv().ok().filter(|rest: &Body| !rest.is_end_stream()) else {
        return response;
    };
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    let (sent, answered) = oneshot::channel();
    tokio::spawn(throw_away(rest, answered));
    response.map(|body| Body::new(Watched { body, dropped: Some(sent) }))
}

/// Only behind the answer: to ask for the body would send a client that waits for "100 Continue" on its way.
async fn throw_away(rest: Body, answered: oneshot::Receiver<Body>) {
    let _ = answered.await;
    let mut rest = rest.into_data_stream();
    let all = async { while let Some(Ok(_)) = rest.next().await {} };
    let _ = tokio::time::timeout(AT_MOST, all).await;
}

/// A body that is handed on when nobody wants more of it.
struct Watched {
    body: Body,
    dropped: Option<oneshot::Sender<Body>>,
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some(dropped) = self.dropped.take() {
            let _ = dropped.send(std::mem::take(&mut self.body));
        }
    }
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
