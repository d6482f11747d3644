//! The whole agent: every paired printer, each in a task of its own.
//!
//! Owns: finding printers, starting them again after a fault, and `status.json`. Must not know: what one
//! printer does.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use stardust_clock::SharedClock;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::port::PortStore;
use crate::printer::folder::PrinterFolder;
use crate::printer::report::{AgentReport, PrinterReport};
use crate::printer::{Printer, SetupError};
use crate::systemd::ServiceManager;

/// Newly paired printers are found this soon.
const LOOK_FOR_PRINTERS: Duration = Duration::from_secs(2);
/// A printer whose task has ended is started again after this: soon, for its heaters may be on.
const START_AGAIN: Duration = Duration::from_secs(2);
/// The report is written no more often: it is for people, and the disk may be an SD card.
const REPORT_EVERY: Duration = Duration::from_secs(5);

/// Where `run` keeps its report and `status` reads it.
#[must_use]
pub fn report_file(data: &Path) -> PathBuf {
    data.join("status.json")
}

/// Drives every printer that is paired or gets paired, until `stop` turns true; leaves all of them safe.
///
/// `ports` are those that an earlier process has left open.
pub async fn run(data: &Path, clock: SharedClock, ports: PortStore, stop: watch::Receiver<bool>) {
    let mut printers: BTreeMap<PrinterFolder, (JoinHandle<()>, watch::Receiver<Option<PrinterReport>>)> =
        BTreeMap::new();
    let mut written: Option<Vec<PrinterReport>> = None;
    let mut written_at = None;
    let mut stopping = stop.clone();
    let mut service = ServiceManager::default();
    while !*stopping.borrow() {
        for folder in PrinterFolder::all(data) {
            printers.entry(folder.clone()).or_insert_with(|| {
                let (report, reports) = watch::channel(None);
                (
                    tokio::spawn(keep_running(folder, clock.clone(), ports.clone(), stop.clone(), report)),
                    reports,
                )
            });
        }
        if printers.is_empty() && written.is_none() {
            tracing::warn!(
                "no printer is paired yet: make a code on the dashboard (Add printer) and run `stardust-agent pair`"
            );
        }
        let now = clock.elapsed();
        let due = written_at.is_none_or(|at| now >= at + REPORT_EVERY);
        let report: Vec<PrinterReport> =
            printers.values().filter_map(|(_, report)| report.borrow().clone()).collect();
        service.tell_alive(&report);
        let states_changed = written.as_ref().is_none_or(|before| essence(before) != essence(&report));
        if written.as_ref() != Some(&report) && (due || states_changed) {
            let file = AgentReport { at: clock.now(), pid: std::process::id(), printers: report.clone() };
            if let Err(error) = write_report(data, &file) {
                tracing::warn!(error = %error, "the status file could not be written");
            }
            written = Some(report);
            written_at = Some(now);
        }
        tokio::select! {
            _ = stopping.changed() => {}
            () = tokio::time::sleep(LOOK_FOR_PRINTERS) => {}
        }
    }
    service.tell_stopping();
    for (_, (task, _)) in printers {
        // A task that has panicked has been reported where it happened.
        let _ = task.await;
    }
    // A report of an agent that does not run would mislead.
    let _ = std::fs::remove_file(report_file(data));
}

/// What is worth writing at once.
fn essence(reports: &[PrinterReport]) -> Vec<(String, stardust_protocol::PrinterState, String)> {
    reports.iter().map(|report| (report.name.clone(), report.status.state, report.link.clone())).collect()
}

fn write_report(data: &Path, report: &AgentReport) -> std::io::Result<()> {
    let path = report_file(data);
    let new = path.with_extension("new");
    std::fs::write(&new, serde_json::to_vec_pretty(report)?)?;
    std::fs::rename(new, path)
}

/// One printer, started again whenever its task has ended by a fault.
async fn keep_running(
    folder: PrinterFolder,
    clock: SharedClock,
    ports: PortStore,
    mut stop: watch::Receiver<bool>,
    report: watch::Sender<Option<PrinterReport>>,
) {
    while !*stop.borrow() {
        let run = tokio::spawn(run_once(
            folder.clone(),
            clock.clone(),
            ports.clone(),
            stop.clone(),
            report.clone(),
        ));
        match run.await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => {
                tracing::error!(printer.name = folder.name(), error = %error, "this printer can't be driven");
            }
            Err(error) => {
                tracing::error!(printer.name = folder.name(), error = %error, "a fault of the agent; starting this printer again");
            }
        }
        tokio::select! {
            _ = stop.changed() => {}
            () = tokio::time::sleep(START_AGAIN) => {}
        }
    }
}

async fn run_once(
    folder: PrinterFolder,
    clock: SharedClock,
    ports: PortStore,
    stop: watch::Receiver<bool>,
    report: watch::Sender<Option<PrinterReport>>,
) -> Result<(), SetupError> {
    let printer = Printer::set_up(&folder, clock, &ports)?;
    tracing::info!(printer.name = folder.name(), "printer started");
    printer.run(stop, report).await
}
