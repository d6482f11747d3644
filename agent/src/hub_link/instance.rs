//! Which agent this is, among those that use the same credential.
//!
//! Owns: the mark that tells a copied card or folder from its original. Must not know: what the hub makes of it.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::boot::BootId;

/// An opaque text: the same for every process that runs on this folder until the machine starts anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance(String);

impl Instance {
    /// The one that runs on a printer's folder.
    #[must_use]
    pub fn of(folder: &Path) -> Self {
        // Another one at each start of a machine, also on a card that is an exact copy. Without one, copies on two
        // machines are told apart by luck alone; the agent works all the same.
        let boot = BootId::current().map(BootId::into_text).unwrap_or_default();
        let place = folder.metadata().map(|folder| (folder.dev(), folder.ino())).unwrap_or_default();
        Self::from_parts(&boot, place)
    }

    fn from_parts(boot: &str, (device, inode): (u64, u64)) -> Self {
        let digest = Sha256::digest(format!("{boot} {device} {inode}"));
        // A hash: which machine and which disk it is, is nobody's business.
        Self(digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect())
    }

    /// As it goes over the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stardust_protocol::limits::MAX_INSTANCE_CHARS;

    #[test]
    fn it_is_the_same_for_every_process_on_a_folder_and_another_one_on_its_copy() {
        let (original, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let instance = Instance::of(original.path());
        assert_eq!(Instance::of(original.path()), instance);
        std::fs::write(original.path().join("journal"), "grows").unwrap();
        assert_eq!(Instance::of(original.path()), instance);
        assert_ne!(Instance::of(copy.path()), instance);
        assert!(instance.as_str().len() <= MAX_INSTANCE_CHARS);
        assert!(instance.as_str().chars().all(|letter| letter.is_ascii_alphanumeric()));
    }

    #[test]
    fn a_copied_card_on_another_machine_is_another_one() {
        let here = Instance::from_parts("0b1e…a", (2049, 17));
        assert_eq!(Instance::from_parts("0b1e…a", (2049, 17)), here);
        assert_ne!(Instance::from_parts("77aa…b", (2049, 17)), here, "same card, another machine");
        assert_ne!(Instance::from_parts("0b1e…a", (2049, 18)), here, "same machine, another folder");
        assert_ne!(Instance::from_parts("0b1e…a", (2050, 17)), here, "same machine, another disk");
    }
}
