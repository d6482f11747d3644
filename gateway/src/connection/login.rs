//! From the first byte to a principal: CONNECT, its credential, its will.

use std::time::Duration;

use rumqttd::protocol::{ConnectReturnCode, LastWill, Login as Credential, Packet, Publish};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::Edge;
use crate::events::ConnectionId;
use crate::policy::{self, PacketView, Verdict};
use crate::session::registry::Seat;
use crate::wire::{Wire, WireError};
use crate::{Principal, Refusal, validity};

/// Largest CONNECT, bytes: what a stranger may make us keep.
pub(super) const MAX_CONNECT_BYTES: usize = 16 * 1024;
/// How long a client above the limits gets for its CONNECT.
pub(super) const TURN_AWAY_DEADLINE: Duration = Duration::from_secs(2);

/// A client that may come in.
pub(super) struct Login {
    pub(super) principal: Principal,
    pub(super) will: Option<Publish>,
    /// Longest silence: 1.5 times the client's keep-alive, at most ours.
    pub(super) idle_limit: Duration,
    pub(super) seat: Seat,
}

/// A client that may not.
pub(super) enum NoLogin {
    /// It gets this answer.
    Answer(ConnectReturnCode),
    /// It does not speak MQTT, or not at all.
    Close,
}

pub(super) async fn login<S>(edge: &Edge, wire: &mut Wire<S>, id: ConnectionId) -> Result<Login, NoLogin>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (keep_alive, will, credential) = match timeout(edge.config.connect_deadline, wire.next_packet()).await
    {
        // The client's own name for the session is not looked at: sessions are named by the gateway. Every session is
        // a clean one; the answer says so.
        Ok(Ok(Packet::Connect(connect, _, will, _, credential))) => (connect.keep_alive, will, credential),
        Ok(Err(WireError::Version)) => {
            return Err(NoLogin::Answer(ConnectReturnCode::RefusedProtocolVersion));
        }
        Ok(Ok(_)) => return closed("the first packet was not CONNECT"),
        Ok(Err(error)) => return closed(&error.to_string()),
        Err(_) => return closed("no CONNECT within the deadline"),
    };
    let Some(credential) = credential else {
        return refused(Refusal::Denied);
    };

    let before = edge.registry.revocations();
    let principal = authenticate(edge, &credential).await?;
    let will = match will {
        Some(will) => Some(checked_will(&principal, will)?),
        None => None,
    };
    let mut seat = edge.registry.take(principal, id);
    // Also before a refusal below: whoever comes after this connection waits for this one alone.
    seat.predecessor_gone().await;
    if edge.registry.revocations() != before {
        // A credential was revoked after this one was checked and before it could be found: check again.
        if authenticate(edge, &credential).await? != principal {
            return refused(Refusal::Denied);
        }
    }
    Ok(Login { principal, will, idle_limit: idle_limit(keep_alive, edge.config.idle_limit), seat })
}

async fn authenticate(edge: &Edge, credential: &Credential) -> Result<Principal, NoLogin> {
    let asked = edge.auth.authenticate(&credential.username, credential.password.as_bytes());
    match timeout(edge.config.connect_deadline, asked).await {
        Ok(Ok(principal)) => Ok(principal),
        Ok(Err(refusal)) => refused(refusal),
        Err(_) => refused(Refusal::Unavailable),
    }
}

fn checked_will(principal: &Principal, will: LastWill) -> Result<Publish, NoLogin> {
    let allowed = validity::topic_name(&will.topic).is_ok_and(|topic| {
        let view = PacketView::Publish {
            topic,
            qos: will.qos as u8,
            retain: will.retain,
            payload_len: will.message.len(),
        };
        policy::allow(principal, &view) == Verdict::Allow
    });
    if allowed {
        Ok(Publish::new(will.topic, will.message, false))
    } else {
        tracing::info!(%principal, "login refused: its will is for a topic that it may not publish to");
        Err(NoLogin::Answer(ConnectReturnCode::NotAuthorized))
    }
}

fn idle_limit(keep_alive_s: u16, own: Duration) -> Duration {
    match keep_alive_s {
        0 => own,
        seconds => own.min(Duration::from_secs(u64::from(seconds)) * 3 / 2),
    }
}

fn closed<T>(why: &str) -> Result<T, NoLogin> {
    tracing::debug!("closed before login: {why}");
    Err(NoLogin::Close)
}

fn refused<T>(refusal: Refusal) -> Result<T, NoLogin> {
    tracing::info!("login refused: {refusal}");
    Err(NoLogin::Answer(match refusal {
        Refusal::Malformed => ConnectReturnCode::BadUserNamePassword,
        Refusal::Denied => ConnectReturnCode::NotAuthorized,
        Refusal::Unavailable => ConnectReturnCode::ServiceUnavailable,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::none(0, 600)]
    #[case::shorter(20, 30)]
    #[case::longer(65_535, 600)]
    fn silence_is_bounded(#[case] keep_alive_s: u16, #[case] limit_s: u64) {
        assert_eq!(idle_limit(keep_alive_s, Duration::from_secs(600)), Duration::from_secs(limit_s));
    }
}
