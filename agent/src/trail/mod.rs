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
use crate::disk::DiskFault;
use crate::print_job::stopwatch::Stopwatch;
use crate::serial::{Brief, Checkpoint, Stage};
use file::TrailFile;

/// Layers are flushed to the disk no more often.
const FLUSH_EVERY: Duration = Duration::from_secs(1);
/// A trail that can't be written is begun anew this often, where that works.
const BEGIN_EVERY: Duration = Duration::from_secs(10);

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
    head: Vec<u8>,
    file: TrailFile,
    watch: Stopwatch,
    layer: Option<u32>,
    flushed_at: Option<Duration>,
    flush: Option<SyncSender<()>>,
    /// Why it can't be written, and when it is begun anew.
    lost: Option<(DiskFault, Duration)>,
}

impl Trail {
    /// Begins a job's trail; that of an earlier job is gone.
    ///
    /// # Errors
    /// What the disk says.
    pub fn begin(path: &Path, head: &Head) -> std::io::Result<Self> {
        let head = serde_json::to_vec(head)?;
        Ok(Self::over(path, TrailFile::create(path, &head)?, head))
    }

    /// What an earlier process has left; none when there is nothing, or nothing that can be understood.
    #[must_use]
    pub fn find(path: &Path) -> Option<Found> {
        let (file, bytes, place) = TrailFile::open(path).ok()??;
        let head: Head = serde_json::from_slice(&bytes).ok()?;
        // Of another version of the agent: nobody knows what it means.
        let place: Option<Place> = place.map(|place| serde_json::from_slice(&place)).transpose().ok()?;
        let mut trail = Self::over(path, file, bytes);
        if let Some(place) = &place {
            trail.watch = Stopwatch::from(place.printed);
        }
        Some(Found { head, place, trail })
    }

    /// Where the job was whose trail is left, without opening it to go on: its disk may be one that can only be read.
    #[must_use]
    pub fn left(path: &Path) -> Option<Checkpoint> {
        let place: Place = serde_json::from_slice(&TrailFile::read(path).ok()??.1?).ok()?;
        Some(place.checkpoint)
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

    fn over(path: &Path, file: TrailFile, head: Vec<u8>) -> Self {
        let flush = file.flusher().ok().and_then(flushing);
        Self {
            path: path.to_owned(),
            head,
            file,
            watch: Stopwatch::default(),
            layer: None,
            flushed_at: None,
            flush,
            lost: None,
        }
    }

    /// Why it can't be written, if it can't.
    #[must_use]
    pub fn fault(&self) -> Option<&DiskFault> {
        self.lost.as_ref().map(|(fault, _)| fault)
    }

    /// The printer waits for a person: what passes until the next checkpoint is not printed.
    pub fn stand_still(&mut self, now: Duration) {
        self.watch.halt(now);
    }

    /// Keeps a checkpoint: before anything that was decided until then is transmitted.
    pub fn keep(&mut self, now: Duration, checkpoint: Checkpoint, speed: u32) {
        match checkpoint.stage() {
            Stage::Paused => self.watch.halt(now),
            _ => self.watch.run(now),
        }
        if self.lost.as_ref().is_some_and(|(_, again_at)| now < *again_at) {
            return;
        }
        let layer = checkpoint.layer();
        let place = Place { checkpoint, speed, printed: self.watch.elapsed(now) };
        if let Err(error) = self.write(&place) {
            let fault = DiskFault::from(&error);
            if self.lost.is_none() {
                tracing::error!(error = %error, "the job's trail can't be written: the print would not survive a restart");
            }
            // An old one would mislead. The print goes on.
            let _ = std::fs::remove_file(&self.path);
            self.lost = Some((fault, now + BEGIN_EVERY));
            return;
        }
        if self.lost.take().is_some() {
            tracing::info!("the job's trail can be written again");
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

    fn write(&mut self, place: &Place) -> std::io::Result<()> {
        let place = serde_json::to_vec(place)?;
        if self.lost.is_none() {
            return self.file.write(&place);
        }
        self.file = TrailFile::create_with(&self.path, &self.head, &place)?;
        self.flush = self.file.flusher().ok().and_then(flushing);
        Ok(())
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
