//! M600 of a Marlin that has a display with a menu: what it asks, when it cools, and what ends each wait.
//!
//! From Marlin 2.1: gcode/feature/pause/M600.cpp, feature/pause.cpp (`pause_print`, `wait_for_confirmation`,
//! `load_filament`, `resume_print`), feature/host_actions.cpp (`filament_load_prompt`, `handle_response`).
//!
//! - It parks and unloads, and asks by `Nozzle Parked`. After PAUSE_PARK_NOZZLE_TIMEOUT the nozzle is not heated any
//!   more, though its target is reported as before; it asks by `HeaterTimeout`, heats again when it is answered, and asks
//!   by `Reheat Done`.
//! - It loads and purges, and asks by `PurgeMore` (0), which purges and asks again, and `Continue` (1). That wait has no
//!   timeout and ends by a button only: M108 does nothing to it.
//! - An answer is taken once for each question (`host_prompt_reason`).
//! - Its busy lines say `paused for user` from the first question to the end, whatever it does meanwhile.
//!
//! Known simplifications: parking, loading and going back only take their time, and nothing is extruded.

use std::time::Duration;

use super::heat_wait::{HeatWait, Progress};
use super::machine::Machine;
use super::stage::Stage;
use super::thermal::HeaterId;

/// Parking and unloading.
const UNLOADING: Duration = Duration::from_secs(12);
/// Loading.
const LOADING: Duration = Duration::from_secs(20);
/// A purge.
const PURGING: Duration = Duration::from_secs(15);
/// Back to the part.
const RETURNING: Duration = Duration::from_secs(3);
/// PAUSE_PARK_NOZZLE_TIMEOUT
const NOZZLE_TIMEOUT: Duration = Duration::from_secs(45);

/// How far it is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum FilamentChange {
    Unloading(Duration),
    /// Asks for filament; its nozzle times out then.
    Parked(Duration),
    TimedOut,
    Reheating(HeatWait),
    Loading(Duration),
    /// `PurgeMore` or `Continue`; whether an answer is still taken.
    Asking(bool),
    Returning(Duration),
}

/// What somebody does about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// M108.
    EndWait,
    /// M876 S…
    Button(u8),
    /// The button at the printer, on what the menu offers to go on.
    Click,
}

impl FilamentChange {
    pub(crate) fn begin(now: Duration) -> Self {
        Self::Unloading(now + UNLOADING)
    }

    pub(crate) fn deadline(&self) -> Option<Duration> {
        match self {
            Self::Unloading(until) | Self::Parked(until) | Self::Loading(until) | Self::Returning(until) => {
                Some(*until)
            }
            Self::Reheating(wait) => Some(wait.next_check()),
            Self::TimedOut | Self::Asking(_) => None,
        }
    }

    pub(crate) fn busy_state(&self) -> &'static str {
        if matches!(self, Self::Unloading(_)) { "processing" } else { "paused for user" }
    }
}

impl Machine {
    /// Somebody has answered a change of filament.
    pub(crate) fn answer_change(
        &mut self,
        change: FilamentChange,
        answer: Answer,
        now: Duration,
    ) -> FilamentChange {
        match (change, answer) {
            (FilamentChange::Parked(_), _) => FilamentChange::Loading(now + LOADING),
            (FilamentChange::TimedOut, _) => {
                self.ask("Reheating", &[]);
                let nozzle = HeaterId::Nozzle(self.tool);
                self.thermal.set_idle(now, false);
                FilamentChange::Reheating(HeatWait::begin(now, nozzle, false))
            }
            (FilamentChange::Reheating(_), Answer::EndWait) => self.ask_for_filament("Reheat Done", now),
            (FilamentChange::Asking(_), Answer::Click) => FilamentChange::Returning(now + RETURNING),
            (FilamentChange::Asking(true), Answer::Button(0)) => FilamentChange::Loading(now + PURGING),
            (FilamentChange::Asking(true), Answer::Button(1)) => FilamentChange::Returning(now + RETURNING),
            (FilamentChange::Asking(_), Answer::Button(_)) => FilamentChange::Asking(false),
            (change, _) => change,
        }
    }

    /// Carries it as far as it gets at `now`.
    pub(crate) fn change_filament(&mut self, change: FilamentChange, now: Duration) -> Stage {
        let next = match change {
            FilamentChange::Unloading(until) if now >= until => self.ask_for_filament("Nozzle Parked", now),
            FilamentChange::Parked(until) if now >= until => {
                self.thermal.set_idle(now, true);
                self.ask("HeaterTimeout", &["Reheat"]);
                FilamentChange::TimedOut
            }
            FilamentChange::Reheating(mut wait) => match wait.check(now, self.thermal.heater(wait.heater)) {
                Progress::Over => self.ask_for_filament("Reheat Done", now),
                Progress::Waiting(_) => FilamentChange::Reheating(wait),
            },
            FilamentChange::Loading(until) if now >= until => {
                self.ask("Paused", &["PurgeMore", "Continue"]);
                FilamentChange::Asking(true)
            }
            FilamentChange::Returning(until) if now >= until => {
                self.action("prompt_end");
                self.action("resumed");
                self.ask("Resuming", &["Dismiss"]);
                return Stage::Done;
            }
            waiting => waiting,
        };
        Stage::Change(next)
    }

    fn ask_for_filament(&mut self, text: &str, now: Duration) -> FilamentChange {
        self.ask(text, &["Continue"]);
        FilamentChange::Parked(now + NOZZLE_TIMEOUT)
    }

    pub(crate) fn begin_change(&mut self, now: Duration) -> Stage {
        self.action("paused");
        self.ask("Pause", &["Dismiss"]);
        Stage::Change(FilamentChange::begin(now))
    }

    fn ask(&mut self, text: &str, buttons: &[&str]) {
        self.action("prompt_end");
        self.action(&format!("prompt_begin {text}"));
        for button in buttons {
            self.action(&format!("prompt_button {button}"));
        }
        self.action("prompt_show");
    }

    fn action(&mut self, text: &str) {
        if let Some(mark) = self.speech().action.filter(|_| self.speech().prompts) {
            self.line(&format!("{mark}action:{text}"));
        }
    }
}
