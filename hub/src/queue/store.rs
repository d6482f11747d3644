//! Rows of jobs, their transitions and the commands to agents.

use stardust_protocol::{
    Command, CommandId, CommandMessage, FileId, FileVersionId, JobId, JobState, PrinterId, ProtocolVersion,
    Timestamp, UserId, WorkspaceId,
};

use super::job::{JobRow, JobTransition, JobWithNames, read_row, read_with_names};
use crate::api::page::{Page, PageQuery, Place};
use crate::db::{Db, DbError, Row, Tx};
use crate::error::Error;
use crate::params;

macro_rules! select_jobs {
    ($rest:literal) => {
        concat!(
            "SELECT j.id, j.workspace_id, j.owner_id, j.file_id, j.file_version_id, j.file_name, j.target_printer_id, \
                    j.printer_id, j.claim_id, j.claim_instance, j.lease_until, j.state, j.reason, j.requested, j.fraction, j.elapsed_s, \
                    j.queued_at, j.claimed_at, j.started_at, j.finished_at, j.removed_at, j.open, j.version, \
                    u.name AS owner_name, p.name AS printer_name, v.estimated_time_s, \
                    CASE WHEN v.thumbnail_sha256 IS NULL THEN 0 ELSE 1 END AS has_thumbnail \
             FROM jobs j JOIN users u ON u.id = j.owner_id JOIN file_versions v ON v.id = j.file_version_id \
             LEFT JOIN printers p ON p.id = j.printer_id ",
            $rest
        )
    };
}

/// Which jobs to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// In the queue or on a printer, oldest first.
    Active,
    /// Ended and cleared, newest first.
    History,
    /// All, newest first.
    All,
}

/// One job with its names.
///
/// # Errors
/// No such job in this workspace, or the database's.
pub async fn view(db: &Db, workspace: WorkspaceId, id: JobId) -> Result<JobWithNames, Error> {
    let row =
        db.query_opt(select_jobs!("WHERE j.id = $1 AND j.workspace_id = $2"), params![id, workspace]).await?;
    Ok(read_with_names(&row.ok_or_else(|| Error::no_such("print job"))?)?)
}

/// Every open job of every workspace.
///
/// # Errors
/// The database's.
pub async fn open(db: &Db) -> Result<Vec<JobWithNames>, DbError> {
    db.query(select_jobs!("WHERE j.open = 1"), params![]).await?.iter().map(read_with_names).collect()
}

/// The open jobs that print a version of a file.
///
/// # Errors
/// The database's.
pub async fn open_of_version(
    db: &Db,
    workspace: WorkspaceId,
    version: FileVersionId,
) -> Result<Vec<JobId>, DbError> {
    let rows = db
        .query(
            "SELECT id FROM jobs WHERE workspace_id = $1 AND file_version_id = $2 AND open = 1",
            params![workspace, version],
        )
        .await?;
    rows.iter().map(|row| row.get("id")).collect()
}

/// Jobs of a workspace, or of one printer of it.
///
/// # Errors
/// A bad cursor, or the database's.
pub async fn list(
    db: &Db,
    workspace: WorkspaceId,
    scope: Scope,
    printer: Option<PrinterId>,
    page: &PageQuery,
) -> Result<Page<JobWithNames>, Error> {
    let start = if scope == Scope::Active { Place::lowest() } else { Place::highest() };
    let place = page.place_or(start)?;
    // NULL stands for "any printer"; the cast tells PostgreSQL what it is.
    let sql = match scope {
        Scope::Active => select_jobs!(
            "WHERE j.workspace_id = $1 AND (CAST($2 AS TEXT) IS NULL OR j.printer_id = $2) AND j.open = 1 \
               AND (j.queued_at, j.id) > ($3, $4) ORDER BY j.queued_at, j.id LIMIT $5"
        ),
        Scope::History => select_jobs!(
            "WHERE j.workspace_id = $1 AND (CAST($2 AS TEXT) IS NULL OR j.printer_id = $2) AND j.open = 0 \
               AND (j.finished_at, j.id) < ($3, $4) ORDER BY j.finished_at DESC, j.id DESC LIMIT $5"
        ),
        Scope::All => select_jobs!(
            "WHERE j.workspace_id = $1 AND (CAST($2 AS TEXT) IS NULL OR j.printer_id = $2) \
               AND (j.queued_at, j.id) < ($3, $4) ORDER BY j.queued_at DESC, j.id DESC LIMIT $5"
        ),
    };
    let params = params![workspace, printer, place.key, place.id, page.limit() as u64 + 1];
    let jobs = db.query(sql, params).await?.iter().map(read_with_names).collect::<Result<_, _>>()?;
    Ok(Page::of(jobs, page.limit(), |job: &JobWithNames| {
        let key = if scope == Scope::History { job.row.finished_at } else { None };
        Place { key: key.unwrap_or(job.row.queued_at).as_millis(), id: job.row.id.to_string() }
    }))
}

/// One job, to be changed in this transaction. Take the queue's lock first.
///
/// # Errors
/// The database's.
pub async fn find(tx: &mut Tx, workspace: WorkspaceId, id: JobId) -> Result<Option<JobRow>, DbError> {
    let row = tx
        .query_opt("SELECT * FROM jobs WHERE id = $1 AND workspace_id = $2", params![id, workspace])
        .await?;
    row.as_ref().map(read_row).transpose()
}

/// The job that is on a printer.
///
/// # Errors
/// The database's.
pub async fn on_printer(tx: &mut Tx, printer: PrinterId) -> Result<Option<JobRow>, DbError> {
    let row = tx.query_opt("SELECT * FROM jobs WHERE printer_id = $1 AND open = 1", params![printer]).await?;
    row.as_ref().map(read_row).transpose()
}

/// The queued job that a printer should do next: the oldest that it may and whose file fits.
///
/// # Errors
/// The database's.
pub async fn next_for(
    tx: &mut Tx,
    workspace: WorkspaceId,
    printer: PrinterId,
    largest_file: u64,
) -> Result<Option<JobRow>, DbError> {
    let row = tx
        .query_opt(
            "SELECT j.* FROM jobs j JOIN file_versions v ON v.id = j.file_version_id \
             WHERE j.workspace_id = $1 AND j.open = 1 AND j.state = 'queued' \
               AND (j.target_printer_id IS NULL OR j.target_printer_id = $2) AND v.size_bytes <= $3 \
             ORDER BY j.queued_at, j.id LIMIT 1",
            params![workspace, printer, largest_file],
        )
        .await?;
    row.as_ref().map(read_row).transpose()
}

/// Jobs whose claim has run out before they started.
///
/// # Errors
/// The database's.
pub async fn expired_claims(db: &Db, now: Timestamp) -> Result<Vec<JobRow>, DbError> {
    let rows = db
        .query(
            "SELECT * FROM jobs WHERE open = 1 AND state IN ('claimed', 'transferring') AND lease_until <= $1",
            params![now],
        )
        .await?;
    rows.iter().map(read_row).collect()
}

/// Writes a new job.
///
/// # Errors
/// The database's.
pub async fn insert(tx: &mut Tx, job: &JobRow, idempotency_key: Option<&str>) -> Result<(), DbError> {
    tx.execute(
        "INSERT INTO jobs (id, workspace_id, owner_id, file_id, file_version_id, file_name, target_printer_id, \
                           state, fraction, elapsed_s, idempotency_key, queued_at, open, version) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, $9, $10, 1, 1)",
        params![
            job.id,
            job.workspace_id,
            job.owner_id,
            job.file_id,
            job.file_version_id,
            job.file_name,
            job.target_printer_id,
            job.state,
            idempotency_key,
            job.queued_at
        ],
    )
    .await?;
    Ok(())
}

/// Writes all that can change of a job.
///
/// # Errors
/// The database's.
pub async fn save(tx: &mut Tx, job: &JobRow) -> Result<(), DbError> {
    tx.execute(
        "UPDATE jobs SET printer_id = $2, claim_id = $3, lease_until = $4, state = $5, reason = $6, requested = $7, \
                fraction = $8, elapsed_s = $9, claimed_at = $10, started_at = $11, finished_at = $12, \
                removed_at = $13, open = $14, claim_instance = $15, version = version + 1 WHERE id = $1",
        params![
            job.id,
            job.printer_id,
            job.claim_id,
            job.lease_until,
            job.state,
            job.reason,
            job.requested,
            job.fraction,
            job.elapsed_s,
            job.claimed_at,
            job.started_at,
            job.finished_at,
            job.removed_at,
            job.open,
            job.claim_instance
        ],
    )
    .await?;
    Ok(())
}

/// A move of a job as it is recorded.
#[derive(Debug, Clone, Copy)]
pub struct Moved<'a> {
    /// Where it was.
    pub from: Option<JobState>,
    /// When it moved, by the clock of whoever moved it.
    pub at: Timestamp,
    /// The hub's clock.
    pub now: Timestamp,
    /// Why.
    pub reason: Option<&'a str>,
    /// Who; absent: the hub.
    pub by: Option<&'a str>,
}

/// Adds to a job's history that it moved to where it is now.
///
/// # Errors
/// The database's.
pub async fn record(tx: &mut Tx, job: &JobRow, moved: Moved<'_>) -> Result<(), DbError> {
    tx.execute(
        "INSERT INTO job_transitions (job_id, number, workspace_id, from_state, to_state, at, recorded_at, reason, by_name) \
         SELECT $1, COALESCE(MAX(number), 0) + 1, $2, $3, $4, $5, $6, $7, $8 FROM job_transitions WHERE job_id = $1",
        params![job.id, job.workspace_id, moved.from, job.state, moved.at, moved.now, moved.reason, moved.by],
    )
    .await?;
    Ok(())
}

/// The history of a job, oldest first.
///
/// # Errors
/// A bad cursor, or the database's.
pub async fn transitions(
    db: &Db,
    workspace: WorkspaceId,
    id: JobId,
    page: &PageQuery,
) -> Result<Page<JobTransition>, Error> {
    let after = page.place_or(Place { key: 0, id: String::new() })?;
    let rows = db
        .query(
            "SELECT number, from_state, to_state, at, reason, by_name FROM job_transitions \
             WHERE job_id = $1 AND workspace_id = $2 AND number > $3 ORDER BY number LIMIT $4",
            params![id, workspace, after.key, page.limit() as u64 + 1],
        )
        .await?;
    let read = |row: &Row| {
        let transition = JobTransition {
            from: row.get("from_state")?,
            to: row.get("to_state")?,
            at: row.get("at")?,
            reason: row.get("reason")?,
            by: row.get("by_name")?,
        };
        Ok((row.get::<i64>("number")?, transition))
    };
    let numbered = rows.iter().map(read).collect::<Result<Vec<_>, DbError>>()?;
    let page = Page::of(numbered, page.limit(), |(number, _)| Place { key: *number, id: String::new() });
    let items = page.items.into_iter().map(|(_, transition)| transition).collect();
    Ok(Page { items, next_cursor: page.next_cursor })
}

/// The job that this person made with this key.
///
/// # Errors
/// The database's.
pub async fn by_idempotency_key(
    tx: &mut Tx,
    owner: UserId,
    key: &str,
) -> Result<Option<(JobId, FileId)>, DbError> {
    let row = tx
        .query_opt(
            "SELECT id, file_id FROM jobs WHERE owner_id = $1 AND idempotency_key = $2",
            params![owner, key],
        )
        .await?;
    row.map(|row| Ok((row.get("id")?, row.get("file_id")?))).transpose()
}

/// Writes a command for an agent. `job`: the one that shows what becomes of it, if one does. One that is there already stays:
/// nobody may know whether it was written.
///
/// # Errors
/// The database's.
pub async fn add_command(
    tx: &mut Tx,
    workspace: WorkspaceId,
    job: Option<JobId>,
    (printer, user): (PrinterId, UserId),
    message: &CommandMessage,
) -> Result<(), DbError> {
    let body =
        serde_json::to_string(&message.command).map_err(|_| DbError::Missing("the body of a command"))?;
    tx.execute(
        "INSERT INTO commands (id, workspace_id, printer_id, job_id, user_id, body, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING",
        params![message.id, workspace, printer, job, user, body, message.at, message.expires_at],
    )
    .await?;
    Ok(())
}

const OPEN_COMMANDS: &str = "SELECT id, body, created_at, expires_at FROM commands WHERE printer_id = $1 AND outcome IS NULL \
     ORDER BY created_at, id";

/// The commands of a printer whose outcome is not known, oldest first.
///
/// # Errors
/// The database's.
pub async fn open_commands(db: &Db, printer: PrinterId) -> Result<Vec<CommandMessage>, DbError> {
    db.query(OPEN_COMMANDS, params![printer]).await?.iter().map(read_command).collect()
}

/// The same, in a transaction.
///
/// # Errors
/// The database's.
pub async fn open_commands_for(tx: &mut Tx, printer: PrinterId) -> Result<Vec<CommandMessage>, DbError> {
    tx.query(OPEN_COMMANDS, params![printer]).await?.iter().map(read_command).collect()
}

/// What the agent of a job was asked and has not answered.
///
/// # Errors
/// The database's.
pub async fn open_commands_of(tx: &mut Tx, job: JobId) -> Result<Vec<Command>, DbError> {
    let sql = "SELECT body FROM commands WHERE job_id = $1 AND outcome IS NULL ORDER BY created_at, id";
    let rows = tx.query(sql, params![job]).await?;
    rows.iter().map(|row| Ok(command_of(&row.get::<String>("body")?))).collect()
}

/// An open command and whom it is for.
///
/// # Errors
/// The database's.
pub async fn open_command(db: &Db, id: CommandId) -> Result<Option<(PrinterId, CommandMessage)>, DbError> {
    let row = db
        .query_opt(
            "SELECT id, printer_id, body, created_at, expires_at FROM commands WHERE id = $1 AND outcome IS NULL",
            params![id],
        )
        .await?;
    row.map(|row| Ok((row.get("printer_id")?, read_command(&row)?))).transpose()
}

fn read_command(row: &Row) -> Result<CommandMessage, DbError> {
    let body: String = row.get("body")?;
    Ok(CommandMessage {
        protocol: ProtocolVersion::CURRENT,
        id: row.get("id")?,
        at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
        command: command_of(&body),
    })
}

fn command_of(body: &str) -> Command {
    // Of a newer hub, before a downgrade: the agent refuses it.
    serde_json::from_str(body).unwrap_or(Command::Unknown)
}

/// What became of a command; `None` while nobody knows.
///
/// # Errors
/// The database's.
pub async fn outcome_of(db: &Db, id: CommandId) -> Result<Option<(String, Option<String>)>, DbError> {
    let sql = "SELECT outcome, reason FROM commands WHERE id = $1 AND outcome IS NOT NULL";
    let row = db.query_opt(sql, params![id]).await?;
    row.map(|row| Ok((row.get("outcome")?, row.get("reason")?))).transpose()
}

/// Writes a command's outcome; `None` if there was none to write or it is of no job, else its job. What the agent has
/// done counts, also where the hub has given the command up before: it could not know.
///
/// # Errors
/// The database's.
pub async fn answer_command(
    tx: &mut Tx,
    printer: PrinterId,
    id: CommandId,
    outcome: &str,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<Option<JobId>, DbError> {
    let row = tx
        .query_opt(
            "UPDATE commands SET outcome = $3, reason = $4, answered_at = $5 \
             WHERE id = $1 AND printer_id = $2 AND (outcome IS NULL OR (outcome = 'expired' AND $3 <> 'expired')) \
             RETURNING job_id",
            params![id, printer, outcome, reason, now],
        )
        .await?;
    row.map_or(Ok(None), |row| row.get("job_id"))
}

/// Ends this workspace's commands that nobody may carry out any more: too old, or of a job that has ended.
/// Returns the jobs that they were for.
///
/// # Errors
/// The database's.
pub async fn expire_commands(
    tx: &mut Tx,
    workspace: WorkspaceId,
    before: Timestamp,
    now: Timestamp,
) -> Result<Vec<JobId>, DbError> {
    let rows = tx
        .query(
            "UPDATE commands SET outcome = 'expired', answered_at = $2 WHERE workspace_id = $3 AND outcome IS NULL \
               AND (expires_at <= $1 \
               OR job_id IN (SELECT id FROM jobs WHERE state IN ('awaiting_removal', 'finished', 'cancelled', 'failed'))) \
             RETURNING job_id",
            params![before, now, workspace],
        )
        .await?;
    rows.iter().filter_map(|row| row.get("job_id").transpose()).collect()
}
