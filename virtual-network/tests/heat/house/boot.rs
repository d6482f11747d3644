//! A trail that was written before the host was started anew.
//!
//! Owns: the form of its head, as a process before this one has left it: the agent asks this machine's kernel which run of it this is,
//! and that stays the same in a test.

use std::os::unix::fs::FileExt as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};
use stardust_agent::boot::BootId;

/// Behind the magic: the number of the writing, the length, the hash.
const NUMBER: usize = 8;
const LENGTH: usize = NUMBER + 8;
const HASH: usize = LENGTH + 8;
const BYTES: usize = HASH + 32;

/// Makes it one of an earlier run of the machine; false: there is none.
pub(super) fn is_of_an_earlier_one(trail: &Path) -> bool {
    let (Ok(bytes), Some(boot)) = (std::fs::read(trail), BootId::current().map(BootId::into_text)) else {
        return false;
    };
    let Some(length) = bytes.get(LENGTH..HASH) else { return false };
    let length = usize::try_from(u64::from_le_bytes(length.try_into().unwrap())).unwrap();
    let head = String::from_utf8(bytes[BYTES..BYTES + length].to_vec()).unwrap();
    let before = "0".repeat(boot.len());
    let earlier = head.replace(&boot, &before);
    assert!(earlier.contains(&before), "its head names the run of the machine: {head}");
    let number = &bytes[NUMBER..LENGTH];
    let hash = Sha256::new().chain_update(number).chain_update(&earlier).finalize();
    let file = std::fs::File::options().write(true).open(trail).unwrap();
    file.write_all_at(&hash, HASH as u64).unwrap();
    file.write_all_at(earlier.as_bytes(), BYTES as u64).unwrap();
    true
}
