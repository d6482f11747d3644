//! Where a job stands on the line, as far as a host that is started anew must know to go on with it.
//!
//! A checkpoint is taken when everything of one moment has been decided and nothing of it has been transmitted yet. It
//! tells all lines of the host's own: those that come after the last checkpoint are the next commands of the file, one
//! by one. So a line's number alone tells the place in the file.
//! Owns: what is in it, and when one is due. Must not know: where it is kept.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::firmware::Firmware;
use super::job::{End, JobMark, JobRecord, Stage};
use super::link::LinkRecord;

/// One is due at least this often while lines are taken.
const EVERY: Duration = Duration::from_secs(1);
/// And after this many lines: a number much further on was never sent.
pub(super) const MAX_LINES_APART: u32 = 256;

/// A job on the line at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    pub(super) firmware: Firmware,
    pub(super) link: LinkRecord,
    pub(super) job: JobRecord,
    /// Hosts that go on with the job have sent their questions with these numbers, and nothing after them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) questions: Vec<u32>,
}

impl Checkpoint {
    /// What the job was doing.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.job.stage
    }

    /// Whether it had begun to extrude while moving.
    #[must_use]
    pub fn is_printing(&self) -> bool {
        self.job.printing
    }

    /// Whether a pause was asked for that could not be made yet.
    #[must_use]
    pub fn is_pause_wanted(&self) -> bool {
        self.job.pause_wanted
    }

    /// How it ends, when it was being stopped.
    #[must_use]
    pub fn end(&self) -> Option<&End> {
        self.job.end.as_ref()
    }

    /// Byte offset in the file behind the last command that was read.
    #[must_use]
    pub fn read_to(&self) -> u64 {
        self.job.read_to
    }

    /// Bytes of the file that the firmware had taken.
    #[must_use]
    pub fn acknowledged(&self) -> u64 {
        self.job.acknowledged
    }

    /// The layer, from 1.
    #[must_use]
    pub fn layer(&self) -> Option<u32> {
        self.job.layer
    }

    /// How high the nozzle stood, mm; none where only the firmware knows.
    #[must_use]
    pub fn height_mm(&self) -> Option<f64> {
        self.job.modal.position()[2]
    }

    /// Whether nothing of the job can have reached the printer: its lines were not numbered yet.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        self.job.stage == Stage::Numbering
    }
}

/// What makes a new checkpoint due at once when it changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) job: JobMark,
    /// Lines of the host's own so far.
    pub(super) own_lines: u64,
    /// Some line of this numbering was accepted for certain.
    pub(super) is_proven: bool,
    pub(super) question: Option<u32>,
}

/// Tells when a checkpoint is due.
#[derive(Debug, Default)]
pub(super) struct Due {
    last: Option<(Mark, [u32; 2], Duration)>,
}

impl Due {
    /// `lines`: the next line's number, and the last one that was accepted.
    pub(super) fn is_due(&mut self, now: Duration, mark: Mark, lines: [u32; 2]) -> bool {
        let due = match self.last {
            None => true,
            Some((last, _, _)) if last != mark => true,
            Some((_, before, at)) => {
                before[0].abs_diff(lines[0]) >= MAX_LINES_APART || before != lines && now >= at + EVERY
            }
        };
        if due {
            self.last = Some((mark, lines, now));
        }
        due
    }

    /// The next one is due at once.
    pub(super) fn clear(&mut self) {
        self.last = None;
    }
}
