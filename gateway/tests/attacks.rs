//! What a hostile or broken client does, and that everybody else goes on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod support;

use std::time::Duration;

use rstest::rstest;
use stardust_gateway::{DisconnectReason, EdgeEvent, GatewayConfig};
use stardust_protocol::limits::MAX_MQTT_PAYLOAD_BYTES;
use stardust_protocol::topic::Channel;
use support::{Bench, PASSWORD, connect, connect_with, packet, publish, publish_qos, subscribe, text};

/// A logged-in attacker sends `bytes` and is thrown out for `reason`; a witness can still talk to the hub, which
/// has heard nothing of the attack.
async fn attack(
    bytes: impl FnOnce(&Bench, stardust_protocol::PrinterId) -> Vec<u8>,
    reason: DisconnectReason,
) {
    let mut bench = Bench::start(GatewayConfig::default()).await;
    let (attacker, witness) = (bench.printer(), bench.printer());
    let mut raw = bench.device(attacker).await;
    let mut other = bench.device(witness).await;
    raw.send(&bytes(&bench, attacker)).await;
    while let Some(answer) = raw.packet().await {
        assert_eq!(answer, [0xd0, 0], "nothing but PINGRESP before the end");
    }
    match bench.event().await {
        EdgeEvent::Disconnected { principal, reason: found, .. } => {
            assert_eq!((principal, found), (bench.principal(attacker), reason));
        }
        event => panic!("the hub was told: {event:?}"),
    }
    other.send(&publish_qos(1, 1, &bench.status(witness), b"fine")).await;
    assert_eq!(other.packet().await, Some(vec![0x40, 2, 0, 1]));
    let topic = bench.topic(witness, Channel::Status);
    assert_eq!(bench.event().await, EdgeEvent::Published { topic, payload: "fine".into() });
}

#[tokio::test]
async fn publishing_for_another_printer() {
    attack(|bench, _| publish(bench.status(bench.printer()).as_bytes(), b"x"), DisconnectReason::Forbidden)
        .await;
}

#[tokio::test]
async fn publishing_on_the_command_topic() {
    attack(|bench, own| publish(bench.command(own).as_bytes(), b"x"), DisconnectReason::Forbidden).await;
}

#[rstest]
#[case::not_ascii("ä/b".as_bytes())]
#[case::not_utf8(b"\xff\xfe")]
#[case::empty(b"")]
#[case::nul(b"stardust\0")]
#[case::wildcard(b"stardust/v1/+/+/status")]
#[case::hash(b"a/#")]
#[case::sys(b"$SYS/broker")]
#[tokio::test]
async fn publishing_on_a_bad_topic(#[case] topic: &'static [u8]) {
    attack(|_, _| publish(topic, b"x"), DisconnectReason::Forbidden).await;
}

#[tokio::test]
async fn a_retained_publish() {
    attack(
        |bench, own| packet(0x31, &[text(bench.status(own).as_bytes()), b"x".to_vec()].concat()),
        DisconnectReason::Forbidden,
    )
    .await;
}

#[tokio::test]
async fn qos_2() {
    attack(|bench, own| publish_qos(2, 1, &bench.status(own), b"x"), DisconnectReason::Forbidden).await;
}

#[tokio::test]
async fn a_payload_above_the_limit() {
    let payload = vec![b'x'; MAX_MQTT_PAYLOAD_BYTES + 1];
    attack(|bench, own| publish(bench.status(own).as_bytes(), &payload), DisconnectReason::Forbidden).await;
}

#[tokio::test]
async fn a_packet_above_the_limit_is_not_waited_for() {
    // Only the header of 256 MiB.
    attack(|_, _| vec![0x30, 0xff, 0xff, 0xff, 0x7f], DisconnectReason::TooLarge).await;
}

#[rstest]
#[case::type_0(&[0x00, 0x00])]
#[case::type_15(&[0xf0, 0x00])]
#[case::qos_3(&[0x36, 0x05, 0, 1, b't', 0, 1])]
#[case::a_servers_packet(&[0xd0, 0x00])]
#[case::pubrel(&[0x62, 0x02, 0, 1])]
#[case::endless_length(&[0x30, 0xff, 0xff, 0xff, 0xff, 0x7f])]
#[case::subscribe_without_filter(&[0x82, 0x02, 0, 1])]
#[case::subscribe_with_wrong_flags(&[0x80, 0x06, 0, 1, 0, 1, b'a', 0])]
#[case::publish_shorter_than_its_topic(&[0x30, 0x03, 0, 9, b't'])]
#[case::unasked_puback(&[0x40, 0x02, 0, 1])]
#[case::ping_with_a_body(&[0xc0, 0x01, 0])]
#[tokio::test]
async fn what_is_not_mqtt(#[case] bytes: &'static [u8]) {
    attack(|_, _| bytes.to_vec(), DisconnectReason::Protocol).await;
}

#[tokio::test]
async fn a_second_connect() {
    attack(|_, own| connect(&own.to_string(), PASSWORD), DisconnectReason::Protocol).await;
}

#[tokio::test]
async fn a_flood() {
    attack(|_, _| [0xc0, 0].repeat(1_000), DisconnectReason::TooFast).await;
}

#[rstest]
#[case("#")]
#[case("+/+/+/+/command")]
#[case("$share/group/#")]
#[case("stardust/v1/#")]
#[case("sport+")]
#[case("ä/#")]
#[tokio::test]
async fn a_foreign_subscription_is_refused(#[case] filter: &str) {
    let mut bench = Bench::start(GatewayConfig::default()).await;
    let (spy, other) = (bench.printer(), bench.printer());
    let mut raw = bench.device(spy).await;
    raw.send(&subscribe(7, &[(filter, 1)])).await;
    assert_eq!(raw.packet().await, Some(vec![0x90, 3, 0, 7, 0x80]));
    bench.gateway.publish(bench.topic(other, Channel::Command), b"secret".to_vec()).await.unwrap();
    // What the hub sends afterwards on the spy's own topic is the first thing that it gets.
    raw.send(&subscribe(8, &[(&bench.command(spy), 0)])).await;
    assert_eq!(raw.packet().await, Some(vec![0x90, 3, 0, 8, 0]));
    bench.gateway.publish(bench.topic(spy, Channel::Command), b"own".to_vec()).await.unwrap();
    assert_eq!(raw.packet().await, Some(publish(bench.command(spy).as_bytes(), b"own")));
}

#[tokio::test]
async fn before_login_a_wrong_version_is_told_and_garbage_is_not() {
    let bench = Bench::start(GatewayConfig::default()).await;
    let user = bench.printer().to_string();
    let will = |topic: &str| [text(topic.as_bytes()), text(b"x")].concat();
    let other = bench.status(bench.printer());
    for (what, bytes, answer) in [
        ("MQTT 5", connect_with(5, 0xc2, 0, &user, PASSWORD, &[]), Some(vec![0x20, 2, 0, 1])),
        (
            "no credential",
            packet(0x10, &[text(b"MQTT"), vec![4, 2, 0, 0], text(b"c")].concat()),
            Some(vec![0x20, 2, 0, 5]),
        ),
        ("foreign will", connect_with(4, 0xc6, 0, &user, PASSWORD, &will(&other)), Some(vec![0x20, 2, 0, 5])),
        ("bad will", connect_with(4, 0xc6, 0, &user, PASSWORD, &will("ä")), Some(vec![0x20, 2, 0, 5])),
        ("HTTP", b"GET / HTTP/1.1\r\n\r\n".to_vec(), None),
        ("TLS", vec![0x16, 0x03, 0x01, 0x02, 0x00, 0x01], None),
        ("PUBLISH first", publish(bench.status(bench.printer()).as_bytes(), b"x"), None),
        ("a huge CONNECT", vec![0x10, 0xff, 0xff, 0x7f], None),
    ] {
        let mut raw = bench.raw().await;
        raw.send(&bytes).await;
        let first = raw.packet().await;
        assert_eq!(first, answer, "{what}");
        if first.is_some() {
            assert_eq!(raw.packet().await, None, "{what}");
        }
    }
}

#[tokio::test]
async fn who_does_not_log_in_is_dropped() {
    let config = GatewayConfig { connect_deadline: Duration::from_millis(50), ..GatewayConfig::default() };
    let bench = Bench::start(config).await;
    for half in [&[][..], &[0x10, 0x20, 0, 4]] {
        let mut raw = bench.raw().await;
        raw.send(half).await;
        assert_eq!(raw.packet().await, None);
    }
}

#[tokio::test]
async fn who_falls_silent_is_dropped() {
    let config = GatewayConfig { idle_limit: Duration::from_millis(50), ..GatewayConfig::default() };
    let mut bench = Bench::start(config).await;
    let mut raw = bench.device(bench.printer()).await;
    assert_eq!(raw.packet().await, None);
    let ended = bench.event().await;
    let EdgeEvent::Disconnected { reason: DisconnectReason::Silent, silent_for, .. } = ended else {
        panic!("{ended:?}")
    };
    assert_eq!(silent_for, Duration::from_millis(50), "so long ago it was heard last");
}

#[tokio::test]
async fn connections_above_the_limits_are_told_to_come_later() {
    for config in [
        GatewayConfig { max_connections: 1, ..GatewayConfig::default() },
        GatewayConfig { max_connections_per_ip: 1, ..GatewayConfig::default() },
    ] {
        let mut bench = Bench::start(config).await;
        let (first, second) = (bench.printer(), bench.printer());
        let mut inside = bench.device(first).await;
        let mut outside = bench.raw().await;
        outside.send(&connect(&second.to_string(), PASSWORD)).await;
        assert_eq!(outside.packet().await, Some(vec![0x20, 2, 0, 3]));
        inside.send(&[0xc0, 0]).await;
        assert_eq!(inside.packet().await, Some(vec![0xd0, 0]));
        // Its place is free again when it is gone.
        inside.send(&[0xe0, 0]).await;
        assert_eq!(inside.packet().await, None);
        let ended = bench.event().await;
        assert!(
            matches!(ended, EdgeEvent::Disconnected { reason: DisconnectReason::Client, .. }),
            "{ended:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_read_is_dropped() {
    let config = GatewayConfig { write_deadline: Duration::from_millis(100), ..GatewayConfig::default() };
    let mut bench = Bench::start(config).await;
    let printer = bench.printer();
    let mut raw = bench.device(printer).await;
    raw.send(&subscribe(1, &[(&bench.command(printer), 0)])).await;
    assert_eq!(raw.packet().await, Some(vec![0x90, 3, 0, 1, 0]));
    let topic = bench.topic(printer, Channel::Command);
    let (gateway, payload) = (bench.gateway.clone(), vec![b'x'; MAX_MQTT_PAYLOAD_BYTES]);
    let flood = tokio::spawn(async move {
        while gateway.publish(topic, payload.clone()).await.is_ok() {
            tokio::task::yield_now().await;
        }
    });
    let ended = bench.event().await;
    assert!(
        matches!(ended, EdgeEvent::Disconnected { reason: DisconnectReason::SlowReader, .. }),
        "{ended:?}"
    );
    flood.abort();
}
