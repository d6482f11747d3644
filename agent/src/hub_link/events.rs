//! Delivering the journal's events to the hub: in order, until acknowledged.
//!
//! Owns: when to post and how much. Must not know: what the events say.

use std::sync::{Arc, Mutex, PoisonError};

use stardust_clock::{Clock, SharedClock};
use stardust_protocol::AgentEvent;
use stardust_protocol::limits::MAX_EVENTS_PER_POST;
use tokio::sync::watch;

use super::client::{HubClient, HubError};
use super::hub_time::HubTime;
use crate::disk::DiskFault;
use crate::disk_work::DiskWork;
use crate::journal::{Journal, JournalAtWork, Locked};

/// The journal, as the tasks of one printer share it.
#[derive(Debug, Clone)]
pub struct SharedJournal {
    journal: JournalAtWork,
    hub_time: Arc<Mutex<Option<HubTime>>>,
}

impl SharedJournal {
    /// Shares a journal, which is written where `disk` says.
    #[must_use]
    pub fn new(journal: Journal, disk: DiskWork) -> Self {
        Self { journal: JournalAtWork::new(journal, disk), hub_time: Arc::default() }
    }

    /// The journal in memory. Hold it for a moment only; what was changed is then written, and nobody waits for it.
    pub fn lock(&self) -> Locked<'_> {
        self.journal.lock()
    }

    /// Why it can't be written, if it can't: told at each change.
    #[must_use]
    pub fn faults(&self) -> watch::Receiver<Option<DiskFault>> {
        self.journal.faults()
    }

    /// There is something to deliver, or a good moment for it.
    pub fn notify(&self) {
        self.journal.changed().notify_one();
    }

    /// The hub was reached: what time it is there, and the last number that it knows.
    pub fn hub_says(&self, time: HubTime, last_event_seq: u64) {
        *self.hub_time.lock().unwrap_or_else(PoisonError::into_inner) = Some(time);
        self.lock().count_on_from(last_event_seq);
        self.notify();
    }

    /// What time it is at the hub, if it has said so.
    #[must_use]
    pub fn hub_time(&self) -> Option<HubTime> {
        *self.hub_time.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What comes next, by the hub's time; nothing before the hub has said which numbers it knows.
    fn batch(&self, clock: &dyn Clock) -> Vec<AgentEvent> {
        let journal = self.lock();
        let Some(hub) = self.hub_time().filter(|_| journal.is_counted()) else { return Vec::new() };
        let (mut events, happened): (Vec<_>, Vec<_>) =
            journal.undelivered(MAX_EVENTS_PER_POST).into_iter().unzip();
        let told = hub.of(&happened, clock.elapsed());
        events.iter_mut().zip(told).for_each(|(event, at): (&mut AgentEvent, _)| event.at = at);
        events
    }

    /// Whether everything is on disk, or can't be.
    #[must_use]
    pub fn is_written(&self) -> bool {
        let journal = self.lock();
        journal.is_written() || journal.fault().is_some()
    }

    /// Whether the hub knows everything.
    #[must_use]
    pub fn is_delivered(&self) -> bool {
        self.lock().state().outbox.is_empty()
    }
}

/// How it goes with the deliveries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The hub has learned everything.
    Done,
    /// It could not be told; it is tried again.
    Failed(String),
}

/// Delivers for ever, and tells how it goes; ends only when the credential was revoked.
pub async fn deliver(
    hub: HubClient,
    journal: SharedJournal,
    clock: SharedClock,
    tell: impl Fn(Delivery),
) -> HubError {
    let mut said = None;
    let mut back_off = hub.back_off();
    loop {
        let batch = journal.batch(&*clock);
        if batch.is_empty() {
            journal.journal.changed().notified().await;
            continue;
        }
        match hub.events(batch).await {
            Ok(response) => {
                back_off.reset();
                said = None;
                journal.lock().acknowledged(response.acknowledged_seq);
                if journal.is_delivered() {
                    tell(Delivery::Done);
                }
            }
            Err(HubError::Revoked) => return HubError::Revoked,
            Err(error) => {
                let error = error.to_string();
                // Once, not at every attempt.
                if said.as_ref() != Some(&error) {
                    tracing::warn!(error, "events not delivered yet");
                    tell(Delivery::Failed(error.clone()));
                    said = Some(error);
                }
                tokio::select! {
                    () = tokio::time::sleep(back_off.next_wait()) => {}
                    // A new event, or the hub was reached by another way.
                    () = journal.journal.changed().notified() => {}
                }
            }
        }
    }
}
