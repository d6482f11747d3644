//! What can be seen of the host: connection, firmware, heaters, job.
//!
//! Owns: nothing; it only looks. Must not know: how it came about.

use super::super::attention::Prompt;
use super::super::cooling::Waiting;
use super::super::firmware::{Area, Firmware};
use super::super::heat::Heating;
use super::super::heat_reach::HeatOutOfReach;
use super::super::job::Stage;
use super::super::thermometer::Thermometer;
use super::{Host, Phase};

/// How the connection is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connection {
    /// Waiting for the firmware to answer.
    Connecting {
        /// It has not been heard at all yet.
        silent: bool,
    },
    /// It answers.
    Ready,
    /// It has stopped itself: why.
    Halted(String),
    /// It was told to stop at once, and nothing else is asked of it.
    ToldToStop {
        /// What is known of that, for a person.
        sentence: String,
        /// Nothing more is known of it by itself: it says that it has stopped, or says nothing any more.
        is_over: bool,
    },
}

impl Host {
    /// How the connection is.
    #[must_use]
    pub fn connection(&self) -> Connection {
        match &self.phase {
            Phase::Handshake(handshake) => Connection::Connecting { silent: handshake.is_unanswered() },
            Phase::Attaching(_) => Connection::Connecting { silent: false },
            Phase::Ready => Connection::Ready,
            Phase::Halted(reason) => Connection::Halted(reason.clone()),
            Phase::Told(told) => Connection::ToldToStop {
                sentence: told.sentence(self.thermometer.highest_target()),
                is_over: told.is_over(),
            },
        }
    }

    /// What the firmware said about itself.
    #[must_use]
    pub fn firmware(&self) -> &Firmware {
        &self.firmware
    }

    /// How far the machine reaches: as its settings and its firmware tell.
    pub(super) fn reach(&self) -> Option<Area> {
        self.parking.reach(self.firmware.area)
    }

    /// Why the heaters of a printer that answers can't be turned off from here, where that is known.
    #[must_use]
    pub fn heat_out_of_reach(&self) -> Option<HeatOutOfReach> {
        if self.attention.is_locked() {
            return Some(HeatOutOfReach::Locked);
        }
        let is_theirs = self.external.is_on() && !self.goes_on_after_stop();
        (self.job.is_none() && is_theirs).then_some(HeatOutOfReach::AtItsPanel)
    }

    /// Heaters as last reported.
    #[must_use]
    pub fn thermometer(&self) -> &Thermometer {
        &self.thermometer
    }

    /// What the firmware wants of a person, if it does.
    #[must_use]
    pub fn attention(&self) -> Option<&str> {
        self.attention.message()
    }

    /// The question that the firmware asks, if it does.
    #[must_use]
    pub fn prompt(&self) -> Option<&Prompt> {
        self.attention.prompt()
    }

    /// What becomes of the heat, while the job waits for a person.
    #[must_use]
    pub fn waiting(&self) -> Option<Waiting> {
        self.job.as_ref().filter(|_| !self.safety_stop)?.waiting()
    }

    /// What the printer does on its own account, if it does: a print from its memory card, say.
    #[must_use]
    pub fn external(&self) -> Option<String> {
        self.external.message().or_else(|| self.rests_hot())
    }

    /// A print from its memory card stands there, and somebody's heat is on: it is paused, and a job would be printed into its part.
    /// Old firmware tells the same of one that was given up: then it is cold, or is to be made so. What is owed, or wanted from here, is
    /// no heat of such a print, and is turned off as ever: too much is turned off rather than too little.
    fn rests_hot(&self) -> Option<String> {
        let is_theirs = self.job.is_none() && self.debt.state() == Heating::Settled;
        let is_hot = self.thermometer.highest_target().is_some_and(|target| target > 0.0);
        self.external.rests().filter(|_| is_theirs && is_hot)
    }

    /// Where the job is: stage, bytes of the file that were taken, layer, and minutes left as the file says.
    #[must_use]
    pub fn progress(&self) -> Option<(Stage, u64, Option<u32>, Option<f64>)> {
        let job = self.job.as_ref().filter(|_| !self.safety_stop);
        job.map(|job| (job.stage(), job.acknowledged, job.layer, job.minutes_left))
    }
}
