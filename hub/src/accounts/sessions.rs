//! Browser sessions.

use stardust_protocol::{Timestamp, UserId, WorkspaceId};

use super::password::Passwords;
use super::{Person, read_person};
use crate::db::Db;
use crate::error::Error;
use crate::{params, secret};

/// How long a session lasts, milliseconds: 30 days.
pub const LIFETIME_MS: i64 = 30 * 24 * 3600 * 1000;

/// A new session.
pub struct NewSession {
    /// For the cookie.
    pub token: String,
    /// Whose.
    pub person: Person,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Signs in with e-mail and password.
///
/// # Errors
/// They don't belong together, or the database's.
pub async fn sign_in(
    db: &Db,
    passwords: &Passwords,
    now: Timestamp,
    email: &str,
    given: String,
) -> Result<NewSession, Error> {
    let row = db
        .query_opt(
            "SELECT u.id AS user_id, u.email, u.name AS user_name, u.password_hash, m.role, \
                    w.id AS workspace_id, w.name AS workspace_name \
             FROM users u JOIN members m ON m.user_id = u.id JOIN workspaces w ON w.id = m.workspace_id \
             WHERE u.email = $1 ORDER BY m.created_at LIMIT 1",
            params![email.trim().to_lowercase()],
        )
        .await?;
    let stored = row.as_ref().map(|row| row.get("password_hash")).transpose()?;
    let right = passwords.verify(given, stored).await?;
    let Some(row) = row.filter(|_| right) else {
        return Err(Error::Unauthorized {
            code: "bad_credentials",
            detail: "E-mail address and password don't belong together. Check both and try again.".into(),
        });
    };
    let person = read_person(&row)?;
    let (token, expires_at) = start(db, now, person.workspace_id, person.user_id).await?;
    Ok(NewSession { token, person, expires_at })
}

async fn start(
    db: &Db,
    now: Timestamp,
    workspace: WorkspaceId,
    user: UserId,
) -> Result<(String, Timestamp), Error> {
    let token = secret::token("sds")?;
    let expires_at = now.plus_millis(LIFETIME_MS);
    let mut tx = db.begin().await?;
    tx.execute("DELETE FROM sessions WHERE expires_at <= $1", params![now]).await?;
    tx.execute(
        "INSERT INTO sessions (token_hash, workspace_id, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
        params![secret::hash(&token), workspace, user, now, expires_at],
    )
    .await?;
    tx.commit().await?;
    Ok((token, expires_at))
}

/// Whose session this is.
///
/// # Errors
/// The database's.
pub async fn person(db: &Db, now: Timestamp, token: &str) -> Result<Option<Person>, Error> {
    let row = db
        .query_opt(
            "SELECT u.id AS user_id, u.email, u.name AS user_name, m.role, \
                    w.id AS workspace_id, w.name AS workspace_name \
             FROM sessions s JOIN users u ON u.id = s.user_id JOIN workspaces w ON w.id = s.workspace_id \
             JOIN members m ON m.user_id = s.user_id AND m.workspace_id = s.workspace_id \
             WHERE s.token_hash = $1 AND s.expires_at > $2",
            params![secret::hash(token), now],
        )
        .await?;
    Ok(row.as_ref().map(read_person).transpose()?)
}

/// Ends a session.
///
/// # Errors
/// The database's.
pub async fn end(db: &Db, token: &str) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    tx.execute("DELETE FROM sessions WHERE token_hash = $1", params![secret::hash(token)]).await?;
    Ok(tx.commit().await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::{first_start, testing::now};
    use crate::db::testing::{Engine, fresh};
    use rstest::rstest;

    #[rstest]
    #[case::sqlite(Engine::Sqlite)]
    #[case::postgres(Engine::Postgres)]
    #[tokio::test]
    async fn a_session_lasts_until_it_ends_or_expires(#[case] engine: Engine) {
        let test = fresh(engine).await;
        let passwords = Passwords::start().unwrap();
        let hash = passwords.hash("right".into()).await.unwrap();
        first_start::create(&test.db, now(), "owner@example.org", &hash).await.unwrap();
        for (email, given) in [("owner@example.org", "wrong"), ("nobody@example.org", "right"), ("", "")] {
            let refused = sign_in(&test.db, &passwords, now(), email, given.into()).await;
            assert!(matches!(refused, Err(Error::Unauthorized { code: "bad_credentials", .. })), "{email}");
        }
        let session =
            sign_in(&test.db, &passwords, now(), " Owner@Example.org ", "right".into()).await.unwrap();
        let whose = person(&test.db, now(), &session.token).await.unwrap().unwrap();
        assert_eq!(whose.user_id, session.person.user_id);
        assert!(person(&test.db, session.expires_at, &session.token).await.unwrap().is_none());
        end(&test.db, &session.token).await.unwrap();
        assert!(person(&test.db, now(), &session.token).await.unwrap().is_none());
    }
}
