//! Who may do what at the edge: one pure function.
//!
//! Topics and filters come here after [`crate::validity`] has passed them. What is not allowed by name is refused.

use stardust_protocol::limits::MAX_MQTT_PAYLOAD_BYTES;
use stardust_protocol::topic::{Channel, Topic};

use crate::Principal;

/// What the rules look at in a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PacketView<'a> {
    /// A PUBLISH, or the will of a CONNECT: the same rules.
    Publish {
        /// The topic name.
        topic: &'a str,
        /// 0, 1 or 2.
        qos: u8,
        /// Whether the broker is asked to keep it.
        retain: bool,
        /// Length of the payload, bytes.
        payload_len: usize,
    },
    /// One filter of a SUBSCRIBE.
    Subscribe {
        /// The filter.
        filter: &'a str,
    },
}

/// What is done with a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It goes to the broker.
    Allow,
    /// It does not. A refused filter gets SUBACK 0x80; a refused publish or will ends the connection,
    /// because MQTT 3.1.1 has no other answer.
    Refuse(Reason),
}

/// Why a packet is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Not a topic for this principal.
    #[error("it is not a topic for this client")]
    Topic,
    /// QoS 2 is not offered: what must not be lost is acknowledged by the hub itself.
    #[error("QoS 2 is not offered")]
    Qos,
    /// Retained messages are not offered.
    #[error("retained messages are not offered")]
    Retained,
    /// Above [`MAX_MQTT_PAYLOAD_BYTES`].
    #[error("its payload is larger than {MAX_MQTT_PAYLOAD_BYTES} bytes")]
    PayloadTooLarge,
}

/// Whether `principal` may send `packet`.
#[must_use]
pub fn allow(principal: &Principal, packet: &PacketView<'_>) -> Verdict {
    let Principal::Device { workspace, printer } = *principal;
    let own = |channel| Topic { workspace, printer, channel };
    let reason = match *packet {
        PacketView::Publish { topic, .. } if Topic::parse(topic) != Some(own(Channel::Status)) => {
            Reason::Topic
        }
        PacketView::Publish { qos, .. } if qos > 1 => Reason::Qos,
        PacketView::Publish { retain: true, .. } => Reason::Retained,
        PacketView::Publish { payload_len, .. } if payload_len > MAX_MQTT_PAYLOAD_BYTES => {
            Reason::PayloadTooLarge
        }
        PacketView::Subscribe { filter } if Topic::parse(filter) != Some(own(Channel::Command)) => {
            Reason::Topic
        }
        PacketView::Publish { .. } | PacketView::Subscribe { .. } => return Verdict::Allow,
    };
    Verdict::Refuse(reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use stardust_protocol::{PrinterId, Timestamp, WorkspaceId};

    fn device() -> (Principal, Topic) {
        let now = Timestamp::from_millis(0);
        let (workspace, printer) = (WorkspaceId::generate(now), PrinterId::generate(now));
        (Principal::Device { workspace, printer }, Topic { workspace, printer, channel: Channel::Status })
    }

    /// Topics near to the own ones, where a rule by prefix or by wildcard would fail.
    fn topics(own: Topic) -> impl Strategy<Value = String> {
        let now = Timestamp::from_millis(0);
        let command = Topic { channel: Channel::Command, ..own }.to_string();
        let status = own.to_string();
        let other_printer = Topic { printer: PrinterId::generate(now), ..own }.to_string();
        let other_workspace = Topic { workspace: WorkspaceId::generate(now), ..own }.to_string();
        prop_oneof![
            Just(status.clone()),
            Just(command.clone()),
            Just(other_printer),
            Just(other_workspace),
            Just(status.to_uppercase()),
            Just(format!("{status}/")),
            Just(format!("/{command}")),
            Just(command.replace("command", "#")),
            Just(command.replace("command", "+")),
            Just(Topic::every(Channel::Status)),
            Just("#".to_owned()),
            any::<String>(),
        ]
    }

    proptest! {
        #[test]
        fn a_device_publishes_exactly_its_status(
            (principal, own, topic) in Just(device()).prop_flat_map(|(p, own)| (Just(p), Just(own), topics(own))),
            qos in 0_u8..3,
            retain: bool,
            payload_len in prop_oneof![0..MAX_MQTT_PAYLOAD_BYTES * 2, Just(MAX_MQTT_PAYLOAD_BYTES), Just(MAX_MQTT_PAYLOAD_BYTES + 1)],
        ) {
            let expected = topic == own.to_string() && qos < 2 && !retain && payload_len <= MAX_MQTT_PAYLOAD_BYTES;
            let verdict = allow(&principal, &PacketView::Publish { topic: &topic, qos, retain, payload_len });
            prop_assert_eq!(verdict == Verdict::Allow, expected);
        }

        #[test]
        fn a_device_subscribes_exactly_to_its_commands(
            (principal, own, filter) in Just(device()).prop_flat_map(|(p, own)| (Just(p), Just(own), topics(own))),
        ) {
            let expected = filter == Topic { channel: Channel::Command, ..own }.to_string();
            let verdict = allow(&principal, &PacketView::Subscribe { filter: &filter });
            prop_assert_eq!(verdict == Verdict::Allow, expected);
        }
    }
}
