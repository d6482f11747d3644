//! Stops at once of a printer that can't be driven: from whoever hears of them to whoever has its port, and what came of them back.
//!
//! Owns: that each is carried out once, and stays wanted until the port has said how far it came. Must not know: the hub's wire, how a
//! port is found and driven.

use std::sync::Arc;

use stardust_protocol::{CommandId, StopReport, Timestamp};
use tokio::sync::watch;

use super::stops::Stops;
use crate::port::Reach;

/// One printer's.
#[derive(Debug, Clone, Default)]
pub struct StopDesk(Arc<watch::Sender<Standing>>);

#[derive(Debug, Default)]
struct Standing {
    stops: Stops,
    /// The last one that was answered: it is repeated until the hub has heard of that.
    answered: Option<CommandId>,
    /// When the one that waits was asked for.
    asked_at: Option<Timestamp>,
    /// A port has it to carry out.
    is_taken: bool,
    /// Something was sent to the printer.
    was_sent: bool,
}

impl StopDesk {
    /// The hub wants it; it says so again and again.
    pub fn ask(&self, id: CommandId, at: Timestamp) {
        self.0.send_if_modified(|standing| {
            let is_new = standing.answered != Some(id) && standing.stops.ask(id, at);
            if is_new {
                (standing.is_taken, standing.asked_at) = (false, Some(at));
            }
            is_new
        });
    }

    /// Whether one waits for whoever has the port.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        let standing = self.0.borrow();
        !standing.is_taken && standing.stops.is_on_its_way()
    }

    /// Until one waits.
    pub async fn wanted(&self) {
        let is_wanted = |standing: &Standing| !standing.is_taken && standing.stops.is_on_its_way();
        // The desk itself keeps it open.
        let _ = self.0.subscribe().wait_for(is_wanted).await;
    }

    /// Whoever has the port takes it; whether there was one.
    pub fn take(&self) -> bool {
        let mut was_wanted = false;
        self.0.send_if_modified(|standing| {
            was_wanted = !standing.is_taken && standing.stops.is_on_its_way();
            standing.is_taken |= was_wanted;
            false
        });
        was_wanted
    }

    /// The port was left before it was sent: it is still wanted.
    pub fn give_back(&self) {
        self.0.send_if_modified(|standing| {
            std::mem::replace(&mut standing.is_taken, false) && standing.stops.is_on_its_way()
        });
    }

    /// Whether a port has one that it could not send yet.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.0.borrow().stops.is_on_its_way()
    }

    /// Whether the printer was sent one: what it says and does since then is about that.
    #[must_use]
    pub fn was_sent(&self) -> bool {
        self.0.borrow().was_sent
    }

    /// It has come so far.
    pub fn reached(&self, reach: Reach) {
        self.0.send_modify(|standing| {
            standing.was_sent |= matches!(reach, Reach::Sent { .. });
            let at = standing.asked_at.unwrap_or(Timestamp::from_millis(0));
            if let Some((ids, outcome)) = standing.stops.reached(reach, at) {
                tracing::warn!(?reach, ?outcome, "the stop at once was carried out, or can't be");
                standing.answered = ids.last().copied();
            }
        });
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
mod tests {
    use super::*;
    use futures::FutureExt as _;
    use stardust_protocol::StopReach;

    #[test]
    fn a_stop_is_wanted_until_a_port_has_it_and_again_if_that_was_left() {
        let (desk, at) = (StopDesk::default(), Timestamp::from_millis(7));
        let id = CommandId::generate(at);
        let is_wanted = || (desk.is_wanted(), desk.wanted().now_or_never().is_some());
        assert_eq!(is_wanted(), (false, false));
        assert!(!desk.take());
        desk.ask(id, at);
        assert_eq!(is_wanted(), (true, true));
        assert!(desk.take() && !desk.take());
        desk.ask(id, at);
        assert_eq!(is_wanted(), (false, false), "it is being carried out");
        desk.reached(Reach::Waits);
        desk.give_back();
        assert_eq!(is_wanted(), (true, true), "nothing was sent");
        assert!(desk.take() && !desk.was_sent());
        desk.reached(Reach::Sent { on_wire: true, dtr_pulsed: false });
        desk.ask(id, at);
        desk.give_back();
        assert_eq!(is_wanted(), (false, false), "once");
        assert!(desk.was_sent());
        assert_eq!(desk.report(), Some(StopReport { command_id: id, reach: StopReach::Sent, at }));
        desk.ask(CommandId::generate(Timestamp::from_millis(9)), at);
        assert_eq!(is_wanted(), (true, true), "another one");
    }
}
