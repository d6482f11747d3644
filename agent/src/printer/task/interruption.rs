//! A job that was cut off, in a printer's task: kept, shown, and gone on with from the layer that a person chooses.
//!
//! Owns: carrying out what the life of the job says of it. Must not know: what is safe to go on with.

use std::time::Duration;

use stardust_protocol::{JobId, PrinterStatus};

use super::Printer;
use super::disk_wait::DiskWait;
use crate::journal::Record;
use crate::print_job::return_plan::Refusal;
use crate::printer::interrupted::{Interrupted, Layers, Planning};
use crate::serial::{Brief, CutOff, LayerPoint};

impl Printer {
    /// It waits for a person from now on, over restarts.
    pub(super) fn keep_place(&mut self, place: CutOff) {
        let Some(claim) = self.life.claim().cloned() else { return };
        let printed_s = self.progress.elapsed(self.clock.elapsed()).as_secs();
        let record = Record::CutOff { job_id: claim.job_id, place: place.clone(), printed_s };
        self.journal.lock().keep(&[record]);
        // The next process must not go on by the trail.
        self.remove_trail();
        self.calls.read_layers(&claim, place.clone());
        self.interrupted = Some(Interrupted::new(place).behind(self.interrupted.take()));
    }

    /// The time printed until it was cut off, as an earlier process has kept it.
    pub(super) fn recall_progress(&mut self) {
        let Some((place, printed_s)) =
            self.journal.lock().state().held.as_ref().and_then(|held| held.cut_off.clone())
        else {
            return;
        };
        let printed = Duration::from_secs(printed_s);
        self.progress.go_on(self.clock.elapsed(), printed, place.acknowledged, true);
    }

    pub(super) fn on_layers(&mut self, job: JobId, layers: Layers) {
        let is_at_hand = self.life.claim().is_some_and(|claim| claim.job_id == job);
        if let Some(interrupted) = self.interrupted.as_mut().filter(|_| is_at_hand) {
            interrupted.know(layers);
        }
    }

    /// Why a person's choice can't be followed now, if so.
    pub(super) fn refuse_layer(&mut self, layer: u32) -> Option<String> {
        let view = self.port.view.borrow();
        self.interrupted.as_mut()?.choose(layer, &view, &self.config.profile).err()
    }

    pub(super) fn plan_return(&mut self, number: u32) {
        let view = self.port.view.borrow();
        let (Some(claim), Some(interrupted)) = (self.life.claim(), &mut self.interrupted) else { return };
        if let Ok(layer) = interrupted.choose(number, &view, &self.config.profile) {
            let profile = self.config.profile.with_firmware(view.machine).read_by(Some(view.dialect));
            let planning = interrupted.begin_planning(number);
            self.calls.plan_return(claim, layer, interrupted.cut_off.clone(), (profile, planning));
        }
    }

    pub(super) fn on_planned(
        &mut self,
        job: JobId,
        planning: &Planning,
        planned: Result<(std::path::PathBuf, Brief, LayerPoint), Refusal>,
    ) {
        // A stop at once may have come while the file was read.
        let counts = self.interrupted.as_mut().is_some_and(|interrupted| interrupted.end_planning(planning));
        if !counts || !self.life.is_cut_off() || self.life.claim().is_none_or(|claim| claim.job_id != job) {
            return;
        }
        match planned {
            Ok((path, brief, point)) => {
                self.file = Some((path, brief));
                self.return_point = Some(Box::new(point));
                let actions = self.life.return_planned();
                self.perform(actions);
            }
            Err(refusal) => {
                tracing::warn!(job.id = %job, %refusal, "the print can't go on from that layer");
                if let Some(interrupted) = &mut self.interrupted {
                    interrupted.refuse(refusal);
                }
            }
        }
    }

    pub(super) fn print_from_layer(&mut self) {
        let Some(point) = &self.return_point else { return };
        let at = (point.read_to, Some(point.layer));
        self.open_file(DiskWait::Return, at);
    }

    /// The status with what people are told while the job waits for one of them.
    pub(super) fn with_interruption(&self, status: PrinterStatus) -> PrinterStatus {
        let claim = self.life.claim().filter(|_| self.life.is_cut_off());
        let (Some(claim), Some(interrupted)) = (claim, &self.interrupted) else { return status };
        let document = interrupted.document(claim.job_id, &self.port.view.borrow(), &self.config.profile);
        PrinterStatus {
            message: status.message.or_else(|| Some(interrupted.in_words())),
            interruption: Some(document),
            ..status
        }
    }
}
