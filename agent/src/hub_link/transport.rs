//! The way of a request to the hub and of its answer back.
//!
//! Owns: one exchange over the network, and the cause where there is none. Must not know: what is asked, what an
//! answer means, or whether to ask again.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use reqwest::{Certificate, Client, Request, Response};

use super::back_off::random_seed;
use super::certificate;
use crate::plain_file;

/// A download may last; its pieces may not.
const PIECE_TIMEOUT: Duration = Duration::from_secs(30);
/// Who does not take the connection within this time will not take it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Carries requests to the hub.
pub trait Transport: std::fmt::Debug + Send + Sync {
    /// Sends a request once and gives the answer, whatever its status; or why there is none, in words. Keeps to the
    /// request's own time-out.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, String>>;

    /// By what the waits between attempts, and the numbers of samples, differ from those of other processes.
    fn seed(&self) -> u64 {
        random_seed()
    }
}

/// The network of this machine.
#[derive(Debug)]
pub struct Network {
    ca: Option<PathBuf>,
    /// Made when it is needed, with the certificates that are trusted then.
    client: Mutex<Option<Client>>,
}

impl Network {
    /// Certificates are trusted that those of the system vouch for, or those of the file `ca`.
    #[must_use]
    pub fn new(ca: Option<PathBuf>) -> Self {
        Self { ca, client: Mutex::default() }
    }

    fn slot(&self) -> MutexGuard<'_, Option<Client>> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn client(&self) -> Result<Client, String> {
        if let Some(client) = &*self.slot() {
            return Ok(client.clone());
        }
        let builder = Client::builder()
            .user_agent(concat!("stardust-agent/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(PIECE_TIMEOUT);
        let own = self.ca.as_deref().map(authorities).transpose()?.unwrap_or_default();
        let client = builder.tls_certs_merge(own).build().map_err(|error| causes(&error))?;
        Ok(self.slot().insert(client).clone())
    }
}

impl Transport for Network {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, String>> {
        Box::pin(async move {
            let sent = self.client()?.execute(request).await;
            sent.map_err(|error| match certificate::in_words(&error) {
                Some(words) => {
                    // What is trusted may be another thing the next time.
                    *self.slot() = None;
                    words
                }
                None => causes(&error.without_url()),
            })
        })
    }
}

/// All authorities of a system are a tenth of that.
const LONGEST_BYTES: u64 = 4 << 20;

/// The authorities of a file.
fn authorities(path: &Path) -> Result<Vec<Certificate>, String> {
    let file = path.display();
    let bytes = plain_file::read(path, LONGEST_BYTES)
        .map_err(|error| format!("hub_ca: {file} can't be read: {error}"))?;
    let found = Certificate::from_pem_bundle(&bytes)
        .map_err(|error| format!("hub_ca: {file}: {}", causes(&error)))?;
    if found.is_empty() { Err(format!("hub_ca: {file} holds no certificate (PEM)")) } else { Ok(found) }
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
