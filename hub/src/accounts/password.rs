//! Passwords: Argon2id. Hashing takes tens of milliseconds and 19 MiB on purpose, so only one runs at a time
//! and never on the async threads.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

use crate::error::Error;

/// A burst of sign-ins waits its turn instead of taking 19 MiB each.
static TURNS: Semaphore = Semaphore::const_new(1);

/// Checked when nobody has the given address, so that the answer takes as long.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c3RhcmR1c3RzdGFyZHVzdA$IoXvB2hAqzLQd0CiGs2GlMYLuDgSz3rtc9aJnFQKZ2c";

/// Hashes a new password, as a PHC string.
///
/// # Errors
/// No random bytes for the salt.
pub async fn hash(password: String) -> Result<String, Error> {
    in_turn(move || {
        let hash = Argon2::default().hash_password(password.as_bytes());
        hash.map(|hash| hash.to_string()).map_err(|error| Error::Internal(format!("password hash: {error}")))
    })
    .await?
}

/// Whether this is the password; `stored` is `None` when nobody has that address.
///
/// # Errors
/// The stored hash can't be read.
pub async fn verify(password: String, stored: Option<String>) -> Result<bool, Error> {
    in_turn(move || {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| NOBODY.to_owned());
        let hash = PasswordHash::new(&stored)
            .map_err(|error| Error::Internal(format!("stored password hash: {error}")))?;
        Ok(Argon2::default().verify_password(password.as_bytes(), &hash).is_ok() && known)
    })
    .await?
}

async fn in_turn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    let _turn = TURNS.acquire().await.map_err(|_| Error::Internal("passwords are closed".into()))?;
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::Internal(format!("password task: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_of_somebody_is_right() {
        let stored = hash("correct horse".into()).await.unwrap();
        assert!(verify("correct horse".into(), Some(stored.clone())).await.unwrap());
        assert!(!verify("wrong horse".into(), Some(stored)).await.unwrap());
        assert!(!verify("correct horse".into(), None).await.unwrap());
    }
}
