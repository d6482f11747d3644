//! Rows of printers.

use stardust_protocol::{PrinterId, Timestamp, UserId, WorkspaceId};

use crate::accounts::Person;
use crate::db::{Db, DbError, Row, Tx};
use crate::error::Error;
use crate::{params, secret};

/// A printer's row.
#[derive(Debug, Clone)]
pub struct PrinterRow {
    /// Its id.
    pub id: PrinterId,
    /// Whose it is.
    pub workspace_id: WorkspaceId,
    /// Its name.
    pub name: String,
    /// Which model it is.
    pub model: Option<String>,
    /// When it was paired.
    pub created_at: Timestamp,
    /// When its agent was last in reach.
    pub last_seen_at: Option<Timestamp>,
    /// Counts the changes.
    pub version: i64,
}

pub(super) fn read(row: &Row) -> Result<PrinterRow, DbError> {
    Ok(PrinterRow {
        id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        name: row.get("name")?,
        model: row.get("model")?,
        created_at: row.get("created_at")?,
        last_seen_at: row.get("last_seen_at")?,
        version: row.get("version")?,
    })
}

/// Every printer of every workspace.
///
/// # Errors
/// The database's.
pub async fn all(db: &Db) -> Result<Vec<PrinterRow>, DbError> {
    let rows = db
        .query(
            "SELECT id, workspace_id, name, model, created_at, last_seen_at, version FROM printers \
             WHERE removed_at IS NULL",
            params![],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// A new printer of a workspace, owned by who asked for it. A name that is taken gets a number; without the hash of
/// a credential nobody can speak for it yet.
///
/// # Errors
/// The database's.
pub async fn add(
    tx: &mut Tx,
    now: Timestamp,
    (workspace_id, owner): (WorkspaceId, UserId),
    (name, model): (&str, Option<&str>),
    token_hash: Option<&str>,
) -> Result<PrinterRow, Error> {
    tx.lock(&format!("printers:{workspace_id}")).await?;
    let printer = PrinterRow {
        id: PrinterId::generate(now),
        workspace_id,
        name: free_name(tx, workspace_id, name).await?,
        model: model.map(str::to_owned),
        created_at: now,
        last_seen_at: None,
        version: 1,
    };
    tx.execute(
        "INSERT INTO printers (id, workspace_id, owner_id, name, model, token_hash, last_event_seq, created_at, version) \
         VALUES ($1, $2, $3, $4, $5, $6, 0, $7, 1)",
        params![printer.id, workspace_id, owner, printer.name, printer.model, token_hash, now],
    )
    .await
    .map_err(|error| name_taken(error, &printer.name))?;
    Ok(printer)
}

/// Puts a new credential in the place of one that counts, of a printer of this workspace; none: there is no such.
///
/// # Errors
/// The database's.
pub async fn renew_credential(
    tx: &mut Tx,
    workspace: WorkspaceId,
    credential: &str,
    token_hash: &str,
) -> Result<Option<PrinterRow>, DbError> {
    let row = tx
        .query_opt(
            "UPDATE printers SET token_hash = $3 WHERE token_hash = $1 AND workspace_id = $2 AND removed_at IS NULL \
             RETURNING id, workspace_id, name, model, created_at, last_seen_at, version",
            params![secret::hash(credential), workspace, token_hash],
        )
        .await?;
    row.as_ref().map(read).transpose()
}

/// The name, or the name with the first number that is free.
async fn free_name(tx: &mut Tx, workspace: WorkspaceId, name: &str) -> Result<String, Error> {
    let rows = tx
        .query("SELECT name FROM printers WHERE workspace_id = $1 AND removed_at IS NULL", params![workspace])
        .await?;
    let taken = rows.iter().map(|row| row.get::<String>("name")).collect::<Result<Vec<_>, _>>()?;
    let numbered = (2..).map(|n| format!("{name} {n}"));
    let mut candidates = std::iter::once(name.to_owned()).chain(numbered);
    Ok(candidates.find(|candidate| !taken.contains(candidate)).unwrap_or_else(|| name.to_owned()))
}

/// Changes name or model; what is absent stays.
///
/// # Errors
/// No such printer, the name is taken, or the database's.
pub async fn change(
    db: &Db,
    person: &Person,
    id: PrinterId,
    name: Option<&str>,
    model: Option<&str>,
) -> Result<PrinterRow, Error> {
    let mut tx = db.begin().await?;
    let changed = tx
        .query_opt(
            "UPDATE printers SET name = COALESCE($3, name), model = COALESCE($4, model), version = version + 1 \
             WHERE id = $1 AND workspace_id = $2 AND removed_at IS NULL \
             RETURNING id, workspace_id, name, model, created_at, last_seen_at, version",
            params![id, person.workspace_id, name, model],
        )
        .await
        .map_err(|error| name_taken(error, name.unwrap_or_default()))?;
    let row = read(&changed.ok_or_else(|| Error::no_such("printer"))?)?;
    tx.commit().await?;
    Ok(row)
}

pub(super) fn name_taken(error: DbError, name: &str) -> Error {
    if error.is_duplicate() {
        Error::conflict("name_taken", format!("Another printer is called “{name}”. Choose another name."))
    } else {
        error.into()
    }
}

/// Takes a printer out of the workspace and its credential away. Its history stays.
///
/// # Errors
/// No such printer, a job is on it, or the database's.
pub async fn remove(db: &Db, now: Timestamp, person: &Person, id: PrinterId) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    tx.lock(&format!("queue:{}", person.workspace_id)).await?;
    let busy = tx
        .query_opt(
            "SELECT id FROM jobs WHERE open = 1 AND (printer_id = $1 OR target_printer_id = $1) LIMIT 1",
            params![id],
        )
        .await?;
    if busy.is_some() {
        return Err(Error::conflict(
            "printer_busy",
            "A job is on this printer or waits for it. Cancel it, and confirm that the bed is clear, then remove the printer.",
        ));
    }
    let removed = tx
        .execute(
            "UPDATE printers SET removed_at = $3, token_hash = NULL, version = version + 1 \
             WHERE id = $1 AND workspace_id = $2 AND removed_at IS NULL",
            params![id, person.workspace_id, now],
        )
        .await?;
    tx.commit().await?;
    if removed == 0 { Err(Error::no_such("printer")) } else { Ok(()) }
}

/// Records when an agent was last in reach.
///
/// # Errors
/// The database's.
pub async fn seen(tx: &mut Tx, id: PrinterId, at: Timestamp) -> Result<(), DbError> {
    tx.execute("UPDATE printers SET last_seen_at = $2 WHERE id = $1", params![id, at]).await.map(drop)
}
