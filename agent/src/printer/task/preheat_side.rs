//! Heat without a job, in a printer's task: what a person asks for from afar, and what is shown of it.
//!
//! Owns: that nothing gets hot before it is written down that it may be, and that whoever asked learns what came of it. Must
//! not know: how long it stands, how it ends ([`crate::serial::heat`]).

use stardust_protocol::{
    CommandId, CommandOutcome, Preheat, PreheatReason, PreheatReport, PrinterStatus, Timestamp,
};

use super::Printer;
use super::disk_wait::FromDisk;
use crate::journal::{HeatOwed, JournalError};
use crate::port::Order;
use crate::printer::preheat;
use crate::serial::{self, HeatOutOfReach, Heaters, Heating, Safety, Wanted, WantedBy};

/// The port was not able to begin.
pub(super) const NOT_READY: &str =
    "The printer was no longer ready when it was to be heated; nothing was heated.";

/// The preheat that is under way to the printer, if one is.
#[derive(Debug, Default)]
pub(super) struct Preheats {
    /// It is being written down that the printer may get hot.
    recording: Option<(CommandId, serial::Preheat)>,
    /// The port has been told.
    ordered: Option<CommandId>,
}

impl Preheats {
    fn is_under_way(&self, id: CommandId) -> bool {
        self.ordered == Some(id) || self.recording.as_ref().is_some_and(|(waiting, _)| *waiting == id)
    }

    /// Whether one is on its way.
    pub(super) fn is_at_hand(&self) -> bool {
        self.recording.is_some() || self.is_being_begun()
    }

    /// Whether the port has been told of one, and has not said yet what came of it.
    pub(super) fn is_being_begun(&self) -> bool {
        self.ordered.is_some()
    }
}

impl Printer {
    pub(super) fn preheat(&mut self, id: CommandId, wanted: &Preheat) {
        if self.preheats.is_under_way(id) {
            return;
        }
        let is_another = self.preheats.is_at_hand();
        let has_job = self.life.claim().is_some();
        let checked = if self.revoked {
            Err(preheat::Refusal::Revoked)
        } else {
            preheat::check(wanted, &self.port.view.borrow(), &self.config.profile, has_job)
        };
        match checked {
            Ok(_) if is_another => {
                self.refuse(id, "Another preheat is just being begun: try again in a moment.")
            }
            Err(refusal) => self.refuse(id, &refusal.to_string()),
            Ok(preheat) => {
                let inbound = self.calls.inbound();
                let reply = move |written: Result<(), JournalError>| {
                    let written = written.map_err(|error| error.to_string());
                    drop(inbound.send(FromDisk::HeatOwed(written).into()));
                };
                self.preheats.recording = Some((id, preheat));
                let owed = self.heat_owed(true);
                self.journal.lock().want(vec![owed.into()], Box::new(reply));
            }
        }
    }

    /// What is owed from now on.
    pub(super) fn heat_owed(&self, in_place: bool) -> HeatOwed {
        let (port, baud) = (Some(self.berth.plan.path.clone()), self.berth.plan.baud);
        // What a person heats, and the printer tells of: nothing else is preheated.
        HeatOwed { port, baud, in_place, stopped: false, heaters: Heaters::default() }
    }

    /// It is written down that the printer may get hot, or can't be.
    pub(super) fn on_heat_owed(&mut self, written: Result<(), String>) {
        let has_job = self.life.claim().is_some();
        match (self.preheats.recording.take(), written) {
            (Some((id, preheat)), Ok(())) if !has_job => {
                tracing::info!(command.id = %id, preheat = ?preheat, "preheating");
                self.preheats.ordered = Some(id);
                self.port.order(Order::Preheat(preheat));
                return;
            }
            (Some((id, _)), Ok(())) => {
                self.refuse(id, "A print has just begun, which heats the printer by itself.")
            }
            (Some((id, _)), Err(error)) => {
                tracing::error!(error, "what may get hot can't be written down: it is not heated");
                self.refuse(
                    id,
                    "The printer host's disk can't be written, and what is hot has to be known over its restart: nothing \
                     was heated. Free some space there, or check the disk.",
                );
            }
            // It was called off meanwhile.
            (None, _) => {}
        }
        // Something is said to be owed: it is made sure of that nothing is.
        if !self.life.is_running() && !self.owed_here().is_empty() {
            self.port.order(Order::MakeSafe(Safety::InPlace));
        }
    }

    /// The printer has taken it, or has not, and why.
    pub(super) fn on_preheated(&mut self, word: Result<(), String>) {
        let Some(id) = self.preheats.ordered.take() else { return };
        match word {
            Ok(()) => self.answer(id, CommandOutcome::Done),
            Err(reason) => self.refuse(id, &reason),
        }
    }

    /// A preheat that the port has not been told yet is not begun any more. Whether there was one.
    pub(super) fn call_off_preheat(&mut self, why: &str) -> bool {
        let Some((id, _)) = self.preheats.recording.take() else { return false };
        self.refuse(id, why);
        true
    }

    /// A person wants it cold.
    pub(super) fn cool_down(&mut self, id: CommandId) {
        if self.life.is_running() {
            return self.refuse(id, "A print is at work on the printer: pause or cancel that instead.");
        }
        self.call_off_preheat("The printer was cooled down instead.");
        let (answers, out_of_reach, is_settled) = {
            let view = self.port.view.borrow();
            (view.answers(), view.heat_out_of_reach, view.heating == Heating::Settled)
        };
        // What somebody heats at the panel is theirs, unless something of ours is on, too.
        let is_theirs = out_of_reach == Some(HeatOutOfReach::AtItsPanel) && is_settled && !self.keeps_heat();
        if !is_theirs {
            self.port.order(Order::MakeSafe(Safety::InPlace));
            tracing::info!(command.id = %id, "cooling down");
        }
        match out_of_reach.filter(|_| answers) {
            Some(why) => self.refuse(id, &why.to_string()),
            None if answers => self.answer(id, CommandOutcome::Done),
            None => self.refuse(
                id,
                "The printer does not answer: its heaters are turned off as soon as it does. If it is hot, switch it off by \
                 hand.",
            ),
        }
    }

    /// The hub takes this agent for nobody's: whoever wanted the printer warm can't be asked any more, and sees it no more. A hub
    /// that is merely away is none of that.
    pub(super) fn cool_for_nobody(&mut self) {
        self.call_off_preheat("The printer was taken out of the hub.");
        // A job heats by itself, and makes safe when it ends.
        if !self.life.is_running() && self.keeps_heat() {
            tracing::warn!(
                "nobody can be asked any more who wanted the printer warm: its heaters are turned off"
            );
            self.port.order(Order::MakeSafe(Safety::InPlace));
        }
    }

    /// Whether something stays on, or is about to, that nobody but us turns off.
    pub(super) fn keeps_heat(&self) -> bool {
        let is_wanted = matches!(self.port.view.borrow().heating, Heating::Wanted(_));
        is_wanted || self.preheats.is_being_begun() || self.life.is_cut_off()
    }

    /// The status with what people are told of heat without a job.
    pub(super) fn with_preheat(&self, status: PrinterStatus) -> PrinterStatus {
        let Heating::Wanted(Wanted { until, by }) = self.port.view.borrow().heating else { return status };
        let reason = match by {
            WantedBy::Person => PreheatReason::Asked,
            WantedBy::Interruption => PreheatReason::Interrupted,
        };
        PrinterStatus { preheat: Some(PreheatReport { until: self.shown(until), reason }), ..status }
    }

    /// In whole minutes, the one that has begun counted: what people are told must not change each second.
    pub(super) fn preheat_minutes(&self) -> Option<u64> {
        let Heating::Wanted(Wanted { until, .. }) = self.port.view.borrow().heating else { return None };
        Some(until.saturating_sub(self.clock.elapsed()).as_secs().div_ceil(60))
    }

    /// A time of this process's count, for people: it does not change from one status to the next.
    fn shown(&self, until: std::time::Duration) -> Timestamp {
        if let Some(hub) = self.journal.hub_time() {
            return hub.at(until);
        }
        let left = until.saturating_sub(self.clock.elapsed());
        let at = self.clock.now().plus_millis(i64::try_from(left.as_millis()).unwrap_or(i64::MAX));
        Timestamp::from_millis(at.as_millis() / 1000 * 1000)
    }

    fn refuse(&mut self, id: CommandId, reason: &str) {
        tracing::info!(command.id = %id, reason, "refused");
        self.answer(id, CommandOutcome::Refused { reason: reason.into() });
    }
}
