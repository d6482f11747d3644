//! Ports for processes that must be told theirs beforehand. Knows nothing of who listens.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{FlockOperation, flock};

use crate::{Error, Result};

// Below the range from which the kernel takes ports for outgoing connections: a port that is free
// now can't become somebody's outgoing connection before the process listens, or while it restarts.
const FIRST: u32 = 10_000;
const COUNT: u32 = 22_000;

/// A port of 127.0.0.1 that is free, and that no other holder of a `Port` gets while this lives.
#[derive(Debug)]
pub struct Port {
    number: u16,
    // Tests run as processes beside each other: the lock keeps two from choosing the same port.
    _lock: File,
}

impl Port {
    /// Picks one.
    ///
    /// # Errors
    /// None is free, or the directory for the locks can't be used.
    pub fn pick() -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let locks = lock_directory()?;
        for _ in 0..1000 {
            let step = NEXT.fetch_add(1, Ordering::Relaxed);
            let candidate = std::process::id().wrapping_mul(7919).wrapping_add(step) % COUNT + FIRST;
            let Ok(number) = u16::try_from(candidate) else { continue };
            let path = locks.join(number.to_string());
            let lock = File::create(&path).map_err(Error::file(&path))?;
            if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
                continue;
            }
            if TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok() {
                return Ok(Self { number, _lock: lock });
            }
        }
        Err(Error::NoPort)
    }

    /// The port's number.
    #[must_use]
    pub fn number(&self) -> u16 {
        self.number
    }

    /// The address to listen on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.number).into()
    }
}

fn lock_directory() -> Result<PathBuf> {
    let user = rustix::process::getuid().as_raw();
    let dir = std::env::temp_dir().join(format!("stardust-ports-{user}"));
    std::fs::create_dir_all(&dir).map_err(Error::file(&dir))?;
    Ok(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_free_distinct_and_below_the_ephemeral_range() {
        let ports: Vec<Port> = (0..20).map(|_| Port::pick().unwrap()).collect();
        let mut numbers: Vec<u16> = ports.iter().map(Port::number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 20);
        assert!(numbers.iter().all(|number| (10_000..32_000).contains(number)), "{numbers:?}");
        for port in &ports {
            TcpListener::bind(port.address()).unwrap();
        }
    }
}
