//! Pairing from the printer's side: an agent shows a PIN, a member types it into the dashboard.
//!
//! The agent holds a second secret, with which it asks whether that has happened. The printer is there as soon as the
//! PIN was typed; its credential is made when the agent asks, and anew when it asks again: an answer may get lost.

use stardust_protocol::agent_api::{PairResponse, PinPollRequest, PinPollResponse, PinRequest, PinResponse};
use stardust_protocol::{PrinterId, Timestamp, WorkspaceId};

use super::pairing::{as_typed, check_version, printer_name};
use super::store::{self, PrinterRow};
use crate::accounts::Person;
use crate::db::Db;
use crate::error::Error;
use crate::{params, secret};

/// How long a PIN holds, seconds. Longer than a code: someone walks from the printer to a computer.
pub const LIFETIME_S: u64 = 15 * 60;
/// How often an agent asks, seconds.
pub const POLL_EVERY_S: u64 = 3;
/// After the PIN was typed, the agent has so long to fetch its credential, milliseconds.
const FETCH_MS: i64 = 10 * 60 * 1000;
/// More agents don't wait at once.
const MAX_WAITING: i64 = 10_000;

/// Gives an agent a PIN.
///
/// # Errors
/// The agent is too old or too new, its printer's name is none, too many wait already, or the database's.
pub async fn begin(db: &Db, now: Timestamp, request: &PinRequest) -> Result<PinResponse, Error> {
    check_version(request.protocol)?;
    let name = printer_name(&request.printer_name)?;
    let (pin, poll_token) = (secret::readable::<8>()?, secret::token("sdp")?);
    let lifetime_ms = i64::try_from(LIFETIME_S * 1000).unwrap_or(i64::MAX);
    let expires_at = now.plus_millis(lifetime_ms);
    let mut tx = db.begin().await?;
    tx.execute("DELETE FROM pairing_pins WHERE expires_at <= $1", params![now]).await?;
    let waiting = tx.query_opt("SELECT COUNT(*) AS n FROM pairing_pins", params![]).await?;
    if waiting.map_or(Ok(0), |row| row.get::<i64>("n"))? >= MAX_WAITING {
        return Err(Error::TooMany {
            detail: "Too many printers wait to be paired just now. Try again in a few minutes.".into(),
        });
    }
    tx.execute(
        "INSERT INTO pairing_pins (poll_hash, pin_hash, printer_name, printer_model, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
        params![secret::hash(&poll_token), secret::hash(&pin), name, request.printer_model, now, expires_at],
    )
    .await?;
    tx.commit().await?;
    let (head, tail) = pin.split_at(pin.len() / 2);
    let pin = format!("{head}-{tail}");
    Ok(PinResponse { pin, poll_token, expires_at, expires_in_s: LIFETIME_S, poll_every_s: POLL_EVERY_S })
}

/// A member has typed a PIN: uses it up, and makes the printer.
///
/// # Errors
/// The PIN is unknown, used or too old; or the database's.
pub async fn enter(db: &Db, now: Timestamp, person: &Person, pin: &str) -> Result<PrinterRow, Error> {
    let hash = secret::hash(&as_typed(pin));
    let mut tx = db.begin().await?;
    tx.lock(&format!("pairing_pin:{hash}")).await?;
    let row = tx
        .query_opt(
            "SELECT printer_name, printer_model FROM pairing_pins \
             WHERE pin_hash = $1 AND printer_id IS NULL AND expires_at > $2",
            params![hash, now],
        )
        .await?;
    let Some(row) = row else {
        return Err(Error::invalid(
            "bad_pin",
            "No printer shows this PIN: it was used already, has expired, or was mistyped. Look at the printer's \
             display (or at `stardust-agent status`) for the present one.",
        ));
    };
    let (name, model): (String, Option<String>) = (row.get("printer_name")?, row.get("printer_model")?);
    let whose = (person.workspace_id, person.user_id);
    let printer = store::add(&mut tx, now, whose, (&name, model.as_deref()), None).await?;
    tx.execute(
        "UPDATE pairing_pins SET printer_id = $2, expires_at = $3 WHERE pin_hash = $1",
        params![hash, printer.id, now.plus_millis(FETCH_MS)],
    )
    .await?;
    tx.commit().await?;
    Ok(printer)
}

/// The agent asks: nothing yet, or its credential.
///
/// # Errors
/// The PIN has expired, the printer was removed meanwhile, or the database's.
pub async fn poll(db: &Db, now: Timestamp, request: &PinPollRequest) -> Result<PinPollResponse, Error> {
    let gone = || Error::NotFound { detail: "This PIN has expired. Ask for another one.".into() };
    let mut tx = db.begin().await?;
    let row = tx
        .query_opt(
            "SELECT printer_id FROM pairing_pins WHERE poll_hash = $1 AND expires_at > $2",
            params![secret::hash(&request.poll_token), now],
        )
        .await?
        .ok_or_else(gone)?;
    let Some(printer_id) = row.get::<Option<PrinterId>>("printer_id")? else {
        return Ok(PinPollResponse { paired: None });
    };
    let token = secret::token("sdd")?;
    let row = tx
        .query_opt(
            "UPDATE printers SET token_hash = $2 WHERE id = $1 AND removed_at IS NULL RETURNING workspace_id, name",
            params![printer_id, secret::hash(&token)],
        )
        .await?
        .ok_or_else(gone)?;
    let (workspace_id, printer_name): (WorkspaceId, String) = (row.get("workspace_id")?, row.get("name")?);
    tx.commit().await?;
    Ok(PinPollResponse { paired: Some(PairResponse { workspace_id, printer_id, printer_name, token }) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::{Role, testing};
    use crate::db::testing::{Engine, fresh};
    use crate::fleet::credentials;
    use rstest::rstest;
    use stardust_protocol::ProtocolVersion;

    #[rstest]
    #[case::sqlite(Engine::Sqlite)]
    #[case::postgres(Engine::Postgres)]
    #[tokio::test]
    async fn a_pin_makes_one_printer_of_the_member_who_types_it(#[case] engine: Engine) {
        let test = fresh(engine).await;
        let now = testing::now();
        let (workspace_id, user_id) = testing::owner(&test.db).await;
        let (email, name, workspace_name) = Default::default();
        let person = Person { user_id, email, name, role: Role::Admin, workspace_id, workspace_name };
        let request = PinRequest {
            protocol: ProtocolVersion::CURRENT,
            agent_version: "0".into(),
            printer_name: "Ender".into(),
            printer_model: Some("Ender-3".into()),
        };
        let shown = begin(&test.db, now, &request).await.unwrap();
        let asks = PinPollRequest { poll_token: shown.poll_token.clone() };
        assert_eq!(poll(&test.db, now, &asks).await.unwrap().paired, None);
        assert!(enter(&test.db, now, &person, "ABCD-EFGH").await.is_err(), "not any PIN");

        let typed = shown.pin.to_lowercase().replace('-', " ");
        let printer = enter(&test.db, now, &person, &typed).await.unwrap();
        assert_eq!((printer.name.as_str(), printer.model.as_deref()), ("Ender", Some("Ender-3")));
        assert!(enter(&test.db, now, &person, &shown.pin).await.is_err(), "a PIN is good once");

        let lost = poll(&test.db, now, &asks).await.unwrap().paired.unwrap();
        let paired = poll(&test.db, now, &asks).await.unwrap().paired.unwrap();
        assert_eq!((paired.printer_id, lost.printer_id), (printer.id, printer.id));
        assert!(credentials::device(&test.db, &lost.token).await.unwrap().is_none(), "the last one counts");
        assert!(credentials::device(&test.db, &paired.token).await.unwrap().is_some());
        let late = now.plus_millis(FETCH_MS);
        assert!(poll(&test.db, late, &asks).await.is_err(), "no credentials for ever");

        let shown = begin(&test.db, now, &request).await.unwrap();
        assert!(enter(&test.db, shown.expires_at, &person, &shown.pin).await.is_err(), "a PIN gets too old");
        assert!(
            poll(&test.db, shown.expires_at, &PinPollRequest { poll_token: shown.poll_token }).await.is_err()
        );
    }
}
