//! A job that waits for a person: paused, or because its firmware asks something.
//!
//! Owns: how long it has waited, what is turned off then and heated again, and when the firmware's wait has to be ended
//! because it keeps the nozzle hot. Must not know: how a firmware's wait is ended.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::super::cooling::{Heated, Limits, Waiting};
use super::super::named_heaters;
use super::super::reply::Heat;
use super::super::scripts::{self, Script};
use super::super::thermometer::Thermometer;
use super::{Area, Job, JobEvent, Stage};

/// A heater this far below its target is not being heated: the firmware has cooled it by itself (Marlin after
/// `PAUSE_PARK_NOZZLE_TIMEOUT`, without a word in its reports).
const COOLED_C: f64 = 25.0;

/// What is known of the wait.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Vigil {
    /// How long it has lasted, as of `seen`; a new question of the firmware begins a new one.
    waited: Duration,
    /// And for how long of it the nozzle was hot: anew where somebody has heated it again at the panel.
    hot_for: Duration,
    /// How long bed or chamber are hot again after they were turned off.
    bed_hot_for: Duration,
    #[serde(skip)]
    seen: Option<Duration>,
    /// What it had lasted when the dead-man was told last that the host lives.
    #[serde(skip)]
    told: Duration,
    /// The firmware itself waits, for an answer to this question, and takes no command.
    #[serde(skip)]
    by_firmware: Option<u64>,
    /// Somebody could end the firmware's wait from here.
    #[serde(skip)]
    in_reach: bool,
    /// What is hot now.
    #[serde(skip)]
    hot: Heated,
    /// What was turned off, to be heated again.
    off: Heated,
    nozzle_off: bool,
    bed_off: bool,
    /// The host goes on for a person who did not come.
    taken_over: bool,
    /// An earlier process has counted so far, and the printer has had no time yet to say that it still waits.
    #[serde(skip)]
    taken_up: bool,
}

/// So often it is written down how long the wait has lasted, s.
const WRITTEN_EVERY_S: u64 = 60;
/// Firmware that waits for a person says so within this.
const SAYS_SO: Duration = Duration::from_secs(5);
/// A heater that was turned off may be reported as on for so long: it is asked for every ten seconds.
const TOLD_LATE: Duration = Duration::from_secs(15);

/// What of it must be written down before anything more is sent.
pub(super) type VigilMark = (u64, [bool; 3]);

impl Vigil {
    pub(super) fn mark(&self) -> VigilMark {
        (self.waited.as_secs() / WRITTEN_EVERY_S, [self.nozzle_off, self.bed_off, self.taken_over])
    }

    /// Another process goes on with it. What has not been written down counts as the longest that it can have been: agents that
    /// are started again and again must not keep anything hot without end.
    pub(super) fn take_up(&mut self) {
        let unwritten = Duration::from_secs(WRITTEN_EVERY_S - self.waited.as_secs() % WRITTEN_EVERY_S);
        self.waited += unwritten;
        self.hot_for += unwritten;
        self.taken_up = true;
    }

    /// What the firmware has answered since is no person's doing: it has still to say whether it waits, and asks the same then.
    fn goes_on(&mut self) {
        self.taken_up = self.waited > Duration::ZERO;
        self.by_firmware = None;
    }

    /// Time passes; what is hot is so since the last look.
    fn stay(&mut self, now: Duration, by_firmware: Option<u64>, hot: Heated) {
        let before = self.seen.replace(now).unwrap_or(now);
        let passed = now.saturating_sub(before);
        self.waited += passed;
        self.hot_for += passed;
        let goes_on = self.taken_over || by_firmware.is_none();
        if !goes_on && self.by_firmware.is_some_and(|question| by_firmware != Some(question)) {
            // Somebody has answered the one before.
            (self.waited, self.hot_for) = (Duration::ZERO, Duration::ZERO);
        }
        if (!goes_on || self.nozzle_off) && hot.nozzles.is_empty() {
            self.hot_for = Duration::ZERO;
        }
        let bed_again = self.bed_off && (hot.bed.is_some() || hot.chamber.is_some());
        self.bed_hot_for = if bed_again { self.bed_hot_for + passed } else { Duration::ZERO };
        self.taken_up = false;
        (self.by_firmware, self.hot) = (by_firmware, hot);
    }

    fn is_over(&mut self, now: Duration) {
        if self.taken_up && now < *self.seen.get_or_insert(now) + SAYS_SO {
            return;
        }
        if self.waited > Duration::ZERO || self.seen.is_some() {
            *self = Self::default();
        }
    }
}

impl Job {
    /// What the job has set the bed to, °C, unless that was turned off while a person was waited for.
    pub(in super::super) fn bed_wanted(&self) -> Option<f64> {
        self.modal.bed_c.filter(|bed| *bed > 0.0 && self.vigil.off.bed.is_none())
    }

    fn limits(&self) -> Limits {
        let templates = &self.parking.templates;
        Limits::new(templates.pause_cool_after_s, templates.pause_bed_off_after_s)
    }

    /// Time passes. `by_firmware`: the question for whose answer the firmware waits; `in_reach`: that could be ended from
    /// here.
    pub(in super::super) fn watch(
        &mut self,
        now: Duration,
        by_firmware: Option<u64>,
        in_reach: bool,
        thermometer: &Thermometer,
    ) {
        let waits = match self.stage {
            Stage::Paused => true,
            Stage::Pausing => by_firmware.is_some() || self.vigil.taken_over,
            Stage::Numbering
            | Stage::Feeding
            | Stage::Resuming
            | Stage::Returning
            | Stage::Finishing
            | Stage::Proving
            | Stage::Stopping => by_firmware.is_some(),
            Stage::Ended => false,
        };
        if !waits {
            // The pause that nobody's coming has brought is still to begin.
            if self.stage != Stage::Pausing && !(self.vigil.taken_over && self.pause_wanted) {
                self.vigil.is_over(now);
            }
            return;
        }
        let hot = self.heated(by_firmware.is_some(), thermometer);
        self.vigil.stay(now, by_firmware, hot);
        self.vigil.in_reach = in_reach;
    }

    /// Whether a person is being waited for, as far as is known.
    pub(in super::super) fn waits_for_a_person(&self) -> bool {
        self.vigil.seen.is_some()
    }

    /// The firmware has answered what tells where the job is: that ends no wait, and begins none anew.
    pub(in super::super) fn waits_on(&mut self) {
        self.vigil.goes_on();
    }

    /// When [`Self::watch`] and what follows has something to do at the latest.
    pub(in super::super) fn deadline(&self) -> Option<Duration> {
        let seen = self.vigil.seen?;
        let limits = self.limits();
        let alive = self.dead_man.keep_alive().filter(|_| self.vigil.by_firmware.is_none());
        let left = [
            limits.nozzle.checked_sub(self.vigil.hot_for),
            limits.bed.checked_sub(self.vigil.waited),
            alive.and_then(|_| (self.vigil.told + self.dead_man.every()).checked_sub(self.vigil.waited)),
        ];
        // What is due and can't be done yet is done when the printer has answered.
        left.into_iter().flatten().filter(|left| *left > Duration::ZERO).min().map(|left| seen + left)
    }

    /// What is to be sent now in a pause, to a firmware that takes commands.
    pub(super) fn due_in_pause(&mut self) -> Script {
        let limits = self.limits();
        let mut lines = Vec::new();
        // It is not known yet what is hot, or the firmware takes no command.
        if self.vigil.seen.is_none() || self.vigil.by_firmware.is_some() {
            return Script::new();
        }
        let hot = self.vigil.hot.clone();
        let is_late = self.vigil.hot_for >= limits.nozzle;
        if is_late || self.vigil.taken_over && !self.vigil.nozzle_off {
            self.vigil.nozzle_off = true;
            self.vigil.hot_for = Duration::ZERO;
            if !hot.nozzles.is_empty() {
                let is_only = self.all_heaters().tools.iter().all(|tool| *tool == 0);
                lines.extend(nozzles_off(&hot.nozzles, is_only));
                self.vigil.off.add_nozzles(&hot.nozzles);
                tracing::info!(
                    pause.waited_s = self.vigil.waited.as_secs(),
                    "the nozzle is cooled in the pause"
                );
            }
        }
        let is_bed_late = self.vigil.waited >= limits.bed && !self.vigil.bed_off;
        if is_bed_late || self.vigil.bed_hot_for >= limits.bed {
            self.vigil.bed_off = true;
            self.vigil.bed_hot_for = Duration::ZERO;
            lines.extend(hot.bed.map(|_| "M140 S0".to_owned()));
            lines.extend(hot.chamber.map(|_| "M141 S0".to_owned()));
            lines.extend(hot.named.iter().map(|(name, _)| named_heaters::set(name, 0.0)));
            let off = &mut self.vigil.off;
            (off.bed, off.chamber) = (off.bed.or(hot.bed), off.chamber.or(hot.chamber));
            off.named.extend(hot.named.iter().cloned());
        }
        let mut script = scripts::script(lines);
        if hot.is_none() && (self.vigil.bed_off || self.vigil.off.is_none()) {
            // What is cold needs nobody to turn it off.
            script.extend(self.dead_man.release());
        } else if self.vigil.waited >= self.vigil.told + self.dead_man.every() {
            self.vigil.told = self.vigil.waited;
            let anew = self.dead_man.wake();
            script.extend(anew.or_else(|| self.dead_man.keep_alive()));
        }
        script
    }

    /// The firmware waits, keeps its heaters on, and nobody has come in time.
    pub(in super::super) fn waits_too_long(&self) -> bool {
        let (vigil, limits) = (&self.vigil, self.limits());
        let nozzle = vigil.hot_for >= limits.nozzle && !vigil.hot.nozzles.is_empty();
        let warm = vigil.hot.bed.is_some() || vigil.hot.chamber.is_some() || !vigil.hot.named.is_empty();
        let bed = vigil.waited >= limits.bed && warm;
        vigil.by_firmware.is_some() && (nozzle || bed)
    }

    /// The host goes on for the person who did not come: what the firmware waited for ends in a pause of the host's own,
    /// in which the nozzle can be cooled.
    pub(in super::super) fn take_over(&mut self, area: Option<Area>) {
        if std::mem::replace(&mut self.vigil.taken_over, true) {
            return;
        }
        let after = self.vigil.waited.as_secs().div_ceil(60);
        tracing::warn!(wait.minutes = after, "nobody answered the printer: the print is paused and cooled");
        let reason = self.nobody_answered();
        self.resume_wanted = false;
        match self.stage {
            Stage::Pausing | Stage::Paused if !self.held => {}
            // It had parked by itself, and has just been told to go back.
            Stage::Pausing | Stage::Paused => {
                self.held = false;
                self.stage = Stage::Pausing;
                self.script = self.pause_script(area);
                self.script.extend(self.dead_man.rest());
                self.events.push(JobEvent::Pausing(Some(reason)));
            }
            _ => self.pause(area, Some(reason)),
        }
    }

    /// Why a wait of the firmware became a pause.
    fn nobody_answered(&self) -> String {
        let after = self.vigil.waited.as_secs().div_ceil(60);
        format!(
            "Nobody answered the printer for {after} min, and its heaters were on: its wait was ended, the print is paused \
             and the nozzle cooled. Look whether the filament is loaded before you resume."
        )
    }

    /// The reason of a pause that could not begin at once, where it is not a person's wish.
    pub(super) fn reason_of_pause(&self) -> Option<String> {
        self.vigil.taken_over.then(|| self.nobody_answered())
    }

    /// Whether the host goes on for a person who did not come.
    pub(in super::super) fn is_taken_over(&self) -> bool {
        self.vigil.taken_over && !matches!(self.stage, Stage::Stopping | Stage::Ended)
    }

    /// What makes everything hot again that was turned off in the wait, as far as the job's own commands don't tell of
    /// it; whether anything was turned off; and whether a nozzle was.
    pub(super) fn heat_again(&mut self) -> (Script, bool, bool) {
        // Whatever ends the way back, another pause begins to count anew, with a nozzle that is hot.
        let Vigil { off, .. } = std::mem::take(&mut self.vigil);
        let by_job = |tool: &u32| self.modal.nozzle_c.get(*tool).flatten().is_some_and(|target| target > 0.0);
        let mut lines = Vec::new();
        lines.extend(off.chamber.map(|target| format!("M141 S{target}")));
        lines.extend(off.named.iter().map(|(name, target)| named_heaters::set(name, *target)));
        if self.modal.bed_c.is_none_or(|bed| bed <= 0.0) {
            lines.extend(off.bed.map(|target| format!("M190 S{target}")));
        }
        for (tool, target) in off.nozzles.iter().filter(|(tool, _)| !by_job(tool)) {
            let of_tool = if *tool == self.modal.tool { String::new() } else { format!("T{tool} ") };
            lines.push(format!("M109 {of_tool}S{target}"));
        }
        (scripts::script(lines), !off.is_none(), !off.nozzles.is_empty())
    }

    /// What becomes of the heat, for people, while a person is waited for.
    pub(in super::super) fn waiting(&self) -> Option<Waiting> {
        let (vigil, limits) = (&self.vigil, self.limits());
        vigil.seen?;
        let left = limits.nozzle.saturating_sub(vigil.hot_for);
        match self.stage {
            Stage::Paused | Stage::Pausing if vigil.by_firmware.is_none() => match () {
                () if vigil.nozzle_off && vigil.hot_for > TOLD_LATE => Some(Waiting::CoolsIn(left)),
                () if vigil.bed_off && !vigil.off.is_none() && vigil.bed_hot_for <= TOLD_LATE => {
                    Some(Waiting::AllOff { by_macros: self.named.any && self.named.may_be_macros() })
                }
                () if vigil.nozzle_off && !vigil.off.nozzles.is_empty() => {
                    Some(Waiting::NozzleOff(limits.nozzle))
                }
                () if !vigil.hot.nozzles.is_empty() => Some(Waiting::CoolsIn(left)),
                () => None,
            },
            _ if vigil.hot.nozzles.is_empty() => None,
            _ if !vigil.in_reach => Some(Waiting::OutOfReach),
            _ => Some(Waiting::CoolsIn(left)),
        }
    }

    /// What is heated: by the job's commands, and by what the firmware reports, whoever has set it.
    fn heated(&self, by_firmware: bool, thermometer: &Thermometer) -> Heated {
        let set = |heat: &Heat| heat.target.filter(|target| *target > 0.0);
        // In a wait of its own the firmware may have cooled it by itself.
        let is_cooled = |heat: &Heat, by_job: f64| {
            by_firmware
                && match heat.target {
                    Some(target) if target <= 0.0 => true,
                    target => heat.actual.is_some_and(|actual| actual < target.unwrap_or(by_job) - COOLED_C),
                }
        };
        let mut nozzles: Vec<(u32, f64)> = Vec::new();
        // What was turned off is hot only where somebody has heated it again.
        for (tool, target) in self.modal.nozzle_c.iter().filter(|_| !self.vigil.nozzle_off) {
            nozzles.extend(target.filter(|target| *target > 0.0).map(|target| (tool, target)));
        }
        for (tool, heat) in &thermometer.tools {
            let tool = u32::from(*tool);
            let by_job = nozzles.iter().position(|(known, _)| *known == tool);
            match (by_job.and_then(|at| Some((at, nozzles.get(at)?.1))), set(heat)) {
                (None, Some(target)) if !is_cooled(heat, target) => nozzles.push((tool, target)),
                (Some((at, target)), _) if is_cooled(heat, target) => drop(nozzles.remove(at)),
                _ => {}
            }
        }
        let by_job = |target: Option<f64>| target.filter(|target| *target > 0.0 && !self.vigil.bed_off);
        let (bed, chamber) = (by_job(self.modal.bed_c), by_job(self.modal.chamber_c));
        Heated {
            nozzles,
            bed: bed.or_else(|| thermometer.bed.as_ref().and_then(set)),
            chamber: chamber.or_else(|| thermometer.chamber.as_ref().and_then(set)),
            // No report tells of them: what was turned off counts as off.
            named: if self.vigil.bed_off { Vec::new() } else { self.named.hot() },
        }
    }
}

/// `is_only`: the printer has one nozzle, whose firmware may know no `T` here. Elsewhere `M104` without it is the tool's in use.
fn nozzles_off(hot: &[(u32, f64)], is_only: bool) -> Vec<String> {
    match hot {
        [(0, _)] if is_only => vec!["M104 S0".into()],
        several => several.iter().map(|(tool, _)| format!("M104 T{tool} S0")).collect(),
    }
}
