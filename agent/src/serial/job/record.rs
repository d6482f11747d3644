//! What of a job another process must know to go on with it, and going on.
//!
//! Owns: bringing a job forward by commands that were sent after it was written down. Must not know: numbers.

use serde::{Deserialize, Serialize};
use stardust_gcode::command::{Command, Disposition, parse};
use stardust_gcode::modal::Modal;

use super::super::dead_man::DeadMan;
use super::super::dialect::Dialect;
use super::super::display::Display;
use super::super::envelope::Envelope;
use super::super::feeder::CommandSource;
use super::super::firmware::Area;
use super::super::heat::Heaters;
use super::super::named_heaters::NamedHeaters;
use super::super::remark::Remark;
use super::super::return_to_layer::WayBack;
use super::super::scripts::Parking;
use super::super::window::Origin;
use super::vigil::{Vigil, VigilMark};
use super::{End, Job, Stage};

/// A job, written down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in super::super) struct JobRecord {
    pub(in super::super) stage: Stage,
    script: Vec<String>,
    pub(in super::super) modal: Modal,
    #[serde(default)]
    named: NamedHeaters,
    /// A host that did not keep it leaves nobody knowing.
    #[serde(default = "Envelope::unknown")]
    envelope: Envelope,
    pub(in super::super) printing: bool,
    display: Display,
    dead_man: DeadMan,
    pub(in super::super) pause_wanted: bool,
    resume_wanted: bool,
    held: bool,
    #[serde(default)]
    vigil: Vigil,
    #[serde(default)]
    parked: bool,
    pub(in super::super) end: Option<End>,
    pub(in super::super) read_to: u64,
    pub(in super::super) acknowledged: u64,
    pub(in super::super) layer: Option<u32>,
    minutes_left: Option<f64>,
    remark: Option<Remark>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    way_back: Option<WayBack>,
}

impl JobRecord {
    /// Another process goes on with it.
    pub(in super::super) fn take_up(&mut self) {
        self.vigil.take_up();
    }

    /// A person has been waited for as long as this job knows.
    pub(in super::super) fn has_waited_as(&mut self, job: &Job) {
        self.vigil.clone_from(&job.vigil);
    }
}

/// What of a job must be written down before anything more is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct JobMark {
    stage: Stage,
    wanted: [bool; 3],
    /// Told once: whoever comes after this process must not tell it again.
    printing: bool,
    layer: Option<u32>,
    vigil: VigilMark,
}

impl Job {
    pub(in super::super) fn mark(&self) -> JobMark {
        JobMark {
            stage: self.stage,
            wanted: [self.pause_wanted, self.resume_wanted, self.held],
            printing: self.printing,
            layer: self.layer,
            vigil: self.vigil.mark(),
        }
    }

    pub(in super::super) fn record(&self) -> JobRecord {
        JobRecord {
            stage: self.stage,
            script: self.script.iter().map(|command| command.text().to_owned()).collect(),
            modal: self.modal,
            named: self.named.clone(),
            envelope: self.envelope.clone(),
            printing: self.printing,
            display: self.display.clone(),
            dead_man: self.dead_man.clone(),
            pause_wanted: self.pause_wanted,
            resume_wanted: self.resume_wanted,
            held: self.held,
            vigil: self.vigil.clone(),
            parked: self.parked,
            end: self.end.clone(),
            read_to: self.read_to,
            acknowledged: self.acknowledged,
            layer: self.layer,
            minutes_left: self.minutes_left,
            remark: self.remark,
            way_back: self.way_back.clone(),
        }
    }

    /// The job as it was written down; `source` stands behind [`JobRecord::read_to`].
    pub(in super::super) fn restore(
        record: JobRecord,
        source: Box<dyn CommandSource>,
        parking: Parking,
        (dialect, area): (Dialect, Option<Area>),
    ) -> Self {
        let script = record.script.iter();
        Self {
            source,
            next: None,
            script: script.filter_map(|line| parse(line.as_bytes()).map(Command::into_owned)).collect(),
            stage: record.stage,
            area,
            heaters: Heaters::default(),
            modal: record.modal,
            dialect,
            named: record.named,
            envelope: record.envelope,
            printing: record.printing,
            may_wait_to: None,
            parking,
            display: record.display,
            dead_man: record.dead_man,
            pause_wanted: record.pause_wanted,
            resume_wanted: record.resume_wanted,
            held: record.held,
            vigil: record.vigil,
            parked: record.parked,
            end: record.end,
            read_to: record.read_to,
            acknowledged: record.acknowledged,
            layer: record.layer,
            minutes_left: record.minutes_left,
            remark: record.remark,
            place_asked: false,
            way_back: record.way_back,
            events: Vec::new(),
        }
    }

    /// How far it is known to have come, for people: a sentence to be put behind another.
    pub(in super::super) fn came_to(&self) -> String {
        match (self.layer, self.modal.position()[2]) {
            (Some(layer), Some(height)) => format!(". It had come to layer {layer}, at {height:.2} mm"),
            (Some(layer), None) => format!(". It had come to layer {layer}"),
            _ => String::new(),
        }
    }

    /// The firmware has taken so many more commands of the file than were written down. An error says what is wrong.
    pub(in super::super) fn bring_forward(&mut self, mut commands: u32) -> Result<(), String> {
        if commands > 0 && (self.stage != Stage::Feeding || !self.script.is_empty()) {
            return Err("it has taken more lines than were sent".into());
        }
        while commands > 0 {
            let fed = self.source.next_command().map_err(|error| error.to_string())?;
            let Some(fed) = fed else { return Err("it has taken more lines than the file has".into()) };
            match fed.command.disposition() {
                Disposition::Send => {
                    let end = fed.end;
                    self.next = Some(fed);
                    self.follow();
                    self.accepted(Origin::File { end });
                    commands -= 1;
                }
                Disposition::Numbering | Disposition::PassOver => self.read_to = fed.end,
                Disposition::Pause => return Err("it has taken more lines than were sent".into()),
            }
        }
        Ok(())
    }
}
