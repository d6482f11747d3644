//! A page for a browser on the printer host itself, as on a Raspberry Pi with a screen: `status_page` in the settings.
//!
//! Owns: listening on the loopback, one answer for each connection. Must not know: what is told, or how it looks.

mod address;
mod answer;

use std::convert::Infallible;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};

pub use address::{NotLoopback, PageAddress};

use crate::status_socket::Question;

/// Who has not asked, or not read the answer, until then is left alone.
const PATIENCE: Duration = Duration::from_secs(5);
/// Answered at a time: whoever opens more must not take the descriptors that printers need.
const AT_A_TIME: usize = 16;
/// The least that the library takes; a browser's request is shorter.
const LONGEST_REQUEST: usize = 8 * 1024;

/// The open page.
#[derive(Debug)]
pub struct StatusPage {
    listener: TcpListener,
    at: SocketAddr,
}

impl StatusPage {
    /// Listens there.
    ///
    /// # Errors
    /// A sentence: the address is taken, or the system refuses.
    pub async fn open(address: PageAddress) -> Result<Self, String> {
        let listener = TcpListener::bind(address.get()).await.map_err(|error| match error.kind() {
            ErrorKind::AddrInUse => {
                format!("{address} is taken by another program; set status_page to another port")
            }
            _ => format!("{address} can't be listened on: {error}"),
        })?;
        let at = listener.local_addr().map_err(|error| error.to_string())?;
        Ok(Self { listener, at })
    }

    /// What to type into the browser.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/", self.at)
    }

    /// Answers browsers, passing their questions on.
    pub async fn serve(self, questions: mpsc::Sender<Question>) {
        let places = Arc::new(Semaphore::new(AT_A_TIME));
        loop {
            // Never closed.
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let questions = questions.clone();
                    tokio::spawn(async move {
                        let _ = tokio::time::timeout(PATIENCE, converse(stream, questions)).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(error = %error, "nobody can look at the status page just now");
                    tokio::time::sleep(PATIENCE).await;
                }
            }
        }
    }
}

/// One request and its answer.
async fn converse(stream: TcpStream, questions: mpsc::Sender<Question>) {
    let service = service_fn(|request| {
        let questions = questions.clone();
        async move { Ok::<_, Infallible>(answer::answer(&request, &questions).await) }
    });
    let connection = http1::Builder::new()
        .keep_alive(false)
        .max_buf_size(LONGEST_REQUEST)
        .serve_connection(TokioIo::new(stream), service);
    // Who has gone away needs no answer.
    let _ = connection.await;
}
