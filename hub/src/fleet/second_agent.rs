//! A second agent that uses a printer's credential, as people are told of it.
//!
//! Owns: what is said, to it and of it, and for how long. Must not know: who of the two is right.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use stardust_protocol::Timestamp;
use tokio::sync::watch;

use crate::app::App;
use crate::error::Error;

/// How long after its last attempt a second agent is shown.
const SHOWN_FOR: Duration = Duration::from_secs(300);
/// One that tries again and again is not news each time.
const TOLD_EVERY: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// A second agent that was refused a short while ago: its card or its folder is a copy of the first one's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SecondAgent {
    /// The address that it was refused at.
    #[schema(value_type = String)]
    pub address: IpAddr,
    /// When, to the minute.
    pub at: Timestamp,
}

/// The last refusals of one printer. A machine that was just started anew is refused too until its other run counts as
/// silent; that there are two agents is certain only when the one that speaks is heard after a refusal.
#[derive(Debug, Clone, Default)]
pub struct Refusals {
    /// Not yet told, because it may be that.
    latest: Option<SecondAgent>,
    shown: Option<SecondAgent>,
    last: Duration,
    told: Duration,
}

impl Refusals {
    /// One more.
    pub fn add(&mut self, address: IpAddr, (now, at): (Duration, Timestamp)) {
        let is_news = self.shown.as_ref().is_none_or(|shown| shown.address != address)
            || now.saturating_sub(self.told) >= TOLD_EVERY;
        self.last = now;
        if is_news {
            (self.latest, self.told) = (Some(SecondAgent { address, at }), now);
        }
    }

    /// The one that speaks was heard. Returns whether there is something new to tell.
    pub fn speaker_lives(&mut self) -> bool {
        let is_news = self.latest.is_some();
        if is_news {
            self.shown = self.latest.take();
        }
        is_news
    }

    /// Whether the last one is so long ago that it is not shown any more.
    #[must_use]
    pub fn is_over(&self, now: Duration) -> bool {
        self.shown.is_some() && now.saturating_sub(self.last) >= SHOWN_FOR
    }

    /// What people are told.
    #[must_use]
    pub fn shown(&self) -> Option<SecondAgent> {
        self.shown.clone()
    }
}

/// What the second agent is told. Always the same words, so that it says them once and not at every attempt.
#[must_use]
pub fn refusal() -> Error {
    Error::AnotherAgent {
        detail: "Another agent speaks for this printer: it uses the same credential and was heard within the last minute. \
                 If the card or the folder was copied, pair this one anew with a code from the dashboard. If this machine \
                 was just started anew, it takes over by itself when the hub has not heard its other run for a minute."
            .into(),
    }
}

/// Takes away what is over, until `stop` says so.
pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        app.fleet.forget_second_agents(app.clock.elapsed());
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            _ = stop.changed() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn it_is_told_when_it_comes_and_once_a_minute_and_gone_five_minutes_after_the_last() {
        let address = |last| IpAddr::V4(Ipv4Addr::new(192, 0, 2, last));
        let at = |seconds| (Duration::from_secs(seconds), Timestamp::from_millis(seconds as i64 * 1000));
        let mut refusals = Refusals::default();
        let mut told = |from: u8, seconds| {
            refusals.add(address(from), at(seconds));
            refusals.speaker_lives()
        };
        assert!(told(1, 100));
        assert!(!told(1, 159));
        assert!(told(2, 159), "another one");
        assert!(told(2, 219));
        assert!(!told(2, 270));
        let shown = refusals.shown().unwrap();
        assert_eq!((shown.address, shown.at), (address(2), at(219).1));
        assert!(!refusals.is_over(Duration::from_secs(569)));
        assert!(refusals.is_over(Duration::from_secs(570)));
    }

    #[test]
    fn a_machine_that_was_started_anew_is_no_second_agent() {
        let mut refusals = Refusals::default();
        for seconds in [0, 70, 140] {
            let at = (Duration::from_secs(seconds), Timestamp::from_millis(0));
            refusals.add(IpAddr::V4(Ipv4Addr::LOCALHOST), at);
        }
        assert_eq!(refusals.shown(), None, "the other one has not been heard since");
        assert!(!refusals.is_over(Duration::from_secs(9999)), "there is nothing to take away");
    }
}
