//! What is kept of how the print goes.
//!
//! Owns: what of the status is worth keeping, and that it outlives this process. Must not know: how often it is looked at,
//! or how it gets to the hub.

use std::path::PathBuf;
use std::time::Duration;

use stardust_protocol::telemetry::Heat;
use stardust_protocol::{JobProgress, JobState, PrinterState, PrinterStatus, TelemetrySample, Timestamp};

use super::Printer;
use crate::hub_link::telemetry::SharedSeries;
use crate::telemetry::{Pace, Series, file};

/// Samples that the hub has not taken by then are written for the next process.
const UNTAKEN_AFTER: Duration = Duration::from_secs(90);
/// And again this often.
const WRITE_EVERY: Duration = Duration::from_secs(60);

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
}

impl Telemetry {
    /// Goes on with what an earlier process has left. `seed`: another one for each process.
    pub(super) fn open(path: PathBuf, seed: u64) -> Self {
        let left = file::read(&path);
        Self {
            is_written: !left.is_empty(),
            series: SharedSeries::new(Series::new(left, seed)),
            pace: Pace::default(),
            path,
            written_at: Duration::ZERO,
            is_behind: false,
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

    /// For the next process.
    pub(super) fn write(&mut self, now: Duration) {
        let series = self.series.lock();
        match file::write(&self.path, series.samples()) {
            Ok(()) => (self.is_written, self.is_behind) = (!series.is_empty(), false),
            // Nothing depends on it, and a disk that can't be written is told of elsewhere.
            Err(error) => tracing::debug!(error = %error, "telemetry could not be written"),
        }
        self.written_at = now;
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
