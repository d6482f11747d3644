//! Tells agents that there is something to fetch. A hint that gets lost costs seconds: agents also ask.
//!
//! Owns: who is told, and what is not passed on any more. Must not know: how it travels.

use stardust_protocol::topic::{Channel, Topic};
use stardust_protocol::{Command, CommandId, CommandMessage, PrinterId, ProtocolVersion, WorkspaceId};

use super::held_back::may_pass;
use super::store;
use crate::app::App;
use crate::db::DbError;

/// There may be a job: wakes this printer, or every one that could take a job.
pub async fn wake(app: &App, workspace: WorkspaceId, printer: Option<PrinterId>) {
    let printers = printer.map_or_else(
        || app.fleet.ready_for_a_job(workspace, |printer| app.waiting_agents.waits(printer)),
        |printer| vec![printer],
    );
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
    if let Some((printer, message)) = store::open_command(&app.db, id).await?
        && may_pass(app, printer, &message.command)
    {
        app.tell_agent(Topic { workspace, printer, channel: Channel::Command }, &message).await;
    }
    Ok(())
}

/// What a printer's agent finds when it asks, oldest first.
///
/// # Errors
/// The database's.
pub async fn open_commands(app: &App, printer: PrinterId) -> Result<Vec<CommandMessage>, DbError> {
    let mut open = store::open_commands(&app.db, printer).await?;
    open.retain(|message| may_pass(app, printer, &message.command));
    // A stop that can't be written down yet is told of all the same.
    let now = app.clock.now();
    let unwritten = app.fleet.stop(printer).filter(|stop| !stop.recorded && stop.is_open(now));
    if let Some(stop) = unwritten.filter(|stop| open.iter().all(|message| message.id != Some(stop.id))) {
        open.insert(0, stop.message(now));
    }
    Ok(open)
}
