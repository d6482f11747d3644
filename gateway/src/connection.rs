//! The life of one connection: login, session, end. Generic over the stream, so TLS can come before it.
//!
//! Owns: the order of what happens, above all of the events. Every `Connected` is followed by one
//! `Disconnected`, and by nothing of the same principal before that.

mod login;

use std::sync::Arc;
use std::time::Duration;

use rumqttd::protocol::{ConnAck, ConnectReturnCode, Packet};
use stardust_clock::SharedClock;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use crate::broker::Broker;
use crate::events::{ConnectionId, DisconnectReason, EdgeEvent, EventSender};
use crate::limits::{Admission, ConnectionLimits, RateLimit};
use crate::session::registry::Registry;
use crate::session::{Session, Settings};
use crate::wire::Wire;
use crate::{Authenticator, GatewayConfig, Principal};
use login::{Login, NoLogin};

/// What all connections share.
pub(crate) struct Edge {
    pub(crate) config: GatewayConfig,
    pub(crate) auth: Arc<dyn Authenticator>,
    pub(crate) clock: SharedClock,
    pub(crate) events: EventSender,
    pub(crate) broker: Broker,
    pub(crate) registry: Arc<Registry>,
    pub(crate) limits: Arc<ConnectionLimits>,
    pub(crate) stopped: watch::Receiver<bool>,
}

impl Edge {
    /// Returns when the gateway is to stop.
    pub(crate) async fn stopped(&self) {
        // An error: the last handle of the gateway was dropped.
        let _ = self.stopped.clone().wait_for(|stop| *stop).await;
    }
}

/// Serves one connection to its end. `_admission` is given back when the broker has been told of the end.
pub(crate) async fn serve<S>(edge: Arc<Edge>, stream: S, id: ConnectionId, _admission: Admission)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut wire = Wire::new(stream, login::MAX_CONNECT_BYTES, edge.config.write_deadline);
    let login = tokio::select! {
        () = edge.stopped() => return,
        login = login::login(&edge, &mut wire, id) => login,
    };
    match login {
        Ok(login) => serve_session(&edge, wire, id, login).await,
        Err(NoLogin::Answer(code)) => wire.refuse(code).await,
        Err(NoLogin::Close) => {}
    }
}

async fn serve_session<S>(edge: &Edge, mut wire: Wire<S>, id: ConnectionId, login: Login)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Login { principal, will, idle_limit, mut seat } = login;
    let Principal::Device { printer, .. } = principal;
    tracing::Span::current().record("printer.id", tracing::field::display(printer));

    let Ok(link) = edge.broker.open_link().await else {
        tracing::error!("no MQTT session: the embedded broker is not running");
        return wire.refuse(ConnectReturnCode::ServiceUnavailable).await;
    };
    edge.events.lifecycle(EdgeEvent::Connected { principal, connection: id }).await;
    tracing::info!("connected");

    wire.set_max_packet(edge.config.max_packet_bytes);
    let config = &edge.config;
    let rate = RateLimit::new(config.packets_per_second, config.packet_burst, edge.clock.elapsed());
    let settings = Settings { idle_limit, clock: Arc::clone(&edge.clock) };
    let mut session = Session::new(principal, wire, link, rate, settings);
    let accepted =
        Packet::ConnAck(ConnAck { session_present: false, code: ConnectReturnCode::Success }, None);
    let reason = tokio::select! {
        biased;
        reason = seat.ended() => reason,
        () = edge.stopped() => DisconnectReason::Shutdown,
        reason = session.run(accepted) => reason,
    };

    tracing::info!(%reason, "disconnected");
    let last =
        will.filter(|_| wants_will(reason)).into_iter().map(|will| Packet::Publish(will, None)).collect();
    session.end(last).await;
    let silent_for = if reason == DisconnectReason::Silent { idle_limit } else { Duration::ZERO };
    edge.events.lifecycle(EdgeEvent::Disconnected { principal, connection: id, reason, silent_for }).await;
    // From here on a successor may announce itself.
    drop(seat);
}

/// MQTT 3.1.1, 3.1.2.5: a will is published unless the client said goodbye. Not with a revoked credential either,
/// nor when it is the hub that goes.
fn wants_will(reason: DisconnectReason) -> bool {
    !matches!(reason, DisconnectReason::Client | DisconnectReason::Revoked | DisconnectReason::Shutdown)
}

/// Tells a client above the limits to come back later.
pub(crate) async fn turn_away<S>(edge: &Edge, stream: S)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut wire = Wire::new(stream, login::MAX_CONNECT_BYTES, edge.config.write_deadline);
    let asked = tokio::time::timeout(login::TURN_AWAY_DEADLINE, wire.next_packet());
    if let Ok(Ok(Packet::Connect(..))) = asked.await {
        wire.refuse(ConnectReturnCode::ServiceUnavailable).await;
    }
}
