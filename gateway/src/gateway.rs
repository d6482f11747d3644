//! The handle that the hub holds: start, publish, disconnect, shut down.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use stardust_clock::SharedClock;
use stardust_protocol::limits::MAX_MQTT_PAYLOAD_BYTES;
use stardust_protocol::topic::Topic;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use crate::broker::Broker;
use crate::connection::Edge;
use crate::events::EventSender;
use crate::limits::ConnectionLimits;
use crate::session::registry::Registry;
use crate::{Authenticator, EdgeEvent, GatewayConfig, GatewayError, Principal, PublishError, accept};

/// A running gateway. Clones are the same gateway; it stops when [`Gateway::shutdown`] is called or the last
/// clone is dropped.
#[derive(Clone)]
pub struct Gateway {
    shared: Arc<Shared>,
}

struct Shared {
    broker: Broker,
    registry: Arc<Registry>,
    limits: Arc<ConnectionLimits>,
    dropped_statuses: Arc<AtomicU64>,
    /// True: everybody stops. Each task of the gateway holds a receiver for as long as it runs.
    stop: watch::Sender<bool>,
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway").field("connections", &self.connection_count()).finish_non_exhaustive()
    }
}

impl Gateway {
    /// Starts the broker and serves `listener`. The receiver must be read: when it is full, logins wait.
    /// It ends (`None`) after a shutdown, when all has been told.
    ///
    /// # Errors
    /// A setting that can't work, or a broker that does not start.
    pub async fn start(
        config: GatewayConfig,
        listener: TcpListener,
        auth: Arc<dyn Authenticator>,
        clock: SharedClock,
    ) -> Result<(Self, mpsc::Receiver<EdgeEvent>), GatewayError> {
        config.check()?;
        let (events, receiver) = EventSender::channel(config.event_capacity);
        let (stop, stopped) = watch::channel(false);
        let dropped_statuses = events.dropped_counter();
        let broker = Broker::start(config.max_connections, events.clone()).await?;
        let registry = Arc::new(Registry::default());
        let limits = ConnectionLimits::new(config.max_connections, config.max_connections_per_ip);
        let edge = Edge {
            config,
            auth,
            clock,
            events,
            broker: broker.clone(),
            registry: Arc::clone(&registry),
            limits: Arc::clone(&limits),
            stopped,
        };
        tokio::spawn(accept::accept_until_stopped(listener, Arc::new(edge)));
        Ok((Self { shared: Arc::new(Shared { broker, registry, limits, dropped_statuses, stop }) }, receiver))
    }

    /// Hands a message to the broker; whoever has subscribed to `topic` with QoS 1 gets it with QoS 1.
    /// Nobody subscribed: it is gone. Waits only while the broker's queue is full.
    ///
    /// # Errors
    /// [`PublishError`]: too large, or no broker.
    pub async fn publish(&self, topic: Topic, payload: Vec<u8>) -> Result<(), PublishError> {
        if payload.len() > MAX_MQTT_PAYLOAD_BYTES {
            return Err(PublishError::TooLarge { bytes: payload.len(), limit: MAX_MQTT_PAYLOAD_BYTES });
        }
        self.shared.broker.publish(&topic, payload).await.map_err(|_| PublishError::BrokerDown)
    }

    /// Ends the connection of `principal`, whose credential is no longer valid. True if there was one.
    /// Revoke the credential first: an agent reconnects at once.
    #[must_use = "false means that it was not connected"]
    pub fn disconnect(&self, principal: &Principal) -> bool {
        self.shared.registry.revoke(principal)
    }

    /// Connections at this moment, those that have not logged in yet among them.
    #[must_use]
    pub fn connection_count(&self) -> usize {
        self.shared.limits.total()
    }

    /// Status messages dropped so far because the hub was behind.
    #[must_use]
    pub fn dropped_status_count(&self) -> u64 {
        self.shared.dropped_statuses.load(Ordering::Relaxed)
    }

    /// Stops listening, ends every connection, then the broker. Returns when all are gone. The receiver of
    /// events must still be read meanwhile, or be dropped.
    pub async fn shutdown(&self) {
        self.shared.stop.send_replace(true);
        self.shared.stop.closed().await;
        self.shared.broker.shutdown().await;
    }
}
