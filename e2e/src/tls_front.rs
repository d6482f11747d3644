//! What stands before a hub where people reach it by HTTPS: takes the TLS off, and knows what was asked.
//!
//! One request for each connection. The certificate is one of `fixtures/tls`, for `localhost`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// The front.
pub struct TlsFront {
    /// Where it is.
    pub url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

/// A file of the fixtures: `one.pem` is who vouches for it.
#[must_use]
pub fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/tls").join(name)
}

impl TlsFront {
    /// Stands before a hub from now on, until the test ends.
    #[must_use]
    pub fn before(hub: SocketAddr) -> Self {
        let chain = CertificateDer::from_pem_file(file("good.pem")).expect("the certificate");
        let key = PrivateKeyDer::from_pem_file(file("good.key")).expect("its key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|config| config.with_no_client_auth().with_single_cert(vec![chain], key))
            .expect("a configuration");
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its number").port();
        let front = Self { url: format!("https://localhost:{port}"), asked: Arc::default() };
        let asked = Arc::clone(&front.asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (config, asked) = (Arc::clone(&config), Arc::clone(&asked));
                // Who breaks off, on either side, is tried again by the other.
                std::thread::spawn(move || pass(stream, config, hub, &asked).ok());
            }
        });
        front
    }

    /// The requests so far: `GET /agent/v1/session`.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Passes one request on, and the answer back.
fn pass(
    stream: TcpStream,
    config: Arc<ServerConfig>,
    hub: SocketAddr,
    asked: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut client = BufReader::new(StreamOwned::new(connection, stream));
    let (mut request, mut length) = (String::new(), 0);
    let mut line = String::new();
    while client.read_line(&mut line)? > 2 {
        let header = line.to_ascii_lowercase();
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().map_err(std::io::Error::other)?;
        }
        if !header.starts_with("connection:") {
            request.push_str(&line);
        }
        line.clear();
    }
    if let Some((first, _)) = request.split_once(" HTTP/") {
        asked.lock().unwrap_or_else(PoisonError::into_inner).push(first.to_owned());
    }
    let mut body = vec![0; length];
    client.read_exact(&mut body)?;
    let mut upstream = TcpStream::connect(hub)?;
    write!(upstream, "{request}Connection: close\r\n\r\n")?;
    upstream.write_all(&body)?;
    let client = client.get_mut();
    std::io::copy(&mut upstream, client)?;
    client.conn.send_close_notify();
    client.flush()
}
