//! When tokens were last used and printers last seen: known here at once, written behind whoever it is noted for.
//!
//! Nobody waits for these rows, and nobody is refused because they can't be written: an emergency stop comes the same way.
//! Owns: the last time of each, a bound, and trying again. Must not know: when a time is worth noting.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stardust_protocol::{PrinterId, Timestamp, TokenId};
use tokio::sync::{Notify, watch};

use crate::accounts::tokens;
use crate::app::App;
use crate::db::{Db, DbError};
use crate::fleet;

/// More than so many of a kind do not wait: what comes on top is not noted.
const MOST: usize = 1000;
/// A database that can't be written is tried again after this.
const AGAIN: Duration = Duration::from_secs(10);
/// In the end it is waited for so long.
const LAST_PATIENCE: Duration = Duration::from_secs(2);

/// What waits to be written.
#[derive(Debug, Default)]
pub struct LastTimes {
    pending: Mutex<Pending>,
    news: Notify,
}

#[derive(Debug, Default, Clone)]
struct Pending {
    tokens: HashMap<TokenId, Timestamp>,
    printers: HashMap<PrinterId, Timestamp>,
}

impl LastTimes {
    /// A token was used.
    pub fn token_used(&self, token: TokenId, at: Timestamp) {
        note(&mut self.lock().tokens, token, at);
        self.news.notify_one();
    }

    /// A printer's agent was in reach.
    pub fn printer_seen(&self, printer: PrinterId, at: Timestamp) {
        note(&mut self.lock().printers, printer, at);
        self.news.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what waits; what can't be written waits on, also when nobody waits for this any more.
    ///
    /// # Errors
    /// The database's.
    pub async fn write(&self, db: &Db) -> Result<(), DbError> {
        let written = self.lock().clone();
        if written.tokens.is_empty() && written.printers.is_empty() {
            return Ok(());
        }
        written.write(db).await?;
        let mut pending = self.lock();
        pending.tokens.retain(|token, at| written.tokens.get(token) != Some(at));
        pending.printers.retain(|printer, at| written.printers.get(printer) != Some(at));
        Ok(())
    }

    /// Writes the last of it, if that can be done soon: the hub is stopping.
    pub async fn write_last(&self, db: &Db) {
        match tokio::time::timeout(LAST_PATIENCE, self.write(db)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "what was last used and seen could not be written"),
            Err(_) => tracing::warn!("what was last used and seen could not be written in time"),
        }
    }
}

impl Pending {
    async fn write(&self, db: &Db) -> Result<(), DbError> {
        let mut tx = db.begin().await?;
        for (token, at) in &self.tokens {
            tokens::used(&mut tx, *token, *at).await?;
        }
        for (printer, at) in &self.printers {
            fleet::store::seen(&mut tx, *printer, *at).await?;
        }
        tx.commit().await
    }
}

fn note<K: Hash + Eq>(times: &mut HashMap<K, Timestamp>, what: K, at: Timestamp) {
    if times.len() < MOST || times.contains_key(&what) {
        let last = times.entry(what).or_insert(at);
        *last = at.max(*last);
    }
}

/// Writes until `stop` says so.
pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let work = async {
        let mut said = false;
        loop {
            app.last_times.news.notified().await;
            while let Err(error) = app.last_times.write(&app.db).await {
                // Once, not at every attempt.
                if !std::mem::replace(&mut said, true) {
                    tracing::warn!(%error, "what was last used and seen can't be written; it is tried again");
                }
                tokio::time::sleep(AGAIN).await;
            }
            said = false;
        }
    };
    tokio::select! {
        () = work => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::testing::now;
    use crate::db::testing::Engine;
    use crate::params;
    use crate::testing::hub;
    use rstest::rstest;

    async fn seen(db: &Db) -> Option<Timestamp> {
        let row = db.query_opt("SELECT last_seen_at FROM printers", params![]).await.unwrap().unwrap();
        row.get("last_seen_at").unwrap()
    }

    #[rstest]
    #[case::sqlite(Engine::Sqlite)]
    #[case::postgres(Engine::Postgres)]
    #[tokio::test]
    async fn the_last_time_is_written_once_it_can_be(#[case] engine: Engine) {
        let hub = hub(engine).await;
        let printer = hub.pair("Ada").await.printer_id;
        let (times, later) = (&hub.app.last_times, now().plus_millis(5));
        let lock = hub.db.lock_writes().await;
        times.printer_seen(printer, now());
        let soon = Duration::from_millis(200);
        assert!(!matches!(tokio::time::timeout(soon, times.write(&hub.app.db)).await, Ok(Ok(()))));
        // Newer, while the older one was tried; and one that comes late.
        times.printer_seen(printer, later);
        times.printer_seen(printer, now());
        lock.release().await;
        times.write(&hub.app.db).await.unwrap();
        assert_eq!(seen(&hub.app.db).await, Some(later));
    }

    #[test]
    fn what_waits_has_a_bound() {
        let times = LastTimes::default();
        let (first, at) = (TokenId::generate(now()), now().plus_millis(1));
        times.token_used(first, now());
        for _ in 0..2 * MOST {
            times.token_used(TokenId::generate(now()), now());
        }
        times.token_used(first, at);
        let tokens = &times.lock().tokens;
        assert_eq!((tokens.len(), tokens[&first]), (MOST, at));
    }
}
