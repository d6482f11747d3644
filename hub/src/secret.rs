//! Random secrets and their hashes. Only hashes are stored; a secret is shown once.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::error::Error;

/// A random token of 256 bits with a prefix that tells people (and secret scanners) what it is.
///
/// # Errors
/// The operating system gives no random bytes.
pub fn token(prefix: &str) -> Result<String, Error> {
    Ok(format!("{prefix}_{}", URL_SAFE_NO_PAD.encode(random::<32>()?)))
}

/// What is stored of a token: lower-case hex of its SHA-256. A random token of 256 bits needs no slow hash.
#[must_use]
pub fn hash(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

/// Lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// `N` characters of an alphabet without look-alikes (no 0 O 1 I L, no U for the words it makes).
///
/// # Errors
/// The operating system gives no random bytes.
pub fn readable<const N: usize>() -> Result<String, Error> {
    const ALPHABET: &[u8; 30] = b"23456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut text = String::with_capacity(N);
    while text.len() < N {
        for byte in random::<32>()? {
            // 240 is the largest multiple of 30 that a byte holds: above it the letters would not be even.
            if byte < 240 && text.len() < N {
                text.push(char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]));
            }
        }
    }
    Ok(text)
}

fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Error::Internal(format!("no random bytes: {error}")))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_hash_to_64_hex_digits() {
        let (one, two) = (token("sdu").unwrap(), token("sdu").unwrap());
        assert_ne!(one, two);
        assert!(one.starts_with("sdu_") && one.len() == 47, "{one}");
        assert_eq!(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn readable_secrets_have_no_look_alikes() {
        let text = readable::<200>().unwrap();
        assert_eq!(text.len(), 200);
        assert!(!text.contains(['0', 'O', '1', 'I', 'L', 'U']), "{text}");
    }
}
