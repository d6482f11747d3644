//! The printer's own panel and the people at it: actions, prompts, and what people see of a job.
//!
//! Owns: what they mean for the host. Must not know: the line.

use std::time::Duration;

use stardust_gcode::command::parse;

use super::super::dialect::Dialect;
use super::super::job::{End, Job, Stage};
use super::super::motion::Motion;
use super::super::remark::Remark;
use super::super::whereabouts;
use super::Host;
use super::attaching::Wish;

const LOCKED: &str = "The printer was locked by a password in mid-print and takes no command any more. Unlock it at its panel: \
                      its heaters are turned off then. Clear the bed and print the job again";
const LEFT_ALONE: &str = "The printer has asked its host to disconnect, and its job was ended. Clear the bed and print the job again";

impl Host {
    /// A locked printer carries out what it is asked again: somebody was there.
    pub(super) fn look_whether_unlocked(&mut self, now: Duration) {
        if self.attention.is_locked() && self.job.is_none() {
            tracing::info!("the printer is unlocked");
            self.reconnect(now);
        }
    }

    /// Whether the printer wants its host gone; asked once.
    pub fn wants_to_be_left_alone(&mut self) -> bool {
        std::mem::take(&mut self.left_alone)
    }

    /// Which question [`Self::attention`] is about: the next has another number.
    #[must_use]
    pub fn question(&self) -> u64 {
        self.attention.number()
    }

    /// What people are shown of what the job's commands have set, if there is a job.
    #[must_use]
    pub fn motion(&self) -> Option<Motion> {
        self.job.as_ref().filter(|_| !self.safety_stop).map(Job::motion)
    }

    /// What a person should know of the part being printed, if anything.
    #[must_use]
    pub fn remark(&self) -> Option<&'static str> {
        self.job.as_ref().and_then(|job| job.remark).map(Remark::sentence)
    }

    /// A line of its own kind: a position, or the state of its memory card.
    pub(super) fn on_other(&mut self, now: Duration, text: &str) {
        match (whereabouts::parse(text), &mut self.job) {
            (Some(place), Some(job)) => job.on_position(place),
            _ => self.external.read(now, text),
        }
    }

    /// `echo:…`
    pub(super) fn on_echo(&mut self, now: Duration, text: &str) {
        // Marlin's PASSWORD_FEATURE: every command is answered like this and by `ok`, and none is carried out.
        if text.starts_with("Printer locked") && self.attention.lock() {
            tracing::warn!(firmware.echo = text, "the printer is locked");
            if self.job.is_some() {
                self.lose(now, LOCKED);
                self.attention.lock();
            }
        }
        if let Some(job) = self.job.as_mut().filter(|_| text.contains("cold extrusion prevented")) {
            if job.remark.replace(Remark::TooCold) != Some(Remark::TooCold) {
                tracing::warn!(firmware.echo = text, "the printer leaves plastic out");
            }
        }
    }

    /// Shows a text of letters and digits on the printer's display, if nothing of ours goes on and it has one that takes it.
    pub fn say(&mut self, now: Duration, text: &str) {
        // Others take M117 for a box that has to be closed.
        let shows = matches!(
            self.firmware.dialect,
            Dialect::Marlin | Dialect::Marlin1 | Dialect::Prusa | Dialect::Repetier
        );
        let command = format!("M117 {text}");
        if let Some(command) = parse(command.as_bytes()).filter(|_| shows && self.is_unoccupied()) {
            self.link.send_alone(now, &command);
        }
    }

    /// Answers the firmware's question by the number of a button, at once: `M876` must not wait for an `ok`,
    /// because the firmware gives none until it is answered. A question that is over is not answered.
    pub fn answer(&mut self, now: Duration, question: u64, button: u8) {
        if self.attention.message().is_none() || self.attention.number() != question {
            return;
        }
        if self.attention.prompt().is_some() && self.firmware.can("PROMPT_SUPPORT") {
            self.link.send_urgent(now, &format!("M876 S{button}"));
        } else if self.attention.is_waiting() {
            self.end_wait(now);
        }
        self.attention.answered();
    }

    /// `//action:…`
    pub(super) fn on_action(&mut self, now: Duration, action: &str) {
        let (verb, text) = action.split_once(' ').unwrap_or((action, ""));
        if verb == "disconnect" {
            self.left_alone = true;
            return self.lose(now, LEFT_ALONE);
        }
        if self.attention.on_action(verb, text)
            || self.external.on_action(verb)
            || self.postpone(Wish::Action(action.to_owned()))
        {
            return;
        }
        let area = self.reach();
        let interrupt = self.firmware.can("EMERGENCY_PARSER");
        let Some(job) = &mut self.job else { return };
        match verb {
            "pause" => job.pause(area, Some("The printer asked for a pause.".into())),
            "out_of_filament" => job.pause(area, Some("The printer has run out of filament.".into())),
            // It has parked by itself: nothing is sent until it goes on.
            "paused" => job.hold("The printer was paused at its panel.".into()),
            // Its wait was ended for the sake of its heat: the job goes on into a pause.
            "resumed" if job.is_taken_over() && job.stage() != Stage::Paused => {}
            "resume" | "resumed" => job.resume(),
            "cancel" => job.stop(now, End::Cancelled, area, &mut self.link, interrupt),
            _ => {}
        }
    }
}
