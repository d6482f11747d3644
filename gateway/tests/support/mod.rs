//! A gateway with a made-up credential check, and raw MQTT 3.1.1 written by hand, for what a proper client can't send.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use stardust_clock::SystemClock;
use stardust_gateway::{Authenticator, EdgeEvent, Gateway, GatewayConfig, Principal, Refusal};
use stardust_protocol::topic::{Channel, Topic};
use stardust_protocol::{PrinterId, Timestamp, WorkspaceId};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
pub(crate) const PASSWORD: &str = "right";

/// Lets every printer of one workspace in.
struct OnePassword {
    workspace: WorkspaceId,
}

#[async_trait]
impl Authenticator for OnePassword {
    async fn authenticate(&self, user: &str, password: &[u8]) -> Result<Principal, Refusal> {
        let printer = user.parse().map_err(|_| Refusal::Malformed)?;
        match password {
            b"right" => Ok(Principal::Device { workspace: self.workspace, printer }),
            b"later" => Err(Refusal::Unavailable),
            _ => Err(Refusal::Denied),
        }
    }
}

pub(crate) struct Bench {
    pub(crate) gateway: Gateway,
    pub(crate) events: mpsc::Receiver<EdgeEvent>,
    pub(crate) addr: SocketAddr,
    pub(crate) workspace: WorkspaceId,
}

impl Bench {
    pub(crate) async fn start(config: GatewayConfig) -> Self {
        let workspace = WorkspaceId::generate(Timestamp::from_millis(0));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let auth = Arc::new(OnePassword { workspace });
        let (gateway, events) = Gateway::start(config, listener, auth, SystemClock::shared()).await.unwrap();
        Self { gateway, events, addr, workspace }
    }

    pub(crate) fn printer(&self) -> PrinterId {
        PrinterId::generate(Timestamp::from_millis(0))
    }

    pub(crate) fn principal(&self, printer: PrinterId) -> Principal {
        Principal::Device { workspace: self.workspace, printer }
    }

    pub(crate) fn topic(&self, printer: PrinterId, channel: Channel) -> Topic {
        Topic { workspace: self.workspace, printer, channel }
    }

    pub(crate) fn status(&self, printer: PrinterId) -> String {
        self.topic(printer, Channel::Status).to_string()
    }

    pub(crate) fn command(&self, printer: PrinterId) -> String {
        self.topic(printer, Channel::Command).to_string()
    }

    pub(crate) async fn event(&mut self) -> EdgeEvent {
        timeout(PATIENCE, self.events.recv()).await.expect("an event in time").expect("a running gateway")
    }

    /// A raw client, not logged in.
    pub(crate) async fn raw(&self) -> Raw {
        Raw { stream: TcpStream::connect(self.addr).await.unwrap() }
    }

    /// A raw client that has logged in; its `Connected` event is taken.
    pub(crate) async fn device(&mut self, printer: PrinterId) -> Raw {
        let mut raw = self.raw().await;
        raw.send(&connect(&printer.to_string(), PASSWORD)).await;
        assert_eq!(raw.packet().await, Some(vec![0x20, 2, 0, 0]));
        match self.event().await {
            EdgeEvent::Connected { principal, .. } => assert_eq!(principal, self.principal(printer)),
            other => panic!("not Connected: {other:?}"),
        }
        raw
    }
}

pub(crate) struct Raw {
    pub(crate) stream: TcpStream,
}

impl Raw {
    /// The peer may have closed already: what comes back is what counts.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
    }

    /// The next packet, whole; `None` when the gateway has closed the connection.
    pub(crate) async fn packet(&mut self) -> Option<Vec<u8>> {
        timeout(PATIENCE, async {
            let mut packet = vec![self.stream.read_u8().await.ok()?];
            let mut length = 0;
            for shift in [0, 7, 14, 21] {
                let byte = self.stream.read_u8().await.ok()?;
                packet.push(byte);
                length |= usize::from(byte & 0x7f) << shift;
                if byte < 0x80 {
                    break;
                }
            }
            let head = packet.len();
            packet.resize(head + length, 0);
            self.stream.read_exact(&mut packet[head..]).await.ok()?;
            Some(packet)
        })
        .await
        .expect("a packet or a close in time")
    }
}

pub(crate) fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![first];
    let mut rest = body.len();
    loop {
        let low = u8::try_from(rest % 128).unwrap();
        rest /= 128;
        packet.push(if rest > 0 { low | 0x80 } else { low });
        if rest == 0 {
            break;
        }
    }
    packet.extend_from_slice(body);
    packet
}

pub(crate) fn text(bytes: &[u8]) -> Vec<u8> {
    let mut field = u16::try_from(bytes.len()).unwrap().to_be_bytes().to_vec();
    field.extend_from_slice(bytes);
    field
}

pub(crate) fn connect(user: &str, password: &str) -> Vec<u8> {
    connect_with(4, 0xc2, 0, user, password, &[])
}

/// `between`: will topic and message, when `flags` say that there is a will.
pub(crate) fn connect_with(
    level: u8,
    flags: u8,
    keep_alive: u16,
    user: &str,
    password: &str,
    between: &[u8],
) -> Vec<u8> {
    let mut body = text(b"MQTT");
    body.extend([level, flags]);
    body.extend(keep_alive.to_be_bytes());
    // Every client asks for the same name: it must not matter.
    body.extend(text(b"link-1"));
    body.extend(between);
    body.extend(text(user.as_bytes()));
    body.extend(text(password.as_bytes()));
    packet(0x10, &body)
}

pub(crate) fn publish(topic: &[u8], payload: &[u8]) -> Vec<u8> {
    packet(0x30, &[text(topic), payload.to_vec()].concat())
}

pub(crate) fn publish_qos(qos: u8, id: u16, topic: &str, payload: &[u8]) -> Vec<u8> {
    let body = [text(topic.as_bytes()), id.to_be_bytes().to_vec(), payload.to_vec()].concat();
    packet(0x30 | qos << 1, &body)
}

pub(crate) fn subscribe(id: u16, filters: &[(&str, u8)]) -> Vec<u8> {
    let mut body = id.to_be_bytes().to_vec();
    for (filter, qos) in filters {
        body.extend(text(filter.as_bytes()));
        body.push(*qos);
    }
    packet(0x82, &body)
}
