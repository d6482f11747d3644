//! What each packet of a client, and each notification of the broker, leads to. No I/O.
//!
//! Keeps the Router from ever ending a link by itself, and from what makes it panic: acknowledgements only in
//! order, no QoS 2, only checked topics and filters.

use std::collections::VecDeque;

use rumqttd::protocol::{
    Packet, PingResp, PubAck, Publish, QoS, SubAck, Subscribe, SubscribeReasonCode, UnsubAck, Unsubscribe,
};

use crate::policy::{self, PacketView, Verdict};
use crate::wire::qos_and_packet_id;
use crate::{DisconnectReason, Principal, validity};

/// Most filters in one SUBSCRIBE or UNSUBSCRIBE.
const MAX_FILTERS: usize = 16;
/// Most SUBSCRIBEs that the broker has not answered yet.
const MAX_PENDING_SUBSCRIBES: usize = 16;

/// Whether the session goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    GoOn,
    /// The client has said DISCONNECT.
    Goodbye,
}

/// Where packets go.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) to_broker: Vec<Packet>,
    pub(super) to_client: Vec<Packet>,
}

/// The state of the exchange with one client.
#[derive(Debug)]
pub(super) struct Exchange {
    principal: Principal,
    /// Packet ids that the client has to acknowledge, oldest first. The broker has at most 100 under way.
    unacknowledged: VecDeque<u16>,
    /// SUBSCRIBEs at the broker, oldest first: packet id, and for each filter whether it was allowed.
    subscribing: VecDeque<(u16, Vec<bool>)>,
}

impl Exchange {
    pub(super) fn new(principal: Principal) -> Self {
        Self { principal, unacknowledged: VecDeque::new(), subscribing: VecDeque::new() }
    }

    /// Handles a packet of the client.
    pub(super) fn client_sent(
        &mut self,
        packet: Packet,
        out: &mut Outcome,
    ) -> Result<Flow, DisconnectReason> {
        match packet {
            Packet::Publish(publish, _) => self.publish(publish, out)?,
            Packet::Subscribe(subscribe, _) => self.subscribe(subscribe, out)?,
            Packet::Unsubscribe(unsubscribe, _) => self.unsubscribe(unsubscribe, out)?,
            Packet::PubAck(ack, _) => self.acknowledge(ack, out)?,
            // Not by the broker: it answers nothing while a client owes it acknowledgements.
            Packet::PingReq(_) => out.to_client.push(Packet::PingResp(PingResp)),
            Packet::Disconnect(..) => return Ok(Flow::Goodbye),
            // A second CONNECT; what only servers send has not come this far.
            _ => return Err(DisconnectReason::Protocol),
        }
        Ok(Flow::GoOn)
    }

    /// Handles a packet of the broker: what goes to the client.
    pub(super) fn broker_sent(&mut self, packet: Packet) -> Result<Option<Packet>, DisconnectReason> {
        Ok(match packet {
            Packet::Publish(publish, _) => {
                if let (1.., packet_id) = qos_and_packet_id(&publish) {
                    self.unacknowledged.push_back(packet_id);
                }
                Some(Packet::Publish(publish, None))
            }
            Packet::PubAck(ack, _) => Some(Packet::PubAck(ack, None)),
            Packet::SubAck(ack, _) => self.subscribed(ack),
            // The end of a link that this session has not asked for.
            Packet::Disconnect(..) => return Err(DisconnectReason::BrokerDown),
            // UNSUBACK was sent by this side; the others belong to QoS 2 and MQTT 5.
            _ => None,
        })
    }

    fn publish(&self, publish: Publish, out: &mut Outcome) -> Result<(), DisconnectReason> {
        let refused = |why: &dyn std::fmt::Display| {
            tracing::warn!("a publish was refused: {why}");
            DisconnectReason::Forbidden
        };
        let (qos, _) = qos_and_packet_id(&publish);
        let topic = validity::topic_name(&publish.topic).map_err(|invalid| refused(&invalid))?;
        let view =
            PacketView::Publish { topic, qos, retain: publish.retain, payload_len: publish.payload.len() };
        match policy::allow(&self.principal, &view) {
            Verdict::Allow => out.to_broker.push(Packet::Publish(publish, None)),
            Verdict::Refuse(reason) => return Err(refused(&reason)),
        }
        Ok(())
    }

    fn acknowledge(&mut self, ack: PubAck, out: &mut Outcome) -> Result<(), DisconnectReason> {
        // MQTT 3.1.1, 4.6: acknowledgements come in the order of the messages.
        if self.unacknowledged.front() != Some(&ack.pkid) {
            return Err(DisconnectReason::Protocol);
        }
        self.unacknowledged.pop_front();
        out.to_broker.push(Packet::PubAck(ack, None));
        Ok(())
    }

    fn subscribe(&mut self, subscribe: Subscribe, out: &mut Outcome) -> Result<(), DisconnectReason> {
        let Subscribe { pkid, filters } = subscribe;
        if pkid == 0 || filters.len() > MAX_FILTERS {
            return Err(DisconnectReason::Protocol);
        }
        let verdicts: Vec<bool> = filters.iter().map(|filter| self.may_subscribe(&filter.path)).collect();
        let allowed: Vec<_> = filters
            .into_iter()
            .zip(&verdicts)
            .filter_map(|(mut filter, allowed)| {
                // QoS 2 is granted as QoS 1.
                if filter.qos == QoS::ExactlyOnce {
                    filter.qos = QoS::AtLeastOnce;
                }
                allowed.then_some(filter)
            })
            .collect();
        if allowed.is_empty() {
            let return_codes = vec![SubscribeReasonCode::Failure; verdicts.len()];
            out.to_client.push(Packet::SubAck(SubAck { pkid, return_codes }, None));
            return Ok(());
        }
        if self.subscribing.len() == MAX_PENDING_SUBSCRIBES {
            return Err(DisconnectReason::TooFast);
        }
        self.subscribing.push_back((pkid, verdicts));
        out.to_broker.push(Packet::Subscribe(Subscribe { pkid, filters: allowed }, None));
        Ok(())
    }

    /// The broker answers for the filters that it was given; the refused ones come back into their places.
    fn subscribed(&mut self, ack: SubAck) -> Option<Packet> {
        let (pkid, verdicts) = self.subscribing.pop_front()?;
        let mut granted = ack.return_codes.into_iter();
        let return_codes = verdicts
            .into_iter()
            .map(|allowed| allowed.then(|| granted.next()).flatten().unwrap_or(SubscribeReasonCode::Failure))
            .collect();
        Some(Packet::SubAck(SubAck { pkid, return_codes }, None))
    }

    fn unsubscribe(&self, unsubscribe: Unsubscribe, out: &mut Outcome) -> Result<(), DisconnectReason> {
        let Unsubscribe { pkid, mut filters } = unsubscribe;
        if pkid == 0 || filters.is_empty() || filters.len() > MAX_FILTERS {
            return Err(DisconnectReason::Protocol);
        }
        // What it may not subscribe to, it has not subscribed to.
        filters.retain(|filter| self.may_subscribe(filter));
        if !filters.is_empty() {
            out.to_broker.push(Packet::Unsubscribe(Unsubscribe { pkid, filters }, None));
        }
        // Not by the broker, which answers once for each filter it knew, and not at all for others.
        out.to_client.push(Packet::UnsubAck(UnsubAck { pkid, reasons: Vec::new() }, None));
        Ok(())
    }

    fn may_subscribe(&self, filter: &str) -> bool {
        let refused = |why: &dyn std::fmt::Display| tracing::warn!("a subscription was refused: {why}");
        match validity::topic_filter(filter) {
            Err(invalid) => {
                refused(&invalid);
                false
            }
            Ok(filter) => match policy::allow(&self.principal, &PacketView::Subscribe { filter }) {
                Verdict::Allow => true,
                Verdict::Refuse(reason) => {
                    refused(&reason);
                    false
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rumqttd::protocol::{
        Disconnect, DisconnectReasonCode, Filter, PingReq, PubAckReason, RetainForwardRule,
    };
    use stardust_protocol::topic::{Channel, Topic};
    use stardust_protocol::{PrinterId, Timestamp, WorkspaceId};

    fn exchange() -> (Exchange, String, String) {
        let now = Timestamp::from_millis(0);
        let (workspace, printer) = (WorkspaceId::generate(now), PrinterId::generate(now));
        let topic = |channel| Topic { workspace, printer, channel }.to_string();
        let exchange = Exchange::new(Principal::Device { workspace, printer });
        (exchange, topic(Channel::Status), topic(Channel::Command))
    }

    fn publish(topic: &str, qos: u8, pkid: u16, retain: bool) -> Packet {
        // The only public way to a PUBLISH with a QoS: its serial form.
        let mut bytes = vec![0x30 | qos << 1 | u8::from(retain)];
        bytes.extend(pkid.to_be_bytes());
        bytes.extend(u16::try_from(topic.len()).unwrap().to_be_bytes());
        bytes.extend(topic.as_bytes());
        Packet::Publish(Publish::deserialize(bytes.into()), None)
    }

    fn puback(pkid: u16) -> Packet {
        Packet::PubAck(PubAck { pkid, reason: PubAckReason::Success }, None)
    }

    fn subscribe(pkid: u16, filters: Vec<String>) -> Packet {
        let filters = filters.into_iter().map(|path| Filter {
            path,
            qos: QoS::ExactlyOnce,
            nolocal: false,
            preserve_retain: false,
            retain_forward_rule: RetainForwardRule::Never,
        });
        Packet::Subscribe(Subscribe { pkid, filters: filters.collect() }, None)
    }

    fn topics(status: String, command: String) -> impl Strategy<Value = String> + Clone {
        proptest::sample::select(vec![
            status,
            command,
            "#".to_owned(),
            "ä".to_owned(),
            String::new(),
            "$share/a/#".to_owned(),
        ])
    }

    fn packets(status: String, command: String) -> impl Strategy<Value = Packet> {
        let topic = topics(status, command);
        prop_oneof![
            (topic.clone(), 0_u8..3, 1_u16..4, any::<bool>())
                .prop_map(|(topic, qos, pkid, retain)| publish(&topic, qos, pkid, retain)),
            (0_u16..3, proptest::collection::vec(topic.clone(), 1..20))
                .prop_map(|(pkid, filters)| subscribe(pkid, filters)),
            (0_u16..3, proptest::collection::vec(topic, 0..20))
                .prop_map(|(pkid, filters)| Packet::Unsubscribe(Unsubscribe { pkid, filters }, None)),
            (0_u16..3).prop_map(puback),
            Just(Packet::PingReq(PingReq)),
            Just(Packet::Disconnect(
                Disconnect { reason_code: DisconnectReasonCode::NormalDisconnection },
                None
            )),
        ]
    }

    proptest! {
        #[test]
        fn only_what_the_router_bears_and_the_policy_allows_goes_through(
            ((mut exchange, status, command), packets) in Just(()).prop_map(|()| exchange()).prop_flat_map(|made| {
                let packets = proptest::collection::vec(packets(made.1.clone(), made.2.clone()), 0..40);
                (Just((made.0.principal, made.1, made.2)), packets)
            }).prop_map(|((principal, status, command), packets)| ((Exchange::new(principal), status, command), packets)),
            under_way in 0_u16..3,
        ) {
            exchange.unacknowledged.extend(1..=under_way);
            let mut acknowledged = 0;
            for packet in packets {
                let mut out = Outcome::default();
                let _ = exchange.client_sent(packet, &mut out);
                for packet in out.to_broker {
                    match packet {
                        Packet::Publish(publish, None) => {
                            prop_assert!(publish.topic == status && !publish.retain && qos_and_packet_id(&publish).0 < 2);
                        }
                        Packet::Subscribe(subscribe, None) => {
                            prop_assert!(!subscribe.filters.is_empty());
                            prop_assert!(subscribe.filters.iter().all(|f| f.path == command && f.qos != QoS::ExactlyOnce));
                        }
                        Packet::Unsubscribe(unsubscribe, None) => {
                            prop_assert!(unsubscribe.filters.iter().all(|filter| *filter == command));
                        }
                        Packet::PubAck(ack, None) => {
                            acknowledged += 1;
                            prop_assert!(ack.pkid == acknowledged && acknowledged <= under_way);
                        }
                        other => prop_assert!(false, "{other:?}"),
                    }
                }
            }
        }
    }

    #[test]
    fn acknowledgements_out_of_order_end_the_session() {
        let (mut exchange, _, command) = exchange();
        for pkid in [1, 2] {
            exchange.broker_sent(publish(&command, 1, pkid, false)).unwrap();
        }
        let mut out = Outcome::default();
        assert_eq!(exchange.client_sent(puback(2), &mut out), Err(DisconnectReason::Protocol));
        assert_eq!(out, Outcome::default());
        assert_eq!(exchange.client_sent(puback(1), &mut out), Ok(Flow::GoOn));
    }
}
