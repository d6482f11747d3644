//! The hub's own link into the Router: what devices publish becomes events.

use bytes::Bytes;
use rumqttd::Notification;
use rumqttd::local::LinkRx;
use rumqttd::protocol::{Filter, Packet, Publish, QoS, RetainForwardRule, Subscribe};
use stardust_protocol::topic::{Channel, Topic};
use tokio::sync::watch;

use super::BrokerGone;
use super::feeder::{Feeder, LinkKey};
use crate::events::EventSender;

pub(super) async fn subscribe(feeder: &Feeder, hub: LinkKey, filter: &str) -> Result<(), BrokerGone> {
    let filter = Filter {
        path: filter.to_owned(),
        // Inside the process nothing gets lost on the way, and nothing has to be acknowledged.
        qos: QoS::AtMostOnce,
        nolocal: false,
        preserve_retain: false,
        retain_forward_rule: RetainForwardRule::Never,
    };
    feeder.send(hub, vec![Packet::Subscribe(Subscribe { pkid: 1, filters: vec![filter] }, None)]).await
}

/// Runs until the link is closed. `_running` tells the broker's handle that it has not ended yet.
pub(super) async fn run(mut link: LinkRx, events: EventSender, _running: watch::Receiver<()>) {
    while let Ok(notification) = link.next().await {
        match notification {
            Some(Notification::Forward(forward)) => pass_on(forward.publish, &events),
            Some(Notification::Unschedule) => {
                let Ok(()) = link.wake().await else { break };
            }
            Some(Notification::Disconnect(..)) => break,
            _ => {}
        }
    }
    tracing::debug!("the hub's link to the embedded broker has ended");
}

fn pass_on(publish: Publish, events: &EventSender) {
    let topic = std::str::from_utf8(&publish.topic).ok().and_then(Topic::parse);
    match topic {
        Some(topic) if topic.channel == Channel::Status => {
            // The payload is a slice of a larger read buffer that it would keep alive as long as it is queued.
            events.status(topic, Bytes::copy_from_slice(&publish.payload));
        }
        // The policy lets only such topics in, so this is a defect.
        _ => tracing::error!("the embedded broker forwarded a message that is no status; it was dropped"),
    }
}
