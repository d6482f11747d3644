//! Print files on this machine's disk.
//!
//! Owns: getting a file over a broken connection, its verification, and making room for it. A disk may be slow, and damage
//! what it holds: everything that waits for it is done where one may wait, in pieces, and what is there already is read
//! through before it is printed. Parts: `download` does it once,
//! `keeping` is the rule of what stays, `shelves` looks what is there. Must not know: what is in a file, or why it is wanted.

mod download;
pub mod keeping;
mod shelves;

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use stardust_clock::SharedClock;
use stardust_protocol::agent_api::Claim;

use crate::disk_work::DiskWork;
use crate::hub_link::client::{HubClient, HubError};
use crate::plain_file;
use download::{Part, fetch_rest};
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
    disk: DiskWork,
}

/// Room for a claim's file, until the claim is recorded: no other printer of this host is promised the same meanwhile.
#[derive(Debug)]
pub struct Reservation {
    _lock: File,
}

/// Another printer's reservation is waited for: a look at the disk, and a line in its journal.
const RESERVED_BY_ANOTHER: Duration = Duration::from_millis(50);
const LOOKS_FOR_RESERVATION: u32 = 200;

impl Spool {
    /// In this folder, which is made when it is needed.
    #[must_use]
    pub fn new(
        folder: PathBuf,
        printers: PathBuf,
        keep_bytes: u64,
        clock: SharedClock,
        disk: DiskWork,
    ) -> Self {
        Self { folder, printers, keep_bytes, clock, disk }
    }

    /// The largest file that there is room for, with what may go for it; none where the disk does not tell.
    pub async fn largest_file(&self) -> Option<u64> {
        let spool = self.clone();
        self.disk.run(move || Ok(spool.largest_now())).await.ok()?
    }

    fn largest_now(&self) -> Option<u64> {
        let shelves = shelves::look(&self.printers, self.keep_bytes, None);
        keeping::largest(&shelves.kept, &shelves.room)
    }

    /// Room for the claim's file, if there is any.
    pub async fn reserve(&self, claim: &Claim) -> Option<Reservation> {
        for _ in 0..LOOKS_FOR_RESERVATION {
            let (spool, claim) = (self.clone(), claim.clone());
            match self.disk.run(move || spool.reserve_now(&claim)).await {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    tokio::time::sleep(RESERVED_BY_ANOTHER).await;
                }
                Err(error) => {
                    tracing::warn!(error = %error, "no room for a print file can be reserved");
                    return None;
                }
                Ok(reserved) => return reserved,
            }
        }
        None
    }

    fn reserve_now(&self, claim: &Claim) -> std::io::Result<Option<Reservation>> {
        let lock = plain_file::folder(&self.printers)?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
        let missing = still_to_come(&self.path_of(claim), claim.size_bytes);
        let fits = self.largest_now().is_none_or(|largest| missing <= largest);
        Ok(fits.then_some(Reservation { _lock: lock }))
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
        if self.is_sound(claim).await? {
            self.mark_used(&whole).await;
            return Ok(whole);
        }
        let part = part_of(&whole);
        let fetched = self.fetch_into(hub, claim, &part, &whole).await;
        if matches!(fetched, Err(SpoolError::Disk(_) | SpoolError::NoRoom { .. })) {
            // It takes what room there is, and is of no use.
            let _ = self.disk.run(move || std::fs::remove_file(&part)).await;
        }
        fetched
    }

    /// Whether the claim's file is there, and still what it was: it is read through. One that is not is removed.
    ///
    /// # Errors
    /// [`SpoolError::Disk`] when it can't be removed.
    pub async fn is_sound(&self, claim: &Claim) -> Result<bool, SpoolError> {
        let whole = self.path_of(claim);
        let (path, size) = (whole.clone(), claim.size_bytes);
        let is_there = move || Ok(path.metadata().is_ok_and(|file| file.len() == size));
        if !self.disk.run(is_there).await? {
            return Ok(false);
        }
        let read = async {
            let path = whole.clone();
            let part = self.disk.run(move || Part::open_to_read(&path)).await?;
            part.read_through(&self.disk).await
        };
        let why = match read.await {
            Ok(read) => {
                if read.is(claim) {
                    return Ok(true);
                }
                "it is not what it was".to_owned()
            }
            Err(error) => error.to_string(),
        };
        tracing::warn!(file.sha256 = %claim.sha256, why, "a kept print file was damaged on this machine's disk; fetching it anew");
        self.disk.run(move || std::fs::remove_file(&whole)).await?;
        Ok(false)
    }

    async fn fetch_into(
        &self,
        hub: &HubClient,
        claim: &Claim,
        part: &Path,
        whole: &Path,
    ) -> Result<PathBuf, SpoolError> {
        let (spool, for_claim) = (self.clone(), claim.clone());
        self.disk
            .run(move || std::fs::create_dir_all(&spool.folder).map(|()| spool.make_room(&for_claim)))
            .await??;
        let mut back_off = hub.back_off();
        let mut damaged = 0;
        // What is there is read once, not after each interruption.
        let mut there = None;
        while damaged < MAX_DAMAGED {
            match fetch_rest(hub, claim, part, &mut there, &self.disk).await {
                Ok(true) => {
                    let (part, whole, folder) = (part.to_owned(), whole.to_owned(), self.folder.clone());
                    let settle = move || {
                        std::fs::rename(part, &whole)?;
                        plain_file::folder(&folder)?.sync_all()?;
                        Ok(whole)
                    };
                    let whole = self.disk.run(settle).await?;
                    self.mark_used(&whole).await;
                    return Ok(whole);
                }
                Ok(false) => {
                    damaged += 1;
                    tracing::warn!(
                        file.sha256 = %claim.sha256,
                        "the print file arrived damaged; fetching it anew"
                    );
                    let part = part.to_owned();
                    self.disk.run(move || std::fs::remove_file(part)).await?;
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

    /// The disk is full: what may go is not why. Waits for the disk.
    pub fn make_way(&self) {
        let shelves = shelves::look(&self.printers, self.keep_bytes, None);
        let all = || shelves.kept.iter().filter(|kept| !kept.in_use).map(|kept| kept.file.clone()).collect();
        remove(keeping::to_go(&shelves.kept, &shelves.room, 1).unwrap_or_else(all));
    }

    /// What is used last goes last. Best effort: the order is no more than that.
    async fn mark_used(&self, file: &Path) {
        let (spool, file) = (self.clone(), file.to_owned());
        let mark = move || {
            let shelves = shelves::look(&spool.printers, spool.keep_bytes, None);
            let now = i128::from(spool.clock.now().as_millis()) * 1_000_000;
            let used = shelves::time(keeping::used_now(&shelves.kept, now));
            plain_file::open(&file)?.set_modified(used)
        };
        if let Err(error) = self.disk.run(mark).await {
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
            // Another printer needed the room as well.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                tracing::warn!(file.path = %file.display(), error = %error, "a print file could not be removed");
            }
        }
    }
}
