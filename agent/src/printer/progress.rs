//! How far the job at hand is.
//!
//! Owns: bytes taken, time printed, and what the file says about the rest. Must not know: where the job stands
//! on its way.

use std::time::Duration;

use stardust_protocol::JobState;
use stardust_protocol::agent_api::Claim;

use super::picture::JobPicture;
use crate::port::JobView;
use crate::print_job::stopwatch::Stopwatch;
use crate::serial::JobEvent;

/// How far a job is.
#[derive(Debug, Default)]
pub(super) struct Progress {
    watch: Stopwatch,
    acknowledged: u64,
    /// What the file said last about the rest, in minutes, and the time printed when it did.
    file_says: Option<(f64, Duration)>,
}

impl Progress {
    /// The first line is about to go.
    pub(super) fn begin(&mut self, now: Duration) {
        *self = Self::default();
        self.watch.run(now);
    }

    /// Going on with a job of an earlier process.
    pub(super) fn go_on(&mut self, now: Duration, printed: Duration, acknowledged: u64, is_paused: bool) {
        *self = Self { watch: Stopwatch::from(printed), acknowledged, file_says: None };
        if !is_paused {
            self.watch.run(now);
        }
    }

    /// Time printed.
    pub(super) fn elapsed(&self, now: Duration) -> Duration {
        self.watch.elapsed(now)
    }

    pub(super) fn on_event(&mut self, event: &JobEvent, acknowledged: u64, size: u64, now: Duration) {
        self.acknowledged = acknowledged;
        match event {
            JobEvent::Paused | JobEvent::Stopped(_) => self.watch.halt(now),
            JobEvent::Resumed => self.watch.run(now),
            JobEvent::Completed => {
                self.watch.halt(now);
                // Comments behind the last command are never acknowledged.
                self.acknowledged = size;
            }
            _ => {}
        }
    }

    pub(super) fn follow(&mut self, view: &JobView, now: Duration) {
        self.acknowledged = self.acknowledged.max(view.acknowledged_bytes);
        let Some(minutes) = view.minutes_left else { return };
        if self.file_says.is_none_or(|(before, _)| (before - minutes).abs() > f64::EPSILON) {
            self.file_says = Some((minutes, self.elapsed(now)));
        }
    }

    pub(super) fn picture<'a>(&self, claim: &'a Claim, state: JobState, now: Duration) -> JobPicture<'a> {
        let elapsed = self.elapsed(now);
        let file_says = self.file_says.and_then(|(minutes, at)| {
            let rest = Duration::try_from_secs_f64(minutes * 60.0).ok()?;
            Some((rest, elapsed.saturating_sub(at)))
        });
        JobPicture { claim, state, acknowledged_bytes: self.acknowledged, elapsed, file_says }
    }
}
