//! What the parts of the hub share: plain fields, made once.

use std::sync::Arc;

use stardust_clock::SharedClock;
use stardust_protocol::topic::Topic;
use stardust_protocol::{CommandMessage, SessionId};

use crate::accounts::password::Passwords;
use crate::agent_link::AgentLink;
use crate::config::Config;
use crate::db::Db;
use crate::error::Error;
use crate::events::bus::Bus;
use crate::events::outbox::Bell;
use crate::fleet::attempts::Attempts;
use crate::fleet::{self, Fleet};
use crate::last_times::LastTimes;
use crate::objects::Objects;
use crate::waiting_agents::WaitingAgents;
use crate::{queue, stop};

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
    pub agents: Arc<dyn AgentLink>,
    /// Those that wait for commands over HTTPS.
    pub waiting_agents: WaitingAgents,
    /// The port on which agents find it.
    pub mqtt_port: u16,
    /// What is written behind everything else.
    pub last_times: LastTimes,
    /// Held while emergency stops are written down or cleared: one that was cleared is not written down behind that.
    pub stop_books: tokio::sync::Mutex<()>,
    /// Who has tried how often to guess pairing codes and PINs.
    pub attempts: Attempts,
}

/// What an [`App`] is made of.
pub struct Parts {
    /// The settings.
    pub config: Config,
    /// The time.
    pub clock: SharedClock,
    /// The database, up to date and with its owner.
    pub db: Db,
    /// Checks passwords.
    pub passwords: Passwords,
    /// The way to the agents.
    pub agents: Arc<dyn AgentLink>,
    /// The port on which agents find it.
    pub mqtt_port: u16,
}

impl App {
    /// Puts the hub together and loads what is live. It does nothing by itself yet: whoever serves it runs its queue's
    /// sweep and its outbox.
    ///
    /// # Errors
    /// The database's, or the object store's.
    pub async fn load(parts: Parts) -> Result<Arc<Self>, Error> {
        let Parts { config, clock, db, passwords, agents, mqtt_port } = parts;
        let bus = Arc::new(Bus::new(SessionId::generate(clock.now()).to_string()));
        let rows = fleet::store::all(&db).await?;
        let app = Arc::new(Self {
            objects: Objects::in_directory(&config.data.join("objects"))?,
            fleet: Fleet::new(rows, Arc::clone(&bus)),
            config,
            clock,
            db,
            passwords,
            bus,
            publishing: tokio::sync::Mutex::default(),
            bell: Bell::default(),
            command_answers: tokio::sync::Notify::default(),
            agents,
            waiting_agents: WaitingAgents::default(),
            mqtt_port,
            last_times: LastTimes::default(),
            stop_books: tokio::sync::Mutex::default(),
            attempts: Attempts::default(),
        });
        queue::load(&app).await?;
        stop::load(&app).await?;
        Ok(app)
    }

    /// Sends a message to an agent, if it is connected. Nothing depends on its arrival: agents also ask.
    pub async fn tell_agent(&self, topic: Topic, message: &CommandMessage) {
        self.waiting_agents.tell(topic.printer, message);
        let payload = match serde_json::to_vec(message) {
            Ok(payload) => payload,
            Err(error) => {
                tracing::error!(%error, "a command could not be serialised");
                return;
            }
        };
        if let Err(error) = self.agents.publish(topic, payload).await {
            tracing::warn!(%error, printer.id = %topic.printer, "a message to an agent could not be published");
        }
    }
}
