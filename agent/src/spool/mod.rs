//! Print files on this machine's disk.
//!
//! Owns: getting a file over a broken connection, its verification, and making room for it. Parts: `download` does it once,
//! `keeping` is the rule of what stays, `shelves` looks what is there. Must not know: what is in a file, or why it is wanted.

mod download;
pub mod keeping;
mod shelves;

use std::fs::File;
use std::path::{Path, PathBuf};

use stardust_clock::SharedClock;
use stardust_protocol::agent_api::Claim;

use crate::hub_link::client::{HubClient, HubError};
use download::fetch_rest;
use shelves::{part_of, still_to_come};

/// A file that comes damaged so often is damaged at the hub.
const MAX_DAMAGED: u32 = 3;

/// A file can't be had.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The disk does not play along.
    #[error(
        "The print file could not be stored on the printer host: {0}. Free some space or check its disk."
    )]
    Disk(#[from] std::io::Error),
    /// Not enough room.
    #[error("The print file needs {needed} bytes, and only {free} are free on the printer host.")]
    NoRoom {
        /// What it needs.
        needed: u64,
        /// What is free.
        free: u64,
    },
    /// What arrives is not the file.
    #[error("The print file arrived damaged three times over. Upload it again.")]
    Damaged,
    /// The hub refuses.
    #[error(transparent)]
    Hub(HubError),
}

/// A printer's folder of print files, beside those of the agent's other printers.
#[derive(Debug, Clone)]
pub struct Spool {
    folder: PathBuf,
    /// The folder of all printers.
    printers: PathBuf,
    /// So much is kept of all of them together.
    keep_bytes: u64,
    clock: SharedClock,
}

impl Spool {
    /// In this folder, which is made when it is needed.
    #[must_use]
    pub fn new(folder: PathBuf, printers: PathBuf, keep_bytes: u64, clock: SharedClock) -> Self {
        Self { folder, printers, keep_bytes, clock }
    }

    /// The largest file that there is room for, with what may go for it; none where the disk does not tell.
    #[must_use]
    pub fn largest_file(&self) -> Option<u64> {
        let shelves = shelves::look(&self.printers, self.keep_bytes, None);
        keeping::largest(&shelves.kept, &shelves.room)
    }

    /// Whether there is room for the claim's file.
    #[must_use]
    pub fn has_room_for(&self, claim: &Claim) -> bool {
        let missing = still_to_come(&self.path_of(claim), claim.size_bytes);
        self.largest_file().is_none_or(|largest| missing <= largest)
    }

    /// Where a whole, verified file is.
    #[must_use]
    pub fn path_of(&self, claim: &Claim) -> PathBuf {
        Self::file(&self.folder, claim)
    }

    /// The same, in a folder that is not opened.
    #[must_use]
    pub fn file(folder: &Path, claim: &Claim) -> PathBuf {
        folder.join(format!("{}.gcode", claim.sha256))
    }

    /// Gets the claim's file, going on where an earlier attempt ended. Retries while the hub does not answer.
    ///
    /// # Errors
    /// [`SpoolError`] when trying again is of no use.
    pub async fn fetch(&self, hub: &HubClient, claim: &Claim) -> Result<PathBuf, SpoolError> {
        let whole = self.path_of(claim);
        if whole.metadata().is_ok_and(|file| file.len() == claim.size_bytes) {
            self.mark_used(&whole);
            return Ok(whole);
        }
        let part = part_of(&whole);
        let fetched = self.fetch_into(hub, claim, &part, &whole).await;
        if matches!(fetched, Err(SpoolError::Disk(_) | SpoolError::NoRoom { .. })) {
            // It takes what room there is, and is of no use.
            let _ = std::fs::remove_file(&part);
        }
        fetched
    }

    async fn fetch_into(
        &self,
        hub: &HubClient,
        claim: &Claim,
        part: &Path,
        whole: &Path,
    ) -> Result<PathBuf, SpoolError> {
        std::fs::create_dir_all(&self.folder)?;
        self.make_room(claim)?;
        let mut back_off = hub.back_off();
        let mut damaged = 0;
        while damaged < MAX_DAMAGED {
            match fetch_rest(hub, claim, part).await {
                Ok(true) => {
                    std::fs::rename(part, whole)?;
                    File::open(&self.folder)?.sync_all()?;
                    self.mark_used(whole);
                    return Ok(whole.to_owned());
                }
                Ok(false) => {
                    damaged += 1;
                    tracing::warn!(
                        file.sha256 = claim.sha256,
                        "the print file arrived damaged; fetching it anew"
                    );
                    std::fs::remove_file(part)?;
                }
                Err(SpoolError::Hub(HubError::Unreachable { cause, .. })) => {
                    tracing::warn!(cause, "the download was interrupted");
                    tokio::time::sleep(back_off.next_wait()).await;
                }
                Err(SpoolError::Hub(HubError::Problem { status: 423 | 500.., detail, .. })) => {
                    tracing::warn!(detail, "the hub can't serve the file now");
                    tokio::time::sleep(back_off.next_wait()).await;
                }
                Err(error) => return Err(error),
            }
        }
        Err(SpoolError::Damaged)
    }

    /// Removes what has to go for the claim's file.
    fn make_room(&self, claim: &Claim) -> Result<(), SpoolError> {
        let shelves = shelves::look(&self.printers, self.keep_bytes, Some(claim));
        let needed = still_to_come(&self.path_of(claim), claim.size_bytes);
        let Some(going) = keeping::to_go(&shelves.kept, &shelves.room, needed) else {
            let free = keeping::largest(&shelves.kept, &shelves.room).unwrap_or(0);
            return Err(SpoolError::NoRoom { needed, free });
        };
        remove(going);
        Ok(())
    }

    /// The disk is full: what may go is not why.
    pub fn make_way(&self) {
        let shelves = shelves::look(&self.printers, self.keep_bytes, None);
        let all = || shelves.kept.iter().filter(|kept| !kept.in_use).map(|kept| kept.file.clone()).collect();
        remove(keeping::to_go(&shelves.kept, &shelves.room, 1).unwrap_or_else(all));
    }

    /// What is used last goes last. Best effort: the order is no more than that.
    fn mark_used(&self, file: &Path) {
        let shelves = shelves::look(&self.printers, self.keep_bytes, None);
        let now = i128::from(self.clock.now().as_millis()) * 1_000_000;
        let used = shelves::time(keeping::used_now(&shelves.kept, now));
        if let Err(error) = File::open(file).and_then(|file| file.set_modified(used)) {
            tracing::debug!(error = %error, "when a print file was used could not be noted");
        }
    }
}

fn remove(going: Vec<PathBuf>) {
    for file in going {
        match std::fs::remove_file(&file) {
            Ok(()) => {
                tracing::info!(file.path = %file.display(), "a print file made room for the next one")
            }
            Err(error) => {
                tracing::warn!(file.path = %file.display(), error = %error, "a print file could not be removed");
            }
        }
    }
}
