//! The host at one serial port: bytes and time in; bytes, events and the next deadline out.
//!
//! Owns: what each reply means for the connection as a whole. Parts: `framing` and `reply` read, `link`
//! delivers, `handshake` gets to know the firmware, `job` feeds. Must not know: ports, threads, sleeping, the hub.

mod attaching;
mod connecting;
mod halt;
mod panel;
mod polls;
mod safety;
mod sight;
mod waiting;
mod warming;

use std::collections::VecDeque;
use std::time::Duration;

use super::attention::Attention;
use super::checkpoint::Due;
use super::dead_man::DeadMan;
use super::external::External;
use super::feeder::CommandSource;
use super::firmware::Firmware;
use super::framing::LineAssembler;
use super::handshake::Handshake;
use super::heat::{HeatDebt, Heaters, Heating, Safety};
use super::job::{End, Job, JobEvent, Stage};
use super::link::Link;
use super::reply::{self, Busy, ErrorKind, Reply};
use super::return_to_layer::LayerPoint;
use super::scripts::Parking;
use super::thermometer::Thermometer;
use super::told::{Ignored, Told};
use super::transcript::Transcript;
use attaching::{Attaching, Wish};
pub use sight::Connection;

/// What the driver is told.
#[derive(Debug, Clone, PartialEq)]
pub enum HostEvent {
    /// The firmware has answered and is ready for a job.
    Ready,
    /// Something happened to the job.
    Job(JobEvent),
    /// With no job at work: all heaters are off, and that was read back. What was owed is settled.
    HeatSettled,
    /// With no job at work: somebody prints from the printer's memory card, and what was owed is left to them.
    HeatLeftToCard,
    /// What came of [`Host::preheat`]: the heaters are set, as the firmware tells, or are turned off again.
    Preheated(Result<(), super::NotSet>),
    /// The firmware has stopped, with its own words. Only a reset brings it back.
    Halted(String),
    /// It was told to stop at once so often, and goes on. Its heaters are turned off by commands.
    StopIgnored {
        /// How often `M112` was sent.
        sent: u32,
    },
}

enum Phase {
    Handshake(Handshake),
    Attaching(Box<Attaching>),
    Ready,
    Halted(String),
    Told(Told),
}

/// The host at one port.
pub struct Host {
    phase: Phase,
    link: Link,
    assembler: LineAssembler,
    transcript: Transcript,
    firmware: Firmware,
    job: Option<Job>,
    parking: Parking,
    /// Heaters as last reported.
    thermometer: Thermometer,
    attention: Attention,
    external: External,
    /// When the memory card's print is asked about.
    card_at: Option<Duration>,
    /// It was asked about since the firmware answers, or there is no card.
    is_card_known: bool,
    poll_at: Option<Duration>,
    /// What the printer heats, as far as it was named.
    heaters: Heaters,
    /// From the start of a job until all targets are read back as 0.
    debt: HeatDebt,
    /// Of a job that has ended: on until all is off, so that the firmware turns it off if this host dies before that.
    dead_man: Option<DeadMan>,
    /// The heaters were turned off just now.
    turned_off: bool,
    /// The job at work is none of the driver's: it only turns the heaters off.
    safety_stop: bool,
    /// Those that the last such job was begun for.
    turning_off: Heaters,
    /// Or sets them, for a time.
    warming: bool,
    checkpoint_due: Due,
    /// The firmware's wait for a person is being ended since then.
    ending_since: Option<Duration>,
    /// And last told to end, before it was known where the job is.
    ended_at: Option<Duration>,
    /// The printer has asked its host to go.
    left_alone: bool,
    /// It was told to stop at once, and went on.
    ignored: Option<Ignored>,
    events: VecDeque<HostEvent>,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host")
            .field("connection", &self.connection())
            .field("job", &self.job)
            .finish_non_exhaustive()
    }
}

impl Host {
    /// A port was opened just now.
    #[must_use]
    pub fn new(now: Duration, parking: Parking) -> Self {
        Self {
            phase: Phase::Handshake(Handshake::new(now)),
            link: Link::new(),
            assembler: LineAssembler::default(),
            transcript: Transcript::default(),
            firmware: Firmware::default(),
            job: None,
            parking,
            thermometer: Thermometer::default(),
            attention: Attention::default(),
            external: External::default(),
            card_at: None,
            is_card_known: false,
            poll_at: None,
            heaters: Heaters::default(),
            debt: HeatDebt::default(),
            dead_man: None,
            turned_off: false,
            safety_stop: false,
            turning_off: Heaters::default(),
            warming: false,
            checkpoint_due: Due::default(),
            ending_since: None,
            ended_at: None,
            left_alone: false,
            ignored: None,
            events: VecDeque::new(),
        }
    }

    /// Bytes came from the port.
    pub fn receive(&mut self, now: Duration, bytes: &[u8]) {
        let mut assembler = std::mem::take(&mut self.assembler);
        assembler.push(bytes, |line| {
            tracing::trace!(serial.received = line);
            self.transcript.received(line);
            self.on_reply(now, &Reply::parse(line));
        });
        self.assembler = assembler;
        self.tick(now);
    }

    /// Does what is due: call it at [`Self::deadline`] and after each order.
    pub fn tick(&mut self, now: Duration) {
        if self.is_attaching() {
            self.look_after_waiting_unattached(now);
            return self.find_place(now);
        }
        while let Some(origin) = self.link.take_accepted() {
            if let Some(job) = &mut self.job {
                job.accepted(origin);
            }
        }
        self.look_after_stop(now);
        self.link.poll(now);
        if let Some(fault) = self.link.fault().cloned() {
            self.lose(now, &format!("The connection to the printer failed: {fault}"));
        }
        self.shake_hands(now);
        self.look_after_waiting(now);
        self.poll_temperatures(now);
        self.advance_job(now);
        self.external.tick(now);
        self.poll_card(now);
        self.end_card_print(now);
        self.settle_heat(now);
    }

    fn advance_job(&mut self, now: Duration) {
        let area = self.reach();
        if let Some(job) = &mut self.job {
            let interrupt = self.firmware.can("EMERGENCY_PARSER");
            job.advance(now, &mut self.link, area, interrupt);
            self.collect_job_events();
        }
    }

    /// What is to be written to the port, in order.
    pub fn take_output(&mut self) -> Vec<u8> {
        let output = self.link.take_output();
        self.transcript.sent(&output);
        output
    }

    /// The same, added to `output` without a new buffer each time.
    pub fn move_output(&mut self, output: &mut Vec<u8>) {
        let before = output.len();
        self.link.move_output(output);
        self.transcript.sent(output.get(before..).unwrap_or_default());
    }

    /// What has happened, oldest first.
    pub fn next_event(&mut self) -> Option<HostEvent> {
        self.events.pop_front()
    }

    /// Whether a job can be started.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Ready)
            && self.job.is_none()
            && self.external().is_none()
            && !self.attention.is_locked()
            // What the last job has heated is turned off first, and read back.
            && matches!(self.debt.state(), Heating::Settled | Heating::Wanted(_))
    }

    /// Starts a job. Ignored (false) while there is one or the firmware is not ready.
    pub fn start(&mut self, now: Duration, source: Box<dyn CommandSource>) -> bool {
        if !self.is_ready() {
            return false;
        }
        let job = Job::start(now, source, self.parking.clone(), &self.firmware, &mut self.link);
        self.begin(now, job);
        true
    }

    /// Starts a job at a layer of a part that is there, on a printer that has forgotten everything; `source` stands there.
    /// Ignored (false) while there is a job or the firmware is not ready.
    pub fn start_at(&mut self, now: Duration, source: Box<dyn CommandSource>, point: &LayerPoint) -> bool {
        if !self.is_ready() {
            return false;
        }
        let parking = self.parking.clone();
        let job = Job::start_at(now, source, point, parking, &self.firmware, &mut self.link);
        self.begin(now, job);
        true
    }

    fn begin(&mut self, now: Duration, mut job: Job) {
        self.checkpoint_due.clear();
        self.ignored = None;
        self.heaters.learn(&self.firmware, &self.thermometer);
        job.heaters = self.heaters.clone();
        self.debt.owe(now);
        if let Some(left_on) = self.dead_man.take() {
            job.dead_man.take_over(&left_on);
        }
        self.job = Some(job);
        self.tick(now);
    }

    /// Pauses the job as soon as what was sent is carried out.
    pub fn pause(&mut self, now: Duration) {
        if self.postpone(Wish::Pause) {
            return;
        }
        let area = self.reach();
        if let Some(job) = &mut self.job {
            job.pause(area, None);
        }
        self.tick(now);
    }

    /// Stops the job and makes the printer safe. Nothing of the file is sent after this.
    pub fn stop(&mut self, now: Duration, end: End) {
        if self.postpone(Wish::Stop(end.clone())) {
            return;
        }
        let area = self.reach();
        if let Some(job) = &mut self.job {
            let interrupt = self.firmware.can("EMERGENCY_PARSER");
            job.stop(now, end, area, &mut self.link, interrupt);
        }
        self.tick(now);
    }

    fn on_reply(&mut self, now: Duration, reply: &Reply) {
        // Where answers look like reports nobody can tell.
        let reports = self.firmware.can("AUTOREPORT_TEMP") && !self.firmware.dialect.reports_apart();
        let by_itself = matches!(reply, Reply::Temperatures(_)) && reports;
        self.link.on_life(now, by_itself);
        self.firmware.learn(reply);
        if self.hear_told(now, reply) {
            return;
        }
        self.hear_attaching(now, reply);
        match reply {
            Reply::Ok(ok) => {
                ok.firmware.iter().for_each(|firmware| self.on_reply(now, firmware));
                self.link.on_ok(now, ok);
                self.attention.works();
                if let Some(report) = &ok.temperatures {
                    self.look_whether_unlocked(now);
                    self.hear_heat(now, report);
                }
            }
            Reply::Resend(number) => self.link.on_resend(now, *number),
            Reply::Busy(busy) => {
                self.link.on_busy(now, true);
                match busy {
                    Busy::Processing => self.attention.works(),
                    Busy::ForPerson => self.attention.waits(),
                }
                if self.is_unoccupied() && *busy == Busy::Processing {
                    self.external.busy(now);
                }
            }
            Reply::Temperatures(report) => {
                self.hear_heat(now, report);
                // Marlin 1, Klipper: M190 reports without `W:`, and nothing else reports there.
                let unasked = self.link.is_waiting() && !self.firmware.can("AUTOREPORT_TEMP");
                if report.waiting || unasked {
                    self.link.on_busy(now, false);
                }
            }
            Reply::Start => self.restarted(now),
            // Else it was asked.
            Reply::Ready if matches!(self.phase, Phase::Halted(_) | Phase::Told(_)) => self.restarted(now),
            Reply::Ready => {}
            Reply::Wait => self.link.on_wait(now),
            Reply::Firmware(..) => {
                self.link.set_dialect(self.firmware.dialect);
                if let Phase::Handshake(handshake) = &mut self.phase {
                    handshake.on_identity();
                }
            }
            Reply::Error(ErrorKind::Fatal, message) => match self.firmware.dialect.goes_on_after(message) {
                // The heaters are still on, and off they must be.
                Some(_) if matches!(self.debt.state(), Heating::Wanted(_)) => {
                    tracing::warn!(firmware.error = message, "a preheat is ended");
                    self.debt.owe_at_once(now, Safety::InPlace);
                }
                Some(what) => self.stop(now, End::Failed(format!("The printer {what}: {message}."))),
                None => self.halt(now, message),
            },
            Reply::Error(ErrorKind::Other, message) => tracing::warn!(firmware.error = message),
            Reply::Action(action) => self.on_action(now, action),
            Reply::Error(ErrorKind::Transmission, message) => tracing::debug!(firmware.error = message),
            Reply::Echo(text) | Reply::Other(text) if self.job.is_some() && reply::tells_a_reset(text) => {
                self.restarted(now);
            }
            // Prusa's notice, the moment its supply fails.
            Reply::Other(text) if text == "INT4" && self.job.is_some() => {
                self.lose(
                    now,
                    "The printer lost its power in mid-print: look at its panel whether it offers to go on",
                );
            }
            Reply::Other(text) => self.on_other(now, text),
            Reply::Echo(text) => self.on_echo(now, text),
            Reply::Capability(..) => {}
        }
        if let Phase::Handshake(handshake) = &mut self.phase {
            if matches!(reply, Reply::Busy(_) | Reply::Temperatures(_)) {
                handshake.on_sign();
            }
            if matches!(reply, Reply::Ok(_) | Reply::Start | Reply::Wait | Reply::Temperatures(_)) {
                handshake.on_life(now);
            }
        }
    }

    fn end_job(&mut self, end: End) {
        if let Some(job) = &mut self.job {
            tracing::warn!(job.end = ?end, "the job on the line is lost");
            // Long: not before the sentence that a person at a terminal reads.
            tracing::info!(serial.transcript = %self.transcript, "what was said last");
            job.abort(end);
        }
        self.collect_job_events();
    }

    fn collect_job_events(&mut self) {
        let Some(job) = &mut self.job else { return };
        let events = job.take_events();
        if !self.safety_stop {
            self.events.extend(events.into_iter().map(HostEvent::Job));
        }
        if job.stage() == Stage::Ended {
            if !self.safety_stop {
                self.dead_man = Some(job.dead_man.clone()).filter(DeadMan::is_on);
            }
            self.heaters.add(&job.all_heaters());
            self.job = None;
            let has_warmed = std::mem::take(&mut self.warming);
            self.turned_off = std::mem::take(&mut self.safety_stop) && !has_warmed;
        }
    }
}
