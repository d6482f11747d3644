//! The place of one printer in the agent: its task, and what is known of it from outside.
//!
//! Owns: starting the printer's task again after a fault, letting a later pairing take over when the printer is free, and
//! remembering what went wrong last. Must not know: other printers.

use std::path::PathBuf;
use std::time::Duration;

use stardust_clock::SharedClock;
use stardust_protocol::PrinterState;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use url::Url;

use super::found::Unpaired;
use super::{unread, waiting};
use crate::disk_work::DiskWork;
use crate::folder_lock::FolderLock;
use crate::journal::{Journal, State};
use crate::port::{PortStore, Pulse};
use crate::printer::folder::PrinterFolder;
use crate::printer::left_hot::{self, Patience, Undriven};
use crate::printer::report::{LastError, PrinterEntry, PrinterReport};
use crate::printer::{Left, Printer, SetupError};

/// A printer whose task has ended is started again after this: soon, for its heaters may be on.
const START_AGAIN: Duration = Duration::from_secs(2);
/// A later pairing takes over this soon after the printer has become free.
const LOOK_FOR_NEXT: Duration = Duration::from_secs(1);

/// The hub before has so long to learn the last events, in looks.
const LAST_WORDS: u32 = 15;

/// A thread that has given no sign for so long hangs.
const HANGS_AFTER: Duration = Duration::from_secs(10);

type Reports = watch::Sender<Option<PrinterReport>>;
type Pulses = watch::Sender<Option<Pulse>>;

/// A printer's place.
#[derive(Debug)]
pub(super) struct Seat {
    folder: PrinterFolder,
    task: JoinHandle<()>,
    reports: watch::Receiver<Option<PrinterReport>>,
    pin: watch::Receiver<Option<String>>,
    port: Option<PathBuf>,
    last_error: Option<LastError>,
    /// Of the thread of its port, by which it is looked at; each run of its task has another one.
    pulses: watch::Receiver<Option<Pulse>>,
    pulse: Option<Pulse>,
    hangs: bool,
}

impl Seat {
    /// Drives a paired printer until `stop` turns true.
    pub(super) fn paired(
        folder: PrinterFolder,
        clock: SharedClock,
        ports: PortStore,
        stop: watch::Receiver<bool>,
    ) -> Self {
        let (report, reports) = watch::channel(None);
        let (pulse, pulses) = watch::channel(None);
        let task = tokio::spawn(keep_running(folder.clone(), clock, ports, stop, report, pulse));
        Self { pulses, ..Self::of(folder, task, reports) }
    }

    /// One that nobody drives, whose port's thread is looked at.
    #[cfg(test)]
    pub(super) fn looked_at(folder: PrinterFolder, pulse: Pulse) -> Self {
        let task = tokio::spawn(std::future::pending());
        Self { pulse: Some(pulse), ..Self::of(folder, task, watch::channel(None).1) }
    }

    fn of(
        folder: PrinterFolder,
        task: JoinHandle<()>,
        reports: watch::Receiver<Option<PrinterReport>>,
    ) -> Self {
        let (pin, pulses) = (watch::channel(None).1, watch::channel(None).1);
        let (port, last_error, pulse, hangs) = (None, None, None, false);
        Self { folder, task, reports, pin, port, last_error, pulses, pulse, hangs }
    }

    /// Shows PINs until the printer is paired; the seat is over then.
    pub(super) fn waiting(
        unpaired: Unpaired,
        hub: Url,
        clock: SharedClock,
        mut stop: watch::Receiver<bool>,
    ) -> Self {
        let (report, reports) = watch::channel(None);
        let (pin, pins) = watch::channel(None);
        let (folder, port) = (unpaired.folder.clone(), unpaired.port.clone());
        let work = waiting::pair(unpaired, hub, report, pin, clock);
        let task = tokio::spawn(async move {
            tokio::select! {
                () = work => {}
                _ = stop.wait_for(|stop| *stop) => {}
            }
        });
        Self { pin: pins, port: Some(port), ..Self::of(folder, task, reports) }
    }

    /// Whether its task has ended.
    pub(super) fn is_over(&self) -> bool {
        self.task.is_finished()
    }

    /// What its task says.
    pub(super) fn report(&self) -> Option<PrinterReport> {
        self.reports.borrow().clone()
    }

    /// Everything that is known of it.
    pub(super) fn entry(&self) -> PrinterEntry {
        let starting = || {
            let (name, link) = (self.folder.name(), "Not connected yet.".into());
            PrinterReport::idle(name, String::new(), link, PrinterState::Connecting, None)
        };
        let report = self.report().unwrap_or_else(starting);
        PrinterEntry {
            port: report.driven_at.clone().or(self.port.clone()),
            report,
            last_error: self.last_error.clone(),
            pin: self.pin.borrow().clone(),
            pin_withheld: false,
        }
    }

    /// Its port, as its settings say now.
    pub(super) fn is_at(&mut self, port: Option<PathBuf>) {
        self.port = port.or(self.port.take());
    }

    /// Whether the thread of its port hangs: nothing in this process can end it then.
    pub(super) fn hangs(&mut self, now: Duration) -> bool {
        if self.pulses.has_changed().unwrap_or(false) {
            self.pulse = self.pulses.borrow_and_update().clone();
        }
        let owed = self.pulse.as_mut().map_or(Duration::ZERO, |pulse| pulse.owed_for(now));
        let hangs = owed >= HANGS_AFTER;
        if hangs && !self.hangs {
            tracing::error!(
                printer.name = self.folder.name(),
                silent_s = owed.as_secs(),
                "the thread that drives this printer's port hangs: the service manager is not told any more that the \
                 agent is alive, so that it starts it again; the print goes on then"
            );
        }
        if !hangs && self.hangs {
            tracing::warn!(printer.name = self.folder.name(), "the thread of this printer's port goes on");
        }
        self.hangs = hangs;
        hangs
    }

    /// Remembers what goes wrong now.
    pub(super) fn note_errors(&mut self, clock: &SharedClock) {
        let Some(message) = self.report().and_then(fault) else { return };
        if self.last_error.as_ref().is_none_or(|last| last.message != message) {
            self.last_error = Some(LastError { at: clock.now(), message });
        }
    }

    /// Waits until its task has ended.
    pub(super) async fn ended(self) {
        // A task that has panicked has been reported where it happened.
        let _ = self.task.await;
    }
}

/// What is wrong, if something is.
fn fault(report: PrinterReport) -> Option<String> {
    let is_fault = matches!(report.status.state, PrinterState::Offline | PrinterState::Error);
    report.status.message.filter(|_| is_fault)
}

/// One printer, started again whenever its task has ended.
async fn keep_running(
    mut folder: PrinterFolder,
    clock: SharedClock,
    ports: PortStore,
    mut stop: watch::Receiver<bool>,
    report: Reports,
    pulse: Pulses,
) {
    let (mut was_made_safe, mut told) = (false, None);
    // Its task has left it safe.
    let mut is_left_safe = true;
    let mut undriven = Undriven::looked_at(pulse.clone());
    let disk = DiskWork::on_threads();
    // By the process before this one, perhaps: whoever ends this one at once has it seen to all the same.
    let mut is_left_at_work = true;
    while !*stop.borrow() || is_left_at_work {
        let (end, ended) = watch::channel(*stop.borrow());
        is_left_at_work = false;
        let was_driven = pulse.subscribe();
        let at_work = (report.clone(), pulse.clone());
        let mut run = tokio::spawn(run_once(folder.clone(), clock.clone(), ports.clone(), ended, at_work));
        let mut looks = 0;
        let result = loop {
            tokio::select! {
                result = &mut run => break result,
                _ = stop.changed() => drop(end.send(true)),
                () = tokio::time::sleep(LOOK_FOR_NEXT) => {
                    let (is_free, all_told) = report.borrow().as_ref().map_or((false, false), |now| {
                        (now.status.job.is_none(), now.undelivered_events == 0)
                    });
                    let next = folder.next();
                    let look = disk.run(move || Ok(next.is_paired()));
                    let has_next = is_free && matches!(timeout(LOOK_FOR_NEXT, look).await, Ok(Ok(true)));
                    looks = if has_next { looks + 1 } else { 0 };
                    if has_next && (all_told || looks > LAST_WORDS) {
                        tracing::info!(printer.name = folder.name(), "paired again; the new pairing takes over");
                        let _ = end.send(true);
                    }
                }
            }
        };
        if was_driven.has_changed().unwrap_or(false) {
            pulse.send_replace(None);
            // What came before that is about a printer that nobody drove.
            (was_made_safe, told) = (false, None);
            undriven = Undriven::looked_at(pulse.clone());
        }
        let mut must_be_safe = false;
        let is_unread = matches!(result, Ok(Err(SetupError::Folder(_) | SetupError::Journal(_))));
        // Whoever else had its folder may have looked into it, and no more.
        is_left_safe = matches!(result, Ok(Ok(_)));
        let message = match result {
            // Stopped, or a later pairing takes over.
            Ok(Ok(left)) => {
                is_left_at_work = left == Left::AsItIs;
                folder.give_up(if let Left::PortGivenUp(port) = left { Some(port) } else { None });
                continue;
            }
            Ok(Err(SetupError::BeingMadeSafe)) => SetupError::BeingMadeSafe.to_string(),
            Ok(Err(error)) => {
                if told.as_ref() != Some(&error.to_string()) {
                    tracing::error!(printer.name = folder.name(), error = %error, "this printer can't be driven");
                    told = Some(error.to_string());
                }
                must_be_safe = true;
                error.to_string()
            }
            Err(error) => {
                tracing::error!(printer.name = folder.name(), error = %error, "a fault of the agent; starting this printer again");
                "A fault of the agent; please report it, with its log.".to_owned()
            }
        };
        report.send_modify(|now| {
            let (name, hub) = now.take().map_or((folder.name(), String::new()), |was| (was.name, was.hub));
            let link = "Not connected: the printer is not driven.".into();
            *now = Some(PrinterReport::idle(name, hub, link, PrinterState::Error, Some(message.clone())));
        });
        let tells = || unread::Teller::start(&folder, message, &clock, undriven.desk.clone());
        let mut teller = is_unread.then(tells);
        // Its files may be read again when they are others, and the printer's task speaks for it then; whatever else was wrong, now and then.
        let mended = async {
            match &mut teller {
                Some(teller) => teller.mended().await,
                None => tokio::time::sleep(START_AGAIN).await,
            }
        };
        let mut mended = std::pin::pin!(mended);
        loop {
            if must_be_safe && (!was_made_safe || undriven.desk.is_wanted()) {
                // Once for each process, and each stop: a person may heat it at its panel afterwards.
                let (stop, patience) = (stop.clone(), Patience::Short);
                was_made_safe =
                    left_hot::make_safe_or_stop(&folder, &clock, &ports, patience, stop, &mut undriven).await;
            }
            if must_be_safe && *stop.borrow() {
                return;
            }
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                () = undriven.desk.wanted(), if must_be_safe => {}
                () = &mut mended => break,
                () = tokio::time::sleep(START_AGAIN), if must_be_safe && !was_made_safe => {}
            }
        }
    }
    if !is_left_safe && !was_made_safe {
        // Nobody comes after it; whoever has it still is making it safe.
        if let Ok(_held) = FolderLock::take(folder.path()).await {
            left_hot::make_safe(&folder, &clock, &ports, Patience::Short, stop).await;
        }
    }
}

async fn run_once(
    folder: PrinterFolder,
    clock: SharedClock,
    ports: PortStore,
    stop: watch::Receiver<bool>,
    (report, pulse): (Reports, Pulses),
) -> Result<Left, SetupError> {
    let name = folder.name();
    // Folder, trail, journal: the other printers don't wait for them.
    let disk = DiskWork::on_threads();
    let printer = disk.run(move || Ok(set_up(&folder, clock, &ports))).await??;
    pulse.send_replace(Some(printer.pulse()));
    tracing::info!(printer.name = name, "printer started");
    printer.run(stop, report).await
}

fn set_up(folder: &PrinterFolder, clock: SharedClock, ports: &PortStore) -> Result<Printer, SetupError> {
    if folder.next().journal().exists() && !folder.next().is_paired() {
        folder.take_over()?;
    }
    if folder.next().is_paired() {
        let State { held, heat, .. } = Journal::look(&folder.journal())?;
        // What was begun for the hub before is brought to its end first. Where it is the same printer for the same hub, its new
        // credential is needed for that.
        let is_renewed = folder.is_renewed();
        if !is_renewed && held.is_none() {
            // Before its memory begins anew.
            folder.next().goes_on_owing(&heat)?;
        }
        if held.is_none() || is_renewed {
            folder.take_over()?;
        }
    }
    Printer::set_up(folder, clock, ports)
}

#[cfg(test)]
mod tests;
