//! What is hot where a printer's journal does not say so, or not here: left by a print with no hub, or at another port than its
//! settings name by now.
//!
//! Owns: when another port is driven, and that nothing is called settled that was not read back where it is owed. Must not know:
//! how a port is found ([`crate::printer::berth`]).

use std::path::PathBuf;
use std::time::Duration;

use super::disk_wait::FromDisk;
use super::{DISK_AGAIN, Printer};
use crate::port::Order;
use crate::printer::Left;
use crate::printer::berth::{self, HotElsewhere, Why};
use crate::printer::by_hand::{self, LeftByHand};
use crate::serial::Safety;

/// A port that is not open for so long is one that is not there.
const GONE_AFTER: Duration = Duration::from_secs(30);
/// What could not be read back as off by then waits for what is hot at another port.
const IN_VAIN_AFTER: Duration = Duration::from_secs(40);

/// What prints with no hub have left at this printer.
#[derive(Debug, Default)]
pub(super) struct ByHand {
    /// Those that may have left it hot.
    pub(super) prints: Vec<LeftByHand>,
    /// What was read back as off. One that can't be crossed out counts once for each process: a person may heat the printer at its
    /// panel afterwards, and it would take no job for ever.
    settled: Vec<LeftByHand>,
    /// Whether there are any is being found out.
    is_looked_for: bool,
}

impl ByHand {
    /// Nothing has to be turned off before a job may begin.
    pub(super) fn is_known_to_be_cold(&self) -> bool {
        self.prints.is_empty() && !self.is_looked_for
    }
}

impl Printer {
    /// A port that is not driven, at which something may be hot.
    pub(super) fn hot_elsewhere(&self) -> Option<HotElsewhere> {
        let journal = self.journal.lock();
        self.berth.elsewhere(&journal.state().heat).next().cloned()
    }

    /// Whether this task has to end, because another port is the one to be driven.
    pub(super) fn has_to_move(&self) -> bool {
        // What is settled in memory alone the next task would take for owed.
        // One that waits for a person is at no work, and is found again by the next task.
        let is_idle = self.life.claim().is_none() || self.interrupted.is_some();
        let is_free = is_idle && !self.preheats.is_at_hand() && self.journal.is_written();
        is_free
            && match self.berth.why {
                Why::Settings if self.owes_heat() => self.is_hot_in_reach() && self.is_in_vain(),
                Why::Settings => self.berth.is_given_up || self.is_hot_in_reach(),
                Why::Hot => {
                    !self.owes_heat() || self.port_is_gone() || self.is_hot_in_reach() && self.is_in_vain()
                }
            }
    }

    /// Whether something may be hot at a port that could be driven instead.
    fn is_hot_in_reach(&self) -> bool {
        let journal = self.journal.lock();
        self.berth.elsewhere(&journal.state().heat).any(HotElsewhere::is_reachable)
    }

    /// Whether what is owed here can't be settled: its port is closed, its firmware has stopped, a heater stays on.
    fn is_in_vain(&self) -> bool {
        let now = self.clock.elapsed();
        self.port_is_gone() || self.berth.owing_since.is_some_and(|since| now >= since + IN_VAIN_AFTER)
    }

    /// Whether it has not been open for a while.
    fn port_is_gone(&self) -> bool {
        self.berth.closed_since.is_some_and(|since| self.clock.elapsed() >= since + GONE_AFTER)
    }

    /// The end of this task.
    pub(super) async fn leave(mut self, is_stopped: bool) -> Left {
        if self.has_to_give_way() && !is_stopped {
            self.give_way().await;
            return Left::AsItIs;
        }
        if let Some(port) = self.port_given_up().filter(|_| !is_stopped) {
            self.come_to_rest().await;
            return Left::PortGivenUp(port);
        }
        self.wind_up().await;
        Left::Safe
    }

    /// The port that is left although something may be hot there, if that is why this task ends.
    fn port_given_up(&self) -> Option<PathBuf> {
        self.owes_heat().then(|| self.berth.plan.path.clone())
    }

    /// Finds out, now and then, whether what is owed elsewhere can be looked after by now.
    pub(super) fn look_after_ports(&mut self) {
        let now = self.clock.elapsed();
        let is_closed = self.port.view.borrow().port_error.is_some();
        self.berth.closed_since = is_closed.then(|| self.berth.closed_since.unwrap_or(now));
        let is_owing = self.owes_heat() && self.life.claim().is_none() && !self.keeps_heat();
        self.berth.owing_since = is_owing.then(|| self.berth.owing_since.unwrap_or(now));
        if self.berth.is_being_looked_for || now < self.berth.looked_at + DISK_AGAIN {
            return;
        }
        let hot: Vec<HotElsewhere> = {
            let journal = self.journal.lock();
            self.berth.elsewhere(&journal.state().heat).cloned().collect()
        };
        if hot.is_empty() {
            return;
        }
        (self.berth.looked_at, self.berth.is_being_looked_for) = (now, true);
        let folder = self.folder.clone();
        self.calls.ask_disk(move || {
            let look = |hot: HotElsewhere| (hot.port().to_owned(), hot.is_back(&folder));
            Some(FromDisk::OldPorts(hot.into_iter().map(look).collect()))
        });
    }

    /// The answer: each, and whether it is there.
    pub(super) fn on_old_ports(&mut self, looked_for: Vec<(PathBuf, bool)>) {
        self.berth.is_being_looked_for = false;
        let now = self.clock.elapsed();
        looked_for.iter().for_each(|(port, is_there)| self.berth.looked_for(now, port, *is_there));
    }

    /// Finds out whether this printer has to give its port up.
    pub(super) fn look_for_later_pairing(&self) {
        let (folder, config, plan) = (self.folder.clone(), self.config.clone(), self.berth.plan.clone());
        self.calls
            .ask_disk(move || berth::paired_later(&folder, &config, &plan).map(|_| FromDisk::PairedLater));
    }

    /// The printer can be asked: has somebody heated it who is gone?
    pub(super) fn look_for_print_by_hand(&mut self) {
        self.by_hand.is_looked_for = true;
        let (folder, plan) = (self.folder.clone(), self.berth.plan.clone());
        self.calls.ask_disk(move || Some(FromDisk::LeftByHand(by_hand::left_at(&folder, &plan))));
    }

    /// The answer.
    pub(super) fn on_left_by_hand(&mut self, mut prints: Vec<LeftByHand>) {
        self.by_hand.is_looked_for = false;
        prints.retain(|print| !self.by_hand.settled.contains(print));
        if prints.is_empty() {
            // It had to wait for this: a job that is begun while something is turned off would be lost.
            return self.look_for_work();
        }
        for print in &prints {
            self.port.order(Order::Name(print.heaters().clone()));
        }
        self.by_hand.prints = prints;
        // A job has heaters of its own, and turns all of them off in the end.
        if !self.life.is_running() {
            tracing::warn!("a print with no hub may have left the printer hot: its heaters are turned off");
            // A part that may be gone on with stays where it is.
            let safety = if self.life.is_cut_off() { Safety::InPlace } else { Safety::AllOff };
            self.port.order(Order::MakeSafe(safety));
        }
    }

    /// All was read back as off: nothing is left of it.
    pub(super) fn settle_by_hand(&mut self) {
        let prints = std::mem::take(&mut self.by_hand.prints);
        self.by_hand.settled.clone_from(&prints);
        for print in prints {
            self.calls.ask_disk(move || {
                if let Err(error) = print.forget() {
                    tracing::warn!(error = %error, "what a print has left behind could not be removed");
                }
                None
            });
        }
    }

    /// What people are told of another port.
    pub(super) fn other_port_in_words(&self) -> Option<String> {
        if let Some(hot) = self.hot_elsewhere() {
            let port = hot.port().display();
            let what = if hot.is_reachable() {
                "which is looked after next"
            } else {
                "which is not there or can't be opened: look after it"
            };
            return Some(format!("The printer may have been left hot at {port}, {what}."));
        }
        let (now, next) = (self.berth.plan.path.display(), self.config.port.display());
        (self.berth.why == Why::Hot).then(|| {
            format!(
                "Its new port {next} counts as soon as the printer at {now} has nothing to do and is off."
            )
        })
    }
}
