//! How long a printer is waited for that has to be seen safe before the process leaves it.
//!
//! Owns: that it counts from the printer's last sign of life, for one that has just spoken is not silent, whatever its connection is
//! at, and that a cable that is out for a moment is not the end of it. Must not know: what is waited for, and what is said in the
//! end.

use std::time::Duration;

use tokio::time::Instant;

use super::view::PortView;
use crate::serial::Thermometer;

/// How long a process that is asked to end waits for a printer that does not answer, and for a port that is not there: after a
/// disturbance on its cable it comes back within seconds, with a printer that is as hot as before.
pub const END_SILENT: Duration = Duration::from_secs(10);
/// And for one that answers: it may heat, and nothing but the end of that gets its ear.
const END_ALIVE: Duration = Duration::from_secs(15 * 60);

/// A wait for a printer.
#[derive(Debug)]
pub struct Patience {
    silent: Duration,
    alive: Duration,
    began: Instant,
    heard: Instant,
    /// Its port is not there.
    is_gone: bool,
    thermometer: Option<Thermometer>,
}

impl Patience {
    /// It begins now: so long for a printer that is silent, or whose port is not there; so long in all for one that answers.
    #[must_use]
    pub fn new(silent: Duration, alive: Duration) -> Self {
        let now = Instant::now();
        Self { silent, alive, began: now, heard: now, is_gone: false, thermometer: None }
    }

    /// That of a process that is asked to end, from now on.
    #[must_use]
    pub fn at_the_end() -> Self {
        Self::new(END_SILENT, END_ALIVE)
    }

    /// How much is left of it, the printer being like this now.
    pub fn left(&mut self, view: &PortView) -> Duration {
        let now = Instant::now();
        // One that is greeted in the middle of a wait for heat answers nothing before that is over, and tells how warm it is.
        let is_news = self.thermometer.as_ref().is_some_and(|known| *known != view.thermometer);
        self.thermometer = Some(view.thermometer.clone());
        let was_gone = std::mem::replace(&mut self.is_gone, view.port_error.is_some());
        // One that is back is greeted first.
        if view.answers() || !self.is_gone && (was_gone || is_news) {
            self.heard = now;
        }
        (self.heard + self.silent).min(self.began + self.alive).saturating_duration_since(now)
    }

    /// Since it began.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serial::reply::Heat;

    #[tokio::test(start_paused = true)]
    async fn one_that_tells_how_warm_it_is_and_no_more_is_waited_for_as_one_that_answers() {
        let second = Duration::from_secs(1);
        let mut patience = Patience::new(second * 10, second * 100);
        let mut view = PortView::closed();
        for warmth in 0..99 {
            view.thermometer.bed = Some(Heat { actual: Some(f64::from(warmth)), target: Some(100.0) });
            assert!(!patience.left(&view).is_zero(), "{warmth}");
            tokio::time::sleep(second).await;
        }
        let mut patience = Patience::new(second * 10, second * 100);
        patience.left(&view);
        tokio::time::sleep(second * 10).await;
        assert!(patience.left(&view).is_zero(), "it says nothing new");
    }

    /// Out for less than that again and again: that ends too.
    #[tokio::test(start_paused = true)]
    async fn one_whose_port_comes_back_is_waited_for_anew() {
        let second = Duration::from_secs(1);
        let mut patience = Patience::new(second * 10, second * 40);
        let silent = PortView::closed();
        let closed = PortView { port_error: Some("There is no port".into()), ..PortView::closed() };
        let mut left = Vec::new();
        for at in 0..5 {
            left.push(patience.left(&closed).as_secs());
            tokio::time::sleep(second * 9).await;
            left.push(patience.left(&if at == 4 { closed.clone() } else { silent.clone() }).as_secs());
        }
        assert_eq!(left, [10, 10, 10, 10, 10, 10, 10, 4, 4, 0]);
    }
}
