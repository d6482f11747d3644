//! One job on the line: numbering, feeding, pausing, going on, stopping.
//!
//! Owns: the stages of a job and what is sent in each. Must not know: bytes, replies, files, the hub.

mod cutting_off;
mod feeding;
mod record;
mod returning;
mod vigil;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use stardust_gcode::command::Code;
use stardust_gcode::modal::Modal;

use super::cut_off::CutOff;
use super::dead_man::DeadMan;
use super::dialect::Dialect;
use super::display::Display;
use super::envelope::{Envelope, Surroundings};
use super::feeder::{CommandSource, Fed};
use super::firmware::{Area, Firmware};
use super::heat::Heaters;
use super::link::Link;
use super::motion::Motion;
use super::moves_ahead;
use super::named_heaters::NamedHeaters;
use super::own_reports;
use super::remark::Remark;
use super::return_to_layer::WayBack;
use super::scripts::{self, Parking, Script};
use super::whereabouts;
use super::window::Origin;
pub(super) use record::{JobMark, JobRecord};
use vigil::Vigil;

/// How a job that was stopped ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// By a person.
    Cancelled,
    /// By a fault: a sentence a person can act on.
    Failed(String),
    /// The printer has forgotten everything, and the nozzle has not been moved: the part may be gone on with.
    CutOff(CutOff),
}

/// What a job is doing on the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Line numbers start anew.
    Numbering,
    /// Commands of the file are fed.
    Feeding,
    /// The moves sent so far are carried out, then the head is parked.
    Pausing,
    /// Nothing is sent but what turns off what has been hot too long.
    Paused,
    /// On the way back to where it stopped.
    Resuming,
    /// On the way back to a layer, on a printer that has forgotten everything.
    Returning,
    /// All is accepted; the last moves are carried out.
    Finishing,
    /// Making sure that nothing got lost at the very end.
    Proving,
    /// Being made safe.
    Stopping,
    /// Over.
    Ended,
}

/// What happened to the job.
#[derive(Debug, Clone, PartialEq)]
pub enum JobEvent {
    /// The first moving extrusion was sent: heating and homing are over.
    Printing,
    /// About to pause; a reason when it was not a person at the hub who asked.
    Pausing(Option<String>),
    /// Parked.
    Paused,
    /// On the way back.
    Resuming,
    /// Feeding again.
    Resumed,
    /// Everything was printed.
    Completed,
    /// About to stop.
    Stopping(End),
    /// Stopped and made safe.
    Stopped(End),
}

/// A job on the line.
#[derive(Debug)]
pub(super) struct Job {
    source: Box<dyn CommandSource>,
    next: Option<Fed>,
    script: Script,
    stage: Stage,
    area: Option<Area>,
    /// What the printer heats, as far as its host knows; the job's own commands may name more.
    pub(super) heaters: Heaters,
    modal: Modal,
    dialect: Dialect,
    named: NamedHeaters,
    /// What stands on the bed.
    envelope: Envelope,
    /// It has begun to extrude while moving.
    printing: bool,
    /// Behind which byte a command ends that may wait for a person: the last of those that were sent.
    may_wait_to: Option<u64>,
    parking: Parking,
    display: Display,
    pub(super) dead_man: DeadMan,
    /// Asked while it could not be done at once.
    pause_wanted: bool,
    resume_wanted: bool,
    /// The pause is the printer's own.
    held: bool,
    /// While it waits for a person.
    vigil: Vigil,
    /// The pause has led the head aside, to where the settings and the firmware say.
    parked: bool,
    end: Option<End>,
    /// Bytes of the file up to the end of the last command that was sent or passed over.
    read_to: u64,
    /// Bytes of the file that the firmware has taken.
    pub(super) acknowledged: u64,
    pub(super) layer: Option<u32>,
    /// Minutes left as the file says (M73 R).
    pub(super) minutes_left: Option<f64>,
    pub(super) remark: Option<Remark>,
    /// A script has asked the firmware where it stands.
    place_asked: bool,
    /// While it is on its way back to a layer.
    way_back: Option<WayBack>,
    events: Vec<JobEvent>,
}

impl Job {
    pub(super) fn start(
        now: Duration,
        source: Box<dyn CommandSource>,
        parking: Parking,
        firmware: &Firmware,
        link: &mut Link,
    ) -> Self {
        link.number_job(now);
        Self::new(source, parking, firmware)
    }

    /// The same without numbers of its own: for one that is stopped at once.
    pub(super) fn new(source: Box<dyn CommandSource>, parking: Parking, firmware: &Firmware) -> Self {
        let modal = Modal::new(firmware.dialect.extruder_rule());
        let display = Display::new(firmware, source.brief());
        let dead_man = DeadMan::new(firmware, parking.templates.dead_man_s);
        Self {
            source,
            next: None,
            script: scripts::start(&modal, parking.reach(firmware.area), &parking),
            stage: Stage::Numbering,
            area: parking.reach(firmware.area),
            heaters: Heaters::default(),
            modal,
            dialect: firmware.dialect,
            named: NamedHeaters::of(firmware.dialect),
            envelope: Envelope::default(),
            printing: false,
            may_wait_to: None,
            parking,
            display,
            dead_man,
            pause_wanted: false,
            resume_wanted: false,
            held: false,
            vigil: Vigil::default(),
            parked: false,
            end: None,
            read_to: 0,
            acknowledged: 0,
            layer: None,
            minutes_left: None,
            remark: None,
            place_asked: false,
            way_back: None,
            events: Vec::new(),
        }
    }

    pub(super) fn stage(&self) -> Stage {
        self.stage
    }

    /// Those that the host knows, and those that the job has named.
    pub(super) fn all_heaters(&self) -> Heaters {
        let mut heaters = self.heaters.clone();
        heaters.learn_job(&self.modal);
        heaters.add(&self.parking.templates.heaters());
        heaters.words |= self.named.any || self.parking.templates.have_words() && self.named.may_be_macros();
        heaters
    }

    pub(super) fn motion(&self) -> Motion {
        Motion::of(&self.modal)
    }

    /// What the host's own moves are planned by.
    fn surroundings(&self, area: Option<Area>) -> Surroundings<'_> {
        Surroundings { envelope: &self.envelope, area }
    }

    /// How high the nozzle may stand in the machine, mm, when a job is stopped; none where it must not be lifted: it is
    /// high enough, or stands where only a person has seen it.
    fn stands_at_most(&self, area: Option<Area>) -> Option<f64> {
        let [.., z] = self.modal.machine_mm;
        match self.stage {
            Stage::Paused if !self.held => None,
            Stage::Returning => None,
            Stage::Pausing | Stage::Resuming => Some(self.surroundings(area).lifted(z, self.parking.lift_mm)),
            _ => Some(z),
        }
    }

    pub(super) fn take_events(&mut self) -> Vec<JobEvent> {
        std::mem::take(&mut self.events)
    }

    /// The firmware has taken a command.
    pub(super) fn accepted(&mut self, origin: Origin) {
        if let Origin::File { end } = origin {
            self.acknowledged = self.acknowledged.max(end);
        }
    }

    /// Whether the firmware is at a command in which it may wait for a person.
    pub(super) fn may_wait_for_person(&self) -> bool {
        self.may_wait_to.is_some_and(|end| self.acknowledged < end)
    }

    pub(super) fn pause(&mut self, area: Option<Area>, reason: Option<String>) {
        match self.stage {
            Stage::Feeding => {
                self.stage = Stage::Pausing;
                let pause = self.pause_script(area);
                self.script.extend(pause);
                self.script.extend(self.dead_man.rest());
                self.events.push(JobEvent::Pausing(reason));
            }
            Stage::Numbering | Stage::Resuming | Stage::Returning => self.pause_wanted = true,
            Stage::Pausing => self.resume_wanted = false,
            Stage::Paused | Stage::Finishing | Stage::Proving | Stage::Stopping | Stage::Ended => {}
        }
    }

    fn pause_script(&mut self, area: Option<Area>) -> Script {
        let about = self.surroundings(area);
        let parked = scripts::parks(&self.modal, about, &self.parking);
        let script = scripts::pause(&self.modal, about, &self.parking);
        self.parked = parked;
        script
    }

    /// The firmware says where it stands, in mm: asked before the head is parked.
    pub(super) fn on_position(&mut self, place: [f64; 3]) {
        if let Some(way_back) = self.way_back.as_mut().filter(|_| self.place_asked) {
            way_back.stands_at(place);
            return;
        }
        if !std::mem::take(&mut self.place_asked) || self.stage != Stage::Pausing || self.modal.inches {
            return;
        }
        let expected = self.modal.position();
        if whereabouts::is_elsewhere(expected, place) {
            tracing::warn!(printer.place_mm = ?place, job.place_mm = ?expected, "the printer stands elsewhere");
            self.remark = self.remark.or(Some(Remark::Elsewhere));
        }
    }

    /// The printer has paused by itself, and brings itself back: nothing is sent until it goes on.
    pub(super) fn hold(&mut self, reason: String) {
        if self.stage == Stage::Feeding {
            self.stage = Stage::Pausing;
            self.held = true;
            self.script.extend(self.dead_man.rest());
            self.events.push(JobEvent::Pausing(Some(reason)));
        }
    }

    pub(super) fn resume(&mut self) {
        match self.stage {
            Stage::Paused => {
                self.stage = Stage::Resuming;
                let (heat, is_cold, nozzle_is_cold) = self.heat_again();
                self.script = self.dead_man.wake().into_iter().chain(heat).collect();
                if !std::mem::take(&mut self.held) {
                    let (modal, parking) = (&self.modal, &self.parking);
                    let about = self.surroundings(self.area);
                    // By settings that have changed since it may be above the part.
                    let primes = nozzle_is_cold && self.parked;
                    let back = scripts::resume(modal, about, parking, primes);
                    self.script.extend(back);
                } else if is_cold {
                    // It stands where it stood: the printer has brought itself back.
                    self.script.extend(scripts::script(scripts::heat(&self.modal)));
                }
                self.events.push(JobEvent::Resuming);
            }
            Stage::Pausing => self.resume_wanted = true,
            Stage::Numbering | Stage::Resuming | Stage::Returning => self.pause_wanted = false,
            Stage::Feeding | Stage::Finishing | Stage::Proving | Stage::Stopping | Stage::Ended => {}
        }
    }

    /// Feeds nothing more and makes the printer safe. What was sent is still carried out by the firmware.
    pub(super) fn stop(
        &mut self,
        now: Duration,
        end: End,
        area: Option<Area>,
        link: &mut Link,
        interrupt: bool,
    ) {
        if matches!(self.stage, Stage::Stopping | Stage::Ended) {
            return;
        }
        if interrupt && link.is_waiting() {
            link.send_urgent(now, "M108");
        }
        // Lines that are owed again are not sent any more; their numbers must not be used for others.
        if link.owes_lines() {
            link.restart_numbers(now);
        }
        let from = self.stands_at_most(area);
        self.stage = Stage::Stopping;
        self.way_back = None;
        self.events.push(JobEvent::Stopping(end.clone()));
        let heaters = self.all_heaters();
        let reports = std::mem::take(&mut self.script).into_iter().filter(own_reports::is_of_reports);
        self.script = scripts::stop(&self.modal, area, &self.parking, &heaters, from);
        // What the file has silenced is needed behind the job, too.
        self.script.extend(reports);
        self.end = Some(end);
    }

    /// The line itself has failed: there is no way to make the printer safe but by starting over.
    pub(super) fn abort(&mut self, end: End) {
        if self.stage != Stage::Ended {
            self.finish(JobEvent::Stopped(end));
        }
    }

    fn finish(&mut self, event: JobEvent) {
        self.stage = Stage::Ended;
        self.script.clear();
        self.events.push(event);
    }

    /// Sends what may be sent now.
    pub(super) fn advance(&mut self, now: Duration, link: &mut Link, area: Option<Area>, interrupt: bool) {
        loop {
            while let Some(command) = self.script.front() {
                if !link.has_room(command) {
                    return;
                }
                link.send(now, command, Origin::Script);
                if matches!(command.code(), Some(Code { letter: b'G', number: 0 | 1, .. })) {
                    link.moves(now, moves_ahead::ACROSS);
                }
                // Behind an `M400`: what was reported before was of other commands (Marlin's G92 does so, too).
                self.place_asked |= command.is(Code::m(114));
                let again = own_reports::again(command, self.dialect);
                self.script.pop_front();
                if let Some(again) = again {
                    self.script.push_front(again);
                }
            }
            let before = self.stage;
            match self.stage {
                Stage::Feeding => self.feed(now, link, area, interrupt),
                Stage::Ended => return,
                _ if !link.is_idle() => return,
                Stage::Numbering if self.way_back.is_some() => self.stage = Stage::Returning,
                Stage::Numbering => self.stage = Stage::Feeding,
                Stage::Returning => self.find_way_back(now, link, area, interrupt),
                Stage::Pausing => {
                    self.stage = Stage::Paused;
                    self.events.push(JobEvent::Paused);
                    if std::mem::take(&mut self.resume_wanted) {
                        self.resume();
                    }
                }
                Stage::Paused => self.script = self.due_in_pause(),
                Stage::Resuming => {
                    self.stage = Stage::Feeding;
                    self.events.push(JobEvent::Resumed);
                }
                Stage::Finishing => {
                    link.send_proof(now);
                    self.stage = Stage::Proving;
                }
                Stage::Proving => self.finish(JobEvent::Completed),
                Stage::Stopping => {
                    let end = self.end.take().unwrap_or(End::Cancelled);
                    self.finish(JobEvent::Stopped(end));
                }
            }
            if self.stage == Stage::Feeding && std::mem::take(&mut self.pause_wanted) {
                self.pause(area, self.reason_of_pause());
            }
            if self.stage == before && self.script.is_empty() {
                return;
            }
        }
    }
}
