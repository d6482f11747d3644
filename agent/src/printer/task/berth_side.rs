//! What is hot where a printer's journal does not say so, or not here: left by a print with no hub, or at another port than its
//! settings name by now.
//!
//! Owns: when another port is driven, and that nothing is called settled that was not read back where it is owed. Must not know:
//! how a port is found ([`crate::printer::berth`]).

use std::time::Duration;

use super::disk_wait::FromDisk;
use super::{DISK_AGAIN, Printer};
use crate::folder_lock::FolderLock;
use crate::port::Order;
use crate::printer::berth::{self, HotElsewhere, Why};
use crate::printer::by_hand;
use crate::printer::folder::PrinterFolder;
use crate::serial::Safety;

/// A port that is not open for so long is one that is not there.
const GONE_AFTER: Duration = Duration::from_secs(30);

impl Printer {
    /// What may be hot at a port that is not there, as long as nothing else is owed.
    pub(super) fn hot_elsewhere(&self) -> Option<&HotElsewhere> {
        let hot = self.berth.hot_elsewhere()?;
        let journal = self.journal.lock();
        let is_owed =
            journal.state().heat.as_ref().is_some_and(|owed| owed.port.as_deref() == Some(hot.port()));
        is_owed.then_some(hot)
    }

    /// Whether this task has to end, because another port is the one to be driven.
    pub(super) fn has_to_move(&self) -> bool {
        // What is settled in memory alone the next task would take for owed.
        let is_free = self.life.claim().is_none() && !self.preheats.is_at_hand() && self.journal.is_written();
        let is_gone = self.berth.closed_since.is_some_and(|since| self.clock.elapsed() >= since + GONE_AFTER);
        is_free
            && match self.berth.why {
                Why::Settings => self.berth.is_given_up && !self.owes_heat(),
                Why::Hot => !self.owes_heat() || is_gone,
                Why::HotElsewhere(_) => self.berth.old_port_is_back && self.hot_elsewhere().is_some(),
            }
    }

    /// Finds out, now and then, whether what is owed elsewhere can be looked after by now.
    pub(super) fn look_after_ports(&mut self) {
        let now = self.clock.elapsed();
        let is_closed = self.port.view.borrow().port_error.is_some();
        self.berth.closed_since = is_closed.then(|| self.berth.closed_since.unwrap_or(now));
        if self.berth.is_being_looked_for || now < self.berth.looked_at + DISK_AGAIN {
            return;
        }
        let Some(hot) = self.hot_elsewhere().cloned() else { return };
        (self.berth.looked_at, self.berth.is_being_looked_for) = (now, true);
        let folder = self.folder.clone();
        self.calls.ask_disk(move || Some(FromDisk::OldPort(hot.is_back(&folder))));
    }

    /// The answer.
    pub(super) fn on_old_port(&mut self, is_back: bool) {
        (self.berth.is_being_looked_for, self.berth.old_port_is_back) = (false, is_back);
    }

    /// Finds out whether this printer has to give its port up.
    pub(super) fn look_for_later_pairing(&self) {
        let (folder, config, plan) = (self.folder.clone(), self.config.clone(), self.berth.plan.clone());
        self.calls
            .ask_disk(move || berth::paired_later(&folder, &config, &plan).map(|_| FromDisk::PairedLater));
    }

    /// The printer can be asked: has somebody heated it who is gone?
    pub(super) fn look_for_print_by_hand(&self) {
        let (folder, plan) = (self.folder.clone(), self.berth.plan.clone());
        self.calls.ask_disk(move || {
            let left = by_hand::left_hot_at(&folder, &plan);
            (!left.is_empty()).then_some(FromDisk::LeftByHand(left))
        });
    }

    /// Somebody has.
    pub(super) fn on_left_by_hand(&mut self, prints: Vec<PrinterFolder>) {
        self.left_by_hand = prints;
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
        for print in std::mem::take(&mut self.left_by_hand) {
            self.calls.ask_disk(move || {
                // Another print may have begun there on a slow disk: what it owes is its own.
                let _held = FolderLock::take_if_free(print.path())?;
                if let Err(error) = by_hand::forget(&print) {
                    tracing::warn!(error = %error, "what a print has left behind could not be removed");
                }
                None
            });
        }
    }

    /// What people are told of another port.
    pub(super) fn other_port_in_words(&self) -> Option<String> {
        if let Some(hot) = self.hot_elsewhere() {
            return Some(format!(
                "The printer may have been left hot at {}, which is not there any more: look after it.",
                hot.port().display()
            ));
        }
        let (now, next) = (self.berth.plan.path.display(), self.config.port.display());
        (self.berth.why == Why::Hot).then(|| {
            format!(
                "Its new port {next} counts as soon as the printer at {now} has nothing to do and is off."
            )
        })
    }
}
