//! What a proper device does, with the client that the agent uses (rumqttc), and raw where exact bytes count.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod support;

use std::collections::HashSet;
use std::time::Duration;

use rumqttc::{AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, MqttOptions, Packet, QoS};
use stardust_gateway::{DisconnectReason, EdgeEvent, GatewayConfig, PublishError};
use stardust_protocol::topic::Channel;
use support::{Bench, PASSWORD, PATIENCE, connect_with, packet, publish, publish_qos, subscribe, text};
use tokio::time::timeout;

fn client(bench: &Bench, user: &str, password: &str) -> (AsyncClient, EventLoop) {
    let mut options = MqttOptions::new("any", bench.addr.ip().to_string(), bench.addr.port());
    options.set_credentials(user, password).set_keep_alive(Duration::from_secs(30));
    AsyncClient::new(options, 10)
}

/// Polls until `wanted` finds something.
async fn until<T>(eventloop: &mut EventLoop, wanted: impl Fn(Packet) -> Option<T>) -> T {
    timeout(PATIENCE, async {
        loop {
            if let Event::Incoming(packet) = eventloop.poll().await.unwrap()
                && let Some(found) = wanted(packet)
            {
                return found;
            }
        }
    })
    .await
    .expect("the packet in time")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_and_the_hub_talk_both_ways() {
    let mut bench = Bench::start(GatewayConfig::default()).await;
    let printer = bench.printer();
    let (client, mut eventloop) = client(&bench, &printer.to_string(), PASSWORD);
    until(&mut eventloop, |p| matches!(p, Packet::ConnAck(_)).then_some(())).await;
    let EdgeEvent::Connected { principal, connection } = bench.event().await else { panic!("not Connected") };
    assert_eq!(principal, bench.principal(printer));

    client.subscribe(bench.command(printer), QoS::AtLeastOnce).await.unwrap();
    until(&mut eventloop, |p| matches!(p, Packet::SubAck(_)).then_some(())).await;
    client.publish(bench.status(printer), QoS::AtLeastOnce, false, "hot").await.unwrap();
    until(&mut eventloop, |p| matches!(p, Packet::PubAck(_)).then_some(())).await;
    let topic = bench.topic(printer, Channel::Status);
    assert_eq!(bench.event().await, EdgeEvent::Published { topic, payload: "hot".into() });

    // More than the broker has under way unacknowledged.
    for number in 0..250 {
        let topic = bench.topic(printer, Channel::Command);
        bench.gateway.publish(topic, format!("{number}").into_bytes()).await.unwrap();
    }
    for number in 0..250 {
        let publish =
            until(&mut eventloop, |p| if let Packet::Publish(p) = p { Some(p) } else { None }).await;
        assert_eq!((publish.qos, publish.topic), (QoS::AtLeastOnce, bench.command(printer)));
        assert_eq!(publish.payload, format!("{number}"));
    }

    client.disconnect().await.unwrap();
    while eventloop.poll().await.is_ok() {}
    let (reason, silent_for) = (DisconnectReason::Client, Duration::ZERO);
    assert_eq!(bench.event().await, EdgeEvent::Disconnected { principal, connection, reason, silent_for });
}

#[tokio::test]
async fn logins_are_refused_with_the_code_for_it() {
    let bench = Bench::start(GatewayConfig::default()).await;
    let printer = bench.printer().to_string();
    for (user, password, expected) in [
        (printer.as_str(), "wrong", ConnectReturnCode::NotAuthorized),
        ("printer7", PASSWORD, ConnectReturnCode::BadUserNamePassword),
        (printer.as_str(), "later", ConnectReturnCode::ServiceUnavailable),
    ] {
        let (_client, mut eventloop) = client(&bench, user, password);
        match timeout(PATIENCE, eventloop.poll()).await.expect("an answer in time") {
            Err(ConnectionError::ConnectionRefused(code)) => assert_eq!(code, expected, "{user} {password}"),
            other => panic!("{user} {password}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_newer_connection_takes_the_place_of_an_older_one() {
    let mut bench = Bench::start(GatewayConfig::default()).await;
    let printer = bench.printer();
    let mut old = bench.raw().await;
    old.send(&support::connect(&printer.to_string(), PASSWORD)).await;
    assert_eq!(old.packet().await, Some(vec![0x20, 2, 0, 0]));
    let EdgeEvent::Connected { connection: first, principal } = bench.event().await else { panic!() };
    let mut new = bench.raw().await;
    new.send(&support::connect(&printer.to_string(), PASSWORD)).await;
    assert_eq!(new.packet().await, Some(vec![0x20, 2, 0, 0]));

    let (reason, silent_for) = (DisconnectReason::Replaced, Duration::ZERO);
    assert_eq!(
        bench.event().await,
        EdgeEvent::Disconnected { principal, connection: first, reason, silent_for }
    );
    let EdgeEvent::Connected { connection: second, .. } = bench.event().await else { panic!() };
    assert_ne!(first, second);
    assert_eq!(old.packet().await, None);
    new.send(&publish(bench.status(printer).as_bytes(), b"new")).await;
    assert!(matches!(bench.event().await, EdgeEvent::Published { payload, .. } if payload == "new"));
}

#[tokio::test]
async fn a_revoked_device_is_disconnected() {
    let mut bench = Bench::start(GatewayConfig::default()).await;
    let printer = bench.printer();
    let principal = bench.principal(printer);
    assert!(!bench.gateway.disconnect(&principal));
    let mut device = bench.device(printer).await;
    assert!(bench.gateway.disconnect(&principal));
    assert_eq!(device.packet().await, None);
    assert!(matches!(bench.event().await, EdgeEvent::Disconnected { reason: DisconnectReason::Revoked, .. }));
}

#[tokio::test]
async fn a_will_is_published_when_the_connection_is_lost() {
    let mut bench = Bench::start(GatewayConfig::default()).await;
    let printer = bench.printer();
    let mut device = bench.raw().await;
    let will = [text(bench.status(printer).as_bytes()), text(b"lost")].concat();
    device.send(&connect_with(4, 0xc6, 0, &printer.to_string(), PASSWORD, &will)).await;
    assert_eq!(device.packet().await, Some(vec![0x20, 2, 0, 0]));
    assert!(matches!(bench.event().await, EdgeEvent::Connected { .. }));
    drop(device);
    // The two come by different ways.
    let events = [bench.event().await, bench.event().await];
    assert!(
        events.iter().any(|e| matches!(e, EdgeEvent::Published { payload, .. } if payload == "lost")),
        "{events:?}"
    );
    assert!(
        events.iter().any(|e| matches!(e, EdgeEvent::Disconnected { reason: DisconnectReason::Lost, .. })),
        "{events:?}"
    );
}

#[tokio::test]
async fn pings_and_unsubscribes_are_answered() {
    let mut bench = Bench::start(GatewayConfig::default()).await;
    let printer = bench.printer();
    let mut device = bench.device(printer).await;
    device.send(&[0xc0, 0]).await;
    assert_eq!(device.packet().await, Some(vec![0xd0, 0]));
    let command = bench.command(printer);
    for id in [1, 3] {
        // QoS 2 is granted as QoS 1, and an own filter between refused ones keeps its place.
        device.send(&subscribe(id, &[("#", 0), (&command, 2), ("$SYS/#", 1)])).await;
        assert_eq!(device.packet().await, Some(vec![0x90, 5, 0, id as u8, 0x80, 1, 0x80]));
        let both = [vec![0, id as u8 + 1], text(b"never/subscribed"), text(command.as_bytes())].concat();
        device.send(&packet(0xa2, &both)).await;
        assert_eq!(device.packet().await, Some(vec![0xb0, 2, 0, id as u8 + 1]));
    }
    // After its UNSUBACK a client gets nothing more.
    bench.gateway.publish(bench.topic(printer, Channel::Command), b"lost".to_vec()).await.unwrap();
    device.send(&publish_qos(1, 9, &bench.status(printer), b"x")).await;
    assert_eq!(device.packet().await, Some(vec![0x40, 2, 0, 9]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_devices_at_once_lose_nothing() {
    const DEVICES: usize = 200;
    let mut bench = Bench::start(GatewayConfig::default()).await;
    let mut expected = HashSet::new();
    let mut tasks = Vec::new();
    for _ in 0..DEVICES {
        let printer = bench.printer();
        expected.insert(bench.topic(printer, Channel::Status));
        let (mut raw, status) = (bench.raw().await, bench.status(printer));
        tasks.push(tokio::spawn(async move {
            raw.send(&support::connect(&printer.to_string(), PASSWORD)).await;
            assert_eq!(raw.packet().await, Some(vec![0x20, 2, 0, 0]));
            for id in 1..=5 {
                raw.send(&publish_qos(1, id, &status, &[id as u8])).await;
            }
            for id in 1..=5 {
                assert_eq!(raw.packet().await, Some(vec![0x40, 2, 0, id]));
            }
            raw.send(&[0xe0, 0]).await;
        }));
    }
    let (mut connected, mut disconnected, mut published) = (0, 0, Vec::new());
    while disconnected < DEVICES || published.len() < 5 * DEVICES {
        match bench.event().await {
            EdgeEvent::Connected { .. } => connected += 1,
            EdgeEvent::Disconnected { reason, .. } => {
                assert_eq!(reason, DisconnectReason::Client);
                disconnected += 1;
            }
            EdgeEvent::Published { topic, payload } => published.push((topic, payload[0])),
        }
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(connected, DEVICES);
    for topic in expected {
        let own: Vec<u8> = published.iter().filter(|(t, _)| *t == topic).map(|(_, n)| *n).collect();
        assert_eq!(own, [1, 2, 3, 4, 5], "complete and in order");
    }
}

#[tokio::test]
async fn a_shutdown_ends_everything() {
    let mut bench = Bench::start(GatewayConfig::default()).await;
    let printer = bench.printer();
    let mut device = bench.device(printer).await;
    let mut half = bench.raw().await;
    half.send(&[0x10]).await;
    timeout(PATIENCE, bench.gateway.shutdown()).await.expect("a shutdown in time");
    assert_eq!(device.packet().await, None);
    assert_eq!(half.packet().await, None);
    assert!(matches!(
        bench.event().await,
        EdgeEvent::Disconnected { reason: DisconnectReason::Shutdown, .. }
    ));
    assert_eq!(bench.events.recv().await, None);
    assert_eq!(bench.gateway.connection_count(), 0);
    let topic = bench.topic(printer, Channel::Command);
    assert_eq!(bench.gateway.publish(topic, Vec::new()).await, Err(PublishError::BrokerDown));
    assert!(tokio::net::TcpStream::connect(bench.addr).await.is_err());
    timeout(PATIENCE, bench.gateway.shutdown()).await.expect("a second shutdown does nothing");
}

#[tokio::test]
async fn dropping_the_last_handle_ends_everything_too() {
    let mut bench = Bench::start(GatewayConfig::default()).await;
    let mut device = bench.device(bench.printer()).await;
    let Bench { gateway, mut events, .. } = bench;
    drop(gateway);
    assert_eq!(device.packet().await, None);
    let ended = timeout(PATIENCE, events.recv()).await.expect("an event in time");
    assert!(
        matches!(ended, Some(EdgeEvent::Disconnected { reason: DisconnectReason::Shutdown, .. })),
        "{ended:?}"
    );
    assert_eq!(timeout(PATIENCE, events.recv()).await, Ok(None));
}
