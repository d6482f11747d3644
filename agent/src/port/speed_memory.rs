//! The speeds that were found, kept for the next time.
//!
//! Owns: one small file for each printer's adapter. Must not know: how a speed is found.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::pairing::service;
use crate::plain_file;

/// A number.
const LONGEST_BYTES: u64 = 64;

/// The speeds that were found, by the identity of the adapter: the port's name may be another one tomorrow.
#[derive(Debug, Clone)]
pub struct SpeedMemory(PathBuf);

impl SpeedMemory {
    /// In this data directory.
    #[must_use]
    pub fn new(data: &Path) -> Self {
        Self(data.join("speeds"))
    }

    fn file(&self, identity: &str) -> PathBuf {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        self.0.join(identity.chars().map(plain).collect::<String>())
    }

    pub(super) fn recall(&self, identity: &str) -> Option<u32> {
        let speed = plain_file::read_text(&self.file(identity), LONGEST_BYTES).ok()?.trim().parse().ok()?;
        (speed > 0).then_some(speed)
    }

    /// Best effort: without it the speeds are tried again.
    pub(super) fn remember(&self, identity: &str, speed: u32) {
        // Root would follow a link that somebody else has put there.
        let is_ours = self.0.parent().is_none_or(|data| service::other_owner(data).is_none());
        if is_ours && self.recall(identity) != Some(speed) && std::fs::create_dir_all(&self.0).is_ok() {
            let _ = plain_file::draft(&self.file(identity)).and_then(|mut file| writeln!(file, "{speed}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_is_remembered_by_identity() {
        let data = tempfile::tempdir().unwrap();
        let memory = SpeedMemory::new(data.path());
        memory.remember("usb 1a86:7523 A/1", 250_000);
        assert_eq!((memory.recall("usb 1a86:7523 A/1"), memory.recall("other")), (Some(250_000), None));
        std::fs::write(memory.file("other"), "0\n").unwrap();
        assert_eq!(memory.recall("other"), None, "no speed is zero");
    }
}
