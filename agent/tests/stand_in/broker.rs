//! An MQTT broker for one client: keeps what it publishes, hands it what the test says.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use bytes::BytesMut;
use rumqttc::{ConnAck, ConnectReturnCode, Packet, PubAck, Publish, QoS, SubAck, SubscribeReasonCode};
use stardust_protocol::{CommandMessage, StatusMessage};

#[derive(Default)]
struct State {
    statuses: Vec<(String, StatusMessage)>,
    login: Option<(String, String, String)>,
    client: Option<(TcpStream, String)>,
    connections: usize,
}

/// The broker.
#[derive(Clone)]
pub(crate) struct Broker {
    pub(crate) port: u16,
    state: Arc<Mutex<State>>,
}

impl Broker {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State::default()));
        let broker = Self { port, state: state.clone() };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let state = state.clone();
                std::thread::spawn(move || serve(stream.unwrap(), &state));
            }
        });
        broker
    }

    /// The statuses so far, with their topics.
    pub(crate) fn statuses(&self) -> Vec<(String, StatusMessage)> {
        self.state.lock().unwrap().statuses.clone()
    }

    /// Client id, user and password of the last connection.
    pub(crate) fn login(&self) -> Option<(String, String, String)> {
        self.state.lock().unwrap().login.clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }

    /// Whether the client has subscribed to its commands.
    pub(crate) fn is_subscribed(&self) -> bool {
        self.state.lock().unwrap().client.is_some()
    }

    /// Sends a command to the client.
    pub(crate) fn send(&self, command: &CommandMessage) {
        let mut state = self.state.lock().unwrap();
        let (stream, topic) = state.client.as_mut().unwrap();
        let mut publish =
            Publish::new(topic.as_str(), QoS::AtLeastOnce, serde_json::to_vec(command).unwrap());
        publish.pkid = 1;
        write(stream, &Packet::Publish(publish));
    }

    /// Cuts the connection.
    pub(crate) fn cut(&self) {
        if let Some((stream, _)) = self.state.lock().unwrap().client.take() {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    }
}

fn write(stream: &mut TcpStream, packet: &Packet) {
    let mut bytes = BytesMut::new();
    packet.write(&mut bytes, 1 << 20).unwrap();
    let _ = stream.write_all(&bytes);
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) {
    let mut bytes = BytesMut::new();
    let mut buffer = [0; 4096];
    loop {
        let packet = match Packet::read(&mut bytes, 1 << 20) {
            Ok(packet) => packet,
            Err(_) => match stream.read(&mut buffer) {
                Ok(0) | Err(_) => return,
                Ok(count) => {
                    bytes.extend_from_slice(&buffer[..count]);
                    continue;
                }
            },
        };
        match packet {
            Packet::Connect(connect) => {
                let login = connect.login.unwrap();
                let mut state = state.lock().unwrap();
                state.login = Some((connect.client_id, login.username, login.password));
                state.connections += 1;
                write(&mut stream, &Packet::ConnAck(ConnAck::new(ConnectReturnCode::Success, false)));
            }
            Packet::Subscribe(subscribe) => {
                let codes = vec![SubscribeReasonCode::Success(QoS::AtLeastOnce)];
                let topic = subscribe.filters[0].path.clone();
                state.lock().unwrap().client = Some((stream.try_clone().unwrap(), topic));
                write(&mut stream, &Packet::SubAck(SubAck::new(subscribe.pkid, codes)));
            }
            Packet::Publish(publish) => {
                let status = serde_json::from_slice(&publish.payload).unwrap();
                state.lock().unwrap().statuses.push((publish.topic, status));
                if publish.qos == QoS::AtLeastOnce {
                    write(&mut stream, &Packet::PubAck(PubAck::new(publish.pkid)));
                }
            }
            Packet::PingReq => write(&mut stream, &Packet::PingResp),
            Packet::Disconnect => return,
            _ => {}
        }
    }
}
