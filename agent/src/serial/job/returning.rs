//! A job that begins at a layer, on a printer that has forgotten everything.
//!
//! Owns: going through the steps of the way back. Must not know: what they are.

use std::time::Duration;

use super::super::envelope::Surroundings;
use super::super::feeder::CommandSource;
use super::super::firmware::{Area, Firmware};
use super::super::link::Link;
use super::super::return_to_layer::{LayerPoint, Next, WayBack};
use super::super::scripts::{Parking, Script};
use super::{End, Job, JobEvent, Stage};

impl Job {
    /// `source` stands behind [`LayerPoint::read_to`].
    pub(in super::super) fn start_at(
        now: Duration,
        source: Box<dyn CommandSource>,
        point: &LayerPoint,
        parking: Parking,
        firmware: &Firmware,
        link: &mut Link,
    ) -> Self {
        let area = parking.reach(firmware.area);
        let about = Surroundings { envelope: &point.envelope, area };
        let way_back = WayBack::new(point, about, &parking);
        let fresh = Self::start(now, source, parking, firmware, link);
        Self {
            // The script before a job may home Z.
            script: Script::new(),
            modal: point.modal,
            envelope: point.envelope.clone(),
            printing: true,
            read_to: point.read_to,
            acknowledged: point.read_to,
            layer: Some(point.layer),
            way_back: Some(way_back),
            events: vec![JobEvent::Resuming],
            ..fresh
        }
    }

    /// Everything that was sent so far is carried out.
    pub(super) fn find_way_back(
        &mut self,
        now: Duration,
        link: &mut Link,
        area: Option<Area>,
        interrupt: bool,
    ) {
        let was_asked = std::mem::take(&mut self.place_asked);
        let about = Surroundings { envelope: &self.envelope, area };
        let next = match &mut self.way_back {
            Some(way_back) => way_back.next(&self.modal, about, &self.parking, was_asked),
            None => Next::Arrived,
        };
        match next {
            // A host that dies meanwhile leaves nothing hot, as in the print itself.
            Next::Send(script) => self.script = self.dead_man.wake().into_iter().chain(script).collect(),
            Next::Arrived => {
                self.way_back = None;
                self.stage = Stage::Feeding;
                self.events.push(JobEvent::Resumed);
            }
            Next::Lost(why) => {
                self.way_back = None;
                let reason = format!(
                    "The print could not go on from layer {}: the printer can't be brought back to the part, {why}. The \
                     heaters were turned off; clear the bed and print the job again.",
                    self.layer.unwrap_or_default()
                );
                self.stop(now, End::Failed(reason), area, link, interrupt);
            }
        }
    }
}
