//! After a restart: whether the job that the journal tells of can be gone on with.
//!
//! Owns: bringing together what journal, trail and spool say of it. It is done before anything of the network, and
//! before the journal is opened for writing: the printer waits with its heaters on. Must not know: the line.

use std::time::Duration;

use stardust_protocol::JobState;

use super::folder::PrinterFolder;
use crate::boot::BootId;
use crate::journal::{Held, Journal};
use crate::port::Resumption;
use crate::print_job::file_source::FileSource;
use crate::serial::{Brief, Checkpoint, End, Stage};
use crate::spool::Spool;
use crate::trail::{Place, Trail};

/// A job of an earlier process.
#[derive(Debug)]
pub(super) struct Return {
    /// The job, as the journal tells it.
    pub(super) held: Held,
    /// What is known of its file.
    pub(super) brief: Brief,
    /// How far it was; none when nothing of it was ever sent.
    pub(super) reached: Option<Reached>,
}

/// How far a job was.
#[derive(Debug)]
pub(super) struct Reached {
    pub(super) state: JobState,
    pub(super) printed: Duration,
    pub(super) acknowledged: u64,
}

/// Looks for a job to go on with; with what the driver of its port needs, unless it begins at its beginning.
pub(super) fn look(folder: &PrinterFolder) -> Option<(Return, Option<Resumption>)> {
    let held = Journal::peek(&folder.journal()).held.filter(|held| held.started)?;
    let found = Trail::find(&folder.trail())?;
    if found.head.claim_id != held.claim.claim_id {
        return None;
    }
    // What was not flushed to the disk may be missing then.
    let after_power_loss =
        found.head.boot.is_some_and(|boot| BootId::current().is_some_and(|now| now != boot));
    let is_untouched = found.place.as_ref().is_none_or(|place| place.checkpoint.is_untouched());
    // It has been cut off, and nothing says that it was gone on with; or nobody knows how much of it was sent.
    if is_untouched && (held.cut_off.is_some() || after_power_loss)
        || held.cut_off.is_some() && !found.head.returns
    {
        return None;
    }
    let file = Spool::file(&folder.spool(), &held.claim);
    let size = file.metadata().map(|file| file.len());
    if !size.is_ok_and(|size| size == held.claim.size_bytes) {
        tracing::error!(job.id = %held.claim.job_id, file = %file.display(), "the file of the job at work is gone");
        return None;
    }
    let brief = found.head.brief.clone();
    let Some(Place { checkpoint, speed, printed }) = found.place.filter(|_| !is_untouched) else {
        return Some((Return { held, brief, reached: None }, None));
    };
    let source = FileSource::open_at(&file, checkpoint.read_to(), checkpoint.layer()).ok()?;
    let reached = Reached { state: state(&checkpoint), printed, acknowledged: checkpoint.acknowledged() };
    tracing::info!(
        job.id = %held.claim.job_id, job.stage = ?checkpoint.stage(), job.layer = checkpoint.layer(),
        job.acknowledged_bytes = checkpoint.acknowledged(), "going on with a job of an earlier process"
    );
    let source = Box::new(source);
    let resumption = Resumption { checkpoint, source, trail: found.trail, speed, after_power_loss };
    Some((Return { held, brief, reached: Some(reached) }, Some(resumption)))
}

fn state(checkpoint: &Checkpoint) -> JobState {
    match (checkpoint.stage(), checkpoint.end()) {
        (Stage::Pausing, _) => JobState::Pausing,
        (Stage::Paused, _) => JobState::Paused,
        (Stage::Resuming | Stage::Returning, _) => JobState::Resuming,
        (Stage::Stopping, Some(End::Cancelled)) => JobState::Cancelling,
        _ if checkpoint.is_printing() => JobState::Printing,
        _ => JobState::Preparing,
    }
}
