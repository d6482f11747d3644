//! What the edge tells the hub, and the channel for it.
//!
//! Connects and disconnects are never lost: a connection waits until there is room. Status messages are
//! live data: when the hub is behind, new ones are dropped, counted and logged.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use stardust_protocol::topic::Topic;
use tokio::sync::mpsc;

use crate::Principal;

/// One connection of a client, numbered from 1 for the life of the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub(crate) u64);

impl ConnectionId {
    /// The connection of this number: for who stands in for the gateway.
    #[must_use]
    pub const fn numbered(number: u64) -> Self {
        Self(number)
    }
}

impl std::fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Something happened at the edge.
///
/// For one principal, `Connected` and `Disconnected` alternate, beginning with `Connected`: a connection that
/// replaces another is announced after the end of the other. `Published` comes by another way (through
/// the broker): a message may arrive after the `Disconnected` of the connection that sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EdgeEvent {
    /// A client has logged in.
    Connected {
        /// For whom it speaks.
        principal: Principal,
        /// Which connection it is.
        connection: ConnectionId,
    },
    /// A connection that was announced by `Connected` has ended.
    Disconnected {
        /// For whom it spoke.
        principal: Principal,
        /// Which connection it was.
        connection: ConnectionId,
        /// Why it ended.
        reason: DisconnectReason,
        /// For so long nothing had come over it then, where that is why it ended.
        silent_for: Duration,
    },
    /// A device has published on its own status topic. The payload has not been looked at.
    Published {
        /// Whose status.
        topic: Topic,
        /// What it said, at most [`stardust_protocol::limits::MAX_MQTT_PAYLOAD_BYTES`].
        payload: Bytes,
    },
}

/// Why a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum DisconnectReason {
    /// The client said goodbye.
    #[error("the client disconnected")]
    Client,
    /// The network connection broke.
    #[error("the network connection was lost")]
    Lost,
    /// Nothing came for 1.5 times the keep-alive, or for the idle limit.
    #[error("the client was silent for too long")]
    Silent,
    /// The same principal connected again.
    #[error("a newer connection with the same credential took its place")]
    Replaced,
    /// The hub asked for it.
    #[error("the hub ended it because its credential is no longer valid")]
    Revoked,
    /// It published what it may not.
    #[error("the client published what it is not allowed to")]
    Forbidden,
    /// It sent what is not MQTT 3.1.1, or a part of it that is not offered (QoS 2).
    #[error("the client broke the MQTT protocol")]
    Protocol,
    /// A packet above the limit.
    #[error("the client sent a packet above the size limit")]
    TooLarge,
    /// Too many packets.
    #[error("the client sent more packets than the rate limit allows")]
    TooFast,
    /// It did not read what was written to it.
    #[error("the client did not take what was sent to it")]
    SlowReader,
    /// The embedded broker died.
    #[error("the embedded broker stopped")]
    BrokerDown,
    /// The gateway shuts down.
    #[error("the hub is shutting down")]
    Shutdown,
}

/// The gateway's end of the event channel.
#[derive(Debug, Clone)]
pub(crate) struct EventSender {
    sender: mpsc::Sender<EdgeEvent>,
    dropped: Arc<AtomicU64>,
}

impl EventSender {
    pub(crate) fn channel(capacity: usize) -> (Self, mpsc::Receiver<EdgeEvent>) {
        let (sender, receiver) = mpsc::channel(capacity);
        (Self { sender, dropped: Arc::default() }, receiver)
    }

    /// Waits for room. A hub that has dropped the receiver wants no events: nothing is done then.
    pub(crate) async fn lifecycle(&self, event: EdgeEvent) {
        let _ = self.sender.send(event).await;
    }

    /// Never waits: this runs on the hub's link, whose standstill would make the broker drop the oldest
    /// messages of everybody without a word.
    pub(crate) fn status(&self, topic: Topic, payload: Bytes) {
        if let Err(mpsc::error::TrySendError::Full(_)) =
            self.sender.try_send(EdgeEvent::Published { topic, payload })
        {
            let dropped = self.dropped.fetch_add(1, Ordering::Relaxed) + 1;
            // The first, then ever rarer: a flood must not fill the log too.
            if dropped.is_power_of_two() {
                tracing::warn!(
                    mqtt.dropped_statuses = dropped,
                    "the hub is behind with status messages; new ones are dropped until it has caught up"
                );
            }
        }
    }

    pub(crate) fn dropped_counter(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stardust_protocol::topic::Channel;
    use stardust_protocol::{PrinterId, Timestamp, WorkspaceId};

    #[tokio::test]
    async fn a_full_channel_drops_status_and_keeps_lifecycle() {
        let now = Timestamp::from_millis(0);
        let (workspace, printer) = (WorkspaceId::generate(now), PrinterId::generate(now));
        let topic = Topic { workspace, printer, channel: Channel::Status };
        let principal = Principal::Device { workspace, printer };
        let (events, mut receiver) = EventSender::channel(1);
        events.status(topic, Bytes::from_static(b"1"));
        events.status(topic, Bytes::from_static(b"2"));
        assert_eq!(events.dropped_counter().load(Ordering::Relaxed), 1);

        let connected = EdgeEvent::Connected { principal, connection: ConnectionId(1) };
        let waiting = tokio::spawn({
            let (events, connected) = (events.clone(), connected.clone());
            async move { events.lifecycle(connected).await }
        });
        assert_eq!(
            receiver.recv().await,
            Some(EdgeEvent::Published { topic, payload: Bytes::from_static(b"1") })
        );
        assert_eq!(receiver.recv().await, Some(connected));
        waiting.await.unwrap();
    }
}
