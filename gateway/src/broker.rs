//! The embedded broker: rumqttd's Router in its own thread, fed by one other thread, and the hub's link.
//!
//! Owns: the Router's settings, the links into it. Must not know sockets or principals.
//!
//! Whoever sends to the Router must keep what its source asks for, because it panics otherwise: only checked
//! packets, only links with a clean session, a wake only as the answer to an unschedule notice, and no
//! link used after its disconnect (the numbers of links are given out again).
//! A Router has no way to be stopped: after a shutdown its thread stands idle until the process ends.

mod feeder;
mod hub_link;

use std::collections::HashMap;

use bytes::Bytes;
use rumqttd::local::{LinkBuilder, LinkRx};
use rumqttd::protocol::{Packet, Publish};
use rumqttd::{Router, RouterConfig, SegmentConfig};
use stardust_protocol::topic::{Channel, Topic};
use tokio::sync::watch;

use crate::GatewayError;
use crate::events::EventSender;
use feeder::{Feeder, LinkKey};

/// The Router keeps a log for every filter that was ever subscribed to, that is one for each printer's commands, and
/// never frees it. What a subscriber has not taken is lost when its segment goes: two full ones stay, which hold
/// some 300 commands of usual size.
const COMMAND_SEGMENTS: SegmentConfig = SegmentConfig { max_segment_size: 16 * 1024, max_segment_count: 3 };
/// There is one log for all status messages.
const STATUS_SEGMENTS: SegmentConfig =
    SegmentConfig { max_segment_size: 4 * 1024 * 1024, max_segment_count: 4 };
/// Connections that the Router may not have forgotten yet, and the hub's own link. At its own limit the Router
/// refuses without an answer, so that limit must never be reached.
const SPARE_LINKS: usize = 64;
/// As many packets as one link may be sent in one go.
const OUTGOING_BATCH: u64 = 200;

/// The broker does not run any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the embedded broker is not running")]
pub(crate) struct BrokerGone;

/// A handle to the embedded broker.
#[derive(Clone)]
pub(crate) struct Broker {
    feeder: Feeder,
    hub: LinkKey,
    /// Closed when the hub's link has ended.
    hub_link_running: watch::Sender<()>,
}

impl Broker {
    /// Starts the Router and subscribes the hub's link to every status topic.
    pub(crate) async fn start(max_connections: usize, events: EventSender) -> Result<Self, GatewayError> {
        let status_filter = Topic::every(Channel::Status);
        let router = Router::new(
            0,
            RouterConfig {
                max_connections: max_connections + SPARE_LINKS,
                max_outgoing_packet_count: OUTGOING_BATCH,
                max_segment_size: COMMAND_SEGMENTS.max_segment_size,
                max_segment_count: COMMAND_SEGMENTS.max_segment_count,
                custom_segment: Some(HashMap::from([(status_filter.clone(), STATUS_SEGMENTS)])),
                // The status log exists before the first device can publish.
                initialized_filters: Some(vec![status_filter.clone()]),
                ..RouterConfig::default()
            },
        );
        let router = router.spawn();
        let feeder = Feeder::start(move |name| {
            let link = LinkBuilder::new(name, router.clone()).clean_session(true);
            link.build().map(|(tx, rx, _)| (tx, rx)).map_err(Box::new)
        })
        .map_err(GatewayError::Thread)?;
        let (hub, link) = feeder.open().await.map_err(|_| GatewayError::Broker)?;
        let (hub_link_running, running) = watch::channel(());
        hub_link::subscribe(&feeder, hub, &status_filter).await.map_err(|_| GatewayError::Broker)?;
        tokio::spawn(hub_link::run(link, feeder.clone(), hub, events, running));
        Ok(Self { feeder, hub, hub_link_running })
    }

    /// A link for one connection.
    pub(crate) async fn open_link(&self) -> Result<Link, BrokerGone> {
        let (key, rx) = self.feeder.open().await?;
        Ok(Link { key, feeder: self.feeder.clone(), rx })
    }

    /// Sends for the hub. The packet goes in with QoS 0, which inside the process loses nothing; the Router sends
    /// it out with the QoS of each subscription.
    pub(crate) async fn publish(&self, topic: &Topic, payload: Vec<u8>) -> Result<(), BrokerGone> {
        let publish = Publish::new(Bytes::from(topic.to_string()), Bytes::from(payload), false);
        self.feeder.send(self.hub, vec![Packet::Publish(publish, None)]).await
    }

    /// Ends the hub's link and the feeder.
    pub(crate) async fn shutdown(&self) {
        self.feeder.close(self.hub, Vec::new()).await;
        self.hub_link_running.closed().await;
        self.feeder.stop().await;
    }
}

/// One connection's link into the Router. Must be closed with [`Link::close`].
pub(crate) struct Link {
    key: LinkKey,
    feeder: Feeder,
    /// What the Router has for this connection.
    pub(crate) rx: LinkRx,
}

impl Link {
    /// Hands packets to the Router in order. The caller has checked them all.
    pub(crate) async fn send(&self, packets: Vec<Packet>) -> Result<(), BrokerGone> {
        self.feeder.send(self.key, packets).await
    }

    /// Sends the last packets (a will) and ends the link.
    pub(crate) async fn close(self, last: Vec<Packet>) {
        self.feeder.close(self.key, last).await;
    }
}
