//! The first start: a workspace, and its owner with a random password that is shown once.

use std::time::Duration;

use stardust_outlet::Outlet;
use stardust_protocol::{Timestamp, UserId, WorkspaceId};

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
        let show = move || {
            let out = Outlet::of_text("stdout", std::io::stdout())?;
            out.put(text.as_bytes());
            // A hub that nobody reads starts all the same.
            if out.flush(READ_WITHIN) { Ok(()) } else { Err(std::io::ErrorKind::TimedOut.into()) }
        };
        let shown: std::io::Result<()> =
            tokio::task::spawn_blocking(show).await.unwrap_or_else(|error| Err(std::io::Error::other(error)));
        if let Err(error) = shown {
            tracing::warn!(%error, "the first password could not be shown: set one with `stardust-hub admin reset-password`");
        }
    }
    Ok(())
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
