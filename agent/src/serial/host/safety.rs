//! Making a printer safe whose job is lost or none of ours.
//!
//! Owns: what is turned off, and when. Must not know: why.

use std::collections::VecDeque;
use std::time::Duration;

use super::super::job::{End, Job};
use super::Host;

/// How far it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Safety {
    /// Heaters, fan and motors off.
    AllOff,
    /// Heaters and fan off, and nothing is moved: the part may be gone on with.
    InPlace,
}

impl Safety {
    /// What is due after a job that has ended like this without being stopped.
    pub(super) fn after(end: &End) -> Self {
        if matches!(end, End::CutOff(_)) { Self::InPlace } else { Self::AllOff }
    }
}

impl Host {
    /// With no job: heaters off, fan off, motors off.
    pub fn make_safe(&mut self, now: Duration) {
        if self.is_ready() {
            self.begin_safety_stop(now, Safety::AllOff);
            self.tick(now);
        } else if self.job.is_none() {
            self.to_make_safe = Some(Safety::AllOff);
        }
    }

    /// A job of no commands that is stopped at once: what a stopped job does is what makes the printer safe.
    pub(super) fn begin_safety_stop(&mut self, now: Duration, safety: Safety) {
        let mut job =
            Job::start(now, Box::new(VecDeque::new()), self.parking.clone(), &self.firmware, &mut self.link);
        match safety {
            Safety::AllOff => job.stop(now, End::Cancelled, self.firmware.area, &mut self.link, false),
            Safety::InPlace => job.cool_down(),
        }
        self.job = Some(job);
        self.safety_stop = true;
    }
}
