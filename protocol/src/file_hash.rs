//! What tells one print file from every other: the SHA-256 of its bytes.
//!
//! Owns: that it is one. It names files on disks: nothing else is ever taken for it. Must not know: how it is counted.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// 64 lower-case hexadecimal digits, and nothing else.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FileHash(String);

/// It is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a file's hash has 64 lower-case hexadecimal digits")]
pub struct NoFileHash;

impl FileHash {
    /// Its digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for FileHash {
    type Error = NoFileHash;

    fn try_from(text: String) -> Result<Self, NoFileHash> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() == 64 && text.bytes().all(is_digit) { Ok(Self(text)) } else { Err(NoFileHash) }
    }
}

impl FromStr for FileHash {
    type Err = NoFileHash;

    fn from_str(text: &str) -> Result<Self, NoFileHash> {
        text.to_owned().try_into()
    }
}

impl From<FileHash> for String {
    fn from(hash: FileHash) -> Self {
        hash.0
    }
}

impl fmt::Display for FileHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for FileHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileHash({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_else_is_taken_for_a_hash() {
        let hash = "0123456789abcdef".repeat(4);
        assert_eq!(hash.parse::<FileHash>().unwrap().to_string(), hash);
        let upper = hash.to_uppercase();
        let path = format!("../../{}", "a".repeat(58));
        let cut = &hash[1..];
        for other in [
            "",
            "ab",
            cut,
            &format!("{hash}0"),
            &upper,
            &path,
            &hash.replace('0', "/"),
            &hash.replace('f', "\0"),
        ] {
            assert_eq!(other.parse::<FileHash>(), Err(NoFileHash), "{other:?}");
            let json = serde_json::to_string(other).unwrap();
            assert!(serde_json::from_str::<FileHash>(&json).is_err(), "{json}");
        }
    }
}
