//! How long a printer is waited for that has to be seen safe before the process leaves it.
//!
//! Owns: that it counts from the printer's last sign of life, for one that has just spoken is not silent, whatever its connection is
//! at. Must not know: what is waited for, and what is said in the end.

use std::time::Duration;

use tokio::time::Instant;

use super::view::PortView;
use crate::serial::Thermometer;

/// A wait for a printer.
#[derive(Debug)]
pub struct Patience {
    silent: Duration,
    alive: Duration,
    began: Instant,
    heard: Instant,
    thermometer: Option<Thermometer>,
}

impl Patience {
    /// It begins now: so long for a printer that is silent, so long in all for one that is not.
    #[must_use]
    pub fn new(silent: Duration, alive: Duration) -> Self {
        let now = Instant::now();
        Self { silent, alive, began: now, heard: now, thermometer: None }
    }

    /// How much is left of it, the printer being like this now.
    pub fn left(&mut self, view: &PortView) -> Duration {
        let now = Instant::now();
        // One that is greeted in the middle of a wait for heat answers nothing before that is over, and tells how warm it is.
        let is_news = self.thermometer.as_ref().is_some_and(|known| *known != view.thermometer);
        self.thermometer = Some(view.thermometer.clone());
        if view.answers() || is_news && view.port_error.is_none() {
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
}
