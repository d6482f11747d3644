//! Stops at once of a printer that can't be driven: from whoever hears of them to whoever has its port, and what came of them back.
//!
//! Owns: that each is carried out once, stays wanted until the port has said how far it came or it is too late, and is not tried again
//! at once where that was in vain. Must not know: the hub's wire, how a port is found and driven.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use stardust_protocol::{CommandId, StopReport, Timestamp};
use tokio::sync::watch;
use tokio::time::Instant;

use super::stops::Stops;
use crate::port::{Reach, STOP_KEPT};

/// One that could not be given to a port is tried again after this: a system without descriptors does not have one at once.
const AGAIN: Duration = Duration::from_secs(2);
/// The thread of a port has given up a stop that it keeps by then, if it still turns.
const TOO_LATE: Duration = STOP_KEPT.saturating_add(Duration::from_secs(10));
/// So many that were answered are known.
const MOST_ANSWERED: usize = 16;

/// One printer's.
#[derive(Debug, Clone, Default)]
pub struct StopDesk(Arc<watch::Sender<Standing>>);

#[derive(Debug, Default)]
struct Standing {
    stops: Stops,
    /// Those that were answered, the latest last: each is repeated until the hub has heard of that.
    answered: VecDeque<CommandId>,
    /// The hub's time, and when it was that.
    hub_time: Option<(Timestamp, Instant)>,
    /// Since when the latest one is wanted.
    since: Option<Instant>,
    /// A port has it to carry out.
    is_taken: bool,
    /// It was tried in vain: not again before this.
    again_at: Option<Instant>,
    /// What the printer is at has to be ended by commands.
    wants_follow_up: bool,
    /// All was read back as off behind it.
    has_settled: bool,
}

impl Standing {
    fn waits_for_a_port(&self) -> bool {
        !self.is_taken && self.stops.is_on_its_way()
    }

    fn hub_now(&self) -> Timestamp {
        let at = |(hub, then): (Timestamp, Instant)| {
            hub.plus_millis(i64::try_from(then.elapsed().as_millis()).unwrap_or(0))
        };
        self.hub_time.map_or(Timestamp::from_millis(0), at)
    }
}

impl StopDesk {
    /// The hub wants it; it says so again and again. `at`: the hub's time then.
    pub fn ask(&self, id: CommandId, at: Timestamp) {
        self.0.send_if_modified(|standing| {
            standing.hub_time = Some((at, Instant::now()));
            let is_new = !standing.answered.contains(&id) && standing.stops.ask(id, at);
            if is_new {
                (standing.is_taken, standing.again_at, standing.has_settled) = (false, None, false);
                standing.since = Some(Instant::now());
            }
            is_new
        });
    }

    /// Whether one waits for whoever has the port.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.0.borrow().waits_for_a_port()
    }

    /// Until one waits, and was not tried in vain just now.
    pub async fn wanted(&self) {
        let mut news = self.0.subscribe();
        loop {
            // The desk itself keeps it open.
            let again_at = match news.wait_for(Standing::waits_for_a_port).await {
                Ok(standing) => standing.again_at,
                Err(_) => None,
            };
            match again_at {
                Some(at) if at > Instant::now() => tokio::select! {
                    () = tokio::time::sleep_until(at) => {}
                    _ = news.changed() => {}
                },
                _ => return,
            }
        }
    }

    /// Whoever has the port takes it; whether there was one.
    pub fn take(&self) -> bool {
        let mut was_wanted = false;
        self.0.send_if_modified(|standing| {
            was_wanted = standing.waits_for_a_port();
            standing.is_taken |= was_wanted;
            false
        });
        was_wanted
    }

    /// The port could not be had, or was left before it was sent: it is still wanted, a moment later, and people hear that it waits.
    pub fn in_vain(&self) {
        self.0.send_if_modified(|standing| {
            standing.is_taken = false;
            standing.again_at = Some(Instant::now() + AGAIN);
            standing.stops.is_on_its_way()
        });
        if self.is_wanted() {
            self.reached(Reach::Waits);
        }
    }

    /// One that has waited for too long is given up; whether there was one.
    pub fn give_up_if_late(&self) -> bool {
        let is_late = {
            let standing = self.0.borrow();
            let is_old = standing.since.is_some_and(|since| since.elapsed() >= TOO_LATE);
            is_old && standing.stops.is_on_its_way()
        };
        if is_late {
            self.reached(Reach::GaveUp);
        }
        is_late
    }

    /// Whether there is one of which nothing has come yet, whoever has it.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.0.borrow().stops.is_on_its_way()
    }

    /// Whether the printer has to be brought to rest by commands after a stop: one may be told and go on, or could not be told.
    #[must_use]
    pub fn wants_follow_up(&self) -> bool {
        self.0.borrow().wants_follow_up
    }

    /// It has come so far.
    pub fn reached(&self, reach: Reach) {
        self.0.send_if_modified(|standing| {
            standing.wants_follow_up |= reach != Reach::Waits;
            let before = standing.stops.report();
            let answered = standing.stops.reached(reach, standing.hub_now());
            if let Some((ids, outcome)) = answered {
                tracing::warn!(?reach, ?outcome, "the stop at once was carried out, or can't be");
                standing.answered.extend(ids);
                let too_many = standing.answered.len().saturating_sub(MOST_ANSWERED);
                standing.answered.drain(..too_many);
            }
            standing.stops.report() != before
        });
    }

    /// All was read back as off. While one is under way that may have been before it.
    pub fn settled(&self) {
        self.0.send_if_modified(|standing| {
            let is_behind_all = !standing.stops.is_on_its_way();
            let is_news = is_behind_all && !standing.has_settled;
            standing.has_settled |= is_news;
            standing.wants_follow_up &= !is_behind_all;
            is_news
        });
    }

    /// Whether all was read back as off, behind the last one where there was one.
    #[must_use]
    pub fn has_settled(&self) -> bool {
        self.0.borrow().has_settled
    }

    /// How far the last one has come.
    #[must_use]
    pub fn report(&self) -> Option<StopReport> {
        self.0.borrow().stops.report()
    }

    /// Told at each change.
    #[must_use]
    pub fn news(&self) -> News {
        News(self.0.subscribe())
    }
}

/// What becomes of the stops of a desk.
#[derive(Debug)]
pub struct News(watch::Receiver<Standing>);

impl News {
    /// Until there are some; never, where the desk is gone.
    pub async fn come(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests;
