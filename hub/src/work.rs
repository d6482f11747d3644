//! Hands the outbox's events to the capability that each is for.

use std::sync::Arc;

use async_trait::async_trait;
use stardust_protocol::WorkspaceId;

use crate::app::App;
use crate::events::outbox::{Event, Handler};
use crate::{extractor, queue};

/// The hub's own work.
pub struct Work(pub Arc<App>);

#[async_trait]
impl Handler for Work {
    async fn handle(&self, workspace: WorkspaceId, event: &Event) -> Result<(), String> {
        match event {
            Event::FileUploaded { version_id } => extractor::extract(&self.0, workspace, *version_id).await,
            Event::JobWaiting { printer_id } => {
                queue::dispatch::wake(&self.0, workspace, *printer_id).await;
                Ok(())
            }
            Event::CommandCreated { command_id } => {
                queue::dispatch::send_command(&self.0, workspace, *command_id)
                    .await
                    .map_err(|error| error.to_string())
            }
        }
    }

    async fn give_up(&self, workspace: WorkspaceId, event: &Event, _error: &str) {
        if let Event::FileUploaded { version_id } = event {
            extractor::give_up(&self.0, workspace, *version_id).await;
        }
    }
}
