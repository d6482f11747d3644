//! What does not reach a printer that was stopped in an emergency: whatever would make something start or go on there.
//!
//! Owns: that nobody asks for it while the stop stands, and that what was asked for before is neither passed on nor done later. Must not
//! know: how a stop travels, how it is cleared.

use stardust_protocol::{Command, JobId, PrinterId, Timestamp, WorkspaceId};

use super::given_up::give_up;
use super::store;
use crate::app::App;
use crate::db::{DbError, Tx};
use crate::error::Error;

/// What a job says of a request that the stop went past.
pub(super) const OVERTAKEN: &str = "Going on was asked for and not done: the printer was stopped at once. When it is in order again, resume the \
     print.";

/// Whether something may be started on a printer, or go on there.
///
/// # Errors
/// It was stopped, and nobody has said yet that it is in order again.
pub fn may_start(app: &App, printer: PrinterId) -> Result<(), Error> {
    if app.fleet.stop(printer).is_some() { Err(stopped()) } else { Ok(()) }
}

/// What whoever wants to start something on a stopped printer is told.
pub fn stopped() -> Error {
    Error::conflict(
        "stopped",
        "The printer was stopped in an emergency: say first that it is in order again.",
    )
}

/// A stop at once goes past everything: whether this may go to its printer's agent.
pub(super) fn may_pass(app: &App, printer: PrinterId, command: &Command) -> bool {
    !command.starts_something() || app.fleet.stop(printer).is_none()
}

/// The turn of a transaction that withdraws: taken before it reads or writes anything. Whoever is just asking has been written down by
/// then, or finds the stop.
///
/// # Errors
/// The database's.
pub async fn lock(tx: &mut Tx, workspace: WorkspaceId) -> Result<(), DbError> {
    tx.lock(&format!("queue:{workspace}")).await
}

/// Ends what would start something on a printer that is being stopped, and was asked for before; behind [`lock`]. Returns the jobs that
/// show it.
///
/// # Errors
/// The database's.
pub async fn withdraw(
    tx: &mut Tx,
    (workspace, printer): (WorkspaceId, PrinterId),
    now: Timestamp,
) -> Result<Vec<JobId>, DbError> {
    let mut jobs = Vec::new();
    for message in store::open_commands_for(tx, printer).await? {
        let Some(id) = message.id.filter(|_| message.command.starts_something()) else { continue };
        let of = store::answer_command(tx, printer, id, "expired", Some(OVERTAKEN), now).await?;
        if let Some(of) = of
            && give_up(tx, workspace, of, OVERTAKEN).await?
        {
            jobs.push(of);
        }
    }
    Ok(jobs)
}
