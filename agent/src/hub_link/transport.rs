//! The way of a request to the hub and of its answer back.
//!
//! Owns: one exchange over the network, and the cause where there is none. Must not know: what is asked, what an
//! answer means, or whether to ask again.

use std::time::Duration;

use futures::future::BoxFuture;
use reqwest::{Client, Request, Response};

use super::back_off::random_seed;

/// A download may last; its pieces may not.
const PIECE_TIMEOUT: Duration = Duration::from_secs(30);
/// Who does not take the connection within this time will not take it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Carries requests to the hub.
pub trait Transport: std::fmt::Debug + Send + Sync {
    /// Sends a request once and gives the answer, whatever its status; or why there is none, in words. Keeps to the
    /// request's own time-out.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, String>>;

    /// By what the waits between attempts differ from those of other agents.
    fn jitter_seed(&self) -> u64 {
        random_seed()
    }
}

/// The network of this machine.
#[derive(Debug)]
pub struct Network(Client);

impl Network {
    /// Makes ready for connections.
    ///
    /// # Errors
    /// When the TLS set-up of this machine can't be used: why.
    pub fn new() -> Result<Self, String> {
        let client = Client::builder()
            .user_agent(concat!("stardust-agent/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(PIECE_TIMEOUT)
            .build();
        client.map(Self).map_err(|error| causes(&error))
    }
}

impl Transport for Network {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, String>> {
        Box::pin(async move { self.0.execute(request).await.map_err(|error| causes(&error.without_url())) })
    }
}

/// An error with what lies beneath it: "error sending request: connection refused".
pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
