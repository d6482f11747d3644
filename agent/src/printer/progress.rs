//! How far the job at hand is.
//!
//! Owns: bytes taken, time printed, and what the file says about the rest. While somebody is waited for nothing is printed, and
//! the rest stays as it was; nor does heating before the first line take anything off it. Must not know: where the job stands on
//! its way.

use std::time::Duration;

use stardust_protocol::JobState;
use stardust_protocol::agent_api::Claim;

use super::picture::JobPicture;
use crate::port::PortView;
use crate::print_job::stopwatch::Stopwatch;
use crate::serial::JobEvent;

/// How far a job is.
#[derive(Debug, Default)]
pub(super) struct Progress {
    watch: Stopwatch,
    /// Begun, neither paused nor over.
    is_at_work: bool,
    /// The printer waits for a person all the same.
    waits: bool,
    /// What the watch showed at the first extrusion.
    heated_for: Option<Duration>,
    acknowledged: u64,
    /// What the file said last about the rest, in minutes, and the time printed when it did.
    file_says: Option<(f64, Duration)>,
}

impl Progress {
    /// The first line is about to go.
    pub(super) fn begin(&mut self, now: Duration) {
        *self = Self::default();
        self.is_at_work(true, now);
    }

    /// Going on with a job of an earlier process.
    pub(super) fn go_on(&mut self, now: Duration, printed: Duration, acknowledged: u64, is_paused: bool) {
        let (watch, heated_for) = (Stopwatch::from(printed), Some(printed));
        *self = Self { watch, heated_for, acknowledged, ..Self::default() };
        self.is_at_work(!is_paused, now);
    }

    fn is_at_work(&mut self, is_at_work: bool, now: Duration) {
        self.is_at_work = is_at_work;
        if self.is_at_work && !self.waits {
            self.watch.run(now);
        } else {
            self.watch.halt(now);
        }
    }

    /// Time printed.
    pub(super) fn elapsed(&self, now: Duration) -> Duration {
        self.watch.elapsed(now)
    }

    pub(super) fn on_event(&mut self, event: &JobEvent, acknowledged: u64, size: u64, now: Duration) {
        self.acknowledged = acknowledged;
        match event {
            JobEvent::Printing => drop(self.heated_for.get_or_insert(self.watch.elapsed(now))),
            JobEvent::Paused | JobEvent::Stopped(_) => self.is_at_work(false, now),
            JobEvent::Resumed => self.is_at_work(true, now),
            JobEvent::Completed => {
                self.is_at_work(false, now);
                // Comments behind the last command are never acknowledged.
                self.acknowledged = size;
            }
            _ => {}
        }
    }

    pub(super) fn follow(&mut self, view: &PortView, now: Duration) {
        let Some(job) = &view.job else { return };
        self.waits = view.attention.is_some();
        self.is_at_work(self.is_at_work, now);
        self.acknowledged = self.acknowledged.max(job.acknowledged_bytes);
        let Some(minutes) = job.minutes_left else { return };
        if self.file_says.is_none_or(|(before, _)| (before - minutes).abs() > f64::EPSILON) {
            self.file_says = Some((minutes, self.elapsed(now)));
        }
    }

    pub(super) fn picture<'a>(&self, claim: &'a Claim, state: JobState, now: Duration) -> JobPicture<'a> {
        let elapsed = self.elapsed(now);
        let file_says = self.file_says.and_then(|(minutes, at)| {
            let rest = Duration::try_from_secs_f64(minutes * 60.0).ok()?;
            // Slicers don't count what comes before the first line.
            let since = at.max(self.heated_for.unwrap_or(elapsed));
            Some((rest, elapsed.saturating_sub(since)))
        });
        JobPicture { claim, state, acknowledged_bytes: self.acknowledged, elapsed, file_says }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::{Asked, JobView};
    use crate::serial::{Motion, Stage};

    const S: fn(u64) -> Duration = Duration::from_secs;

    fn view(minutes_left: Option<f64>, is_asking: bool) -> PortView {
        let motion =
            Motion { position: [None; 3], fan_percent: None, speed_percent: None, flow_percent: None };
        let job = JobView {
            stage: Stage::Feeding,
            acknowledged_bytes: 10,
            layer: None,
            minutes_left,
            remark: None,
            motion,
            waiting: None,
        };
        let asked = Asked {
            question: 1,
            text: "Filament".into(),
            buttons: Vec::new(),
            goes_on: None,
            only_at_printer: false,
        };
        PortView { job: Some(job), attention: is_asking.then_some(asked), ..PortView::closed() }
    }

    fn claim() -> Claim {
        Claim {
            job_id: "0190a7c2-6f00-7000-8000-000000000001".parse().unwrap(),
            claim_id: "0190a7c2-6f00-7000-8000-000000000002".parse().unwrap(),
            lease_until: stardust_protocol::Timestamp::from_millis(0),
            file_name: "a.gcode".into(),
            size_bytes: 100,
            sha256: "ab".repeat(32).parse().unwrap(),
            estimated_s: None,
        }
    }

    /// Time printed, and how long ago the file has said what is left.
    fn told(progress: &Progress, now: Duration) -> (u64, u64) {
        let claim = claim();
        let picture = progress.picture(&claim, JobState::Printing, now);
        (picture.elapsed.as_secs(), picture.file_says.unwrap().1.as_secs())
    }

    #[test]
    fn neither_heating_nor_a_wait_for_a_person_takes_anything_off_what_is_left() {
        let mut progress = Progress::default();
        progress.begin(S(0));
        progress.follow(&view(Some(60.0), false), S(1));
        assert_eq!(told(&progress, S(181)), (181, 0), "it heats");
        progress.on_event(&JobEvent::Printing, 10, 100, S(181));
        assert_eq!(told(&progress, S(241)), (241, 60));
        progress.follow(&view(Some(60.0), true), S(241));
        assert_eq!(told(&progress, S(3841)), (241, 60), "the printer asks for filament for an hour");
        progress.follow(&view(Some(60.0), false), S(3841));
        assert_eq!(told(&progress, S(3851)), (251, 70));
        progress.on_event(&JobEvent::Paused, 10, 100, S(3851));
        progress.follow(&view(Some(60.0), false), S(3900));
        assert_eq!(told(&progress, S(9999)), (251, 70), "it is paused");
        progress.on_event(&JobEvent::Resumed, 10, 100, S(9999));
        assert_eq!(told(&progress, S(10_000)), (252, 71));
    }
}
