//! The task of one printer: everything that happens comes in here, one thing after the other.
//!
//! Owns: carrying out what [`Lifecycle`] decides, in order. Nothing here waits for the network or the printer:
//! calls run in tasks of their own and come back as [`Inbound`]. Must not know: how any of it is done.

use std::future::Future;
use std::io::BufReader;
use std::path::PathBuf;
use std::time::Duration;

use stardust_clock::SharedClock;
use stardust_protocol::agent_api::Claim;
use stardust_protocol::{CommandId, CommandMessage, CommandOutcome, EventBody, JobId, SessionId};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::folder::{FolderError, PrinterConfig, PrinterFolder};
use super::picture::{self, JobPicture};
use super::report::PrinterReport;
use crate::hub_link::back_off::BackOff;
use crate::hub_link::client::{HubClient, HubError};
use crate::hub_link::commands::{Verdict, judge};
use crate::hub_link::events::{SharedJournal, deliver};
use crate::hub_link::mqtt::{self, MqttEvent, MqttLink};
use crate::hub_link::status::StatusFeed;
use crate::journal::{Journal, JournalError, Record};
use crate::port::{Order, PortEvent, PortHandle, drive};
use crate::print_job::admission;
use crate::print_job::file_source::FileSource;
use crate::print_job::lifecycle::{Action, Lifecycle};
use crate::print_job::stopwatch::Stopwatch;
use crate::serial::{End, HostEvent, JobEvent};
use crate::spool::Spool;

/// Hints to look for work may get lost: it is looked for this often anyway.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// How long a stop of the agent waits for the printer to be made safe.
const STOP_PATIENCE: Duration = Duration::from_secs(10);
/// And then for the hub to be told.
const DELIVERY_PATIENCE: Duration = Duration::from_secs(2);

/// The printer can't be driven.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Its folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Its journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Its hub.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// The system.
    #[error("the system refuses: {0}")]
    System(#[from] std::io::Error),
}

/// What comes back from calls.
#[derive(Debug)]
enum Inbound {
    Commands(Vec<CommandMessage>),
    Claimed(Box<Claim>),
    /// Nothing more comes of this look.
    Looked,
    Transferred(JobId, Result<PathBuf, String>),
    Leave(JobId, Result<(), HubError>),
    Revoked,
}

/// A printer at work.
#[derive(Debug)]
pub struct Printer {
    config: PrinterConfig,
    clock: SharedClock,
    port: PortHandle,
    journal: SharedJournal,
    spool: Spool,
    hub: HubClient,
    mqtt: MqttLink,
    feed: StatusFeed,
    life: Lifecycle,
    watch: Stopwatch,
    acknowledged: u64,
    /// What the file said last about the time left, and when.
    file_says: Option<(f64, Duration)>,
    file: Option<PathBuf>,
    inbox: mpsc::UnboundedReceiver<Inbound>,
    inbound: mpsc::UnboundedSender<Inbound>,
    transfer: Option<JoinHandle<()>>,
    delivery: JoinHandle<()>,
    looking: bool,
    look_again: bool,
    connected: bool,
    revoked: bool,
    /// The job is verified and waits for the printer to be ready.
    leave_wanted: bool,
    link: String,
    /// The hub's clock minus ours, milliseconds.
    hub_ahead_ms: i64,
}

impl Printer {
    /// Opens everything the printer needs.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn set_up(folder: &PrinterFolder, clock: SharedClock) -> Result<Self, SetupError> {
        let (config, credential) = folder.load()?;
        let journal = SharedJournal::new(Journal::open(&folder.journal())?);
        let spool = Spool::open(folder.spool())?;
        let hub = HubClient::new(config.hub.clone(), Some(credential))?;
        let port = drive(config.port.clone(), config.baud, clock.clone())?;
        let (inbound, inbox) = mpsc::unbounded_channel();
        let delivery = tokio::spawn({
            let (hub, journal, inbound) = (hub.clone(), journal.clone(), inbound.clone());
            async move {
                deliver(hub, journal).await;
                let _ = inbound.send(Inbound::Revoked);
            }
        });
        Ok(Self {
            feed: StatusFeed::new(SessionId::generate(clock.now())),
            mqtt: mqtt::start(hub.clone()),
            config,
            clock,
            port,
            journal,
            spool,
            hub,
            life: Lifecycle::default(),
            watch: Stopwatch::default(),
            acknowledged: 0,
            file_says: None,
            file: None,
            inbox,
            inbound,
            transfer: None,
            delivery,
            looking: false,
            look_again: false,
            connected: false,
            revoked: false,
            leave_wanted: false,
            link: "Connecting to the hub.".into(),
            hub_ahead_ms: 0,
        })
    }

    /// Works until `stop` turns true, and leaves the printer safe.
    pub async fn run(
        mut self,
        mut stop: watch::Receiver<bool>,
        reports: watch::Sender<Option<PrinterReport>>,
    ) {
        let held = self.journal.lock().state().held.clone();
        let actions = self.life.restarted(held.as_ref());
        self.perform(actions);
        let mut look = tokio::time::interval(LOOK_EVERY);
        while !*stop.borrow() {
            let status_at = Instant::now() + self.feed.due_at().saturating_sub(self.clock.elapsed());
            tokio::select! {
                biased;
                Ok(()) = stop.changed() => {}
                Some(event) = self.port.events.recv() => self.on_port(event),
                Some(event) = self.mqtt.events.recv() => self.on_mqtt(event),
                Some(inbound) = self.inbox.recv() => self.on_inbound(inbound),
                _ = look.tick() => self.look_for_work(),
                Ok(()) = self.port.view.changed() => {}
                () = tokio::time::sleep_until(status_at), if self.connected && self.status_is_waiting() => {}
            }
            self.follow_view();
            if self.leave_wanted && self.port.view.borrow().is_ready {
                self.ask_leave();
            }
            self.send_status();
            reports.send_if_modified(|report| {
                let new = Some(self.report());
                let changed = *report != new;
                *report = new;
                changed
            });
        }
        self.wind_up().await;
    }

    fn on_port(&mut self, event: PortEvent) {
        let actions = match event {
            PortEvent::NotStarted => self.life.not_started(),
            PortEvent::Host(HostEvent::Job(event), acknowledged) => {
                self.acknowledged = acknowledged;
                let now = self.clock.elapsed();
                match &event {
                    JobEvent::Paused | JobEvent::Completed | JobEvent::Stopped(_) => self.watch.halt(now),
                    JobEvent::Resumed => self.watch.run(now),
                    _ => {}
                }
                if event == JobEvent::Completed {
                    self.acknowledged = self.life.claim().map_or(acknowledged, |claim| claim.size_bytes);
                }
                self.life.on_line(event)
            }
            PortEvent::Host(HostEvent::Ready, _) => vec![Action::LookForWork],
            PortEvent::Host(HostEvent::Halted(_), _) => Vec::new(),
        };
        self.perform(actions);
    }

    fn on_mqtt(&mut self, event: MqttEvent) {
        match event {
            MqttEvent::Session(session) => {
                self.hub_ahead_ms = session.now.millis_since(self.clock.now());
                let mut journal = self.journal.lock();
                if journal.state().is_fresh && session.last_event_seq > 0 {
                    let next_seq = session.last_event_seq + 1;
                    if let Err(error) = journal.append(&[Record::CountFrom { next_seq }]) {
                        tracing::error!(error = %error, "the hub's count of events could not be taken over");
                    }
                }
                drop(journal);
                // The hub can be reached, whether MQTT then works or not.
                self.look_for_work();
            }
            MqttEvent::Connected => {
                tracing::info!(printer.id = %self.config.printer_id, "connected to the hub");
                self.connected = true;
                self.link = "Connected to the hub.".into();
                self.feed.start_over();
                self.look_for_work();
            }
            MqttEvent::Disconnected(reason) => {
                // Said once, not at every attempt.
                if self.connected || self.link != reason {
                    tracing::warn!(printer.id = %self.config.printer_id, reason, "not connected to the hub");
                }
                self.connected = false;
                self.link = reason;
            }
            MqttEvent::Command(message) => self.on_command(&message),
            MqttEvent::Revoked => self.on_revoked(),
        }
    }

    fn on_command(&mut self, message: &CommandMessage) {
        let hub_now = self.clock.now().plus_millis(self.hub_ahead_ms);
        let verdict = judge(message, self.journal.lock().state(), hub_now);
        match verdict {
            Verdict::PassOver => {}
            Verdict::Wake => self.look_for_work(),
            Verdict::ReportStatus => self.feed.start_over(),
            Verdict::Answer(id, outcome) => self.answer(id, outcome),
            Verdict::CarryOut(id, command) => {
                let (outcome, actions) = self.life.command(command);
                tracing::info!(command.id = %id, command = ?command, outcome = ?outcome, "command");
                // The printer first: a cancel must not wait for the disk.
                self.perform(actions);
                self.answer(id, outcome);
            }
        }
    }

    fn answer(&mut self, command_id: CommandId, outcome: CommandOutcome) {
        let record = Record::Answered { command_id, outcome: outcome.clone() };
        self.record_event(EventBody::CommandAnswered { command_id, outcome }, [record]);
    }

    fn on_inbound(&mut self, inbound: Inbound) {
        let actions = match inbound {
            Inbound::Commands(commands) => {
                commands.iter().for_each(|command| self.on_command(command));
                Vec::new()
            }
            Inbound::Claimed(claim) => {
                tracing::info!(job.id = %claim.job_id, file.name = claim.file_name, "job claimed");
                self.life.claimed(*claim)
            }
            Inbound::Looked => {
                self.looking = false;
                if std::mem::take(&mut self.look_again) {
                    self.look_for_work();
                }
                Vec::new()
            }
            Inbound::Transferred(job, Ok(path)) => {
                self.file = Some(path);
                self.life.transferred(job, Ok(()))
            }
            Inbound::Transferred(job, Err(reason)) => self.life.transferred(job, Err(reason)),
            Inbound::Leave(job, Ok(())) => self.life.leave_given(job),
            Inbound::Leave(job, Err(error)) => {
                tracing::warn!(job.id = %job, error = %error, "no leave to start");
                self.life.claim_lost(job)
            }
            Inbound::Revoked => {
                self.on_revoked();
                Vec::new()
            }
        };
        self.perform(actions);
    }

    fn on_revoked(&mut self) {
        if !self.revoked {
            tracing::error!(printer.id = %self.config.printer_id, "{}", HubError::Revoked);
        }
        self.revoked = true;
        self.connected = false;
        self.link = format!("{}.", HubError::Revoked);
    }

    fn perform(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Record(record) => {
                    if let Err(error) = self.journal.lock().append(&[record]) {
                        // Printing without a journal could print a job twice.
                        tracing::error!(error = %error, "stopping here");
                        return;
                    }
                }
                Action::Report { state, reason, ends } => {
                    let Some(claim) = self.life.claim().cloned() else { continue };
                    tracing::info!(job.id = %claim.job_id, job.state = %state, reason, "job moved");
                    let body = EventBody::JobMoved {
                        job_id: claim.job_id,
                        claim_id: claim.claim_id,
                        state,
                        reason,
                        fraction: self.job_picture().map_or(0.0, |job| job.fraction()),
                        elapsed_s: self.watch.elapsed(self.clock.elapsed()).as_secs(),
                    };
                    self.record_event(body, ends.then_some(Record::Ended { job_id: claim.job_id }));
                    if ends {
                        self.life.let_go();
                        self.file = None;
                        self.leave_wanted = false;
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
                Action::Print => self.print(),
                Action::Pause => self.port.order(Order::Pause),
                Action::Resume => self.port.order(Order::Resume),
                Action::Stop(end) => self.port.order(Order::Stop(end)),
                Action::MakeSafe => self.port.order(Order::MakeSafe),
                Action::LookForWork => self.look_for_work(),
            }
        }
    }

    fn record_event(&mut self, body: EventBody, with: impl IntoIterator<Item = Record>) {
        let at = self.clock.now();
        if let Err(error) = self.journal.lock().append_event(at, body, with) {
            tracing::error!(error = %error, "an event could not be kept");
        }
        self.journal.notify();
    }

    /// Asks for open commands, and for a job if one could be printed. One look at a time.
    fn look_for_work(&mut self) {
        if self.revoked {
            return;
        }
        if self.looking {
            self.look_again = true;
            return;
        }
        self.looking = true;
        let may_claim = self.life.claim().is_none() && self.port.view.borrow().is_ready;
        let free = self.spool.free_bytes();
        let hub = self.hub.clone();
        self.call(|inbound| async move {
            match look(&hub, may_claim, free, &inbound).await {
                Ok(()) => {}
                Err(HubError::Revoked) => drop(inbound.send(Inbound::Revoked)),
                Err(error) => tracing::debug!(error = %error, "no look for work"),
            }
            let _ = inbound.send(Inbound::Looked);
        });
    }

    fn transfer(&mut self) {
        let Some(claim) = self.life.claim().cloned() else { return };
        let (hub, spool, clock) = (self.hub.clone(), self.spool.clone(), self.clock.clone());
        (self.acknowledged, self.file_says, self.watch) = (0, None, Stopwatch::default());
        let handle = self.call(|inbound| async move {
            let began = clock.elapsed();
            let job = claim.job_id;
            let result = match spool.fetch(&hub, &claim).await {
                Ok(path) => admit(&path).map(|()| path),
                Err(crate::spool::SpoolError::Hub(error)) if error.is_claim_lost() => {
                    let _ = inbound.send(Inbound::Leave(job, Err(error)));
                    return;
                }
                Err(error) => Err(error.to_string()),
            };
            let took = (clock.elapsed() - began).as_millis();
            tracing::info!(job.id = %job, file.bytes = claim.size_bytes, took_ms = took, "file transferred");
            let _ = inbound.send(Inbound::Transferred(job, result));
        });
        self.transfer = Some(handle);
    }

    fn ask_leave(&mut self) {
        self.leave_wanted = false;
        let Some(claim) = self.life.claim().cloned() else { return };
        let hub = self.hub.clone();
        self.call(|inbound| async move {
            let mut back_off = BackOff::for_hub();
            let result = loop {
                match hub.start(claim.job_id, claim.claim_id).await {
                    Ok(_) => break Ok(()),
                    Err(error) if error.is_claim_lost() || matches!(error, HubError::Revoked) => break Err(error),
                    Err(error) => {
                        tracing::warn!(job.id = %claim.job_id, error = %error, "leave to start not given yet");
                        tokio::time::sleep(back_off.next_wait()).await;
                    }
                }
            };
            let _ = inbound.send(Inbound::Leave(claim.job_id, result));
        });
    }

    fn print(&mut self) {
        let opened = self.file.as_deref().map(FileSource::open);
        match opened {
            Some(Ok(source)) => {
                self.watch.run(self.clock.elapsed());
                self.port.order(Order::Start(Box::new(source)));
            }
            _ => {
                let actions = self.life.on_line(JobEvent::Stopped(End::Failed(
                    "The print file vanished from the printer host; nothing was printed.".into(),
                )));
                self.perform(actions);
            }
        }
    }

    /// Runs a call in a task of its own.
    fn call<F>(&self, call: impl FnOnce(mpsc::UnboundedSender<Inbound>) -> F) -> JoinHandle<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        tokio::spawn(call(self.inbound.clone()))
    }

    /// Takes from the view what the job's progress needs.
    fn follow_view(&mut self) {
        let view = self.port.view.borrow();
        let Some(job) = &view.job else { return };
        self.acknowledged = self.acknowledged.max(job.acknowledged_bytes);
        if let Some(minutes) = job.minutes_left {
            if self.file_says.is_none_or(|(before, _)| (before - minutes).abs() > f64::EPSILON) {
                let elapsed = self.watch.elapsed(self.clock.elapsed());
                self.file_says = Some((minutes, elapsed));
            }
        }
    }

    fn job_picture(&self) -> Option<JobPicture<'_>> {
        let elapsed = self.watch.elapsed(self.clock.elapsed());
        let file_says = self.file_says.and_then(|(minutes, at)| {
            let rest = Duration::try_from_secs_f64(minutes * 60.0).ok()?;
            Some((rest, elapsed.saturating_sub(at)))
        });
        Some(JobPicture {
            claim: self.life.claim()?,
            state: self.life.state()?,
            acknowledged_bytes: self.acknowledged,
            elapsed,
            file_says,
        })
    }

    fn status_is_waiting(&self) -> bool {
        self.clock.elapsed() < self.feed.due_at()
    }

    fn send_status(&mut self) {
        if !self.connected {
            return;
        }
        let status = picture::status(&self.port.view.borrow(), self.job_picture());
        let (elapsed, at) = (self.clock.elapsed(), self.clock.now());
        if let Some(message) = self.feed.next(&status, elapsed, at) {
            if !self.mqtt.send(message) {
                self.feed.start_over();
            }
        }
    }

    fn report(&self) -> PrinterReport {
        PrinterReport {
            name: self.config.name.clone(),
            hub: self.config.hub.to_string(),
            link: self.link.clone(),
            undelivered_events: self.journal.lock().state().outbox.len(),
            status: picture::status(&self.port.view.borrow(), self.job_picture()),
            file_name: self.life.claim().map(|claim| claim.file_name.clone()),
        }
    }

    /// The agent stops: what is being printed is stopped with it, heaters off, and the hub is told if it can be.
    async fn wind_up(mut self) {
        if self.life.is_running() {
            let reason = "The agent was stopped in mid-print (by its service or by hand). The heaters were turned \
                          off; clear the bed and print the job again.";
            self.port.order(Order::Stop(End::Failed(reason.into())));
            let until = Instant::now() + STOP_PATIENCE;
            while self.life.is_running() {
                match tokio::time::timeout_at(until, self.port.events.recv()).await {
                    Ok(Some(event)) => self.on_port(event),
                    // The journal says that it was started: the next start reports it.
                    Ok(None) | Err(_) => break,
                }
            }
        }
        let until = Instant::now() + DELIVERY_PATIENCE;
        while !self.journal.is_delivered() && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Printer {
    fn drop(&mut self) {
        self.delivery.abort();
        if let Some(transfer) = &self.transfer {
            transfer.abort();
        }
    }
}

async fn look(
    hub: &HubClient,
    may_claim: bool,
    free: Option<u64>,
    inbound: &mpsc::UnboundedSender<Inbound>,
) -> Result<(), HubError> {
    let commands = hub.commands().await?.commands;
    if !commands.is_empty() {
        let _ = inbound.send(Inbound::Commands(commands));
    }
    if may_claim {
        if let Some(claim) = hub.claim(free).await?.claim {
            let _ = inbound.send(Inbound::Claimed(Box::new(claim)));
        }
    }
    Ok(())
}

/// Looks the file through before anything of it goes to the printer.
fn admit(path: &std::path::Path) -> Result<(), String> {
    let file =
        std::fs::File::open(path).map_err(|error| format!("The print file can't be read: {error}."))?;
    admission::check(BufReader::new(file)).map(|_| ()).map_err(|refusal| refusal.to_string())
}
