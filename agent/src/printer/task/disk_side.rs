//! The disk's side of a printer's task: what is written before something is done, what is kept in any case, and what is
//! done while the disk can't be written.
//!
//! Owns: that no job is claimed or started that could not be remembered. Must not know: how anything is written.

use stardust_protocol::{EventBody, PrinterStatus};

use super::{DISK_AGAIN, Printer};
use crate::boot::BootId;
use crate::disk::DiskFault;
use crate::hub_link::client::HubError;
use crate::journal::Record;
use crate::printer::host_trouble::HostTrouble;
use crate::trail::{Head, Trail};

impl Printer {
    /// Records something; where it has to be on disk before what comes after it, why it is not.
    pub(super) fn record(&mut self, record: &Record) -> Result<(), String> {
        match record {
            Record::Claimed { .. } => self.append(std::slice::from_ref(record)),
            Record::Started { .. } => {
                self.begin_trail(false)?;
                let owed = Record::HeatOwed { port: self.config.port.clone(), baud: self.config.baud };
                self.append(&[owed, record.clone()])
            }
            _ => {
                self.journal.lock().keep(std::slice::from_ref(record));
                Ok(())
            }
        }
    }

    fn append(&self, records: &[Record]) -> Result<(), String> {
        let appended = self.journal.lock().append(records);
        appended.map_err(|error| {
            tracing::error!(error = %error, "it is not done");
            "The printer host's disk could not be written when the job was to start; nothing was printed. Free some \
             space there, or check the disk, and print the job again."
                .into()
        })
    }

    pub(super) fn record_event(&mut self, body: EventBody, with: impl IntoIterator<Item = Record>) {
        self.journal.lock().keep_event(&*self.clock, body, with);
        self.journal.notify();
    }

    /// Before the job is said to be started: where there is no trail, nobody knows what of it was sent.
    /// `returns`: it goes on at a layer.
    pub(super) fn begin_trail(&mut self, returns: bool) -> Result<(), String> {
        let (Some(claim), Some((_, brief))) = (self.life.claim(), &self.file) else { return Ok(()) };
        let (job_id, claim_id, brief) = (claim.job_id, claim.claim_id, *brief);
        let head = Head { job_id, claim_id, brief, boot: BootId::current(), returns };
        match Trail::begin(&self.folder.trail(), &head) {
            Ok(trail) => {
                self.trail = Some(Box::new(trail));
                Ok(())
            }
            Err(error) => {
                tracing::error!(error = %error, "no trail can be kept of the job: it is not begun");
                Err(format!(
                    "The printer host's disk could not be written when the job was to start ({error}); nothing was \
                     printed. Free some space there, or check the disk, and print the job again."
                ))
            }
        }
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
            let _ = self.journal.lock().catch_up();
            self.examine_disk();
            if self.trouble.is_none() && had_trouble {
                tracing::info!("the disk can be written again");
                self.look_for_work();
            }
        }
    }

    fn examine_disk(&mut self) {
        let no_room = self.calls.room() == Some(0);
        if no_room && !self.trouble.no_room {
            tracing::warn!("the disk has no room for print files: no job is claimed");
        }
        self.trouble = HostTrouble {
            journal: self.journal.lock().fault().cloned(),
            trail: self.port.view.borrow().trail_fault.clone(),
            no_room,
        };
        self.disk_looked_at = self.clock.elapsed();
    }

    /// What is wrong with the host, and what a person of its own has to do, is told behind what the printer says itself.
    pub(super) fn with_host_trouble(&self, mut status: PrinterStatus) -> PrinterStatus {
        let revoked = self.revoked.then(|| format!("{}.", HubError::Revoked));
        for trouble in self.trouble.message(self.life.is_running()).into_iter().chain(revoked) {
            status.message = Some(match status.message {
                Some(message) => format!("{message} {trouble}"),
                None => trouble,
            });
        }
        status
    }
}
