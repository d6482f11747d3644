//! API tokens: for the command line client and other programs of a person.

use serde::Serialize;
use stardust_protocol::{Timestamp, TokenId};

use super::{Person, read_person};
use crate::api::page::{Page, PageQuery, Place};
use crate::db::{Db, DbError, Row, Tx};
use crate::error::Error;
use crate::{params, secret};

/// How stale `last_used_at` may be: a write for every request would be one too many.
const LAST_USED_STEP_MS: i64 = 60_000;

/// An API token, without its secret.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ApiToken {
    /// The token's id.
    pub id: TokenId,
    /// What it is for, in its maker's words.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was used last, to the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
}

fn read(row: &Row) -> Result<ApiToken, DbError> {
    Ok(ApiToken {
        id: row.get("id")?,
        name: row.get("name")?,
        created_at: row.get("created_at")?,
        last_used_at: row.get("last_used_at")?,
    })
}

/// Makes a token; the secret is in the answer and nowhere else.
///
/// # Errors
/// The database's, or no random bytes.
pub async fn create(
    db: &Db,
    now: Timestamp,
    person: &Person,
    name: &str,
) -> Result<(ApiToken, String), Error> {
    let secret = secret::token("sdu")?;
    let token =
        ApiToken { id: TokenId::generate(now), name: name.to_owned(), created_at: now, last_used_at: None };
    let mut tx = db.begin().await?;
    tx.execute(
        "INSERT INTO api_tokens (id, workspace_id, user_id, name, token_hash, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
        params![token.id, person.workspace_id, person.user_id, name, secret::hash(&secret), now],
    )
    .await?;
    tx.commit().await?;
    Ok((token, secret))
}

/// A person's tokens, oldest first.
///
/// # Errors
/// A bad cursor, or the database's.
pub async fn list(db: &Db, person: &Person, page: &PageQuery) -> Result<Page<ApiToken>, Error> {
    let after = page.place_or(Place::lowest())?;
    let rows = db
        .query(
            "SELECT id, name, created_at, last_used_at FROM api_tokens \
             WHERE workspace_id = $1 AND user_id = $2 AND (created_at, id) > ($3, $4) \
             ORDER BY created_at, id LIMIT $5",
            params![person.workspace_id, person.user_id, after.key, after.id, page.limit() as u64 + 1],
        )
        .await?;
    let items = rows.iter().map(read).collect::<Result<_, _>>()?;
    Ok(Page::of(items, page.limit(), |t: &ApiToken| Place {
        key: t.created_at.as_millis(),
        id: t.id.to_string(),
    }))
}

/// Withdraws a token.
///
/// # Errors
/// The person has no such token, or the database's.
pub async fn delete(db: &Db, person: &Person, id: TokenId) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    let gone = tx
        .execute(
            "DELETE FROM api_tokens WHERE id = $1 AND workspace_id = $2 AND user_id = $3",
            params![id, person.workspace_id, person.user_id],
        )
        .await?;
    tx.commit().await?;
    if gone == 0 { Err(Error::no_such("API token")) } else { Ok(()) }
}

/// Who shows a token.
#[derive(Debug)]
pub struct Bearer {
    /// Whose it is.
    pub person: Person,
    /// The token, where its use is worth noting: the last one that is known of is a minute old.
    pub to_note: Option<TokenId>,
}

/// Whose token this is. Only reads: what can't be written keeps nobody out.
///
/// # Errors
/// The database's.
pub async fn person(db: &Db, now: Timestamp, token: &str) -> Result<Option<Bearer>, Error> {
    let row = db
        .query_opt(
            "SELECT t.id AS token_id, t.last_used_at, u.id AS user_id, u.email, u.name AS user_name, m.role, \
                    w.id AS workspace_id, w.name AS workspace_name \
             FROM api_tokens t JOIN users u ON u.id = t.user_id JOIN workspaces w ON w.id = t.workspace_id \
             JOIN members m ON m.user_id = t.user_id AND m.workspace_id = t.workspace_id \
             WHERE t.token_hash = $1",
            params![secret::hash(token)],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let last_used: Option<Timestamp> = row.get("last_used_at")?;
    let is_stale = last_used.is_none_or(|at| now.millis_since(at) >= LAST_USED_STEP_MS);
    let to_note = is_stale.then(|| row.get("token_id")).transpose()?;
    Ok(Some(Bearer { person: read_person(&row)?, to_note }))
}

/// Writes when a token was last used, if it is there still.
///
/// # Errors
/// The database's.
pub async fn used(tx: &mut Tx, id: TokenId, at: Timestamp) -> Result<(), DbError> {
    let sql = "UPDATE api_tokens SET last_used_at = $2 WHERE id = $1";
    tx.execute(sql, params![id, at]).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::{Role, testing};
    use crate::db::testing::{Engine, fresh};
    use rstest::rstest;

    #[rstest]
    #[case::sqlite(Engine::Sqlite)]
    #[case::postgres(Engine::Postgres)]
    #[tokio::test]
    async fn a_token_speaks_for_its_maker_until_it_is_withdrawn(#[case] engine: Engine) {
        let test = fresh(engine).await;
        let now = testing::now();
        let (workspace_id, user_id) = testing::owner(&test.db).await;
        let owner = Person {
            user_id,
            email: String::new(),
            name: String::new(),
            role: Role::Admin,
            workspace_id,
            workspace_name: String::new(),
        };
        let (token, secret) = create(&test.db, now, &owner, "laptop").await.unwrap();
        let bearer = person(&test.db, now, &secret).await.unwrap().unwrap();
        assert_eq!((bearer.person.user_id, bearer.to_note), (user_id, Some(token.id)));
        let mut tx = test.db.begin().await.unwrap();
        used(&mut tx, token.id, now).await.unwrap();
        tx.commit().await.unwrap();
        for (ms, is_worth_noting) in [(59_999, false), (60_000, true)] {
            let bearer = person(&test.db, now.plus_millis(ms), &secret).await.unwrap().unwrap();
            assert_eq!(bearer.to_note.is_some(), is_worth_noting, "{ms}");
        }
        let page = list(&test.db, &owner, &PageQuery::default()).await.unwrap();
        assert_eq!(page.items[0].last_used_at, Some(now));
        assert!(person(&test.db, now, "sdu_wrong").await.unwrap().is_none());
        delete(&test.db, &owner, token.id).await.unwrap();
        assert!(person(&test.db, now, &secret).await.unwrap().is_none());
        assert!(delete(&test.db, &owner, token.id).await.is_err());
    }
}
