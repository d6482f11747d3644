//! Delivering the journal's events to the hub: in order, until acknowledged.
//!
//! Owns: when to post and how much. Must not know: what the events say.

use std::sync::{Arc, Mutex, MutexGuard};

use stardust_protocol::AgentEvent;
use stardust_protocol::limits::MAX_EVENTS_PER_POST;
use tokio::sync::Notify;

use super::client::{HubClient, HubError};
use crate::journal::{Journal, Record};

/// The journal, as the tasks of one printer share it.
#[derive(Debug, Clone)]
pub struct SharedJournal {
    journal: Arc<Mutex<Journal>>,
    changed: Arc<Notify>,
}

impl SharedJournal {
    /// Shares a journal.
    #[must_use]
    pub fn new(journal: Journal) -> Self {
        Self { journal: Arc::new(Mutex::new(journal)), changed: Arc::new(Notify::new()) }
    }

    /// The journal. Hold it for a moment only.
    pub fn lock(&self) -> MutexGuard<'_, Journal> {
        // Whoever panicked with it has left it whole.
        self.journal.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// There is something to deliver, or a good moment for it.
    pub fn notify(&self) {
        self.changed.notify_one();
    }

    /// What comes next; nothing before the hub has said which numbers it knows.
    fn batch(&self) -> Vec<AgentEvent> {
        let journal = self.lock();
        if !journal.is_counted() {
            return Vec::new();
        }
        journal.state().outbox.iter().take(MAX_EVENTS_PER_POST).cloned().collect()
    }

    /// Whether the hub knows everything.
    #[must_use]
    pub fn is_delivered(&self) -> bool {
        self.lock().state().outbox.is_empty()
    }
}

/// Delivers for ever, and calls `all_delivered` whenever the hub has learned everything; ends only when the
/// credential was revoked.
pub async fn deliver(hub: HubClient, journal: SharedJournal, all_delivered: impl Fn()) -> HubError {
    let mut back_off = hub.back_off();
    loop {
        let batch = journal.batch();
        if batch.is_empty() {
            journal.changed.notified().await;
            continue;
        }
        match hub.events(batch).await {
            Ok(response) => {
                back_off.reset();
                let seq = response.acknowledged_seq;
                // Where it can't be written, the next process delivers again what the hub knows: that changes nothing.
                journal.lock().keep(&[Record::Acknowledged { seq }]);
                if journal.is_delivered() {
                    all_delivered();
                }
            }
            Err(HubError::Revoked) => return HubError::Revoked,
            Err(error) => {
                tracing::warn!(error = %error, "events not delivered yet");
                tokio::select! {
                    () = tokio::time::sleep(back_off.next_wait()) => {}
                    // A new event, or the hub was reached by another way.
                    () = journal.changed.notified() => {}
                }
            }
        }
    }
}
