//! The trail of the job at work: what a process that comes after this one needs to go on with the print.
//!
//! One file for a printer, written over and over in place: it does not grow, and an SD card lives. What was written
//! outlives this process at once (the system's page cache does); it outlives the machine's power only after a flush,
//! which layers get now and then, on a thread of its own: a slow disk must not make a print stutter.
//! Owns: the file's form, flushing. Must not know: what is done with it; the serial protocol's inside.

mod file;

use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use stardust_protocol::{ClaimId, JobId};

use crate::boot::BootId;
use crate::print_job::stopwatch::Stopwatch;
use crate::serial::{Brief, Checkpoint, Stage};
use file::TrailFile;

/// Layers are flushed to the disk no more often.
const FLUSH_EVERY: Duration = Duration::from_secs(5);

/// What the job is: written once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// The job.
    pub job_id: JobId,
    /// The claim under which it is printed.
    pub claim_id: ClaimId,
    /// What admission has found out about its file.
    pub brief: Brief,
    /// The run of this machine in which it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<BootId>,
    /// It goes on at a layer of a part that is there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub returns: bool,
}

/// Where the job is: written at every checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// On the line.
    pub checkpoint: Checkpoint,
    /// The port's speed, bits a second.
    pub speed: u32,
    /// Time printed, pauses excluded.
    pub printed: Duration,
}

/// What was found of an earlier process's job.
#[derive(Debug)]
pub struct Found {
    /// The job.
    pub head: Head,
    /// Where it was; none when nothing of it was ever sent.
    pub place: Option<Place>,
    /// To go on with.
    pub trail: Trail,
}

/// A job's trail, being written.
#[derive(Debug)]
pub struct Trail {
    path: PathBuf,
    file: TrailFile,
    watch: Stopwatch,
    layer: Option<u32>,
    flushed_at: Option<Duration>,
    flush: Option<SyncSender<()>>,
    lost: bool,
}

impl Trail {
    /// Begins a job's trail; that of an earlier job is gone.
    ///
    /// # Errors
    /// What the disk says.
    pub fn begin(path: &Path, head: &Head) -> std::io::Result<Self> {
        Ok(Self::over(path, TrailFile::create(path, &serde_json::to_vec(head)?)?))
    }

    /// What an earlier process has left; none when there is nothing, or nothing that can be understood.
    #[must_use]
    pub fn find(path: &Path) -> Option<Found> {
        let (file, head, place) = TrailFile::open(path).ok()??;
        let head: Head = serde_json::from_slice(&head).ok()?;
        // Of another version of the agent: nobody knows what it means.
        let place: Option<Place> = place.map(|place| serde_json::from_slice(&place)).transpose().ok()?;
        let mut trail = Self::over(path, file);
        if let Some(place) = &place {
            trail.watch = Stopwatch::from(place.printed);
        }
        Some(Found { head, place, trail })
    }

    /// The job is over.
    pub fn remove(path: &Path) {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(error = %error, "the trail of a job that is over could not be removed");
            }
            _ => {}
        }
    }

    fn over(path: &Path, file: TrailFile) -> Self {
        let flush = file.flusher().ok().and_then(flushing);
        Self {
            path: path.to_owned(),
            file,
            watch: Stopwatch::default(),
            layer: None,
            flushed_at: None,
            flush,
            lost: false,
        }
    }

    /// Keeps a checkpoint: before anything that was decided until then is transmitted.
    pub fn keep(&mut self, now: Duration, checkpoint: Checkpoint, speed: u32) {
        if self.lost {
            return;
        }
        match checkpoint.stage() {
            Stage::Paused => self.watch.halt(now),
            _ => self.watch.run(now),
        }
        let layer = checkpoint.layer();
        let place = Place { checkpoint, speed, printed: self.watch.elapsed(now) };
        let written = serde_json::to_vec(&place).map_err(std::io::Error::from);
        if let Err(error) = written.and_then(|place| self.file.write(&place)) {
            // An old one would mislead. The print goes on; it does not survive this process.
            tracing::error!(error = %error, "the job's trail can't be written: the print would not survive a restart");
            self.lost = true;
            Self::remove(&self.path);
            return;
        }
        if layer != self.layer && self.flushed_at.is_none_or(|at| now >= at + FLUSH_EVERY) {
            self.layer = layer;
            self.flushed_at = Some(now);
            if let Some(flush) = &self.flush {
                // One that is under way will do.
                let _ = flush.try_send(());
            }
        }
    }
}

/// A thread that flushes whenever it is told to; it ends with the trail.
fn flushing(file: std::fs::File) -> Option<SyncSender<()>> {
    let (flush, told) = sync_channel::<()>(1);
    let run = move || {
        while told.recv().is_ok() {
            if let Err(error) = file.sync_data() {
                tracing::warn!(error = %error, "the job's trail could not be flushed");
            }
        }
    };
    std::thread::Builder::new().name("trail".into()).spawn(run).ok().map(|_| flush)
}

#[cfg(test)]
mod tests;
