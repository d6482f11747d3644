//! `/api/v1/stream`: changes over Server-Sent Events, resumable by `Last-Event-ID`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, Stream, StreamExt as _};
use tokio::sync::broadcast::error::RecvError;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::bus::{Bus, Change, Subscription};
use crate::accounts::Person;
use crate::app::App;

const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The route of the stream.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(watch))
}

/// Watches the workspace: `reset` means fetch the lists anew, `change` carries a `Change`, and `alive` comes every
/// 15 s when there is nothing else.
///
/// Open the stream first, then fetch the lists: nothing falls between.
#[utoipa::path(get, path = "/api/v1/stream", operation_id = "watch_changes", tag = "stream",
    params(("Last-Event-ID" = Option<String>, Header, description = "The id of the last event received")),
    responses((status = 200, body = Change, content_type = "text/event-stream")))]
async fn watch(State(app): State<Arc<App>>, person: Person, headers: HeaderMap) -> Response {
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let subscription = app.bus.subscribe(person.workspace_id, last);
    let events = events(Arc::clone(&app.bus), subscription, person).map(Ok::<_, Infallible>);
    let mut response = Sse::new(events).keep_alive(keep_alive()).into_response();
    // Proxies must hand events on as they come.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An event rather than a comment: a browser's program sees no comments, and could not tell a stream that has died
/// without a word from a quiet one.
fn keep_alive() -> KeepAlive {
    KeepAlive::new().interval(KEEP_ALIVE).event(Event::default().event("alive").data("{}"))
}

fn events(bus: Arc<Bus>, subscription: Subscription, person: Person) -> impl Stream<Item = Event> {
    let Subscription { reset, at, missed, live } = subscription;
    let change =
        |bus: &Bus, number, json: &str| Event::default().event("change").id(bus.event_id(number)).data(json);
    let first = reset.then(|| reset_event(&bus, at));
    let missed: Vec<_> =
        missed.iter().map(|published| change(&bus, published.number, &published.json)).collect();
    let rest = stream::unfold(
        (bus, live, Some(person.workspace_id)),
        move |(bus, mut live, workspace)| async move {
            // None: the stream has ended with a reset; the browser connects anew.
            let workspace = workspace?;
            loop {
                match live.recv().await {
                    Ok(published) if published.workspace == workspace => {
                        let event = change(&bus, published.number, &published.json);
                        return Some((event, (bus, live, Some(workspace))));
                    }
                    Ok(_) => {}
                    Err(RecvError::Lagged(missed)) => {
                        tracing::info!(
                            stream.missed_events = missed,
                            "a watcher was too slow and has to start anew"
                        );
                        let event = reset_event(&bus, 0);
                        return Some((event, (bus, live, None)));
                    }
                    Err(RecvError::Closed) => return None,
                }
            }
        },
    );
    stream::iter(first.into_iter().chain(missed)).chain(rest)
}

fn reset_event(bus: &Bus, at: u64) -> Event {
    Event::default().event("reset").id(bus.event_id(at)).data("{}")
}
