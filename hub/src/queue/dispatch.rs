//! Tells agents that there is something to fetch. A hint that gets lost costs seconds: agents also ask.

use stardust_protocol::topic::{Channel, Topic};
use stardust_protocol::{Command, CommandId, CommandMessage, PrinterId, ProtocolVersion, WorkspaceId};

use super::store;
use crate::app::App;
use crate::db::DbError;

/// There may be a job: wakes this printer, or every one that could take a job.
pub async fn wake(app: &App, workspace: WorkspaceId, printer: Option<PrinterId>) {
    let printers = printer.map_or_else(|| app.fleet.ready_for_a_job(workspace), |printer| vec![printer]);
    for printer in printers {
        let message = CommandMessage {
            protocol: ProtocolVersion::CURRENT,
            id: None,
            at: app.clock.now(),
            expires_at: None,
            command: Command::Wake,
        };
        app.tell_agent(Topic { workspace, printer, channel: Channel::Command }, &message).await;
    }
}

/// Sends a command to its agent, unless its outcome is known by now.
///
/// # Errors
/// The database's.
pub async fn send_command(app: &App, workspace: WorkspaceId, id: CommandId) -> Result<(), DbError> {
    if let Some((printer, message)) = store::open_command(&app.db, id).await? {
        app.tell_agent(Topic { workspace, printer, channel: Channel::Command }, &message).await;
    }
    Ok(())
}
