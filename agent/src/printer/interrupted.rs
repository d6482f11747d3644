//! A job that was cut off and waits for a person.
//!
//! Owns: what people are told of it, and reading its file for the layer that they choose. Must not know: how the job goes
//! on, the wire to the hub.

use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use stardust_protocol::{Interruption, JobId};

use crate::plain_file;
use crate::port::PortView;
use crate::print_job::layers::{self, Layer, Unfit};
use crate::print_job::profile::Profile;
use crate::print_job::return_plan::{self, Machine, Refusal};
use crate::serial::dialect::Dialect;
use crate::serial::firmware::Area;
use crate::serial::{CutOff, LayerPoint};

/// The layers of a job's file, when they have been looked for.
pub(super) type Layers = Result<Vec<Layer>, Unfit>;

/// What is known of it.
#[derive(Debug)]
pub(super) struct Interrupted {
    pub(super) cut_off: CutOff,
    layers: Option<Layers>,
    /// Found out of the layer that was chosen last.
    refusal: Option<Refusal>,
    /// It is to go on from this layer, and how is being found out.
    planning: Option<(u32, Planning)>,
    /// It is to go on from this layer, and begins as soon as its file is open.
    begins_at: Option<u32>,
    /// It was to go on from this layer, and the printer was stopped at once before it did.
    called_off: Option<u32>,
}

/// One look for how it goes on: what comes of an earlier one counts for nothing.
pub(super) type Planning = Arc<()>;

impl Interrupted {
    pub(super) fn new(cut_off: CutOff) -> Self {
        Self { cut_off, layers: None, refusal: None, planning: None, begins_at: None, called_off: None }
    }

    /// The same job was cut off before, and has not gone on since.
    pub(super) fn behind(self, before: Option<Self>) -> Self {
        Self { called_off: before.and_then(|before| before.called_off), ..self }
    }

    pub(super) fn know(&mut self, layers: Layers) {
        self.layers = Some(layers);
    }

    /// A look for how it goes on from there is begun.
    pub(super) fn begin_planning(&mut self, layer: u32) -> Planning {
        let planning = Planning::default();
        self.planning = Some((layer, Arc::clone(&planning)));
        (self.begins_at, self.called_off) = (None, None);
        planning
    }

    /// That one has ended; whether what came of it still counts.
    pub(super) fn end_planning(&mut self, ended: &Planning) -> bool {
        let Some((layer, _)) = self.planning.take_if(|(_, planning)| Arc::ptr_eq(planning, ended)) else {
            return false;
        };
        self.begins_at = Some(layer);
        true
    }

    /// The printer is stopped at once: it does not go on behind that, whatever is found out.
    pub(super) fn call_off(&mut self) {
        let planned = self.planning.take().map(|(layer, _)| layer);
        self.called_off = planned.or(self.begins_at.take()).or(self.called_off);
    }

    /// What people are told while it waits for one of them.
    pub(super) fn in_words(&self) -> String {
        let reason = &self.cut_off.reason;
        self.called_off.map_or_else(
            || reason.clone(),
            |layer| {
                format!(
                    "{reason} It did not go on from layer {layer}: the printer was stopped at once before it could."
                )
            },
        )
    }

    /// The layer that was chosen is none to go on from: people are told of that one.
    pub(super) fn refuse(&mut self, refusal: Refusal) {
        self.refusal = Some(match (refusal, self.begins_at.take()) {
            (Refusal::File(why), Some(layer)) => Refusal::Layer { layer, why: why.to_string() },
            (refusal, _) => refusal,
        });
    }

    /// For people.
    pub(super) fn document(&self, job_id: JobId, view: &PortView, profile: &Profile) -> Interruption {
        let offered = self
            .layers
            .as_ref()
            .map(|layers| return_plan::choices(layers, &self.cut_off, machine(view, profile)));
        let (layers, refusal) = match offered {
            None => (Vec::new(), None),
            Some(Ok(layers)) => (layers, self.refusal.as_ref().map(ToString::to_string)),
            Some(Err(refusal)) => (Vec::new(), Some(refusal.to_string())),
        };
        let CutOff { layer, height_mm, parked, .. } = self.cut_off;
        // Only then is the printer told that height.
        let parked = parked && height_mm.is_some();
        let reason = Some(self.cut_off.why_it_waits());
        Interruption { job_id, layer: Some(layer), height_mm, parked, layers, reason, refusal }
    }

    /// A person has chosen a layer.
    ///
    /// # Errors
    /// Why it can't be, in a sentence.
    pub(super) fn choose(
        &mut self,
        number: u32,
        view: &PortView,
        profile: &Profile,
    ) -> Result<Layer, String> {
        if !view.is_ready {
            return Err(
                "The printer is not ready: switch it on, wait until it answers, and try again.".into()
            );
        }
        let Some(layers) = &self.layers else {
            return Err(
                "The file is still being looked through for its layers: try again in a moment.".into()
            );
        };
        let offered = return_plan::choices(layers, &self.cut_off, machine(view, profile))
            .map_err(|refusal| refusal.to_string())?;
        let layer = layers.iter().flatten().find(|layer| layer.number == number);
        self.refusal = None;
        let refusal = match layer {
            Some(layer) if offered.iter().any(|offered| offered.layer == layer.number) => {
                return Ok(layer.clone());
            }
            Some(Layer { hindrance: Some(why), .. }) => {
                Refusal::Layer { layer: number, why: why.to_string() }
            }
            _ => Refusal::NoSuchLayer(number),
        };
        Err(refusal.to_string())
    }
}

fn machine(view: &PortView, profile: &Profile) -> Machine {
    let profile = profile.with_firmware(view.machine).read_by(Some(view.dialect));
    let area = profile.lowest_mm.zip(profile.size_mm).map(|(min, max)| Area { min, max });
    Machine { dialect: view.firmware.as_deref().map(Dialect::of), area }
}

/// Reads a file for its layers: seconds for a large one.
pub(super) fn read_layers(file: &Path, cut_off: &CutOff) -> Layers {
    let file = plain_file::open(file).map_err(|error| Unfit::Unreadable(error.to_string()))?;
    layers::layers(BufReader::new(file), cut_off.extruder_rule)
}

/// Reads a file up to a layer, likewise.
pub(super) fn plan(file: &Path, layer: &Layer, cut_off: &CutOff) -> Result<LayerPoint, Refusal> {
    let file = plain_file::open(file).map_err(|error| Unfit::Unreadable(error.to_string()))?;
    let before = layers::before(BufReader::new(file), cut_off.extruder_rule, layer)?;
    return_plan::point(layer, cut_off, before)
}

#[cfg(test)]
mod tests;
