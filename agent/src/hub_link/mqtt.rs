//! MQTT: live status out, commands in.
//!
//! Owns: connecting again and again, subscribing on every connect, and what is not connected to at all ([`NoMqtt`]): the
//! hub is then asked by HTTPS alone, and commands are waited for there. The library does neither back-off nor
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
use super::command_wait;

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

/// Why no connection is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoMqtt {
    /// Not supported.
    #[error(
        "The hub wants MQTT over TLS, which this version of the agent does not speak: it waits for commands by HTTPS, and shows the hub nothing live"
    )]
    Tls,
    /// The printer's credential would be readable on its way, although it is not on the way of all other calls.
    #[error(
        "The hub is reached by HTTPS, but offers MQTT only in clear, where anybody on the way could read this printer's \
         credential: the agent waits for commands by HTTPS instead, and shows the hub nothing live. If the way is safe \
         (the same machine, a VPN), allow it: mqtt_in_clear = true in /etc/stardust/agent.toml"
    )]
    InClear,
}

/// What may be sent how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Clear {
    /// The credential goes in clear where the hub itself is reached in clear, and nowhere else.
    #[default]
    LikeTheHub,
    /// A person has allowed it.
    Allowed,
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
pub fn start(hub: HubClient, clear: Clear) -> MqttLink {
    let (link, FarEnd { events, statuses }) = link();
    tokio::spawn(run(hub, clear, events, statuses));
    link
}

async fn run(
    hub: HubClient,
    clear: Clear,
    events: mpsc::Sender<MqttEvent>,
    mut statuses: mpsc::Receiver<StatusMessage>,
) {
    let mut back_off = hub.back_off();
    while !events.is_closed() {
        let reason = match hub.session().await {
            Ok(session) => {
                let began = tokio::time::Instant::now();
                let reason = connection(&hub, clear, session, &events, &mut statuses).await;
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
    clear: Clear,
    session: SessionResponse,
    events: &mpsc::Sender<MqttEvent>,
    statuses: &mut mpsc::Receiver<StatusMessage>,
) -> String {
    let topic = |channel| Topic { workspace: session.workspace_id, printer: session.printer_id, channel };
    let (commands_topic, status_topic) =
        (topic(Channel::Command).to_string(), topic(Channel::Status).to_string());
    let options = options(hub, clear, &session);
    // Whatever comes of MQTT: the hub is reached.
    if events.send(MqttEvent::Session(Box::new(session))).await.is_err() {
        return "the agent is stopping".into();
    }
    let options = match options {
        Ok(options) => options,
        Err(reason) => {
            let reason = format!("{reason}.");
            // Told first: the way that is left may last for days.
            let _ = events.send(MqttEvent::Disconnected(reason.clone())).await;
            return command_wait::follow(hub, events).await.map_or(reason, |error| error.to_string());
        }
    };
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

fn options(hub: &HubClient, clear: Clear, session: &SessionResponse) -> Result<MqttOptions, NoMqtt> {
    if session.mqtt.tls {
        return Err(NoMqtt::Tls);
    }
    if hub.base().scheme() != "http" && clear == Clear::LikeTheHub {
        return Err(NoMqtt::InClear);
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

#[cfg(test)]
mod tests {
    use super::super::client::Credential;
    use super::super::transport::Transport;
    use super::*;
    use futures::future::BoxFuture;
    use rstest::rstest;
    use std::net::TcpListener;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// A hub that says where its MQTT is, over whatever its address says.
    #[derive(Debug)]
    struct Says {
        session: String,
        asked: Arc<AtomicUsize>,
    }

    impl Transport for Says {
        fn send(&self, _: reqwest::Request) -> BoxFuture<'_, Result<reqwest::Response, String>> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let body = self.session.clone();
            Box::pin(async move { Ok(hyper::Response::new(reqwest::Body::from(body)).into()) })
        }
    }

    const TOKEN: &str = "the-device-token";

    /// What a listener in the broker's place has got by the third time that the hub was asked: nothing, or the token.
    #[rstest]
    #[case::https("https://hub.example/", false, Clear::LikeTheHub, false)]
    #[case::https_and_allowed("https://hub.example/", false, Clear::Allowed, true)]
    #[case::http("http://hub.example/", false, Clear::LikeTheHub, true)]
    #[case::tls_is_not_spoken("https://hub.example/", true, Clear::Allowed, false)]
    #[tokio::test]
    async fn the_token_goes_in_clear_only_where_the_hub_does_or_a_person_has_allowed_it(
        #[case] base: &str,
        #[case] tls: bool,
        #[case] clear: Clear,
        #[case] expected: bool,
    ) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let session = serde_json::json!({
            "protocol": {"major": 1, "minor": 0}, "workspace_id": "0190a7c2-6f00-7000-8000-00000000000b",
            "printer_id": "0190a7c2-6f00-7000-8000-00000000000a", "printer_name": "Ender left",
            "mqtt": {"host": "127.0.0.1", "port": port, "tls": tls}, "last_event_seq": 0,
            "now": "2026-11-23T06:13:00.250Z"
        });
        let asked = Arc::<AtomicUsize>::default();
        let says = Says { session: session.to_string(), asked: Arc::clone(&asked) };
        let hub = HubClient::over(Arc::new(says), base.parse().unwrap(), Some(Credential::new(TOKEN)));
        let mut link = start(hub, clear);
        let (mut got, mut heard) = (Vec::new(), Vec::new());
        let mut streams = Vec::new();
        let enough = |got: &[u8]| String::from_utf8_lossy(got).contains(TOKEN);
        while asked.load(Ordering::SeqCst) < 3 && !enough(&got) {
            if let Ok((stream, _)) = listener.accept() {
                stream.set_nonblocking(true).unwrap();
                streams.push(stream);
            }
            for stream in &mut streams {
                let _ = std::io::Read::read_to_end(stream, &mut got);
            }
            if let Ok(Some(event)) = tokio::time::timeout(Duration::from_millis(10), link.events.recv()).await
            {
                heard.push(event);
            }
        }
        assert_eq!(enough(&got), expected, "{}", String::from_utf8_lossy(&got));
        assert_eq!(streams.is_empty(), !expected, "nothing is even connected to");
        // The hub's count and clock are known all the same: jobs and events go by HTTPS.
        assert!(matches!(heard[0], MqttEvent::Session(_)), "{heard:?}");
        if !expected {
            let MqttEvent::Disconnected(why) = &heard[1] else { panic!("{heard:?}") };
            assert!(why.contains(if tls { "TLS" } else { "mqtt_in_clear = true" }), "{why}");
        }
    }
}
