//! MQTT: live status out, commands in.
//!
//! Owns: connecting again and again, subscribing on every connect. The library does neither back-off nor
//! re-subscription, and drops what is queued when a connection ends: nothing that must arrive goes this way.
//! Must not know: what the messages say.

use std::time::Duration;

use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use stardust_protocol::agent_api::SessionResponse;
use stardust_protocol::limits::MAX_MQTT_PAYLOAD_BYTES;
use stardust_protocol::topic::{Channel, Topic};
use stardust_protocol::{CommandMessage, StatusMessage};
use tokio::sync::mpsc;

use super::client::{HubClient, HubError};

const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// A status that can't go out now is not worth keeping: the next one says more.
const QUEUED_STATUSES: usize = 4;
/// A connection that has lived this long was a good one.
const GOOD_CONNECTION: Duration = Duration::from_secs(30);

/// What comes from the hub's side.
#[derive(Debug)]
pub enum MqttEvent {
    /// Who the hub takes us for; before each connection.
    Session(Box<SessionResponse>),
    /// Connected and subscribed.
    Connected,
    /// Not connected any more, or not yet: why.
    Disconnected(String),
    /// A command.
    Command(CommandMessage),
    /// The credential does not count any more: nothing is tried again.
    Revoked,
}

/// The other side of the link.
#[derive(Debug)]
pub struct MqttLink {
    /// Events, in order.
    pub events: mpsc::Receiver<MqttEvent>,
    statuses: mpsc::Sender<StatusMessage>,
}

impl MqttLink {
    /// Sends a status; false when it was dropped, so that the next one has to be the whole.
    #[must_use]
    pub fn send(&self, status: StatusMessage) -> bool {
        self.statuses.try_send(status).is_ok()
    }
}

/// The far end of a link: whoever drives it tells what comes from the hub's side, and takes the statuses.
#[derive(Debug)]
pub struct FarEnd {
    /// Events, in order.
    pub events: mpsc::Sender<MqttEvent>,
    /// What is to be sent.
    pub statuses: mpsc::Receiver<StatusMessage>,
}

/// A link that nobody drives yet.
#[must_use]
pub fn link() -> (MqttLink, FarEnd) {
    let (events_in, events) = mpsc::channel(32);
    let (statuses, statuses_out) = mpsc::channel(QUEUED_STATUSES);
    (MqttLink { events, statuses }, FarEnd { events: events_in, statuses: statuses_out })
}

/// Starts the link's task.
#[must_use]
pub fn start(hub: HubClient) -> MqttLink {
    let (link, FarEnd { events, statuses }) = link();
    tokio::spawn(run(hub, events, statuses));
    link
}

async fn run(hub: HubClient, events: mpsc::Sender<MqttEvent>, mut statuses: mpsc::Receiver<StatusMessage>) {
    let mut back_off = hub.back_off();
    while !events.is_closed() {
        let reason = match hub.session().await {
            Ok(session) => {
                let began = tokio::time::Instant::now();
                let reason = connection(&hub, session, &events, &mut statuses).await;
                if began.elapsed() >= GOOD_CONNECTION {
                    back_off.reset();
                }
                reason
            }
            Err(HubError::Revoked) => {
                let _ = events.send(MqttEvent::Revoked).await;
                return;
            }
            Err(error) => error.to_string(),
        };
        let _ = events.send(MqttEvent::Disconnected(reason)).await;
        tokio::time::sleep(back_off.next_wait()).await;
    }
}

/// One connection, from CONNECT to its end: why it ended.
async fn connection(
    hub: &HubClient,
    session: SessionResponse,
    events: &mpsc::Sender<MqttEvent>,
    statuses: &mut mpsc::Receiver<StatusMessage>,
) -> String {
    let topic = |channel| Topic { workspace: session.workspace_id, printer: session.printer_id, channel };
    let (commands_topic, status_topic) =
        (topic(Channel::Command).to_string(), topic(Channel::Status).to_string());
    let options = match options(hub, &session) {
        Ok(options) => options,
        Err(reason) => return reason,
    };
    if events.send(MqttEvent::Session(Box::new(session))).await.is_err() {
        return "the agent is stopping".into();
    }
    let (client, mut connection) = AsyncClient::new(options, 16);
    let mut connected = false;
    loop {
        tokio::select! {
            event = connection.poll() => match event {
                Ok(Event::Incoming(Packet::ConnAck(_))) => {
                    if let Err(error) = client.try_subscribe(commands_topic.clone(), QoS::AtLeastOnce) {
                        return error.to_string();
                    }
                }
                // Only now a command can't be missed any more.
                Ok(Event::Incoming(Packet::SubAck(_))) => {
                    connected = true;
                    // What waited was written for another connection.
                    while statuses.try_recv().is_ok() {}
                    let _ = events.send(MqttEvent::Connected).await;
                }
                Ok(Event::Incoming(Packet::Publish(message))) => {
                    match serde_json::from_slice(&message.payload) {
                        Ok(command) => {
                            let _ = events.send(MqttEvent::Command(command)).await;
                        }
                        Err(error) => tracing::warn!(error = %error, "a command could not be read"),
                    }
                }
                Ok(_) => {}
                Err(error) => return error.to_string(),
            },
            status = statuses.recv(), if connected => {
                let Some(status) = status else { return "the agent is stopping".into() };
                let Ok(payload) = serde_json::to_vec(&status) else { continue };
                if let Err(error) = client.try_publish(status_topic.clone(), QoS::AtMostOnce, false, payload) {
                    return error.to_string();
                }
            }
        }
    }
}

fn options(hub: &HubClient, session: &SessionResponse) -> Result<MqttOptions, String> {
    if session.mqtt.tls {
        return Err("The hub wants MQTT over TLS, which this version of the agent does not speak".into());
    }
    let host = session.mqtt.host.as_deref().or_else(|| hub.base().host_str()).unwrap_or("localhost");
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let id = session.printer_id.to_string();
    let mut options = MqttOptions::new(&id, host, session.mqtt.port);
    if let Some(credential) = hub.credential() {
        options.set_credentials(&id, credential.secret());
    }
    options.set_keep_alive(KEEP_ALIVE);
    options.set_clean_session(true);
    // The limit is the payload's; topic and header come on top.
    let packet = MAX_MQTT_PAYLOAD_BYTES + 1024;
    options.set_max_packet_size(packet, packet);
    Ok(options)
}
