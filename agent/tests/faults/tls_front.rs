//! What stands before a hub on the network: takes its TLS off, with a certificate that can be changed at any time.
//!
//! One request for each connection, as the stand-in hub answers them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::stand_in::hub::Hub;

pub(crate) struct TlsFront {
    pub(crate) url: String,
    certificate: Arc<Mutex<Certificate>>,
}

/// A certificate of the fixtures, and how many requests were heard under it.
#[derive(Clone)]
struct Certificate {
    config: Arc<ServerConfig>,
    requests: Arc<AtomicUsize>,
}

/// A file of the fixtures.
pub(crate) fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/tls").join(name)
}

fn certificate(name: &str) -> Certificate {
    let chain = CertificateDer::from_pem_file(file(&format!("{name}.pem"))).unwrap();
    let key = PrivateKeyDer::from_pem_file(file(&format!("{name}.key"))).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(vec![chain], key).unwrap());
    Certificate { config, requests: Arc::default() }
}

impl TlsFront {
    pub(crate) fn before(hub: &Hub, shown: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let front = Self {
            url: format!("https://localhost:{}/", listener.local_addr().unwrap().port()),
            certificate: Arc::new(Mutex::new(certificate(shown))),
        };
        let shown = front.certificate.clone();
        let hub = hub.url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (certificate, hub) = (shown.lock().unwrap().clone(), hub.clone());
                std::thread::spawn(move || pass(stream.unwrap(), certificate, &hub));
            }
        });
        front
    }

    /// Shows another certificate from now on.
    pub(crate) fn show(&self, name: &str) {
        *self.certificate.lock().unwrap() = certificate(name);
    }

    /// How many requests have been heard on connections under the certificate that is shown now, since it is: a byte
    /// of one is enough. A call that was under way when it changed does not count.
    pub(crate) fn requests(&self) -> usize {
        self.certificate.lock().unwrap().requests.load(Ordering::SeqCst)
    }
}

/// Passes one request on, and the answer back.
fn pass(stream: TcpStream, certificate: Certificate, hub: &str) {
    let connection = ServerConnection::new(certificate.config).unwrap();
    let mut client = BufReader::new(StreamOwned::new(connection, stream));
    let mut request = Vec::new();
    let mut length = 0;
    loop {
        let mut line = Vec::new();
        match client.read_until(b'\n', &mut line) {
            // The client does not like the certificate, or goes away.
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        if request.is_empty() {
            certificate.requests.fetch_add(1, Ordering::SeqCst);
        }
        let text = String::from_utf8_lossy(&line).to_ascii_lowercase();
        if let Some(value) = text.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        request.extend_from_slice(&line);
        if line == b"\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    if client.read_exact(&mut body).is_err() {
        return;
    }
    request.extend_from_slice(&body);
    let mut upstream = TcpStream::connect(hub).unwrap();
    upstream.write_all(&request).unwrap();
    let mut answer = Vec::new();
    let _ = upstream.read_to_end(&mut answer);
    let client = client.get_mut();
    let _ = client.write_all(&answer);
    client.conn.send_close_notify();
    let _ = client.flush();
}
