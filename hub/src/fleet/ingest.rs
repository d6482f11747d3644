//! What comes in over MQTT: connects, disconnects and status messages become the live twin. Nothing here waits for the
//! database: what one agent says, an emergency stop's answer too, must not wait for what another one has caused.

use std::sync::Arc;

use stardust_gateway::{EdgeEvent, Principal};
use stardust_protocol::topic::{Channel, Topic};
use stardust_protocol::{Command, CommandMessage, JobProgress, ProtocolVersion, StatusMessage, WorkspaceId};
use tokio::sync::mpsc;

use super::twin::Applied;
use crate::app::App;
use crate::events::bus::Resource;

/// Takes the gateway's events until it stops.
pub async fn run(app: Arc<App>, mut events: mpsc::Receiver<EdgeEvent>) {
    while let Some(event) = events.recv().await {
        let now = (app.clock.elapsed(), app.clock.now());
        match event {
            EdgeEvent::Connected { principal: Principal::Device { printer, .. }, connection } => {
                tracing::info!(printer.id = %printer, mqtt.connection = %connection, "agent connected");
                app.fleet.connected(printer, connection, now);
                app.last_times.printer_seen(printer, now.1);
            }
            EdgeEvent::Disconnected {
                principal: Principal::Device { printer, .. },
                connection,
                reason,
                silent_for,
            } => {
                tracing::info!(printer.id = %printer, mqtt.connection = %connection, %reason, "agent disconnected");
                // An agent that hangs was heard last when it fell silent, not when that was noticed.
                let silent_ms = i64::try_from(silent_for.as_millis()).unwrap_or(i64::MAX);
                let heard_at = now.1.plus_millis(-silent_ms);
                app.fleet.disconnected(printer, connection, (now.0, heard_at));
                app.last_times.printer_seen(printer, heard_at);
            }
            EdgeEvent::Published { topic, payload } => status(&app, topic, &payload).await,
        }
    }
}

async fn status(app: &App, topic: Topic, payload: &[u8]) {
    let message: StatusMessage = match serde_json::from_slice(payload) {
        Ok(message) => message,
        Err(error) => {
            tracing::warn!(printer.id = %topic.printer, %error, "a status message can't be read; it is ignored");
            return;
        }
    };
    match app.fleet.apply(topic.printer, message, app.clock.now()) {
        Applied::Yes(Some(progress)) => publish_progress(app, topic.workspace, &progress),
        Applied::Yes(None) | Applied::Stranger => {}
        Applied::NeedsFull => ask_for_full(app, topic).await,
    }
}

fn publish_progress(app: &App, workspace: WorkspaceId, progress: &JobProgress) {
    let value = serde_json::to_value(progress).unwrap_or_default();
    app.bus.amend(workspace, Resource::Job, &progress.job_id.to_string(), "progress", value);
}

async fn ask_for_full(app: &App, topic: Topic) {
    let message = CommandMessage {
        protocol: ProtocolVersion::CURRENT,
        id: None,
        at: app.clock.now(),
        expires_at: None,
        command: Command::ReportStatus,
    };
    app.tell_agent(Topic { channel: Channel::Command, ..topic }, &message).await;
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use stardust_gateway::{ConnectionId, DisconnectReason};

    use super::*;
    use crate::db::testing::Engine;
    use crate::fleet::ContactState;
    use crate::testing::hub;

    #[tokio::test]
    async fn the_last_contact_with_an_agent_that_hangs_is_when_it_fell_silent() {
        let hub = hub(Engine::Sqlite).await;
        let device = hub.pair("Ada").await;
        let (printer, workspace) = (device.printer_id, hub.owner.workspace_id);
        let principal = Principal::Device { workspace, printer };
        let connection = ConnectionId::numbered(1);
        let tell = async |event| {
            let (sender, receiver) = mpsc::channel(1);
            sender.send(event).await.unwrap();
            drop(sender);
            run(Arc::clone(&hub.app), receiver).await;
        };
        tell(EdgeEvent::Connected { principal, connection }).await;
        hub.clock.advance(Duration::from_secs(600));
        let (reason, silent_for) = (DisconnectReason::Silent, Duration::from_secs(30));
        tell(EdgeEvent::Disconnected { principal, connection, reason, silent_for }).await;
        let contact = hub.app.fleet.printer(workspace, printer).unwrap().contact;
        let heard_at = hub.app.clock.now().plus_millis(-30_000);
        assert_eq!((contact.state, contact.since), (ContactState::Lost, Some(heard_at)));
    }
}
