//! The first start: a workspace, and its owner with a random password that is shown once.

use std::io::{self, ErrorKind, Write};
use std::time::Duration;

use stardust_protocol::{Timestamp, UserId, WorkspaceId};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::Role;
use super::password::Passwords;
use crate::db::{Db, DbError};
use crate::error::Error;
use crate::{params, secret};

/// Who reads it does so at once.
const READ_WITHIN: Duration = Duration::from_secs(2);
const OWNER_EMAIL: &str = "owner@stardust.local";

/// Makes the workspace and its owner unless there is somebody already, and prints the sign-in.
///
/// # Errors
/// The database's, or no random bytes.
pub async fn ensure_owner(db: &Db, passwords: &Passwords, now: Timestamp) -> Result<(), Error> {
    if db.query_opt("SELECT id FROM users LIMIT 1", params![]).await?.is_some() {
        return Ok(());
    }
    let secret = secret::readable::<20>()?;
    let hash = passwords.hash(secret.clone()).await?;
    if create(db, now, OWNER_EMAIL, &hash).await? {
        // To standard output and nowhere else: it must not stay in a log.
        let text = format!("first sign-in e-mail: {OWNER_EMAIL}\nfirst sign-in password: {secret}\n");
        let shown = show(text, std::io::stdout()).await;
        if let Err(error) = shown {
            tracing::warn!(%error, "the first password could not be shown: set one with `stardust-hub admin reset-password`");
        }
    }
    Ok(())
}

/// Whether somebody has it, or why not. A hub whose reader does not read starts all the same.
async fn show(text: String, mut out: impl Write + Send + 'static) -> io::Result<()> {
    let (done, is_done) = oneshot::channel();
    // A thread of its own, for nothing ends it.
    std::thread::Builder::new().name("first-sign-in".into()).spawn(move || {
        let _ = done.send(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
    })?;
    match timeout(READ_WITHIN, is_done).await {
        Ok(shown) => shown.unwrap_or_else(|_| Err(ErrorKind::BrokenPipe.into())),
        Err(_) => Err(ErrorKind::TimedOut.into()),
    }
}

/// Gives a member a new random password and returns it; their sessions end.
///
/// # Errors
/// Nobody has this address, or the database's.
pub async fn reset_password(db: &Db, passwords: &Passwords, email: &str) -> Result<String, Error> {
    let secret = secret::readable::<20>()?;
    let hash = passwords.hash(secret.clone()).await?;
    let mut tx = db.begin().await?;
    let changed = tx
        .query(
            "UPDATE users SET password_hash = $2, version = version + 1 WHERE email = $1 RETURNING id",
            params![email, hash],
        )
        .await?;
    let Some(row) = changed.first() else {
        return Err(Error::NotFound { detail: format!("Nobody has the e-mail address {email} here.") });
    };
    tx.execute("DELETE FROM sessions WHERE user_id = $1", params![row.get::<UserId>("id")?]).await?;
    tx.commit().await?;
    Ok(secret)
}

/// Makes a workspace with one admin; `false` if another process was first.
pub(super) async fn create(
    db: &Db,
    now: Timestamp,
    email: &str,
    password_hash: &str,
) -> Result<bool, DbError> {
    let mut tx = db.begin().await?;
    tx.lock("first start").await?;
    if tx.query_opt("SELECT id FROM users LIMIT 1", params![]).await?.is_some() {
        return Ok(false);
    }
    let (workspace, user) = (WorkspaceId::generate(now), UserId::generate(now));
    tx.execute(
        "INSERT INTO workspaces (id, name, created_at, version) VALUES ($1, 'My workspace', $2, 1)",
        params![workspace, now],
    )
    .await?;
    tx.execute(
        "INSERT INTO users (id, email, name, password_hash, created_at, version) VALUES ($1, $2, 'Owner', $3, $4, 1)",
        params![user, email, password_hash, now],
    )
    .await?;
    tx.execute(
        "INSERT INTO members (workspace_id, user_id, role, created_at) VALUES ($1, $2, $3, $4)",
        params![workspace, user, Role::Admin, now],
    )
    .await?;
    tx.commit().await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// Takes nothing: for ever, or with an error.
    struct Out(Result<std::sync::mpsc::Receiver<()>, ErrorKind>);

    impl Write for Out {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            match &self.0 {
                Ok(read) => read.recv().map(|()| text.len()).map_err(io::Error::other),
                Err(why) => Err((*why).into()),
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[rstest]
    #[case::full(ErrorKind::StorageFull)]
    #[case::closed(ErrorKind::BrokenPipe)]
    #[tokio::test]
    async fn that_it_can_not_be_shown_is_known(#[case] why: ErrorKind) {
        assert_eq!(show("secret".into(), Out(Err(why))).await.unwrap_err().kind(), why);
        show("secret".into(), Vec::new()).await.unwrap();
    }

    #[tokio::test]
    async fn who_does_not_read_it_keeps_no_hub() {
        let (_reads, read) = std::sync::mpsc::channel();
        assert_eq!(show("secret".into(), Out(Ok(read))).await.unwrap_err().kind(), ErrorKind::TimedOut);
    }
}
