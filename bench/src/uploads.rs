//! Many large uploads to a hub at the same time, for as long as they are wanted.
//!
//! Owns: that each of them is always under way, and that what is stored of them has a bound. Must not know: what is measured
//! meanwhile.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Sent at once.
const PIECE: usize = 64 * 1024;
/// A hub that takes nothing for so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where to, and as whom.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) hub: SocketAddr,
    pub(crate) token: String,
    /// Of each upload.
    pub(crate) bytes: u64,
}

/// Uploads under way.
pub(crate) struct Uploads {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<io::Result<()>>>,
}

#[derive(Debug, Default)]
struct Shared {
    ends: AtomicBool,
    under_way: AtomicUsize,
    sent: AtomicU64,
    whole: AtomicU64,
}

impl Uploads {
    /// Begins `count` of them, each of a file of its own. One that is over begins anew, with the same file: it is stored once.
    pub(crate) fn start(target: &Target, count: usize) -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let threads = (0..count).map(|number| {
            let (target, shared) = (target.clone(), Arc::clone(&shared));
            let name = format!("upload-{number}");
            let thread = name.clone();
            let work = move || {
                while !shared.ends.load(Ordering::Relaxed) {
                    let head = format!("; upload {number}\nG28\n");
                    upload(&target, &name, &head, &shared)?;
                }
                Ok(())
            };
            std::thread::Builder::new().name(thread).spawn(work)
        });
        let threads = threads.collect::<io::Result<_>>()?;
        Ok(Self { shared, threads })
    }

    /// How many are being sent now.
    pub(crate) fn under_way(&self) -> usize {
        self.shared.under_way.load(Ordering::Relaxed)
    }

    /// How many bytes the hub has been sent.
    pub(crate) fn sent(&self) -> u64 {
        self.shared.sent.load(Ordering::Relaxed)
    }

    /// Breaks off; how many came through whole.
    pub(crate) fn finish(self) -> io::Result<u64> {
        self.shared.ends.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().map_err(|_| io::Error::other("an upload has failed"))??;
        }
        Ok(self.shared.whole.load(Ordering::Relaxed))
    }
}

/// One upload, to its end. The file begins with `head`.
pub(crate) fn whole(target: &Target, name: &str, head: &str) -> io::Result<()> {
    upload(target, name, head, &Shared::default())
}

fn upload(target: &Target, name: &str, head: &str, shared: &Shared) -> io::Result<()> {
    let mut stream = TcpStream::connect(target.hub)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let (hub, token, bytes) = (target.hub, &target.token, target.bytes);
    write!(
        stream,
        "POST /api/v1/files?name={name}.gcode HTTP/1.1\r\nHost: {hub}\r\nAuthorization: Bearer {token}\r\n\
         Content-Length: {bytes}\r\nConnection: close\r\n\r\n{head}"
    )?;
    let piece = b"G1 X100.123 Y100.456 E0.12345\n".repeat(PIECE / 30);
    let mut left = bytes.saturating_sub(head.len() as u64);
    shared.under_way.fetch_add(1, Ordering::Relaxed);
    let sent = send(&mut stream, &piece, &mut left, shared);
    shared.under_way.fetch_sub(1, Ordering::Relaxed);
    sent?;
    if left > 0 {
        // Nobody wants it any more.
        return Ok(());
    }
    let mut status = String::new();
    BufReader::new(stream).read_line(&mut status)?;
    if !status.contains(" 201") && !status.contains(" 200") {
        return Err(io::Error::other(format!("an upload was answered: {}", status.trim_end())));
    }
    shared.whole.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

fn send(stream: &mut TcpStream, piece: &[u8], left: &mut u64, shared: &Shared) -> io::Result<()> {
    while *left > 0 && !shared.ends.load(Ordering::Relaxed) {
        let count = usize::try_from(*left).unwrap_or(usize::MAX).min(piece.len());
        stream.write_all(piece.get(..count).unwrap_or_default())?;
        *left -= count as u64;
        shared.sent.fetch_add(count as u64, Ordering::Relaxed);
    }
    Ok(())
}
