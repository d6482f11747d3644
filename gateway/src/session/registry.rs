//! Who is connected: one connection for each principal, the newest wins.
//!
//! Must not know how a connection is served, only how to tell it to end.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::Principal;
use crate::events::{ConnectionId, DisconnectReason};

/// Who is connected.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    seats: Mutex<HashMap<Principal, Taken>>,
    revocations: AtomicU64,
}

#[derive(Debug)]
struct Taken {
    connection: ConnectionId,
    /// Used up when the connection has been told to end.
    end: Option<oneshot::Sender<DisconnectReason>>,
    /// Resolves when the connection has ended and all has been told of it.
    gone: oneshot::Receiver<Infallible>,
}

/// A connection's place; free again when dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    registry: Arc<Registry>,
    principal: Principal,
    connection: ConnectionId,
    ended: oneshot::Receiver<DisconnectReason>,
    predecessor: Option<oneshot::Receiver<Infallible>>,
    /// Dropped with the seat: that is the message.
    _gone: oneshot::Sender<Infallible>,
}

impl Registry {
    /// Takes the principal's seat. Whoever has it is told to end: wait for [`Seat::predecessor_gone`].
    pub(crate) fn take(self: &Arc<Self>, principal: Principal, connection: ConnectionId) -> Seat {
        let (end, ended) = oneshot::channel();
        let (keep, gone) = oneshot::channel();
        let replaced = self.lock().insert(principal, Taken { connection, end: Some(end), gone });
        let predecessor = replaced.map(|Taken { end, gone, .. }| {
            if let Some(end) = end {
                // An error: it is ending already.
                let _ = end.send(DisconnectReason::Replaced);
            }
            gone
        });
        Seat { registry: Arc::clone(self), principal, connection, ended, predecessor, _gone: keep }
    }

    /// Tells the connection of `principal` to end. False if there is none.
    pub(crate) fn revoke(&self, principal: &Principal) -> bool {
        self.revocations.fetch_add(1, Ordering::SeqCst);
        let end = self.lock().get_mut(principal).and_then(|taken| taken.end.take());
        end.is_some_and(|end| end.send(DisconnectReason::Revoked).is_ok())
    }

    /// How often [`Registry::revoke`] was called.
    pub(crate) fn revocations(&self) -> u64 {
        self.revocations.load(Ordering::SeqCst)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Principal, Taken>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Returns when the connection that had this seat before has ended.
    pub(crate) async fn predecessor_gone(&mut self) {
        if let Some(gone) = self.predecessor.as_mut() {
            let _ = gone.await;
            self.predecessor = None;
        }
    }

    /// Returns when this connection is to end. Don't call it again after that.
    pub(crate) async fn ended(&mut self) -> DisconnectReason {
        // An error can't be: the sender is used before it is dropped.
        (&mut self.ended).await.unwrap_or(DisconnectReason::Replaced)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Entry::Occupied(entry) = self.registry.lock().entry(self.principal)
            && entry.get().connection == self.connection
        {
            entry.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stardust_protocol::{PrinterId, Timestamp, WorkspaceId};

    fn principal() -> Principal {
        let now = Timestamp::from_millis(0);
        Principal::Device { workspace: WorkspaceId::generate(now), printer: PrinterId::generate(now) }
    }

    #[tokio::test]
    async fn the_newest_has_the_seat_when_the_one_before_is_gone() {
        let registry = Arc::new(Registry::default());
        let principal = principal();
        let mut first = registry.take(principal, ConnectionId(1));
        first.predecessor_gone().await;
        let mut second = registry.take(principal, ConnectionId(2));
        assert_eq!(first.ended().await, DisconnectReason::Replaced);
        assert!(second.predecessor.as_mut().unwrap().try_recv().is_err());
        drop(first);
        second.predecessor_gone().await;
        // The end of the first has not freed the seat of the second.
        assert!(registry.revoke(&principal));
        assert_eq!(second.ended().await, DisconnectReason::Revoked);
        assert!(!registry.revoke(&principal), "it is told once");
        drop(second);
        assert!(registry.lock().is_empty());
        assert_eq!(registry.revocations(), 2);
    }
}
