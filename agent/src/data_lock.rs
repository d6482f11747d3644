//! One agent for each data directory: a second one would write its journal in the place of the first one's, and what the first has
//! left hot would be owed by nobody.
//!
//! Owns: the lock on the directory itself, which also a disk that can't be written has, and which goes with the process.
//! Must not know: what is in there.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use tokio::time::Instant;

/// A process that is ending may hold it for so long.
const PATIENCE: Duration = Duration::from_secs(5);
const TRY_EVERY: Duration = Duration::from_millis(50);

/// Held by another agent.
#[derive(Debug, thiserror::Error)]
#[error(
    "Another agent runs with the data in {}: this one has touched nothing and ends. Use that one (`stardust-agent status`), or stop \
     it first: sudo systemctl stop stardust-agent (or end `stardust-agent run`).",
    .0.display()
)]
pub struct AnotherAgent(PathBuf);

/// While it is held no other agent works with this data.
#[derive(Debug)]
pub struct DataLock(#[allow(dead_code, reason = "it is held by being open")] Option<OwnedFd>);

impl DataLock {
    /// Takes it; one that is held is waited for, up to five seconds.
    ///
    /// # Errors
    /// [`AnotherAgent`].
    pub async fn take(data: &Path) -> Result<Self, AnotherAgent> {
        let until = Instant::now() + PATIENCE;
        loop {
            match try_lock(data) {
                Ok(lock) => return Ok(Self(Some(lock))),
                Err(Errno::AGAIN) if Instant::now() < until => tokio::time::sleep(TRY_EVERY).await,
                Err(Errno::AGAIN) => return Err(AnotherAgent(data.to_owned())),
                Err(error) => {
                    // A directory that can't be opened has troubles of its own, which are told where it is used; and a printer
                    // must not stay hot because a file system knows no locks.
                    tracing::warn!(error = %error, "the data directory can't be locked");
                    return Ok(Self(None));
                }
            }
        }
    }
}

fn try_lock(data: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = rustix::fs::open(data, flags, Mode::empty())?;
    rustix::fs::flock(&directory, FlockOperation::NonBlockingLockExclusive)?;
    Ok(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_at_a_time_and_the_next_as_soon_as_it_is_free() {
        let data = tempfile::tempdir().unwrap();
        let first = DataLock::take(data.path()).await.unwrap();
        assert!(DataLock::take(data.path()).await.is_err());
        let (second, ()) = tokio::join!(DataLock::take(data.path()), async move {
            tokio::time::sleep(PATIENCE / 2).await;
            drop(first);
        });
        assert!(second.is_ok());
    }
}
