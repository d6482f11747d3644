//! Rows of emergency stops.

use stardust_protocol::{PrinterId, Timestamp};

use crate::db::{Db, DbError, Row, Tx};
use crate::fleet::emergency::{EmergencyStop, StopState};
use crate::params;

/// Writes how a printer's stop is now; an earlier one of it is gone.
///
/// # Errors
/// The database's.
pub async fn put(tx: &mut Tx, printer: PrinterId, stop: &EmergencyStop) -> Result<(), DbError> {
    tx.execute(
        "INSERT INTO emergency_stops (printer_id, command_id, asked_by, asked_at, state, state_since, reason) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (printer_id) DO UPDATE SET command_id = EXCLUDED.command_id, asked_by = EXCLUDED.asked_by, \
         asked_at = EXCLUDED.asked_at, state = EXCLUDED.state, state_since = EXCLUDED.state_since, \
         reason = EXCLUDED.reason",
        params![
            printer,
            stop.id,
            stop.asked_by,
            stop.asked_at,
            stop.state.as_str(),
            stop.state_since,
            stop.reason.as_deref()
        ],
    )
    .await
    .map(drop)
}

/// Writes how far a stop has come, unless it was withdrawn or another one followed. One that is over is no open command any more: its
/// agent may have no journal to answer it from, and would find it again when that is mended.
///
/// # Errors
/// The database's.
pub async fn update(db: &Db, printer: PrinterId, stop: &EmergencyStop) -> Result<(), DbError> {
    let mut tx = db.begin().await?;
    tx.execute(
        "UPDATE emergency_stops SET state = $3, state_since = $4, reason = $5 \
         WHERE printer_id = $1 AND command_id = $2",
        params![printer, stop.id, stop.state.as_str(), stop.state_since, stop.reason.as_deref()],
    )
    .await?;
    if stop.state.is_over() {
        let outcome = if stop.state.has_reached() { "done" } else { "refused" };
        tx.execute(
            "UPDATE commands SET outcome = $3, answered_at = $2, reason = $4 WHERE id = $1 AND outcome IS NULL",
            params![stop.id, stop.state_since, outcome, stop.reason.as_deref()],
        )
        .await?;
    }
    tx.commit().await
}

/// A person has said that the printer is in order again. Stops that nobody has answered are taken back: this one, and all before it.
/// The rows in the order of [`update`], which may be at work beside it.
///
/// # Errors
/// The database's.
pub async fn clear(
    tx: &mut Tx,
    printer: PrinterId,
    stop: &EmergencyStop,
    now: Timestamp,
) -> Result<(), DbError> {
    tx.execute(
        "DELETE FROM emergency_stops WHERE printer_id = $1 AND command_id = $2",
        params![printer, stop.id],
    )
    .await?;
    tx.execute(
        "UPDATE commands SET outcome = 'expired', answered_at = $2 \
         WHERE printer_id = $1 AND outcome IS NULL AND body LIKE '%\"kind\":\"emergency_stop\"%' \
         AND (id = $3 OR created_at <= $4)",
        params![printer, now, stop.id, stop.asked_at],
    )
    .await
    .map(drop)
}

/// All that stand.
///
/// # Errors
/// The database's.
pub async fn all(db: &Db) -> Result<Vec<(PrinterId, EmergencyStop)>, DbError> {
    let sql =
        "SELECT printer_id, command_id, asked_by, asked_at, state, state_since, reason FROM emergency_stops";
    let read = |row: &Row| {
        let state: String = row.get("state")?;
        let stop = EmergencyStop {
            id: row.get("command_id")?,
            asked_by: row.get("asked_by")?,
            asked_at: row.get("asked_at")?,
            state: StopState::from_db(&state),
            state_since: row.get("state_since")?,
            reason: row.get("reason")?,
            recorded: true,
        };
        Ok((row.get("printer_id")?, stop))
    };
    db.query(sql, params![]).await?.iter().map(read).collect()
}
