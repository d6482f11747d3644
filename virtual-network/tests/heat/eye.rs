//! The eye on the printers' heaters: what is hot that must not be, read at the printer.
//!
//! With no job at work and a way to the printer, every target is 0 within a minute; but for what a person has asked for, for
//! as long as they have, and for the bed of an interrupted print, for as long as the settings say. Both end with the process
//! and the connection that have begun them, and when the hub takes the agent's credential away.

use std::time::Duration;

use tokio::time::Instant;

use crate::house::{House, PRINTERS};
use crate::plan::Trouble;

/// With no job at work and a way to the printer, it is cold after this.
pub(crate) const COLD_WITHIN: Duration = Duration::from_secs(60);

/// The answer to a preheat is on its way for no longer.
const WORD_WITHIN: Duration = Duration::from_secs(2);

/// Firmware without EMERGENCY_PARSER that is stopped at once goes on with the command that it is at, and with those behind it: two
/// waits for a temperature.
const AT_A_COMMAND: Duration = Duration::from_secs(15 * 60);

/// What waits for a person, with an agent that can end the wait, has no hot nozzle after this: the ten minutes of the setting, and the
/// time that ending the firmware's wait takes.
const COOLED_WITHIN: Duration = Duration::from_secs(13 * 60);

/// Firmware that waits for a person and could be told not to is out of that after this: it is asked for a minute first, and then it
/// heats its nozzle, loads and purges before it takes the next line.
const WAIT_ENDED_WITHIN: Duration = Duration::from_secs(5 * 60);

/// How long a printer has been left alone where somebody could have turned it off.
#[derive(Debug, Default, Clone, Copy)]
struct Alone {
    /// Nobody may have wanted the bed warm since then, and the others.
    bed_since: Option<Instant>,
    others_since: Option<Instant>,
    /// Something is hot that must not be, since then.
    hot_since: Option<Instant>,
    /// It waits for a person with a hot nozzle since then.
    waits_hot_since: Option<Instant>,
    /// Without a job its firmware waits for a person since then.
    is_kept_since: Option<Instant>,
}

/// What people and jobs want, and what the printers do.
#[derive(Debug, Default)]
pub(crate) struct Eye {
    alone: [Alone; PRINTERS],
    /// A person wants it hot until then.
    person_until: Option<Instant>,
    /// The bed stays warm until then.
    bed_until: Option<Instant>,
    was_interrupted: bool,
    /// The process makes safe and can do nothing else: no job is at work, whatever the hub believes.
    is_unable: bool,
    was_hot: bool,
    /// A person has asked for heat, and no word has come of that yet.
    is_asked: bool,
    /// It was stopped at once, and gets to that when it has done what it is at.
    at_a_command_until: Option<Instant>,
}

impl Eye {
    /// Until when something may be hot without a job.
    pub(crate) fn allows_until(&self) -> Instant {
        let until = self.person_until.max(self.bed_until).max(self.at_a_command_until);
        until.unwrap_or_else(Instant::now)
    }

    /// What ends all that was wanted without a job.
    pub(crate) fn happens(&mut self, trouble: Trouble) {
        let ends = match trouble {
            Trouble::Cancelled
            | Trouble::Paused
            | Trouble::Resumed
            | Trouble::Clicked
            | Trouble::Preheated(_)
            // They count when they are answered.
            | Trouble::CooledDown
            | Trouble::StoppedAtOnce(_) => false,
            Trouble::Reset => {
                // What was not set yet is set after it.
                self.person_until = None;
                false
            }
            _ => true,
        };
        self.is_asked |= matches!(trouble, Trouble::Preheated(_));
        self.is_unable = (self.is_unable && !ends) || matches!(trouble, Trouble::Unable(..));
        if ends {
            (self.person_until, self.bed_until) = (None, None);
        }
    }

    /// A process that can work is there.
    pub(crate) fn starts(&mut self) {
        self.is_unable = false;
    }

    /// It was stopped at once. A job or a preheat may end by that before the command is answered.
    pub(crate) fn stopped(&mut self, acts_at_once: bool) {
        if !acts_at_once {
            self.at_a_command_until = Some(Instant::now() + AT_A_COMMAND);
        }
    }

    /// Looks; what is hot that must not be.
    pub(crate) fn look(&mut self, house: &House, has_agent: bool) -> Option<String> {
        let is_at_work = self.follow(house);
        (0..PRINTERS).find_map(|printer| self.look_at(printer, house, has_agent, is_at_work))
    }

    fn look_at(
        &mut self,
        printer: usize,
        house: &House,
        has_agent: bool,
        is_at_work: bool,
    ) -> Option<String> {
        let targets = house.targets(printer);
        if !targets.are_off() && !std::mem::replace(&mut self.was_hot, true) {
            house.count("heated");
        }
        let now = Instant::now();
        let may = |until: Option<Instant>| until.is_some_and(|until| now < until);
        let by_person = may(self.person_until);
        let can_reach = has_agent && house.plugged(printer).is_some();
        let is_kept = can_reach && !is_at_work && house.firmware_waits(printer);
        let alone = &mut self.alone[printer];
        alone.is_kept_since = is_kept.then(|| alone.is_kept_since.unwrap_or(now));
        // One without a parser for M108 hears nothing until somebody comes to it.
        let hears_nothing = alone.is_kept_since.is_some_and(|since| {
            !house.plan.profile.config.emergency_parser || since.elapsed() < WAIT_ENDED_WITHIN
        });
        let is_out_of_reach = !can_reach || is_at_work || hears_nothing || may(self.at_a_command_until);
        let since = |since: &mut Option<Instant>, may: bool| {
            *since = if is_out_of_reach || may { None } else { since.or(Some(now)) };
            since.is_some_and(|since| since.elapsed() > COLD_WITHIN)
        };
        let has_hot_nozzle = targets.nozzles.iter().any(|target| *target > 0.0);
        let waits = can_reach && is_at_work && house.waits_for_a_person(printer);
        if waits && !has_hot_nozzle {
            house.saw("cooled in a wait");
        }
        alone.waits_hot_since = (waits && has_hot_nozzle).then(|| alone.waits_hot_since.unwrap_or(now));
        if alone.waits_hot_since.is_some_and(|since| since.elapsed() > COOLED_WITHIN) {
            return Some(format!("printer {printer}: waits for a person, and stays hot: {targets:?}"));
        }
        let others_must = since(&mut alone.others_since, by_person);
        let bed_must = since(&mut alone.bed_since, by_person || may(self.bed_until));
        let others =
            has_hot_nozzle || [targets.chamber, targets.generic].into_iter().flatten().any(|it| it > 0.0);
        if by_person && !is_out_of_reach && others {
            house.saw("hot by a person");
        }
        if may(self.bed_until) && !is_out_of_reach && targets.bed > 0.0 && !others {
            house.saw("bed kept warm");
        }
        let is_wrong = others_must && others || bed_must && targets.bed > 0.0;
        let since = if is_wrong { alone.hot_since.or(Some(now)) } else { None };
        alone.hot_since = since;
        // The word that a person has it so comes some moments after the heat.
        let grace = if self.is_asked { WORD_WITHIN } else { Duration::ZERO };
        since.is_some_and(|since| since.elapsed() >= grace).then(|| {
            format!("printer {printer}: hot with no job at work and nobody who wants it so: {targets:?}")
        })
    }

    /// What people and jobs want. Whether a job is at work.
    fn follow(&mut self, house: &House) -> bool {
        // One that was interrupted waits for a person, and is not at work.
        let is_interrupted = house.is_interrupted();
        let (is_at_work, preheated) = {
            let mut books = house.books.lock().unwrap();
            (books.is_at_work() && !is_interrupted && !self.is_unable, books.preheated.take())
        };
        if let Some(minutes) = preheated {
            self.is_asked = false;
            self.person_until = minutes_from_now(minutes);
            self.bed_until = self.bed_until.filter(|_| minutes > 0);
        }
        if is_at_work {
            self.person_until = None;
        }
        if is_interrupted != self.was_interrupted {
            // Nobody could have it go on.
            let is_nobodys = house.books.lock().unwrap().is_revoked;
            let minutes = if is_nobodys { 0 } else { house.plan.keep_bed_warm };
            self.bed_until = if is_interrupted { minutes_from_now(minutes) } else { None };
        }
        self.was_interrupted = is_interrupted;
        is_at_work
    }
}

fn minutes_from_now(minutes: u16) -> Option<Instant> {
    (minutes > 0).then(|| Instant::now() + Duration::from_secs(60 * u64::from(minutes)))
}
