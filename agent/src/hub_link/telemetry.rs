//! Delivering samples of prints to the hub.
//!
//! Owns: when to post and how much. Must not know: what the samples say.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stardust_clock::SharedClock;
use stardust_protocol::limits::MAX_SAMPLES_PER_POST;
use tokio::sync::Notify;

use super::client::{HubClient, HubError};
use super::events::SharedJournal;
use crate::telemetry::Series;

/// Between attempts: nobody waits for them, and whoever reaches the hub first says so.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// The samples, as the tasks of one printer share them.
#[derive(Debug, Clone)]
pub struct SharedSeries {
    series: Arc<Mutex<Series>>,
    ripe: Arc<Notify>,
    reached: Arc<Notify>,
}

impl SharedSeries {
    /// Shares a series.
    #[must_use]
    pub fn new(series: Series) -> Self {
        Self { series: Arc::new(Mutex::new(series)), ripe: Arc::default(), reached: Arc::default() }
    }

    /// The series. Hold it for a moment only.
    pub fn lock(&self) -> MutexGuard<'_, Series> {
        // Whoever panicked with it has left it whole.
        self.series.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It is time for a call.
    pub fn deliver_now(&self) {
        self.ripe.notify_one();
    }

    /// The hub was reached by another way: no need to wait any longer.
    pub fn hub_is_reached(&self) {
        self.reached.notify_one();
        self.ripe.notify_one();
    }
}

/// Delivers for ever; ends only when the credential was revoked.
pub async fn deliver(hub: HubClient, series: SharedSeries, journal: SharedJournal, clock: SharedClock) {
    let mut back_off = hub.back_off().up_to(LONGEST_WAIT);
    // A hub that is older than its agent refuses every one: said once.
    let mut was_told = false;
    loop {
        series.ripe.notified().await;
        // By the hub's time: before it is known nothing can be said.
        while let Some(hub_time) = journal.hub_time() {
            let samples = series.lock().oldest(MAX_SAMPLES_PER_POST, &hub_time, clock.elapsed());
            if samples.is_empty() {
                break;
            }
            let numbers: Vec<u64> = samples.iter().map(|sample| sample.number).collect();
            match hub.telemetry(samples).await {
                Ok(_) => {
                    back_off.reset();
                    was_told = false;
                    series.lock().delivered(&numbers);
                }
                Err(HubError::Revoked) => return,
                Err(error) if error.is_for_good() => {
                    if !std::mem::replace(&mut was_told, true) {
                        tracing::warn!(error = %error, "telemetry is refused and dropped: the hub's charts of prints stay empty");
                    }
                    series.lock().delivered(&numbers);
                }
                Err(error) => {
                    tracing::debug!(error = %error, "telemetry not delivered yet");
                    tokio::select! {
                        () = tokio::time::sleep(back_off.next_wait()) => {}
                        () = series.reached.notified() => {}
                    }
                }
            }
        }
    }
}
