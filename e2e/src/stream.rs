//! The hub's stream of changes, as a person's program reads it. Must not know: what a test waits for.

use std::time::Duration;

use futures::StreamExt as _;
use reqwest::{Method, Response};
use serde_json::Value;
use stardust_demo::client::Client;

use crate::house::PATIENCE;

/// One event of the stream.
#[derive(Debug)]
pub struct Event {
    /// Its place in the stream.
    pub id: String,
    /// `reset`, `change` or `alive`.
    pub name: String,
    /// What it carries.
    pub data: Value,
}

/// Reads events, those behind `last` first, until `enough` says so.
///
/// # Panics
/// The stream ends, or is not one.
pub async fn read(client: &Client, last: Option<&str>, mut enough: impl FnMut(&Event) -> bool) -> Vec<Event> {
    let mut request = client.request(Method::GET, "/api/v1/stream").timeout(Duration::from_secs(600));
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    let mut body =
        request.send().await.and_then(Response::error_for_status).expect("the stream").bytes_stream();
    let (mut text, mut events) = (String::new(), Vec::new());
    let reading = async {
        loop {
            while let Some((block, rest)) = text.split_once("\n\n").map(|(b, r)| (b.to_owned(), r.to_owned()))
            {
                text = rest;
                let field = |name: &str| {
                    block
                        .lines()
                        .find_map(|line| line.strip_prefix(name))
                        .map(|value| value.trim().to_owned())
                };
                if let (Some(id), Some(name), Some(data)) = (field("id:"), field("event:"), field("data:")) {
                    let event = Event { id, name, data: serde_json::from_str(&data).expect("JSON") };
                    let done = enough(&event);
                    events.push(event);
                    if done {
                        return;
                    }
                }
            }
            text.push_str(
                std::str::from_utf8(
                    &body.next().await.expect("the stream goes on").expect("more of the stream"),
                )
                .unwrap(),
            );
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("the awaited event");
    events
}
