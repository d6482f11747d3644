//! Print files on this machine's disk.
//!
//! Owns: getting a file over a broken connection, its verification, and the room it takes.
//! Must not know: what is in it, or why it is wanted.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest, Sha256};
use stardust_protocol::agent_api::Claim;

use crate::hub_link::back_off::BackOff;
use crate::hub_link::client::{HubClient, HubError};

/// Files kept beside the one in use, so that printing one again does not download it again.
const KEPT_FILES: usize = 3;
/// Left free on the disk for everything else.
const RESERVE_BYTES: u64 = 64 * 1024 * 1024;
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

/// A printer's folder of print files.
#[derive(Debug, Clone)]
pub struct Spool {
    folder: PathBuf,
}

impl Spool {
    /// Opens the folder, making it if needed.
    ///
    /// # Errors
    /// What the disk says.
    pub fn open(folder: PathBuf) -> std::io::Result<Self> {
        std::fs::create_dir_all(&folder)?;
        Ok(Self { folder })
    }

    /// Bytes that a new file may take.
    #[must_use]
    pub fn free_bytes(&self) -> Option<u64> {
        let disk = rustix::fs::statvfs(&self.folder).ok()?;
        Some((disk.f_bavail * disk.f_frsize).saturating_sub(RESERVE_BYTES))
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
            return Ok(whole);
        }
        let part = whole.with_extension("gcode.part");
        self.check_room(&part, claim)?;
        let mut back_off = BackOff::for_hub();
        let mut damaged = 0;
        while damaged < MAX_DAMAGED {
            match self.fetch_rest(hub, claim, &part).await {
                Ok(true) => {
                    std::fs::rename(&part, &whole)?;
                    File::open(&self.folder)?.sync_all()?;
                    self.clean(&whole);
                    return Ok(whole);
                }
                Ok(false) => {
                    damaged += 1;
                    tracing::warn!(
                        file.sha256 = claim.sha256,
                        "the print file arrived damaged; fetching it anew"
                    );
                    std::fs::remove_file(&part)?;
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

    fn check_room(&self, part: &Path, claim: &Claim) -> Result<(), SpoolError> {
        let there = part.metadata().map_or(0, |file| file.len());
        let needed = claim.size_bytes.saturating_sub(there);
        match self.free_bytes() {
            Some(free) if free < needed => Err(SpoolError::NoRoom { needed, free }),
            _ => Ok(()),
        }
    }

    /// Downloads what is missing: whether the file is then whole and right.
    async fn fetch_rest(&self, hub: &HubClient, claim: &Claim, part: &Path) -> Result<bool, SpoolError> {
        let mut file = OpenOptions::new().create(true).append(true).read(true).open(part)?;
        let (mut hash, mut length) = hash_of(&file)?;
        if length < claim.size_bytes {
            let mut response = hub.file(claim.job_id, length).await.map_err(SpoolError::Hub)?;
            if length > 0 && response.status() != reqwest::StatusCode::PARTIAL_CONTENT {
                file.set_len(0)?;
                (hash, length) = (Sha256::new(), 0);
            }
            loop {
                let piece = response.chunk().await.map_err(|error| {
                    SpoolError::Hub(HubError::Unreachable {
                        url: hub.base().to_string(),
                        cause: error.to_string(),
                    })
                })?;
                let Some(piece) = piece else { break };
                file.write_all(&piece)?;
                hash.update(&piece);
                length += piece.len() as u64;
                if length > claim.size_bytes {
                    return Ok(false);
                }
            }
            if length < claim.size_bytes {
                let cause = format!("it ended after {length} of {} bytes", claim.size_bytes);
                return Err(SpoolError::Hub(HubError::Unreachable { url: hub.base().to_string(), cause }));
            }
            file.sync_all()?;
        }
        Ok(length == claim.size_bytes && hex(&hash.finalize()) == claim.sha256)
    }

    /// Removes the oldest files beyond those kept, and what is left of broken downloads.
    fn clean(&self, in_use: &Path) {
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return };
        let mut files: Vec<(SystemTime, PathBuf)> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path != in_use)
            .map(|path| {
                let modified = path.metadata().and_then(|file| file.modified());
                (modified.unwrap_or(SystemTime::UNIX_EPOCH), path)
            })
            .collect();
        files.sort_by(|one, other| other.cmp(one));
        for (_, path) in files.into_iter().skip(KEPT_FILES) {
            if let Err(error) = std::fs::remove_file(&path) {
                tracing::warn!(path = %path.display(), error = %error, "an old print file could not be removed");
            }
        }
    }
}

/// The hash and length of what is in a file already.
fn hash_of(mut file: &File) -> std::io::Result<(Sha256, u64)> {
    let mut hash = Sha256::new();
    let mut length = 0;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok((hash, length));
        }
        hash.update(buffer.get(..count).unwrap_or_default());
        length += count as u64;
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
