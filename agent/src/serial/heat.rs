//! What the printer heats, and what is owed: with no job at work, every heater's target read back is 0.
//!
//! From the start of a job on something may be hot that nobody wants hot any more when the job has ended, however it
//! ended: that is a debt. It is settled when the firmware itself has told twice in a row that all targets are 0; until
//! then the heaters are turned off again and again. Twice, because one report may be damaged on its way.
//! A heater whose target this firmware does not tell counts as off when the command for it was taken: that heater's, for one may be
//! named while others are being turned off.
//! For a time that is shown, heat may be wanted without a job (`serial/preheat.rs`): the debt stands meanwhile, and at the end of
//! that time, or of the connection, everything is turned off.
//! Owns: which heaters there are, and when they have to be turned off. Must not know: lines, scripts, where the debt is
//! written down.

mod verdict;

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use stardust_gcode::modal::Modal;

use super::dialect::Dialect;
use super::firmware::Firmware;
use super::named_heaters;
use super::preheat::read_back::{NotSet, ReadBack};
use super::preheat::{Preheat, Standing, Wanted, report_without_bed, without_bed};
use super::reply::TemperatureReport;
use super::thermometer::Thermometer;
use verdict::{Verdict, verdict};

/// Firmware that counts more extruders than this is not believed.
const MOST_TOOLS: u32 = 32;
/// Without a report for so long, one is asked for.
const ASK_EVERY: Duration = Duration::from_secs(3);
/// Turned off again this long after the last time, and longer each time.
const AGAIN: Duration = Duration::from_secs(5);
const AGAIN_AT_MOST: Duration = Duration::from_secs(30);
/// So many times in vain, and a person has to know.
const STUBBORN_AFTER: u32 = 3;
/// A heater that was reported once and is not within this time can't be read back: it was noise, most likely.
const TOLD_WITHIN: Duration = Duration::from_secs(10);
/// So many reports in a row have to say that all is off.
const REPORTS: u8 = 2;

/// The heaters that this printer has, as far as anybody has named them. Every printer has a bed, for this purpose: to turn
/// off one that is not there does no harm.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heaters {
    /// Hot ends by tool.
    pub tools: BTreeSet<u32>,
    /// The chamber is heated.
    pub chamber: bool,
    /// Some may have been set by words: Klipper's by their names and by macros, and no report need tell of them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub words: bool,
    /// This firmware has words for its heaters.
    #[serde(skip)]
    pub knows_words: bool,
}

impl Heaters {
    /// Where nobody knows what was heated: a chamber is the one that firmware may have and not tell of.
    #[must_use]
    pub fn unknown() -> Self {
        Self { chamber: true, ..Self::default() }
    }

    /// Those that a file's commands have named.
    #[must_use]
    pub fn named_by(modal: &Modal) -> Self {
        let mut heaters = Self::default();
        heaters.learn_job(modal);
        heaters
    }

    /// These as well.
    pub fn add(&mut self, more: &Self) {
        self.tools.extend(more.tools.iter().filter(|tool| **tool < MOST_TOOLS));
        self.chamber |= more.chamber;
        self.words |= more.words;
    }

    /// Those that the firmware and its thermometer name.
    pub(super) fn learn(&mut self, firmware: &Firmware, thermometer: &Thermometer) {
        self.tools.extend(0..firmware.extruders.unwrap_or(1).min(MOST_TOOLS));
        self.tools.extend(thermometer.tools.keys().map(|tool| u32::from(*tool)));
        self.chamber |= firmware.can("CHAMBER_TEMPERATURE") || thermometer.chamber.is_some();
        self.knows_words |= firmware.dialect == Dialect::Klipper;
    }

    /// Those that a job's commands have named.
    pub(super) fn learn_job(&mut self, modal: &Modal) {
        self.tools.extend(modal.tools());
        self.chamber |= modal.chamber_c.is_some();
    }

    /// The commands that set all of them; the chamber is turned off. Those of the nozzles that are turned off come first: where all
    /// tools share one nozzle, the last command counts.
    pub(super) fn set(&self, nozzle: impl Fn(u32) -> f64, bed: f64) -> Vec<String> {
        // Before what is to stay on is set.
        let by_words = self.words || self.knows_words;
        let mut lines: Vec<String> = by_words.then(|| named_heaters::ALL_OFF.into()).into_iter().collect();
        match self.tools.len() {
            // Firmware with one hot end may know no `T` here.
            0 | 1 if self.tools.iter().all(|tool| *tool == 0) => lines.push(format!("M104 S{}", nozzle(0))),
            _ => {
                let (on, off): (Vec<u32>, Vec<u32>) =
                    self.tools.iter().partition(|tool| nozzle(**tool) > 0.0);
                lines.extend(off.into_iter().chain(on).map(|tool| format!("M104 T{tool} S{}", nozzle(tool))));
            }
        }
        lines.push(format!("M140 S{bed}"));
        lines.extend(self.chamber.then(|| "M141 S0".into()));
        lines
    }
}

/// How far a printer is made safe whose job is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Safety {
    /// Heaters, fan and motors off.
    AllOff,
    /// Heaters and fan off, and nothing is moved: the part may be gone on with.
    InPlace,
}

/// How it stands with the heat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Heating {
    /// Nothing is owed: all is off, or a job or a person wants it on.
    #[default]
    Settled,
    /// Something is wanted on, for a time.
    Wanted(Wanted),
    /// It is not known yet that all is off.
    Owed,
    /// The heaters were turned off several times, and are still on.
    Stubborn,
}

/// What has to be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// Ask for a report.
    Ask,
    /// Turn everything off.
    Off(Safety),
}

/// The debt of one printer.
#[derive(Debug, Clone, Default)]
pub(super) struct HeatDebt {
    owed: Option<Owed>,
    /// What whoever has preheated the printer is told, as soon as nothing is being set any more.
    word: Option<Result<(), NotSet>>,
}

#[derive(Debug, Clone)]
struct Owed {
    /// To be turned off without asking first.
    at_once: Option<Safety>,
    /// So often it was turned off in vain.
    tries: u32,
    /// For which heaters the command was taken.
    turned_off: Option<Heaters>,
    /// Heard since the last command for a heater was taken.
    heard: Thermometer,
    zeros: u8,
    is_hot: bool,
    /// What was not told by then is not told any more.
    told_by: Duration,
    ask_at: Duration,
    off_at: Duration,
    /// What may stay on for a while.
    standing: Option<Standing>,
    /// That is what a person has asked for, and the firmware has not told yet that it has taken it.
    setting: Option<ReadBack>,
}

impl HeatDebt {
    /// A job begins: something may be hot from now on.
    pub(super) fn owe(&mut self, now: Duration) {
        self.owed = Some(Owed::new(now));
    }

    /// Something may be hot, and is turned off as soon as it can be, whatever the firmware says of it.
    pub(super) fn owe_at_once(&mut self, now: Duration, safety: Safety) {
        let owed = self.owed.get_or_insert_with(|| Owed::new(now));
        (owed.standing, owed.setting) = (None, None);
        // Who has asked for nothing to be moved must get that.
        if owed.at_once != Some(Safety::InPlace) {
            owed.at_once = Some(safety);
        }
    }

    /// A person preheats the printer: what is on stays so for that time, if the firmware tells that it has taken it.
    pub(super) fn want(&mut self, now: Duration, preheat: &Preheat) {
        let standing = Some(Standing::All(now + preheat.lasts));
        let setting = Some(ReadBack::new(preheat.clone()));
        self.owed = Some(Owed { standing, setting, ..Owed::new(now) });
        self.word = Some(Err(NotSet::Ended));
    }

    /// What came of a preheat, once, when it is known.
    pub(super) fn take_word(&mut self) -> Option<Result<(), NotSet>> {
        let is_being_set = self.owed.as_ref().is_some_and(|owed| owed.setting.is_some());
        if is_being_set { None } else { self.word.take() }
    }

    /// What is owed after an interruption is turned off, but for the bed, which is set to this, °C, until then.
    pub(super) fn want_bed(&mut self, until: Duration, target: f64) {
        if let Some(owed) = &mut self.owed {
            owed.standing = Some(Standing::Bed { until, target, others_are_off: false });
        }
    }

    /// The bed's target while it is kept warm, °C.
    pub(super) fn bed(&self) -> Option<f64> {
        self.owed.as_ref()?.standing?.bed()
    }

    /// The firmware is another one, or has started over: whoever wanted heat of the one before is not heard any more. What was
    /// wanted and not set yet waits.
    pub(super) fn connection_is_new(&mut self, now: Duration) {
        let is_set = self.owed.as_ref().is_some_and(|owed| match owed.standing {
            Some(Standing::All(_)) => true,
            Some(Standing::Bed { .. }) => owed.tries > 0,
            None => false,
        });
        if is_set {
            self.end_wanted(now);
        }
        self.unhear(now);
    }

    /// Nothing is wanted any more, if something was: it is turned off where it stands.
    pub(super) fn end_wanted(&mut self, now: Duration) {
        if self.owed.as_ref().is_some_and(|owed| owed.standing.is_some()) {
            self.owe_at_once(now, Safety::InPlace);
        }
    }

    /// A person at the printer has taken over.
    pub(super) fn forgive(&mut self) -> bool {
        self.owed.take().is_some()
    }

    pub(super) fn state(&self) -> Heating {
        match &self.owed {
            None => Heating::Settled,
            Some(owed) => match owed.wanted() {
                Some(wanted) => Heating::Wanted(wanted),
                None if owed.tries >= STUBBORN_AFTER && owed.is_hot => Heating::Stubborn,
                None => Heating::Owed,
            },
        }
    }

    /// A job is on the line, or the connection is new: what was heard is of before.
    pub(super) fn unhear(&mut self, now: Duration) {
        if let Some(owed) = &mut self.owed {
            (owed.heard, owed.zeros) = (Thermometer::default(), 0);
            owed.ask_at = now + ASK_EVERY;
            owed.told_by = now + TOLD_WITHIN;
            if let Some(setting) = &mut owed.setting {
                setting.unhear();
                // Somebody waits for it.
                owed.ask_at = now;
            }
        }
    }

    /// What was heard to be off may be on again at once.
    pub(super) fn doubt(&mut self) {
        self.owed.iter_mut().for_each(|owed| owed.zeros = 0);
    }

    /// These heaters were just turned off: what comes from here on tells whether it helped.
    pub(super) fn were_turned_off(&mut self, now: Duration, heaters: &Heaters) {
        if let Some(owed) = &mut self.owed {
            owed.tries += 1;
            owed.turned_off = Some(heaters.clone());
            owed.at_once = None;
            owed.off_at = now + (AGAIN * owed.tries).min(AGAIN_AT_MOST);
        }
        self.unhear(now);
    }

    /// A report while no job is on the line; `known`: all that this firmware has ever reported. True: the debt is settled.
    pub(super) fn hear(
        &mut self,
        now: Duration,
        report: &TemperatureReport,
        heaters: &Heaters,
        known: &Thermometer,
    ) -> bool {
        let Some(owed) = &mut self.owed else { return false };
        if owed.wanted().is_some() {
            return false;
        }
        if owed.setting.is_some() {
            self.hear_setting(now, report, heaters, known);
            return false;
        }
        let keeps_bed = owed.standing.is_some();
        if keeps_bed {
            owed.heard.read(&report_without_bed(report));
        } else {
            owed.heard.read(report);
        }
        owed.ask_at = now + ASK_EVERY;
        if owed.at_once.is_some() {
            return false;
        }
        let known = match now < owed.told_by {
            true if keeps_bed => without_bed(known),
            true => known.clone(),
            false => Thermometer::default(),
        };
        match verdict(&owed.heard, heaters, &known, owed.turned_off.as_ref()) {
            Verdict::Incomplete => {}
            Verdict::Hot | Verdict::Unknown => (owed.zeros, owed.is_hot) = (0, true),
            Verdict::Off => {
                owed.zeros += 1;
                owed.is_hot = false;
                owed.heard = Thermometer::default();
                if owed.zeros >= REPORTS {
                    if let Some(Standing::Bed { others_are_off, .. }) = &mut owed.standing {
                        *others_are_off = true;
                        return false;
                    }
                    self.owed = None;
                    return true;
                }
            }
        }
        false
    }

    /// The same while the firmware is to take what a person wants.
    fn hear_setting(
        &mut self,
        now: Duration,
        report: &TemperatureReport,
        heaters: &Heaters,
        known: &Thermometer,
    ) {
        let Some(owed) = &mut self.owed else { return };
        let is_late = now >= owed.told_by;
        let Some(setting) = &mut owed.setting else { return };
        let verdict = setting.hear(report, heaters, known, is_late);
        owed.ask_at = if setting.is_doubted() { now } else { now + ASK_EVERY };
        match verdict {
            None => {}
            Some(Ok(())) => (owed.setting, self.word) = (None, Some(Ok(()))),
            Some(Err(not_set)) => {
                self.owe_at_once(now, Safety::InPlace);
                self.word = Some(Err(not_set));
            }
        }
    }

    /// What has to be done now, with no job on the line and nothing else going on.
    pub(super) fn due(&mut self, now: Duration) -> Option<Due> {
        if self.owed.as_ref()?.standing.is_some_and(|standing| now >= standing.until()) {
            self.end_wanted(now);
        }
        let owed = self.owed.as_mut()?;
        if let Some(safety) = owed.at_once {
            return Some(Due::Off(safety));
        }
        if owed.is_hot && now >= owed.off_at {
            return Some(Due::Off(Safety::InPlace));
        }
        if owed.wanted().is_some() {
            return None;
        }
        if now >= owed.ask_at {
            owed.ask_at = now + ASK_EVERY;
            return Some(Due::Ask);
        }
        None
    }

    /// When [`Self::due`] has something at the latest.
    pub(super) fn deadline(&self) -> Option<Duration> {
        let owed = self.owed.as_ref()?;
        if let Some(wanted) = owed.wanted() {
            return Some(wanted.until);
        }
        Some(if owed.is_hot { owed.ask_at.min(owed.off_at) } else { owed.ask_at })
    }
}

impl Owed {
    fn new(now: Duration) -> Self {
        Self {
            at_once: None,
            tries: 0,
            turned_off: None,
            heard: Thermometer::default(),
            zeros: 0,
            is_hot: false,
            told_by: now + TOLD_WITHIN,
            ask_at: now + ASK_EVERY,
            off_at: now,
            standing: None,
            setting: None,
        }
    }

    /// What people are shown.
    fn wanted(&self) -> Option<Wanted> {
        self.standing.filter(|_| self.setting.is_none())?.wanted()
    }
}

#[cfg(test)]
mod tests;
