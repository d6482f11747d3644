//! Pairing: a code from the dashboard becomes a printer and its credential. The other way round is [`super::pin`].

use stardust_protocol::agent_api::{PairRequest, PairResponse};
use stardust_protocol::{ProtocolVersion, Timestamp, UserId, WorkspaceId, limits};

use super::store::{self, PrinterRow};
use crate::accounts::Person;
use crate::db::Db;
use crate::error::Error;
use crate::{params, secret};

/// How long a code holds, milliseconds.
pub const CODE_LIFETIME_MS: i64 = 10 * 60 * 1000;

/// The problem of a code that is not valid.
pub const WRONG_CODE: &str = "bad_pairing_code";

/// Makes a code for the person's workspace: `K7QM4TXP`.
///
/// # Errors
/// The database's, or no random bytes.
pub async fn create_code(db: &Db, now: Timestamp, person: &Person) -> Result<(String, Timestamp), Error> {
    let code = secret::readable::<8>()?;
    let expires_at = now.plus_millis(CODE_LIFETIME_MS);
    let mut tx = db.begin().await?;
    tx.execute("DELETE FROM pairing_codes WHERE expires_at <= $1", params![now]).await?;
    tx.execute(
        "INSERT INTO pairing_codes (code_hash, workspace_id, owner_id, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
        params![secret::hash(&code), person.workspace_id, person.user_id, now, expires_at],
    )
    .await?;
    tx.commit().await?;
    Ok((code, expires_at))
}

/// Uses a code up: a new printer with a new credential; or a new credential for the printer whose credential the
/// agent shows, if that printer is in the code's workspace.
///
/// # Errors
/// The code is unknown, used or too old; the agent is too old or too new; or the database's.
pub async fn pair(
    db: &Db,
    now: Timestamp,
    request: &PairRequest,
) -> Result<(PairResponse, PrinterRow), Error> {
    check_version(request.protocol)?;
    let name = printer_name(&request.printer_name)?;
    let token = secret::token("sdd")?;
    let mut tx = db.begin().await?;
    let used = tx
        .query_opt(
            "DELETE FROM pairing_codes WHERE code_hash = $1 RETURNING workspace_id, owner_id, expires_at",
            params![secret::hash(&as_typed(&request.code))],
        )
        .await?;
    let valid = used.filter(|row| row.get::<Timestamp>("expires_at").is_ok_and(|at| at > now));
    let Some(row) = valid else {
        return Err(Error::Unauthorized {
            code: WRONG_CODE,
            detail: "This pairing code is not valid: it was used already, is older than ten minutes, or was \
                     mistyped. Make a new one in the dashboard with “Add printer”."
                .into(),
        });
    };
    let (workspace_id, owner): (WorkspaceId, UserId) = (row.get("workspace_id")?, row.get("owner_id")?);
    let hash = secret::hash(&token);
    let known = match &request.credential {
        Some(credential) => store::renew_credential(&mut tx, workspace_id, credential, &hash).await?,
        None => None,
    };
    let printer = match known {
        Some(printer) => printer,
        None => {
            let model = request.printer_model.as_deref();
            store::add(&mut tx, now, (workspace_id, owner), (name, model), Some(&hash)).await?
        }
    };
    tx.commit().await?;
    let response =
        PairResponse { workspace_id, printer_id: printer.id, printer_name: printer.name.clone(), token };
    Ok((response, printer))
}

/// A code or PIN as it is hashed: case, dashes and blanks don't matter.
pub(super) fn as_typed(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}

/// Refuses an agent that this hub does not understand.
///
/// # Errors
/// It is more than one minor version away.
pub fn check_version(theirs: ProtocolVersion) -> Result<(), Error> {
    let ours = ProtocolVersion::CURRENT;
    if ours.works_with(theirs) {
        return Ok(());
    }
    let older = if theirs < ours { "agent" } else { "hub" };
    Err(Error::conflict(
        "version_skew",
        format!("The agent speaks protocol {theirs}, this hub {ours}: upgrade the {older}."),
    ))
}

/// A printer's name as it is kept.
///
/// # Errors
/// It is empty or too long.
pub fn printer_name(text: &str) -> Result<&str, Error> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > limits::MAX_NAME_CHARS || name.contains(char::is_control) {
        return Err(Error::invalid("bad_name", "Give the printer a name of 1 to 200 characters."));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::{Role, testing};
    use crate::db::testing::{Engine, fresh};
    use crate::fleet::credentials;
    use rstest::rstest;

    fn request(code: &str) -> PairRequest {
        PairRequest {
            code: code.into(),
            protocol: ProtocolVersion::CURRENT,
            agent_version: "0".into(),
            printer_name: " Ender ".into(),
            printer_model: None,
            credential: None,
        }
    }

    #[rstest]
    #[case::sqlite(Engine::Sqlite)]
    #[case::postgres(Engine::Postgres)]
    #[tokio::test]
    async fn a_code_makes_one_printer_within_ten_minutes(#[case] engine: Engine) {
        let test = fresh(engine).await;
        let now = testing::now();
        let (workspace_id, user_id) = testing::owner(&test.db).await;
        let (email, name, workspace_name) = Default::default();
        let person = Person { user_id, email, name, role: Role::Admin, workspace_id, workspace_name };

        let (code, _) = create_code(&test.db, now, &person).await.unwrap();
        let spelt = format!("{}-{}", &code[..4].to_lowercase(), &code[4..]);
        let (paired, _) = pair(&test.db, now, &request(&spelt)).await.unwrap();
        assert_eq!(paired.printer_name, "Ender");
        let device = credentials::device(&test.db, &paired.token).await.unwrap().unwrap();
        assert_eq!((device.printer_id, device.workspace_id), (paired.printer_id, workspace_id));
        assert!(pair(&test.db, now, &request(&code)).await.is_err(), "a code is good once");

        let (code, expires_at) = create_code(&test.db, now, &person).await.unwrap();
        assert!(pair(&test.db, expires_at, &request(&code)).await.is_err(), "a code gets too old");

        let (code, _) = create_code(&test.db, now, &person).await.unwrap();
        let (second, _) = pair(&test.db, now, &request(&code)).await.unwrap();
        assert_eq!(second.printer_name, "Ender 2", "a taken name gets a number");

        // The same agent again: the printer stays, its credential is another one.
        let (code, _) = create_code(&test.db, now, &person).await.unwrap();
        let again = PairRequest { credential: Some(paired.token.clone()), ..request(&code) };
        let (renewed, _) = pair(&test.db, now, &again).await.unwrap();
        assert_eq!((renewed.printer_id, renewed.printer_name.as_str()), (paired.printer_id, "Ender"));
        assert!(credentials::device(&test.db, &paired.token).await.unwrap().is_none(), "the old one is gone");
        let paired = renewed;

        store::remove(&test.db, now, &person, paired.printer_id).await.unwrap();
        assert!(
            credentials::device(&test.db, &paired.token).await.unwrap().is_none(),
            "removed: no credential"
        );
    }

    #[test]
    fn skew_is_refused_with_who_has_to_upgrade() {
        let error = check_version(ProtocolVersion { major: 0, minor: 9 }).unwrap_err();
        assert!(error.to_string().contains("upgrade the agent"), "{error}");
        let error = check_version(ProtocolVersion { major: 2, minor: 0 }).unwrap_err();
        assert!(error.to_string().contains("upgrade the hub"), "{error}");
    }
}
