//! Heat, in a printer's task: what may be hot is remembered over restarts, and the agent does not leave it behind.
//!
//! Owns: when a debt is written down and crossed out, and how long a stop of the agent waits for it. Must not know: how the
//! heaters are turned off ([`crate::serial::heat`]).

use std::time::Duration;

use tokio::time::Instant;

use super::Printer;
use crate::journal::{HeatOwed, Record};
use crate::port::{END_SILENT, Order, Patience};
use crate::serial::{End, Heaters, Safety};
use crate::systemd;

/// The service manager is asked for more time this often, for three times as long.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long the hub is waited for in the end.
const DELIVERY_PATIENCE: Duration = Duration::from_secs(2);

impl Printer {
    /// The agent has started: what an earlier process may have left hot is turned off, unless its job goes on.
    pub(super) fn take_up_heat(&mut self) {
        // A job of which nothing was sent yet begins behind this.
        // One that was heated elsewhere may be at this port now.
        let may_be_hot = self.owes_heat() || self.hot_elsewhere().is_some();
        // Also what is owed at another port: one that was heated there may be at this one now.
        let mut heaters = Heaters::default();
        self.journal.lock().state().heat.iter().for_each(|owed| heaters.add(&owed.heaters));
        if may_be_hot {
            self.port.order(Order::Name(heaters));
        }
        if !may_be_hot || self.life.is_running() {
            return;
        }
        tracing::warn!("the printer may have been left hot: its heaters are turned off");
        let was_stopped = self.owed_here().iter().any(|owed| owed.stopped);
        let safe = if was_stopped { Order::FollowStopUp } else { Order::MakeSafe(self.safety_owed()) };
        self.port.order(safe);
    }

    /// How what is owed is turned off: a part that may be gone on with stays where it is, and no person's preheat moves anything.
    pub(super) fn safety_owed(&self) -> Safety {
        let in_place = self.owed_here().iter().any(|owed| owed.in_place);
        if in_place || self.life.is_cut_off() { Safety::InPlace } else { Safety::AllOff }
    }

    /// All targets were read back as 0, with no job at work.
    pub(super) fn on_heat_settled(&mut self) {
        // A job may have begun since it was said, or a preheat: what was written down for that is not what was settled.
        let begins_another = self.life.is_running() || self.preheats.is_at_hand();
        // And before a stop at once was at the port: behind that it is read back anew.
        if begins_another || self.stops.is_on_its_way() {
            return;
        }
        let settled: Vec<Record> = self.owed_here().iter().map(HeatOwed::settled).collect();
        if !settled.is_empty() {
            self.journal.lock().keep(&settled);
        }
        self.settle_by_hand();
    }

    /// The printer is told to stop at once: nobody knows what is hot from now on, and whether it goes on.
    pub(super) fn owe_for_stop(&mut self) {
        if !self.owed_here().iter().any(|owed| owed.stopped) {
            let heaters = Heaters::unknown();
            let owed = HeatOwed { stopped: true, heaters, ..self.heat_owed(true) };
            self.journal.lock().keep(&[owed.into()]);
        }
    }

    /// What may be hot at the port that is driven, as the journal says.
    pub(super) fn owed_here(&self) -> Vec<HeatOwed> {
        let journal = self.journal.lock();
        journal.state().heat.iter().filter(|owed| self.berth.is_here(owed)).cloned().collect()
    }

    /// Whether something may be hot that this printer's port can tell of.
    pub(super) fn owes_heat(&self) -> bool {
        let is_owed_here = self.journal.lock().state().heat.iter().any(|owed| self.berth.is_here(owed));
        is_owed_here || !self.by_hand.prints.is_empty()
    }

    /// The agent stops: what is being printed is stopped with it, the heaters are turned off and read back, and the hub is
    /// told if it can be. What could not be turned off stays written down for the next process.
    pub(super) async fn wind_up(mut self) {
        self.is_ending = true;
        self.begin_nothing_more().await;
        if self.life.is_running() {
            let reason = "The agent was stopped in mid-print (by its service or by hand). The heaters were turned \
                          off; clear the bed and print the job again.";
            self.port.order(Order::Stop(End::Failed(reason.into())));
        } else if self.owes_heat() && self.keeps_heat() {
            // Nobody would turn it off when its time is over.
            self.port.order(Order::MakeSafe(Safety::InPlace));
        }
        let mut patience = Patience::at_the_end();
        let (mut said_busy, mut said_gone) = (false, false);
        while self.life.is_running() || self.owes_heat() {
            let (left, is_there) = {
                let view = self.port.view.borrow();
                (patience.left(&view), view.port_error.is_none())
            };
            if left.is_zero() {
                tracing::warn!(
                    "stopping, and the heaters could not be read back as off: look after the printer"
                );
                break;
            }
            if !is_there && !std::mem::replace(&mut said_gone, true) {
                tracing::warn!(
                    wait_s = END_SILENT.as_secs(),
                    "stopping, the printer may be hot, and its port is not there: waiting for it a moment"
                );
            }
            if is_there && patience.elapsed() >= END_SILENT && !std::mem::replace(&mut said_busy, true) {
                tracing::warn!(
                    "the printer is busy and can't be interrupted: waiting until its heaters are off"
                );
            }
            systemd::ask_for_time(LOOK_EVERY * 3);
            let until = Instant::now() + LOOK_EVERY.min(left);
            if !self.attend(until).await {
                // The journal says what is owed: the next start sees to it.
                break;
            }
        }
        let until = Instant::now() + DELIVERY_PATIENCE;
        self.telemetry.series.deliver_now();
        while !self.is_all_told() && Instant::now() < until {
            self.attend_a_moment().await;
        }
        self.telemetry.write_last().await;
        self.disk_at_rest().await;
    }

    /// Whether the hub knows everything, also of a stop at once that came in last.
    fn is_all_told(&self) -> bool {
        let is_delivered = self.journal.is_delivered() && self.telemetry.series.lock().is_empty();
        is_delivered && !self.stops.is_on_its_way()
    }
}
