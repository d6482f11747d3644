//! What the host asks by itself, now and then.
//!
//! Owns: the questions and how often, and when something is due at the latest. Must not know: what the answers mean.

use std::time::Duration;

use stardust_gcode::command::parse;

use super::super::job::{Job, Stage};
use super::super::window::Origin;
use super::{Host, Phase};

/// How often firmware without temperature reports of its own is asked.
const POLL_TEMPERATURES: Duration = Duration::from_secs(2);
/// The same while printing: each one is a line among those of the job.
const POLL_TEMPERATURES_PRINTING: Duration = Duration::from_secs(10);
/// It is overdue, and sent as soon as the line has room for one more.
const WITH_ROOM: Duration = Duration::ZERO;
/// How often the printer is asked whether it prints from its memory card, while nothing of ours goes on.
const POLL_CARD: Duration = Duration::from_secs(5);
/// While an answer to something else is waited for.
const POLL_CARD_SOON: Duration = Duration::from_millis(100);

impl Host {
    /// Firmware that reports temperatures by itself is never asked, so that a job's lines stay its own. Called before the job
    /// fills the line: a job that keeps it full would never let a question through.
    pub(super) fn poll_temperatures(&mut self, now: Duration) {
        if self.poll_at.is_none_or(|at| now < at) {
            return;
        }
        let Some(command) = parse(b"M105") else { return };
        let stage = self.job.as_ref().map(Job::stage);
        let feeding = stage == Some(Stage::Feeding);
        // People look at a paused printer, too, and want to know whether it is hot.
        let rests = stage.is_none() || stage == Some(Stage::Paused) && !self.attention.is_waiting();
        if rests && self.link.is_idle() {
            self.link.send_alone(now, &command);
        } else if feeding {
            // Where nothing but a question of our own is in flight, an answer before it was lost: another one would be taken for that,
            // and the job would wait for the last one for ever.
            if !self.link.has_room(&command) || self.link.awaits_only_its_own() {
                self.poll_at = Some(WITH_ROOM);
                return;
            }
            self.link.send(now, &command, Origin::Host);
        }
        let every = if self.job.is_some() { POLL_TEMPERATURES_PRINTING } else { POLL_TEMPERATURES };
        self.poll_at = Some(now + every);
    }

    /// Whether a print is going on that was started at the panel.
    pub(super) fn poll_card(&mut self, now: Duration) {
        if self.card_at.is_none_or(|at| now < at) || !matches!(self.phase, Phase::Ready) {
            return;
        }
        if self.is_unoccupied() {
            self.is_card_known = true;
            if let Some(command) = parse(b"M27") {
                self.link.send_alone(now, &command);
            }
        } else if self.job.is_none() {
            // Another question is on its way: this one comes right after it.
            self.card_at = Some(now + POLL_CARD_SOON);
            return;
        }
        self.card_at = Some(now + POLL_CARD);
    }

    /// When [`Self::tick`] has something to do at the latest.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        let handshake = match &self.phase {
            Phase::Handshake(handshake) => Some(handshake.deadline()),
            Phase::Attaching(attaching) => attaching.deadline(),
            Phase::Told(told) => told.deadline(),
            Phase::Ready | Phase::Halted(_) => None,
        };
        // While a job fills the line room comes with an answer, and not by itself.
        let is_filled = self.job.as_ref().map(Job::stage) == Some(Stage::Feeding);
        let poll = self.poll_at.filter(|at| !is_filled || *at > WITH_ROOM);
        let (heat, job) = (self.heat_deadline(), self.job.as_ref().and_then(Job::deadline));
        [handshake, self.link.deadline(), poll, self.card_at, self.external.deadline(), heat, job]
            .into_iter()
            .flatten()
            .min()
    }

    /// Whether nothing of ours is going on, and the firmware has answered everything.
    pub(super) fn is_unoccupied(&self) -> bool {
        matches!(self.phase, Phase::Ready) && self.job.is_none() && self.link.is_idle()
    }
}
