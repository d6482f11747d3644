//! Passwords: Argon2id. Hashing takes tens of milliseconds and megabytes on purpose, so it has one thread of its
//! own with memory that is used again: a burst of sign-ins waits its turn there.
//!
//! The memory is ours because the C library's allocator (glibc before 2.38) never finds the aligned block of the
//! last hash again and takes new memory for each.

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use tokio::sync::{mpsc, oneshot};

use crate::error::Error;

/// Work for an attacker with the database, by OWASP's list of equal settings: 9 MiB, four passes, one lane.
const MEMORY_KIB: u32 = 9 * 1024;
const PASSES: u32 = 4;
const LANES: u32 = 1;

/// Hashed when nobody has the given address, so that the answer takes as long.
const NOBODY: &str =
    "$argon2id$v=19$m=9216,t=4,p=1$c3RhcmR1c3RzdGFyZHVzdA$IoXvB2hAqzLQd0CiGs2GlMYLuDgSz3rtc9aJnFQKZ2c";

/// Sign-ins that may wait for their turn: a second or two. More than that is an attack.
const MAX_WAITING: usize = 32;

type Memory = Vec<Block>;
type Work = Box<dyn FnOnce(&mut Memory) + Send>;

/// The thread that hashes. It ends with the last clone.
#[derive(Debug, Clone)]
pub struct Passwords(mpsc::Sender<Work>);

impl Passwords {
    /// Starts the thread.
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub fn start() -> Result<Self, Error> {
        let (sender, mut work) = mpsc::channel::<Work>(MAX_WAITING);
        let run = move || {
            let mut memory = Memory::new();
            while let Some(work) = work.blocking_recv() {
                work(&mut memory);
            }
        };
        let thread = std::thread::Builder::new().name("passwords".to_owned()).spawn(run);
        thread
            .map(|_| Self(sender))
            .map_err(|error| Error::Internal(format!("no thread for passwords: {error}")))
    }

    /// Hashes a new password, as a PHC string.
    ///
    /// # Errors
    /// No random bytes for the salt, or too many wait already.
    pub async fn hash(&self, password: String) -> Result<String, Error> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(|error| Error::Internal(format!("no random bytes: {error}")))?;
        self.run(move |memory| hash(&password, &salt, memory).map_err(failed)).await?
    }

    /// Whether this is the password; `stored` is `None` when nobody has that address.
    ///
    /// # Errors
    /// The stored hash can't be read, or too many wait already.
    pub async fn verify(&self, password: String, stored: Option<String>) -> Result<bool, Error> {
        self.run(move |memory| {
            let right = verify(&password, stored.as_deref().unwrap_or(NOBODY), memory).map_err(failed)?;
            Ok(right && stored.is_some())
        })
        .await?
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let gone = || Error::Internal("the thread for passwords has ended".into());
        let (reply, answer) = oneshot::channel();
        // Nobody may wait any more: the connection was closed. The result is of no use then.
        let work = Box::new(move |memory: &mut Memory| drop(reply.send(work(memory))));
        self.0.try_send(work).map_err(|error| match error {
            mpsc::error::TrySendError::Closed(_) => gone(),
            mpsc::error::TrySendError::Full(_) => Error::TooMany {
                detail: "Too many people are signing in just now. Try again in a few seconds.".into(),
            },
        })?;
        answer.await.map_err(|_| gone())
    }
}

fn failed(error: argon2::password_hash::Error) -> Error {
    Error::Internal(format!("password hash: {error}"))
}

fn hash(password: &str, salt: &[u8], memory: &mut Memory) -> argon2::password_hash::Result<String> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)?;
    let output = digest(password, salt, &params, memory)?;
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&params)?,
        salt: Some(Salt::new(salt)?),
        hash: Some(output),
    };
    Ok(hash.to_string())
}

/// With the settings of the stored hash: those of today may be others.
fn verify(password: &str, stored: &str, memory: &mut Memory) -> argon2::password_hash::Result<bool> {
    let stored = PasswordHash::new(stored)?;
    let params = Params::try_from(&stored)?;
    let (Some(salt), Some(expected)) = (stored.salt, stored.hash) else {
        return Ok(false);
    };
    // Compared in constant time by the type itself.
    Ok(digest(password, &salt, &params, memory)? == expected)
}

fn digest(
    password: &str,
    salt: &[u8],
    params: &Params,
    memory: &mut Memory,
) -> argon2::password_hash::Result<Output> {
    let blocks = params.block_count();
    if memory.len() < blocks {
        memory.resize(blocks, Block::new());
    }
    let mut out = [0; Params::DEFAULT_OUTPUT_LEN];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    argon2.hash_password_into_with_memory(password.as_bytes(), salt, &mut out, &mut memory[..blocks])?;
    Ok(Output::new(&out)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::password_hash::PasswordVerifier as _;

    #[tokio::test]
    async fn only_the_right_password_of_somebody_is_right() {
        let passwords = Passwords::start().unwrap();
        let stored = passwords.hash("correct horse".into()).await.unwrap();
        assert!(passwords.verify("correct horse".into(), Some(stored.clone())).await.unwrap());
        assert!(!passwords.verify("wrong horse".into(), Some(stored)).await.unwrap());
        assert!(!passwords.verify("correct horse".into(), None).await.unwrap());
    }

    #[tokio::test]
    async fn a_hash_is_the_standards_own() {
        let stored = Passwords::start().unwrap().hash("correct horse".into()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=9216,t=4,p=1$"), "{stored}");
        // Checked by the library's own way, which does not go through ours.
        let parsed = PasswordHash::new(&stored).unwrap();
        assert!(Argon2::default().verify_password(b"correct horse", &parsed).is_ok());
    }
}
