//! The accept loop: accepts, counts, hands over. Nothing here waits for a client.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tracing::Instrument;

use crate::connection::{self, Edge};
use crate::events::ConnectionId;

/// Clients above the limits that are told so at the same time; further ones are just closed.
const TURNED_AWAY_AT_ONCE: usize = 64;
/// Pause after a failed accept: it is the process that is out of something (file descriptors).
const AFTER_FAILURE: Duration = Duration::from_millis(100);

pub(crate) async fn accept_until_stopped(listener: TcpListener, edge: Arc<Edge>) {
    let turned_away = Arc::new(Semaphore::new(TURNED_AWAY_AT_ONCE));
    let mut number = 0;
    loop {
        let accepted = tokio::select! {
            () = edge.stopped() => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "could not accept an MQTT connection; trying on");
                tokio::time::sleep(AFTER_FAILURE).await;
                continue;
            }
        };
        // Packets are small and wait for answers.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "no TCP_NODELAY");
        }
        match edge.limits.admit(peer.ip()) {
            Ok(admission) => {
                number += 1;
                let id = ConnectionId(number);
                let span = tracing::info_span!("mqtt", mqtt.connection = number, net.peer = %peer, printer.id = tracing::field::Empty);
                tokio::spawn(connection::serve(Arc::clone(&edge), stream, id, admission).instrument(span));
            }
            Err(full) => {
                tracing::warn!(net.peer = %peer, "MQTT connection turned away: {full}");
                turn_away(&edge, &turned_away, stream);
            }
        }
    }
}

fn turn_away(edge: &Arc<Edge>, turned_away: &Arc<Semaphore>, stream: TcpStream) {
    if let Ok(permit) = Arc::clone(turned_away).try_acquire_owned() {
        let edge = Arc::clone(edge);
        tokio::spawn(async move {
            connection::turn_away(&edge, stream).await;
            drop(permit);
        });
    }
}
