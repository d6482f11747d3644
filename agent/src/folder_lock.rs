//! One process for each folder. A second agent on the same data would write its journal in the place of the first one's, and what
//! the first has left hot would be owed by nobody.
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

/// While it is held no other process works in this folder.
#[derive(Debug)]
pub struct FolderLock(#[allow(dead_code, reason = "it is held by being open")] Option<OwnedFd>);

impl FolderLock {
    /// Takes it; one that is held is waited for, up to five seconds.
    ///
    /// # Errors
    /// [`AnotherAgent`].
    pub async fn take(folder: &Path) -> Result<Self, AnotherAgent> {
        Self::take_within(folder, PATIENCE).await
    }

    /// The same, and it is waited for so long.
    ///
    /// # Errors
    /// [`AnotherAgent`].
    pub async fn take_within(folder: &Path, patience: Duration) -> Result<Self, AnotherAgent> {
        let until = Instant::now() + patience;
        loop {
            match try_lock(folder) {
                Ok(lock) => return Ok(Self(Some(lock))),
                Err(Errno::AGAIN) if Instant::now() < until => tokio::time::sleep(TRY_EVERY).await,
                Err(Errno::AGAIN) => return Err(AnotherAgent(folder.to_owned())),
                Err(error) => {
                    // A directory that can't be opened has troubles of its own, which are told where it is used; and a printer
                    // must not stay hot because a file system knows no locks.
                    tracing::warn!(error = %error, "the folder {} can't be locked", folder.display());
                    return Ok(Self(None));
                }
            }
        }
    }

    /// Takes it if nobody holds it. Where there are no locks, nobody does.
    #[must_use]
    pub fn take_if_free(folder: &Path) -> Option<Self> {
        match try_lock(folder) {
            Err(Errno::AGAIN) => None,
            lock => Some(Self(lock.ok())),
        }
    }
}

fn try_lock(folder: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = rustix::fs::open(folder, flags, Mode::empty())?;
    rustix::fs::flock(&directory, FlockOperation::NonBlockingLockExclusive)?;
    Ok(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_at_a_time_and_the_next_as_soon_as_it_is_free() {
        let data = tempfile::tempdir().unwrap();
        assert!(FolderLock::take_if_free(data.path()).is_some());
        let first = FolderLock::take(data.path()).await.unwrap();
        assert!(FolderLock::take_if_free(data.path()).is_none());
        assert!(FolderLock::take(data.path()).await.is_err());
        let (second, ()) = tokio::join!(FolderLock::take(data.path()), async move {
            tokio::time::sleep(PATIENCE / 2).await;
            drop(first);
        });
        assert!(second.is_ok());
    }
}
