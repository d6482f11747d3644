//! One attempt to get the rest of a print file.
//!
//! Owns: going on where the part ends, and the hash of all of it, in pieces that a slow disk takes in a moment each. Must not
//! know: room, retries.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use futures::FutureExt as _;
use reqwest::Response;
use sha2::{Digest, Sha256};
use stardust_protocol::agent_api::Claim;

use super::SpoolError;
use crate::disk_work::DiskWork;
use crate::hub_link::client::{HubClient, HubError};
use crate::plain_file;

/// So much is read for its hash at once, bytes: who gives up does not wait long.
const READ_AT_ONCE: usize = 4 << 20;
/// So much of what has come already is written at once.
const WRITTEN_AT_ONCE: usize = 512 * 1024;
/// So much waits for the disk at most: what else this machine writes (journals) stands in the same line.
const SYNCED_AFTER: u64 = 8 << 20;

/// What is there of a file, and its hash.
#[derive(Debug)]
pub(super) struct Part {
    file: File,
    hash: Sha256,
    length: u64,
    unsynced: u64,
}

impl Part {
    /// To be read through and then written on.
    fn open(path: &Path) -> std::io::Result<Self> {
        Ok(Self::of(plain_file::open_to_append(path)?))
    }

    /// To be read through.
    pub(super) fn open_to_read(path: &Path) -> std::io::Result<Self> {
        Ok(Self::of(plain_file::open(path)?))
    }

    fn of(file: File) -> Self {
        Self { file, hash: Sha256::new(), length: 0, unsynced: 0 }
    }

    /// Reads what is there, for its hash.
    pub(super) async fn read_through(mut self, disk: &DiskWork) -> std::io::Result<Self> {
        loop {
            let (part, is_over) = disk.run(move || self.read_on()).await?;
            if is_over {
                return Ok(part);
            }
            self = part;
        }
    }

    /// Reads the next piece; whether there was none.
    fn read_on(mut self) -> std::io::Result<(Self, bool)> {
        let mut buffer = vec![0; 128 * 1024];
        let mut read = 0;
        while read < READ_AT_ONCE {
            let count = self.file.read(&mut buffer)?;
            if count == 0 {
                return Ok((self, true));
            }
            self.hash.update(buffer.get(..count).unwrap_or_default());
            self.length += count as u64;
            read += count;
        }
        Ok((self, false))
    }

    fn put(mut self, bytes: &[u8]) -> std::io::Result<Self> {
        self.file.write_all(bytes)?;
        self.hash.update(bytes);
        self.length += bytes.len() as u64;
        self.unsynced += bytes.len() as u64;
        if self.unsynced >= SYNCED_AFTER {
            self.file.sync_data()?;
            self.unsynced = 0;
        }
        Ok(self)
    }

    fn emptied(self) -> std::io::Result<Self> {
        self.file.set_len(0)?;
        Ok(Self::of(self.file))
    }

    fn settled(self) -> std::io::Result<Self> {
        self.file.sync_all()?;
        Ok(self)
    }

    /// Whether it is the claim's file, whole.
    pub(super) fn is(self, claim: &Claim) -> bool {
        self.length == claim.size_bytes && hex(&self.hash.finalize()) == claim.sha256.as_str()
    }
}

/// Downloads what is missing: whether the file is then whole and right. `there`: what an earlier attempt has left, and what
/// this one leaves when the connection ends.
pub(super) async fn fetch_rest(
    hub: &HubClient,
    claim: &Claim,
    path: &Path,
    there: &mut Option<Part>,
    disk: &DiskWork,
) -> Result<bool, SpoolError> {
    let mut part = match there.take() {
        Some(part) => part,
        None => {
            let path = path.to_owned();
            disk.run(move || Part::open(&path)).await?.read_through(disk).await?
        }
    };
    if part.length < claim.size_bytes {
        let response = match hub.file(claim.job_id, part.length).await {
            Ok(response) => response,
            Err(error) => {
                *there = Some(part);
                return Err(SpoolError::Hub(error));
            }
        };
        if part.length > 0 && response.status() != reqwest::StatusCode::PARTIAL_CONTENT {
            part = disk.run(move || part.emptied()).await?;
        }
        let mut coming = Coming { response, failed: None };
        let cause = loop {
            let bytes = match coming.next().await {
                Ok(Some(bytes)) => bytes,
                Ok(None) => break format!("it ended after {} of {} bytes", part.length, claim.size_bytes),
                Err(error) => break error.to_string(),
            };
            part = disk.run(move || part.put(&bytes)).await?;
            if part.length > claim.size_bytes {
                return Ok(false);
            }
        };
        if part.length < claim.size_bytes {
            *there = Some(part);
            return Err(SpoolError::Hub(HubError::Unreachable { url: hub.base().to_string(), cause }));
        }
        part = disk.run(move || part.settled()).await?;
    }
    Ok(part.is(claim))
}

/// An answer that is coming.
struct Coming {
    response: Response,
    failed: Option<reqwest::Error>,
}

impl Coming {
    /// What comes next, with what is there by then; none at the end.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, reqwest::Error> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let Some(first) = self.response.chunk().await? else { return Ok(None) };
        let mut bytes = first.to_vec();
        while bytes.len() < WRITTEN_AT_ONCE {
            match self.response.chunk().now_or_never() {
                Some(Ok(Some(more))) => bytes.extend_from_slice(&more),
                Some(Err(error)) => {
                    self.failed = Some(error);
                    break;
                }
                Some(Ok(None)) | None => break,
            }
        }
        Ok(Some(bytes))
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
