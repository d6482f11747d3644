//! What is kept of how the print goes.
//!
//! Owns: what of the status is worth keeping, and that it outlives this process. Must not know: how often it is looked at,
//! or how it gets to the hub.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use stardust_protocol::telemetry::Heat;
use stardust_protocol::{JobProgress, JobState, PrinterState, PrinterStatus, TelemetrySample, Timestamp};

use super::Printer;
use crate::disk_work::DiskWork;
use crate::hub_link::telemetry::SharedSeries;
use crate::telemetry::{Pace, Series, file};

/// Samples that the hub has not taken by then are written for the next process.
const UNTAKEN_AFTER: Duration = Duration::from_secs(90);
/// And again this often.
const WRITE_EVERY: Duration = Duration::from_secs(60);
/// A process that ends waits so long for it.
const LAST_WRITING: Duration = Duration::from_secs(2);

/// The samples of a printer.
#[derive(Debug)]
pub(super) struct Telemetry {
    pub(super) series: SharedSeries,
    pace: Pace,
    path: PathBuf,
    written_at: Duration,
    /// There is a file.
    is_written: bool,
    /// It does not hold the newest.
    is_behind: bool,
    disk: DiskWork,
    writing: Arc<Writing>,
}

/// How it goes with the file.
#[derive(Debug, Default)]
struct Writing {
    is_under_way: AtomicBool,
    has_failed: AtomicBool,
}

impl Telemetry {
    /// Goes on with what an earlier process has left. `seed`: another one for each process.
    pub(super) fn open(path: PathBuf, seed: u64, disk: DiskWork) -> Self {
        let left = file::read(&path);
        Self {
            is_written: !left.is_empty(),
            series: SharedSeries::new(Series::new(left, seed)),
            pace: Pace::default(),
            path,
            written_at: Duration::ZERO,
            is_behind: false,
            disk,
            writing: Arc::default(),
        }
    }

    fn is_at_rest(&self) -> bool {
        self.pace.due_at(1).is_none() && !self.is_written && self.series.lock().is_empty()
    }

    /// When a look is due, while something is printed.
    pub(super) fn due_at(&self) -> Option<Duration> {
        self.pace.due_at(self.series.lock().stretch())
    }

    /// Takes a sample if it is time, and hands on what is ripe.
    fn follow(&mut self, status: &PrinterStatus, at: Timestamp, now: Duration) {
        let job = status.job.as_ref().filter(|job| is_at_work(job));
        let mut series = self.series.lock();
        match job {
            Some(job) => {
                let printed = Duration::from_secs(job.elapsed_s);
                let is_due = self.pace.is_due(job.job_id, printed, now, series.stretch());
                // While the printer can't be heard there is nothing to keep.
                if is_due && !is_silent(status.state) {
                    series.add(sample(job, status, at), now);
                    self.is_behind = true;
                }
            }
            None => self.pace.rest(),
        }
        let is_ripe = series.is_ripe(now, job.is_some());
        drop(series);
        if is_ripe {
            self.series.deliver_now();
        }
        let waits = self.series.lock().has_waited(UNTAKEN_AFTER, now);
        let is_due = self.is_behind && now >= self.written_at + WRITE_EVERY;
        if (waits && is_due) || (!waits && self.is_written) {
            self.write(now);
        }
    }

    /// For the next process. Nobody waits for it, and one at a time is written.
    fn write(&mut self, now: Duration) {
        self.is_behind |= self.writing.has_failed.swap(false, Ordering::AcqRel);
        let Ok(text) = file::text(self.series.lock().samples()) else { return };
        if self.writing.is_under_way.swap(true, Ordering::AcqRel) {
            return;
        }
        (self.is_written, self.is_behind, self.written_at) = (!text.is_empty(), false, now);
        let (path, writing) = (self.path.clone(), Arc::clone(&self.writing));
        self.disk.start(move || {
            if let Err(error) = file::write(&path, &text) {
                // Nothing depends on it, and a disk that can't be written is told of elsewhere.
                tracing::debug!(error = %error, "telemetry could not be written");
                writing.has_failed.store(true, Ordering::Release);
            }
            writing.is_under_way.store(false, Ordering::Release);
        });
    }

    /// The process ends: what is left is written, whatever is under way.
    pub(super) async fn write_last(&mut self) {
        let text = file::text(self.series.lock().samples());
        let path = self.path.clone();
        let written = self.disk.run(move || file::write(&path, &text?));
        match tokio::time::timeout(LAST_WRITING, written).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(error = %error, "telemetry could not be written"),
            Err(_) => tracing::debug!("telemetry was not written in time"),
        }
    }
}

impl Printer {
    pub(super) fn follow_telemetry(&mut self) {
        if self.life.claim().is_none() && self.telemetry.is_at_rest() {
            return;
        }
        let (now, at) = (self.clock.elapsed(), self.hub_now());
        self.telemetry.follow(&self.status(), at, now);
    }
}

/// Whether the job may be started and has not come to its end: how the printer heats up belongs to it.
fn is_at_work(job: &JobProgress) -> bool {
    use JobState::{Cancelling, Paused, Pausing, Preparing, Printing, Resuming};
    matches!(job.state, Preparing | Printing | Pausing | Paused | Resuming | Cancelling)
}

/// Whether what the printer said last is old.
fn is_silent(state: PrinterState) -> bool {
    matches!(state, PrinterState::Offline | PrinterState::Connecting | PrinterState::Error)
}

/// Its number is given where it is kept.
fn sample(job: &JobProgress, status: &PrinterStatus, at: Timestamp) -> TelemetrySample {
    let heat = Heat { tools: status.tools.clone(), bed: status.bed, chamber: status.chamber };
    TelemetrySample { job_id: job.job_id, number: 0, at, fraction: job.fraction, layer: job.layer, heat }
}
