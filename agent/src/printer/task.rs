//! The task of one printer: everything that happens comes in here, one thing after the other.
//!
//! Owns: carrying out what [`Lifecycle`] decides, in order. Nothing here waits for the network or the printer:
//! calls run in tasks of their own ([`super::calls`]) and come back as [`Inbound`]. Must not know: how any of it is done.

mod berth_side;
mod coming_back;
mod credential_side;
mod disk_side;
mod disk_wait;
mod end_side;
mod heat_side;
mod hub_side;
mod interruption;
mod preheat_side;
mod stop_side;
mod telemetry_side;
mod telling;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;

use stardust_clock::SharedClock;
use stardust_protocol::{Command, EventBody, SessionId};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::berth::Berth;
use super::calls::{Calls, Inbound};
use super::folder::{PrinterConfig, PrinterFolder};
use super::host_trouble::HostTrouble;
use super::interrupted::Interrupted;
use super::progress::Progress;
use super::question::Question;
use super::report::PrinterReport;
use super::return_to_job::{self, Return};
use super::stops::Stops;
use super::wiring::Wiring;
use super::{Left, SetupError};
use crate::disk::DiskFault;
use crate::folder_lock::FolderLock;
use crate::hub_link::events::SharedJournal;
use crate::hub_link::mqtt::MqttLink;
use crate::hub_link::status::StatusFeed;
use crate::journal::{Journal, Record};
use crate::port::{Order, PortEvent, PortHandle, PortPlan, Pulse};
use crate::print_job::lifecycle::{Action, Lifecycle};
use crate::serial::{Brief, HostEvent, LayerPoint, Safety};
use crate::spool::Reservation;
use crate::trail::Trail;
use berth_side::ByHand;
use credential_side::NewCredential;
use disk_wait::DiskWait;
pub(super) use disk_wait::FromDisk;
use preheat_side::{NOT_READY, Preheats};
use telemetry_side::Telemetry;

/// Hints to look for work may get lost.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// A disk that can't be written is tried again this often.
const DISK_AGAIN: Duration = Duration::from_secs(2);

/// A printer at work.
#[derive(Debug)]
pub struct Printer {
    config: PrinterConfig,
    folder: PrinterFolder,
    clock: SharedClock,
    berth: Berth,
    port: PortHandle,
    journal: SharedJournal,
    disk_faults: watch::Receiver<Option<DiskFault>>,
    /// The room for the job at hand, until its claim is recorded.
    room: Option<Reservation>,
    calls: Calls,
    mqtt: MqttLink,
    feed: StatusFeed,
    life: Lifecycle,
    progress: Progress,
    question: Question,
    file: Option<(PathBuf, Brief)>,
    trail: Option<Box<Trail>>,
    /// What is waited for, and the actions that follow then.
    disk_wait: Option<DiskWait>,
    deferred: VecDeque<Vec<Action>>,
    /// While it waits for a person.
    interrupted: Option<Interrupted>,
    /// The layer that it goes on from.
    return_point: Option<Box<LayerPoint>>,
    /// The job of an earlier process.
    returning: Option<Return>,
    inbox: mpsc::UnboundedReceiver<Inbound>,
    transfer: Option<JoinHandle<()>>,
    deliveries: [JoinHandle<()>; 2],
    telemetry: Telemetry,
    stops: Stops,
    preheats: Preheats,
    was_ready: bool,
    looking: bool,
    look_again: bool,
    connected: bool,
    revoked: bool,
    new_credential: NewCredential,
    /// The job is verified and waits for the printer to be ready.
    leave_wanted: bool,
    /// Prints with no hub that may have left this printer hot.
    by_hand: ByHand,
    link: String,
    trouble: HostTrouble,
    /// The agent stops: nothing is begun any more.
    is_ending: bool,
    disk_looked_at: Duration,
    /// Why the hub can't be called, while it can't: MQTT may go on.
    no_calls: Option<String>,
    _held: FolderLock,
}

impl Printer {
    /// Opens everything the printer needs.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn set_up(
        folder: &PrinterFolder,
        clock: SharedClock,
        wiring: &impl Wiring,
    ) -> Result<Self, SetupError> {
        let (config, credential) = folder.load()?;
        let held = FolderLock::take_if_free(folder.path()).ok_or(SetupError::BeingMadeSafe)?;
        let disk = wiring.disk();
        // The port first: a job that is at work has waited long enough.
        let owed = Journal::peek(&folder.journal()).heat;
        let berth = Berth::choose(folder, &config, &owed)?;
        let is_at_work_there = owed.of_job().is_none_or(|owed| berth.is_here(owed));
        let (returning, job) = is_at_work_there.then(|| return_to_job::look(folder)).flatten().unzip();
        let plan = PortPlan { left: Trail::left(&folder.trail()), ..berth.plan.clone() };
        let port = wiring.drive(folder, plan, config.parking(), &clock, job.flatten())?;
        let journal = SharedJournal::new(folder.open_journal()?, disk.clone());
        let spool = folder.open_spool(clock.clone(), disk.clone());
        let (hub, mqtt) = wiring.connect(folder, &config, credential)?;
        let (inbound, inbox) = mpsc::unbounded_channel();
        let telemetry = Telemetry::open(folder.telemetry(), hub.seed(), disk.clone());
        let calls = Calls::new(hub, spool, disk, clock.clone(), inbound);
        let samples = calls.deliver_telemetry(telemetry.series.clone(), journal.clone());
        let deliveries = [calls.deliver(journal.clone()), samples];
        Ok(Self {
            feed: StatusFeed::new(SessionId::generate(clock.now())),
            mqtt,
            calls,
            config,
            clock,
            berth,
            port,
            disk_faults: journal.faults(),
            room: None,
            journal,
            life: Lifecycle::default(),
            progress: Progress::default(),
            question: Question::default(),
            file: None,
            trail: None,
            disk_wait: None,
            deferred: VecDeque::new(),
            interrupted: None,
            return_point: None,
            returning,
            folder: folder.clone(),
            inbox,
            transfer: None,
            deliveries,
            telemetry,
            stops: Stops::default(),
            preheats: Preheats::default(),
            was_ready: false,
            looking: false,
            look_again: false,
            connected: false,
            revoked: false,
            new_credential: NewCredential::default(),
            leave_wanted: false,
            by_hand: ByHand::default(),
            link: "Connecting to the hub.".into(),
            trouble: HostTrouble::default(),
            is_ending: false,
            disk_looked_at: Duration::ZERO,
            no_calls: None,
            _held: held,
        })
    }

    /// Whether the thread of its port still turns.
    #[must_use]
    pub fn pulse(&self) -> Pulse {
        self.port.pulse()
    }

    /// Works until `stop` turns true, and leaves the printer safe.
    ///
    /// # Errors
    /// [`SetupError::PortThread`].
    pub async fn run(
        mut self,
        mut stop: watch::Receiver<bool>,
        reports: watch::Sender<Option<PrinterReport>>,
    ) -> Result<Left, SetupError> {
        self.come_back();
        self.take_up_heat();
        let mut look = tokio::time::interval(LOOK_EVERY);
        while !*stop.borrow() && !self.has_to_move() && !self.has_to_give_way() {
            let in_time = |at: Duration| Instant::now() + at.saturating_sub(self.clock.elapsed());
            let (status_at, sample_at) = (in_time(self.feed.due_at()), self.telemetry.due_at().map(in_time));
            tokio::select! {
                biased;
                Ok(()) = stop.changed() => {}
                event = self.port.events.recv() => self.on_port(event.ok_or(SetupError::PortThread)?),
                Some(event) = self.mqtt.events.recv() => self.on_mqtt(event),
                Some(inbound) = self.inbox.recv() => self.on_inbound(inbound),
                _ = look.tick() => {
                    self.look_for_work();
                    self.look_for_later_pairing();
                }
                () = tokio::time::sleep(DISK_AGAIN), if self.looks_now_and_then() => {}
                Ok(()) = self.port.view.changed() => {}
                Ok(()) = self.disk_faults.changed() => {}
                () = tokio::time::sleep_until(status_at), if self.connected && self.status_is_waiting() => {}
                () = tokio::time::sleep_until(sample_at.unwrap_or(status_at)), if sample_at.is_some() => {}
            }
            self.follow_view();
            self.look_after_disk();
            self.look_after_ports();
            self.look_for_new_credential();
            let is_ready = self.port.view.borrow().is_ready && !self.preheats.is_being_begun();
            if is_ready && !self.was_ready {
                self.look_for_print_by_hand();
                self.look_for_work();
            }
            self.was_ready = is_ready;
            if is_ready {
                let actions = self.life.printer_ready();
                self.perform(actions);
            }
            // In order: the hub learns of the transfer before it is asked to start.
            if self.leave_wanted && is_ready && self.journal.is_delivered() {
                self.ask_leave();
            }
            self.send_status();
            self.follow_telemetry();
            reports.send_if_modified(|report| {
                let new = Some(self.report());
                let changed = *report != new;
                *report = new;
                changed
            });
        }
        let is_stopped = *stop.borrow();
        Ok(self.leave(is_stopped).await)
    }

    /// Whether something is waited for of which nothing tells.
    fn looks_now_and_then(&self) -> bool {
        !self.trouble.is_none() || !self.berth.is_settled() || self.revoked
    }

    fn on_port(&mut self, event: PortEvent) {
        let was_cut_off = self.life.is_cut_off();
        let actions = match event {
            PortEvent::NotStarted => self.life.not_started(),
            PortEvent::Killed(reach) => {
                self.on_killed(reach);
                Vec::new()
            }
            PortEvent::Host(HostEvent::Job(event), acknowledged) => {
                let size = self.life.claim().map_or(acknowledged, |claim| claim.size_bytes);
                self.progress.on_event(&event, acknowledged, size, self.clock.elapsed());
                self.life.on_line(event)
            }
            PortEvent::NotPreheated => {
                self.on_preheated(Err(NOT_READY.into()));
                Vec::new()
            }
            PortEvent::Host(HostEvent::Preheated(word), _) => {
                self.on_preheated(word.map_err(|not_set| not_set.to_string()));
                Vec::new()
            }
            PortEvent::Host(HostEvent::HeatSettled | HostEvent::HeatLeftToCard, _) => {
                self.on_heat_settled();
                Vec::new()
            }
            PortEvent::Host(HostEvent::StopIgnored { .. }, _) => {
                self.on_stop_ignored();
                Vec::new()
            }
            // The view tells.
            PortEvent::Host(HostEvent::Ready | HostEvent::Halted(_), _) => Vec::new(),
        };
        self.perform(actions);
        // Its bed stays warm for whoever has it go on, which nobody can any more.
        if self.revoked && self.life.is_cut_off() && !was_cut_off {
            self.cool_for_nobody();
        }
    }

    fn on_inbound(&mut self, inbound: Inbound) {
        let actions = match inbound {
            Inbound::Commands(mut commands) => {
                // Ahead of whatever was asked before.
                commands.sort_by_key(|asked| asked.command != Command::EmergencyStop);
                commands.iter().for_each(|command| self.on_command(command));
                Vec::new()
            }
            Inbound::Claimed(claim, _) if self.journal.lock().state().has_ended(claim.claim_id) => {
                tracing::warn!(job.id = %claim.job_id, "the hub offers a claim that is over; passed over");
                Vec::new()
            }
            Inbound::Claimed(claim, room) => {
                self.room = Some(room).filter(|_| self.life.claim().is_none());
                tracing::info!(job.id = %claim.job_id, file.name = claim.file_name, "job claimed");
                self.life.claimed(*claim)
            }
            Inbound::Undelivered(error) => {
                self.no_calls = Some(error);
                Vec::new()
            }
            Inbound::Looked(error) => {
                self.no_calls = error;
                self.looking = false;
                if std::mem::take(&mut self.look_again) {
                    self.look_for_work();
                }
                Vec::new()
            }
            Inbound::Look => {
                self.look_for_work();
                Vec::new()
            }
            Inbound::Transferred(job, Ok(file)) => {
                self.file = Some(file);
                self.life.transferred(job, Ok(()))
            }
            Inbound::Transferred(job, Err(reason)) => self.life.transferred(job, Err(reason)),
            Inbound::Layers(job, layers) => {
                self.on_layers(job, layers);
                Vec::new()
            }
            Inbound::Planned(job, planning, planned) => {
                self.on_planned(job, &planning, *planned);
                Vec::new()
            }
            Inbound::Leave(job, Ok(())) => self.life.leave_given(job),
            Inbound::Leave(job, Err(error)) => {
                tracing::warn!(job.id = %job, error = %error, "no leave to start");
                self.life.claim_lost(job)
            }
            Inbound::Revoked => {
                self.on_revoked();
                Vec::new()
            }
            Inbound::FromDisk(from) => {
                self.on_disk(*from);
                Vec::new()
            }
            Inbound::Room(no_room) => {
                self.on_room(no_room);
                Vec::new()
            }
        };
        self.perform(actions);
    }

    fn carry_out(&mut self, action: Action) {
        match action {
            Action::Record(record) => self.record(record),
            Action::Report { state, reason, ends } => {
                let Some(claim) = self.life.claim().cloned() else { return };
                tracing::info!(job.id = %claim.job_id, job.state = %state, reason, "job moved");
                let body = EventBody::JobMoved {
                    job_id: claim.job_id,
                    claim_id: claim.claim_id,
                    state,
                    reason,
                    fraction: self.job_picture().map_or(0.0, |job| job.fraction()),
                    elapsed_s: self.progress.elapsed(self.clock.elapsed()).as_secs(),
                };
                self.record_event(
                    body,
                    ends.then_some(Record::Ended { job_id: claim.job_id, claim_id: claim.claim_id }),
                );
                if ends {
                    if self.interrupted.is_some() {
                        // It was given up: nobody needs the bed any more.
                        self.port.order(Order::MakeSafe(Safety::InPlace));
                    }
                    self.life.let_go();
                    self.remove_trail();
                    self.file = None;
                    self.leave_wanted = false;
                    self.interrupted = None;
                }
            }
            Action::Transfer => self.transfer(),
            Action::StopTransfer => {
                if let Some(transfer) = self.transfer.take() {
                    transfer.abort();
                }
            }
            // Asked in the loop, as soon as the printer is ready.
            Action::AskLeave => self.leave_wanted = true,
            // In the beginning, or going on there.
            Action::Print => self.open_file(DiskWait::Begin, (0, None)),
            Action::Pause => self.port.order(Order::Pause),
            Action::Resume => self.port.order(Order::Resume),
            Action::Stop(end) => self.port.order(Order::Stop(end)),
            Action::KeepPlace(place) => self.keep_place(place),
            Action::PlanReturn(layer) => self.plan_return(layer),
            Action::PrintFromLayer => self.print_from_layer(),
            Action::MakeSafe => self.port.order(Order::MakeSafe(Safety::AllOff)),
            Action::LookForWork => self.look_for_work(),
            Action::LookLater => self.calls.look_later(),
        }
    }

    fn transfer(&mut self) {
        let Some(claim) = self.life.claim().cloned() else { return };
        self.progress = Progress::default();
        let (machine, dialect) = {
            let view = self.port.view.borrow();
            (view.machine, view.dialect)
        };
        let profile = self.config.profile.with_firmware(machine).read_by(Some(dialect));
        self.transfer = Some(self.calls.transfer(claim, profile));
    }

    fn ask_leave(&mut self) {
        self.leave_wanted = false;
        if let Some(claim) = self.life.claim() {
            self.calls.ask_leave(claim.job_id, claim.claim_id);
        }
    }
}

impl Drop for Printer {
    fn drop(&mut self) {
        self.deliveries.iter().for_each(JoinHandle::abort);
        if let Some(transfer) = &self.transfer {
            transfer.abort();
        }
    }
}
