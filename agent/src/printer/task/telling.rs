//! What a printer's task tells of its printer: the status for the hub, the report for people of this machine.
//!
//! Owns: bringing together what is known. Must not know: who reads it, how often it is sent.

use stardust_protocol::{PrinterState, PrinterStatus};

use super::Printer;
use crate::printer::picture::{self, JobPicture};
use crate::printer::report::PrinterReport;
use crate::serial::Connection;

impl Printer {
    /// Takes from the view what the job's progress and the printer's question need.
    pub(super) fn follow_view(&mut self) {
        let view = self.port.view.borrow();
        self.question.follow(view.attention.as_ref(), self.clock.now());
        self.progress.follow(&view, self.clock.elapsed());
    }

    pub(super) fn status(&self) -> PrinterStatus {
        let status = picture::status(&self.port.view.borrow(), self.job_picture(), self.question.attention());
        let is_out_of_reach = matches!(status.state, PrinterState::Offline | PrinterState::Connecting);
        let owes_heat = || !self.journal.lock().state().heat.is_empty();
        let may_be_hot = is_out_of_reach && !self.finds_its_place() && owes_heat();
        let status = PrinterStatus { emergency_stop: self.stops.report(), may_be_hot, ..status };
        self.with_host_trouble(self.with_interruption(self.with_preheat(status)))
    }

    /// Its job goes on in the printer, which answers, and it is being asked where that is: a print like another.
    fn finds_its_place(&self) -> bool {
        let view = self.port.view.borrow();
        let answers = view.connection == Connection::Connecting { silent: false };
        self.life.is_running() && view.port_error.is_none() && answers
    }

    pub(super) fn job_picture(&self) -> Option<JobPicture<'_>> {
        Some(self.progress.picture(self.life.claim()?, self.life.state()?, self.clock.elapsed()))
    }

    pub(super) fn report(&self) -> PrinterReport {
        let undelivered_events = self.journal.lock().state().outbox.len();
        let status = self.status();
        PrinterReport {
            name: self.config.name.clone(),
            hub: self.config.hub.to_string(),
            link: self.no_calls.clone().filter(|_| self.connected).unwrap_or_else(|| self.link.clone()),
            undelivered_events,
            file_name: self.life.claim().map(|claim| claim.file_name.clone()),
            preheat_minutes: self.preheat_minutes(),
            may_be_hot: status.may_be_hot,
            status,
            driven: true,
            driven_at: (!self.berth.is_by_settings()).then(|| self.berth.plan.path.clone()),
        }
    }
}
