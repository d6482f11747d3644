//! What the parts of the hub share: plain fields, made once in [`crate::serve`].

use std::sync::Arc;

use stardust_clock::SharedClock;
use stardust_gateway::Gateway;
use stardust_protocol::CommandMessage;
use stardust_protocol::topic::Topic;

use crate::accounts::password::Passwords;
use crate::config::Config;
use crate::db::Db;
use crate::events::bus::Bus;
use crate::events::outbox::Bell;
use crate::fleet::Fleet;
use crate::fleet::attempts::Attempts;
use crate::objects::Objects;

/// The hub.
pub struct App {
    /// The settings.
    pub config: Config,
    /// The time.
    pub clock: SharedClock,
    /// The database.
    pub db: Db,
    /// Checks passwords.
    pub passwords: Passwords,
    /// The bytes of files.
    pub objects: Objects,
    /// Changes for those who watch.
    pub bus: Arc<Bus>,
    /// Held from reading a document until it is published: an older one must not overtake a newer one.
    pub publishing: tokio::sync::Mutex<()>,
    /// Rung when there is work in the outbox.
    pub bell: Bell,
    /// Notified when agents have said what became of commands.
    pub command_answers: tokio::sync::Notify,
    /// The printers, live.
    pub fleet: Fleet,
    /// The way to the agents.
    pub gateway: Gateway,
    /// The port on which the gateway really listens.
    pub mqtt_port: u16,
    /// Who has tried how often to guess pairing codes and PINs.
    pub attempts: Attempts,
}

impl App {
    /// Sends a message to an agent, if it is connected. Nothing depends on its arrival: agents also ask.
    pub async fn tell_agent(&self, topic: Topic, message: &CommandMessage) {
        let payload = match serde_json::to_vec(message) {
            Ok(payload) => payload,
            Err(error) => {
                tracing::error!(%error, "a command could not be serialised");
                return;
            }
        };
        if let Err(error) = self.gateway.publish(topic, payload).await {
            tracing::warn!(%error, printer.id = %topic.printer, "a message to an agent could not be published");
        }
    }
}
