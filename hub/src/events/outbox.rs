//! The transactional outbox: rows written in the transaction that made the change, handled at least once.
//!
//! A row is leased by pushing its `available_at` into the future: a handler that dies leaves it to be
//! leased again. Failures are retried with back-off, and parked as `dead` with their error after the last try.
//! Handlers are idempotent.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use stardust_clock::SharedClock;
use stardust_protocol::{CommandId, FileVersionId, PrinterId, Timestamp, WorkspaceId};
use tokio::sync::{Notify, watch};

use crate::db::{Db, DbError, Row, Tx};
use crate::params;

const LEASE_MS: i64 = 120_000;
const BATCH: i64 = 16;
const MAX_ATTEMPTS: i64 = 8;
/// How long a row of another process (or one whose back-off is over) may wait to be seen.
const POLL: Duration = Duration::from_secs(1);

/// What there is to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// Bytes were stored: read their metadata.
    FileUploaded {
        /// The new version.
        version_id: FileVersionId,
    },
    /// There may be a job for a printer: wake it, or every idle printer of the workspace.
    JobWaiting {
        /// The printer; absent: any.
        printer_id: Option<PrinterId>,
    },
    /// A person asked something of a printer at work.
    CommandCreated {
        /// The command.
        command_id: CommandId,
    },
}

impl Event {
    fn kind(&self) -> &'static str {
        match self {
            Self::FileUploaded { .. } => "file_uploaded",
            Self::JobWaiting { .. } => "job_waiting",
            Self::CommandCreated { .. } => "command_created",
        }
    }
}

/// A leased row.
#[derive(Debug)]
pub struct Leased {
    /// The row.
    pub id: String,
    /// Whose it is.
    pub workspace_id: WorkspaceId,
    /// What to do.
    pub event: Event,
    /// Which try this is, from 1.
    pub attempt: i64,
}

/// Handles events. Called again after an error, so it must not mind a repeat.
#[async_trait::async_trait]
pub trait Handler: Send + Sync {
    /// Does what the event asks for.
    ///
    /// # Errors
    /// A sentence that is kept with the row; the event is tried again.
    async fn handle(&self, workspace_id: WorkspaceId, event: &Event) -> Result<(), String>;

    /// The last try has failed: tell whoever waits for it.
    async fn give_up(&self, _workspace_id: WorkspaceId, _event: &Event, _error: &str) {}
}

/// Writes an event in the caller's transaction. After the commit the caller rings [`Bell::ring`].
///
/// # Errors
/// The database's.
pub async fn add(tx: &mut Tx, workspace: WorkspaceId, now: Timestamp, event: &Event) -> Result<(), DbError> {
    // An id of its own kind would be used nowhere else: a command id is as unique.
    let id = CommandId::generate(now);
    let payload = serde_json::to_string(event).map_err(|_| DbError::Missing("the payload of an event"))?;
    tx.execute(
        "INSERT INTO outbox (id, workspace_id, kind, payload, created_at, available_at, attempts, state) \
         VALUES ($1, $2, $3, $4, $5, $5, 0, 'pending')",
        params![id, workspace, event.kind(), payload, now],
    )
    .await?;
    Ok(())
}

/// Rung when there is something new in the outbox.
#[derive(Debug, Clone, Default)]
pub struct Bell(Arc<Notify>);

impl Bell {
    /// Wakes the worker.
    pub fn ring(&self) {
        self.0.notify_one();
    }
}

/// Hands the events to the handler until `stop` says so.
pub async fn work(
    db: Db,
    clock: SharedClock,
    bell: Bell,
    handler: Arc<dyn Handler>,
    mut stop: watch::Receiver<bool>,
) {
    while !*stop.borrow() {
        match work_off(&db, &clock, &*handler).await {
            Ok(0) => {
                tokio::select! {
                    () = bell.0.notified() => {}
                    () = tokio::time::sleep(POLL) => {}
                    _ = stop.changed() => {}
                }
            }
            Ok(_) => {}
            Err(error) => {
                tracing::error!(%error, "the outbox can't be read; trying again");
                tokio::time::sleep(POLL).await;
            }
        }
    }
}

/// Hands over what is due now, or the first of it. Returns how many events that were.
///
/// # Errors
/// The database's, before anything was handed over.
pub async fn work_off(db: &Db, clock: &SharedClock, handler: &dyn Handler) -> Result<usize, DbError> {
    let rows = lease(db, clock.now()).await?;
    let count = rows.len();
    for row in rows {
        run(db, clock, handler, row).await;
    }
    Ok(count)
}

async fn run(db: &Db, clock: &SharedClock, handler: &dyn Handler, row: Leased) {
    let result = handler.handle(row.workspace_id, &row.event).await;
    let settled = match &result {
        Ok(()) => done(db, &row.id).await,
        Err(error) if row.attempt >= MAX_ATTEMPTS => {
            tracing::error!(
                event.id = row.id,
                event.kind = row.event.kind(),
                error,
                "event parked: the last try failed"
            );
            handler.give_up(row.workspace_id, &row.event, error).await;
            park(db, &row.id, error).await
        }
        Err(error) => {
            tracing::warn!(
                event.id = row.id,
                event.kind = row.event.kind(),
                event.attempt = row.attempt,
                error,
                "event failed; it is tried again"
            );
            retry(db, &row.id, clock.now().plus_millis(back_off_ms(row.attempt)), error).await
        }
    };
    if let Err(error) = settled {
        // The lease runs out and the event is handled once more: handlers don't mind.
        tracing::error!(event.id = row.id, %error, "the outcome of an event could not be written");
    }
}

/// 1 s, 2 s, 4 s, … up to 5 minutes.
fn back_off_ms(attempt: i64) -> i64 {
    let doublings = u32::try_from(attempt - 1).unwrap_or(0).min(20);
    (1_000_i64 << doublings).min(300_000)
}

async fn lease(db: &Db, now: Timestamp) -> Result<Vec<Leased>, DbError> {
    // A look before the write: an idle hub does not write once a second.
    let due = db
        .query(
            "SELECT 1 AS due FROM outbox WHERE state = 'pending' AND available_at <= $1 LIMIT 1",
            params![now],
        )
        .await?;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let mut tx = db.begin().await?;
    tx.lock("outbox").await?;
    let rows = tx
        .query(
            "UPDATE outbox SET available_at = $2, attempts = attempts + 1 WHERE id IN \
             (SELECT id FROM outbox WHERE state = 'pending' AND available_at <= $1 \
              ORDER BY available_at, id LIMIT $3) \
             RETURNING id, workspace_id, payload, attempts",
            params![now, now.plus_millis(LEASE_MS), BATCH],
        )
        .await?;
    tx.commit().await?;
    let mut leased = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    // RETURNING promises no order; ids are made in the order of time.
    leased.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(leased)
}

fn read(row: &Row) -> Result<Leased, DbError> {
    let payload: String = row.get("payload")?;
    Ok(Leased {
        id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        event: serde_json::from_str(&payload).map_err(|_| DbError::Column {
            column: "payload".into(),
            expected: "an event",
            found: "something else",
        })?,
        attempt: row.get("attempts")?,
    })
}

async fn done(db: &Db, id: &str) -> Result<(), DbError> {
    let mut tx = db.begin().await?;
    tx.execute("DELETE FROM outbox WHERE id = $1", params![id]).await?;
    tx.commit().await
}

async fn retry(db: &Db, id: &str, at: Timestamp, error: &str) -> Result<(), DbError> {
    let mut tx = db.begin().await?;
    tx.execute("UPDATE outbox SET available_at = $2, error = $3 WHERE id = $1", params![id, at, error])
        .await?;
    tx.commit().await
}

async fn park(db: &Db, id: &str, error: &str) -> Result<(), DbError> {
    let mut tx = db.begin().await?;
    tx.execute("UPDATE outbox SET state = 'dead', error = $2 WHERE id = $1", params![id, error]).await?;
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::testing::{now, workspace};
    use crate::db::testing::{Engine, fresh};
    use rstest::rstest;

    async fn add_one(db: &Db) -> WorkspaceId {
        let workspace = workspace(db).await;
        let mut tx = db.begin().await.unwrap();
        add(&mut tx, workspace, now(), &Event::JobWaiting { printer_id: None }).await.unwrap();
        tx.commit().await.unwrap();
        workspace
    }

    #[rstest]
    #[case::sqlite(Engine::Sqlite)]
    #[case::postgres(Engine::Postgres)]
    #[tokio::test]
    async fn a_leased_event_comes_again_only_when_its_lease_is_over(#[case] engine: Engine) {
        let test = fresh(engine).await;
        let workspace = add_one(&test.db).await;
        let first = lease(&test.db, now()).await.unwrap();
        assert_eq!(first.len(), 1);
        assert_eq!((first[0].workspace_id, first[0].attempt), (workspace, 1));
        assert!(lease(&test.db, now()).await.unwrap().is_empty());
        let again = lease(&test.db, now().plus_millis(LEASE_MS)).await.unwrap();
        assert_eq!(again[0].attempt, 2);
        done(&test.db, &again[0].id).await.unwrap();
        assert!(lease(&test.db, now().plus_millis(10 * LEASE_MS)).await.unwrap().is_empty());
    }

    #[rstest]
    #[case::sqlite(Engine::Sqlite)]
    #[case::postgres(Engine::Postgres)]
    #[tokio::test]
    async fn a_failing_event_waits_and_is_parked_with_its_error(#[case] engine: Engine) {
        let test = fresh(engine).await;
        add_one(&test.db).await;
        let leased = lease(&test.db, now()).await.unwrap().remove(0);
        retry(&test.db, &leased.id, now().plus_millis(1_000), "no luck").await.unwrap();
        assert!(lease(&test.db, now().plus_millis(999)).await.unwrap().is_empty());
        assert_eq!(lease(&test.db, now().plus_millis(1_000)).await.unwrap().len(), 1);
        park(&test.db, &leased.id, "no luck at all").await.unwrap();
        let row = test.db.query_opt("SELECT state, error FROM outbox", params![]).await.unwrap().unwrap();
        assert_eq!(row.get::<String>("state").unwrap(), "dead");
        assert_eq!(row.get::<String>("error").unwrap(), "no luck at all");
    }

    #[rstest]
    #[case::sqlite(Engine::Sqlite)]
    #[case::postgres(Engine::Postgres)]
    #[tokio::test]
    async fn an_uncommitted_event_was_never_there(#[case] engine: Engine) {
        let test = fresh(engine).await;
        let workspace = workspace(&test.db).await;
        let mut tx = test.db.begin().await.unwrap();
        add(&mut tx, workspace, now(), &Event::JobWaiting { printer_id: None }).await.unwrap();
        drop(tx);
        assert!(lease(&test.db, now()).await.unwrap().is_empty());
    }

    #[test]
    fn back_off_doubles_up_to_five_minutes() {
        let steps: Vec<_> = (1..=10).map(back_off_ms).collect();
        assert_eq!(steps[..4], [1_000, 2_000, 4_000, 8_000]);
        assert_eq!(*steps.last().unwrap(), 300_000);
    }
}
