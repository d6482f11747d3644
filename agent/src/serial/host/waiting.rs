//! When the firmware waits for a person: going on, and ending the wait where nobody comes.
//!
//! While it waits it carries out no command: its nozzle can't be cooled, and a job that is cancelled can't be made safe.
//! Marlin (feature/pause.cpp) cools by itself only while it waits for the first time in a change of filament; at `PurgeMore`
//! or `Continue` it stays hot. `M108` ends a wait that a click ends, `M876 S1` every question that Marlin asks (any number
//! answers one with a single button), both at reception with `EMERGENCY_PARSER` and without it never.
//! Owns: which of that ends the wait that stands, and when. Must not know: what becomes of the job.

use std::time::Duration;

use super::super::cooling::Waiting;
use super::super::heat::Heating;
use super::super::heat_reach::HeatOutOfReach;
use super::super::job::{Job, Stage};
use super::Host;
use super::attaching::Wish;

/// A firmware that has not gone on after so long needs its button pressed.
const SOON: Duration = Duration::from_secs(60);

/// Some waits have several questions, one after the other.
const AGAIN: Duration = Duration::from_secs(5);

const UNSAID: &str =
    "The printer is at a command that may wait for a person, as a change of filament does, and says nothing.";

/// How a firmware's wait is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WayOut {
    /// The button of this number.
    Press(u8),
    /// The host has not heard a question, or one whose answers it does not know.
    EndWait,
}

impl Host {
    /// Goes on with a paused job, or presses the button that goes on.
    pub fn resume(&mut self, now: Duration) {
        if self.postpone(Wish::Resume) {
            return;
        }
        let is_parked = self.job.as_ref().is_some_and(|job| job.stage() == Stage::Paused);
        if self.attention.message().is_some() && (!is_parked || self.attention.is_waiting()) {
            // Not the job waits, but the firmware: M600. What has answers that nobody knows a person has to choose.
            if let Some(button) = self.attention.goes_on() {
                self.answer(now, self.attention.number(), button);
            }
        }
        if let Some(job) = &mut self.job {
            job.resume();
        }
        self.tick(now);
    }

    /// The button that goes on with what the firmware asks; none: a person has to choose.
    #[must_use]
    pub fn goes_on(&self) -> Option<u8> {
        self.attention.goes_on()
    }

    /// What a person is told: the firmware's question, and what hangs on its answer.
    #[must_use]
    pub fn attention_text(&self) -> Option<String> {
        let text = self.attention.message().or_else(|| self.may_wait_unsaid().then_some(UNSAID))?;
        if self.heat_out_of_reach() == Some(HeatOutOfReach::Locked) && self.heating() != Heating::Settled {
            return Some(format!(
                "{text} Its heaters may be on and can't be turned off from here: unlock it, or switch it off."
            ));
        }
        if self.stops_behind_a_button() {
            return Some(format!(
                "{text} The job is cancelled as soon as the button at the printer is pressed: it takes no command before, \
                 and its heaters are on."
            ));
        }
        // Its buttons, where it has some, are no use either: they are pressed by a command.
        let out_of_reach = self.waiting().filter(|waiting| *waiting == Waiting::OutOfReach);
        Some(out_of_reach.map_or_else(|| text.to_owned(), |waiting| format!("{text} {}", waiting.sentence())))
    }

    /// Whether that is answered at the printer alone: nothing that is sent from here ends it.
    #[must_use]
    pub fn is_only_at_printer(&self) -> bool {
        self.attention.is_locked()
            || self.stops_behind_a_button()
            || self.waiting() == Some(Waiting::OutOfReach)
    }

    fn is_stopping(&self) -> bool {
        self.job.as_ref().is_some_and(|job| job.stage() == Stage::Stopping)
    }

    /// Firmware that says nothing in such a wait keeps a cancelled job waiting all the same.
    fn may_wait_unsaid(&self) -> bool {
        let may_wait = self.job.as_ref().is_some_and(Job::may_wait_for_person);
        may_wait && !self.link.says_busy() && self.stops_behind_a_button()
    }

    /// The job is cancelled, and what the firmware waits for can't be ended from here.
    fn stops_behind_a_button(&self) -> bool {
        self.is_stopping() && self.way_out(true).is_none()
    }

    /// Time passes while somebody is waited for.
    pub(super) fn look_after_waiting(&mut self, now: Duration) {
        let by_firmware = self.attention.is_waiting().then(|| self.attention.number());
        let is_late = self.ending_since.is_some_and(|since| now >= since + SOON);
        let may_guess = self.is_stopping();
        let (way_out, area) = (self.way_out(may_guess), self.reach());
        let Some(job) = &mut self.job else {
            self.ending_since = None;
            return;
        };
        job.watch(now, by_firmware, way_out.is_some() && !is_late, &self.thermometer);
        if !may_guess && way_out.is_some() && job.waits_too_long() {
            job.take_over(area);
        }
        if !may_guess && !job.is_taken_over() {
            self.ending_since = None;
            return;
        }
        let Some(way_out) = way_out.filter(|_| by_firmware.is_some()) else { return };
        self.ending_since.get_or_insert(now);
        tracing::info!(wait.end = ?way_out, "the printer's wait for a person is ended");
        match way_out {
            WayOut::Press(button) => self.link.send_urgent(now, &format!("M876 S{button}")),
            WayOut::EndWait => self.end_wait(now),
        }
        // If it still waits it says so again within two seconds.
        self.attention.answered();
    }

    /// The same before it is known where the job is: a firmware that waits may have no room left for the questions.
    pub(super) fn look_after_waiting_unattached(&mut self, now: Duration) {
        // What an earlier process has counted is not over before it is known whether the firmware still waits.
        if !self.attention.is_waiting() {
            return;
        }
        let (question, way_out) = (self.attention.number(), self.way_out(false));
        // By then there is no room for that either.
        let is_late = self.ending_since.is_some_and(|since| now >= since + SOON);
        let way_out = way_out.filter(|_| !is_late);
        let Some(job) = &mut self.job else { return };
        job.waits_on();
        job.watch(now, Some(question), way_out.is_some(), &self.thermometer);
        let is_due = job.waits_too_long() && self.ended_at.is_none_or(|at| now >= at + AGAIN);
        let Some(way_out) = way_out.filter(|_| is_due) else { return };
        self.ended_at = Some(now);
        if self.ending_since.is_none() {
            self.ending_since = Some(now);
            self.postpone(Wish::Pause);
        }
        tracing::warn!(wait.end = ?way_out, "nobody answered the printer: its wait is ended, and the print is to be paused");
        match way_out {
            WayOut::Press(button) => self.link.send_raw(format!("\nM876 S{button}\n").as_bytes()),
            WayOut::EndWait if self.firmware.can("PROMPT_SUPPORT") => {
                self.link.send_raw(b"\nM108\nM876 S1\n");
            }
            WayOut::EndWait => self.link.send_raw(b"\nM108\n"),
        }
    }

    /// Ends the wait where no question was heard, as by a host that came later.
    pub(super) fn end_wait(&mut self, now: Duration) {
        self.link.send_urgent(now, "M108");
        if self.firmware.can("PROMPT_SUPPORT") {
            self.link.send_urgent(now, "M876 S1");
        }
    }

    /// How the wait that stands is ended from here, if it can be. `may_guess`: whatever its buttons say.
    fn way_out(&self, may_guess: bool) -> Option<WayOut> {
        if !self.firmware.can("EMERGENCY_PARSER") {
            return None;
        }
        match self.attention.prompt().filter(|_| self.firmware.can("PROMPT_SUPPORT")) {
            None => Some(WayOut::EndWait),
            Some(prompt) => match prompt.goes_on() {
                Some(button) if !prompt.buttons.is_empty() => Some(WayOut::Press(button)),
                Some(_) => Some(WayOut::EndWait),
                None => may_guess.then_some(WayOut::EndWait),
            },
        }
    }
}
