//! The hub's own link into the Router: what devices publish becomes events.

use std::time::Duration;

use bytes::Bytes;
use rumqttd::Notification;
use rumqttd::local::LinkRx;
use rumqttd::protocol::{Filter, Packet, PingReq, Publish, QoS, RetainForwardRule, Subscribe};
use stardust_protocol::topic::{Channel, Topic};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::BrokerGone;
use super::feeder::{Feeder, LinkKey};
use crate::events::EventSender;

/// How often the Router is asked for a sign of life. It also moves it on: after a link has ended in the wrong moment
/// the Router can wait for its next input although it has output to hand over.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// After so many without an answer something is badly wrong.
const UNANSWERED_LIMIT: u32 = 10;

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

/// Runs until the link is closed or the last handle of the broker is gone, which `handles` tells. In return the
/// handles learn by its receiver whether this still runs.
pub(super) async fn run(
    mut link: LinkRx,
    feeder: Feeder,
    hub: LinkKey,
    events: EventSender,
    mut handles: watch::Receiver<()>,
) {
    let mut heartbeat = interval(HEARTBEAT);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut unanswered: u32 = 0;
    loop {
        tokio::select! {
            notification = link.next() => {
                // An error: the link was closed, or the Router is dead.
                let Ok(notification) = notification else { break };
                match notification {
                    Some(Notification::Forward(forward)) => pass_on(forward.publish, &events),
                    Some(Notification::Unschedule) => {
                        let Ok(()) = link.wake().await else { break };
                    }
                    Some(Notification::Disconnect(..)) => break,
                    // An acknowledgement, as a rule of a heartbeat.
                    _ => unanswered = 0,
                }
            }
            // Nothing is ever sent: this is the end of the last handle.
            _ = handles.changed() => break,
            _ = heartbeat.tick() => {
                if unanswered == UNANSWERED_LIMIT {
                    tracing::error!("the embedded MQTT broker has stopped answering; restart the hub");
                }
                unanswered = unanswered.saturating_add(1);
                let Ok(()) = feeder.try_send(hub, Packet::PingReq(PingReq)) else { break };
            }
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
