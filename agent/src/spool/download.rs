//! One attempt to get the rest of a print file.
//!
//! Owns: going on where the part ends, and the hash of all of it. Must not know: room, retries.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};
use stardust_protocol::agent_api::Claim;

use super::SpoolError;
use crate::hub_link::client::{HubClient, HubError};

/// Downloads what is missing: whether the file is then whole and right.
pub(super) async fn fetch_rest(hub: &HubClient, claim: &Claim, part: &Path) -> Result<bool, SpoolError> {
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
