//! The disk's side of a printer's task: what is written before something is done, what is kept in any case, and what is
//! done while the disk can't be written.
//!
//! Owns: that no job is claimed or started that could not be remembered. Must not know: how anything is written.

use stardust_protocol::{EventBody, PrinterStatus};

use super::{DISK_AGAIN, Printer};
use crate::disk::DiskFault;
use crate::hub_link::client::HubError;
use crate::journal::Record;
use crate::printer::host_trouble::HostTrouble;

impl Printer {
    pub(super) fn record_event(&mut self, body: EventBody, with: impl IntoIterator<Item = Record>) {
        self.journal.lock().keep_event(&*self.clock, body, with);
        self.journal.notify();
    }

    /// Whether what is claimed can be remembered, and has a place.
    pub(super) fn disk_takes_a_job(&mut self) -> bool {
        self.examine_disk();
        self.trouble.is_none()
    }

    /// Writes what could not be written, and looks for work again when that works.
    pub(super) fn look_after_disk(&mut self) {
        let has_fault =
            self.journal.lock().fault().is_some() || self.port.view.borrow().trail_fault.is_some();
        let is_due = self.clock.elapsed() >= self.disk_looked_at + DISK_AGAIN;
        if has_fault && self.trouble.is_none() || !self.trouble.is_none() && is_due {
            let had_trouble = !self.trouble.is_none();
            if self.journal.lock().fault() == Some(&DiskFault::Full) {
                self.calls.make_way();
            }
            // What goes wrong is noted.
            self.journal.lock().catch_up();
            if self.trouble.no_room {
                self.calls.look_at_room();
            }
            self.examine_disk();
            if self.trouble.is_none() && had_trouble {
                tracing::info!("the disk can be written again");
                self.look_for_work();
            }
        }
    }

    fn examine_disk(&mut self) {
        self.trouble = HostTrouble {
            journal: self.journal.lock().fault().cloned(),
            trail: self.port.view.borrow().trail_fault.clone(),
            no_room: self.trouble.no_room,
        };
        self.disk_looked_at = self.clock.elapsed();
    }

    /// Whether print files have no room at all.
    pub(super) fn on_room(&mut self, no_room: bool) {
        let had_trouble = !self.trouble.is_none();
        if no_room && !self.trouble.no_room {
            tracing::warn!("the disk has no room for print files: no job is claimed");
        }
        self.trouble.no_room = no_room;
        self.examine_disk();
        if self.trouble.is_none() && had_trouble {
            tracing::info!("the disk can be written again");
            self.look_for_work();
        }
    }

    /// What is wrong with the host, and what a person of its own has to do, is told behind what the printer says itself.
    pub(super) fn with_host_trouble(&self, mut status: PrinterStatus) -> PrinterStatus {
        let revoked = self.revoked.then(|| format!("{}.", HubError::Revoked));
        let port = self.other_port_in_words();
        for trouble in self.trouble.message(self.life.is_running()).into_iter().chain(revoked).chain(port) {
            status.message = Some(match status.message {
                Some(message) => format!("{message} {trouble}"),
                None => trouble,
            });
        }
        status
    }
}
