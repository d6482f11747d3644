//! The machine behind the command queue: what commands act on and what acts by itself.
//!
//! Owns heaters, planner, modes, timers and the outgoing bytes. Knows nothing of line numbers or the queue.

use std::time::Duration;

use super::card::Card;
use super::config::Config;
use super::dialect::{Dialect, Speech, Temperatures};
use super::heat_wait::Progress;
use super::kept::Kept;
use super::motion::{Motion, Way};
use super::planner::{Block, Planner};
use super::plate::Plate;
use super::stage::{Finally, Stage, Then, Walk};
use super::thermal::{HeaterId, Thermal};

/// HOST_KEEPALIVE_FEATURE's default, changed by M113.
const KEEPALIVE: Duration = Duration::from_secs(2);
/// A probing pass of G29: nine points, as Marlin's bilinear levelling has it by default, about 4 s each.
const PROBING: Duration = Duration::from_secs(36);

/// Everything G-code can change.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) config: Config,
    pub(crate) out: Vec<u8>,
    /// Stopped for good: no command is carried out until power-up.
    pub(crate) dead: bool,
    /// Stopped for good and silent.
    pub(crate) halted: bool,
    /// Stopped for good, and says so to every line.
    pub(crate) dead_answer: Option<&'static str>,
    /// The memory card.
    pub(crate) card: Card,
    pub(crate) motion: Motion,
    pub(crate) planner: Planner,
    /// What stands on the plate, if that is watched.
    pub(crate) plate: Option<Box<Plate>>,
    pub(crate) thermal: Thermal,
    pub(crate) tool: usize,
    /// M106, 0 to 255.
    pub(crate) fan: u8,
    /// M221, percent.
    pub(crate) flow_percent: i64,
    /// M302: cold extrusion is allowed.
    pub(crate) cold_extrusion: bool,
    /// M73: percent done and minutes left.
    pub(crate) progress: (i64, Option<i64>),
    /// M113; `None` is off.
    pub(crate) keepalive: Option<Duration>,
    /// M155.
    pub(crate) temperature_reports: AutoReport,
    /// M154.
    pub(crate) position_reports: AutoReport,
    /// M85; `None` is off.
    pub(crate) max_inactive: Option<Duration>,
    pub(crate) last_activity: Duration,
    /// What M85 counts from.
    pub(crate) last_motion: Duration,
    /// Settings that change nothing this model shows.
    pub(crate) kept: Kept,
    /// The command executed last, for the message of M85.
    pub(crate) last_command: String,
}

/// Why firmware stops for good by itself. Texts as in Marlin 2.1's language file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Without a word of why.
    Killed,
    /// A nozzle was hot and got colder though it was heated.
    NozzleRunaway,
    /// The bed was hot and got colder though it was heated.
    BedRunaway,
    /// A nozzle did not get warmer though it was heated.
    HeatingFailed,
    /// A nozzle's sensor shows less than can be: it is broken or torn off.
    NozzleTooCold,
    /// A nozzle's sensor shows more than may be.
    NozzleTooHot,
}

impl Failure {
    pub(super) fn reason(self) -> Option<&'static str> {
        match self {
            Self::Killed => None,
            Self::NozzleRunaway | Self::BedRunaway => Some("Thermal Runaway"),
            Self::HeatingFailed => Some("Heating failed"),
            Self::NozzleTooCold => Some("MINTEMP triggered"),
            Self::NozzleTooHot => Some("MAXTEMP triggered"),
        }
    }

    /// Newer builds name the heater by letter and number.
    pub(super) fn heater(self, by_letter: bool) -> &'static str {
        match self {
            Self::BedRunaway => "bed",
            _ if by_letter => "E0",
            _ => "0",
        }
    }
}

/// A report the firmware sends by itself.
#[derive(Debug, Default)]
pub(crate) struct AutoReport {
    every: Option<Duration>,
    next: Duration,
}

impl AutoReport {
    /// S in seconds; 0 is off.
    pub(crate) fn set(&mut self, now: Duration, seconds: i64) {
        let seconds = u64::try_from(seconds.clamp(0, 60)).unwrap_or(0);
        self.every = (seconds > 0).then(|| Duration::from_secs(seconds));
        self.next = now + Duration::from_secs(seconds);
    }

    fn due(&self) -> Option<Duration> {
        self.every.map(|_| self.next)
    }

    fn take(&mut self, now: Duration) -> bool {
        match self.every {
            Some(every) if now >= self.next => {
                self.next = now + every;
                true
            }
            _ => false,
        }
    }
}

impl Machine {
    /// `is_again`: it was at work before.
    pub(crate) fn boot(config: Config, is_again: bool) -> Self {
        let mut machine = Self {
            out: Vec::new(),
            dead: false,
            halted: false,
            dead_answer: None,
            card: Card::new(config.card || config.prints_from_card.is_some()),
            motion: Motion::new(config.travel_mm, config.corner),
            planner: Planner::default(),
            plate: None,
            thermal: Thermal::new(&config),
            tool: 0,
            fan: 0,
            flow_percent: 100,
            cold_extrusion: false,
            progress: (0, None),
            keepalive: Some(KEEPALIVE),
            temperature_reports: AutoReport::default(),
            position_reports: AutoReport::default(),
            max_inactive: None,
            last_activity: Duration::ZERO,
            last_motion: Duration::ZERO,
            kept: Kept::default(),
            last_command: String::new(),
            config,
        };
        if machine.config.watches_plate {
            machine.put_plate(Box::new(Plate::new(machine.config.travel_mm)));
        }
        let speech = machine.speech();
        let parting = if is_again { speech.parting } else { &[] };
        for line in parting.iter().chain(speech.banner) {
            machine.line(line);
        }
        if let Some(bytes) = machine.config.prints_from_card {
            machine.print_from_card(Duration::ZERO, bytes);
        }
        machine
    }

    pub(crate) fn speech(&self) -> &'static Speech {
        self.config.dialect.speech()
    }

    /// Sends a line.
    pub(crate) fn line(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(b'\n');
    }

    /// The `ok` of a command from the queue.
    pub(crate) fn ok(&mut self, number: Option<i64>, queue_free: usize) {
        if !self.config.advanced_ok {
            let number = number.filter(|_| self.speech().ok_with_number);
            return self.line(&number.map_or_else(|| "ok".to_owned(), |number| format!("ok {number}")));
        }
        let number = number.map_or_else(String::new, |number| format!(" N{number}"));
        self.line(&format!("ok{number} P{} B{queue_free}", self.planner.free()));
    }

    pub(crate) fn report_position(&mut self) {
        let report = self.motion.report();
        let counted =
            self.speech().chatty || !matches!(self.config.dialect, Dialect::Klipper | Dialect::Repetier);
        let shown = if counted { report.as_str() } else { report.split(" Count").next().unwrap_or_default() };
        self.line(shown);
    }

    pub(crate) fn temperatures(&self, now: Duration) -> String {
        self.thermal.report(now, self.tool, self.speech().temperatures)
    }

    /// Temperatures nobody asked for at this moment, perhaps broken.
    fn unasked_temperatures(&self, now: Duration) -> String {
        let report = self.temperatures(now);
        if !self.speech().broken_reports {
            return format!(" {report}");
        }
        // Two reports written into each other, word by word.
        let doubled = |word: &str| match word.split_once(':') {
            Some((name, value)) => format!("{0}::{value}{value}", name.repeat(2)),
            None => word.split_inclusive('/').map(|part| part.repeat(2)).collect(),
        };
        report.split(' ').map(doubled).collect::<Vec<_>>().join(" ")
    }

    /// What M109 and M190 say every second.
    fn heating_report(&self, now: Duration, heater: HeaterId, left: &str) -> String {
        let reading = |heater| self.thermal.heater(heater).temperature(now);
        let nozzle = reading(HeaterId::Nozzle(self.tool));
        match (self.speech().temperatures, heater) {
            // Marlin_main.cpp of Prusa-Firmware and of the UltiMaker 2.
            (Temperatures::OldMarlin | Temperatures::Prusa, HeaterId::Nozzle(tool)) => {
                format!("T:{nozzle:.1} E:{tool} {left}")
            }
            (Temperatures::OldMarlin | Temperatures::Prusa, HeaterId::Bed) => {
                format!("T:{nozzle:.1} E:{} B:{:.1}", self.tool, reading(HeaterId::Bed))
            }
            // klippy/extras/heaters.py; Repetier's Commands.cpp: as M105, without a word of the wait.
            (Temperatures::Klipper | Temperatures::Repetier, _) => self.temperatures(now),
            _ if self.speech().broken_reports => format!("=={} {left}", self.temperatures(now)),
            _ => format!(" {} {left}", self.temperatures(now)),
        }
    }

    /// Lets the print from the memory card go on until `now`.
    pub(crate) fn advance_card(&mut self, now: Duration) {
        if self.card.take_end(now) {
            self.thermal.all_off(now);
            self.line("Done printing file");
        }
    }

    /// Ends a print from the memory card before its time; without one nothing happens.
    pub(crate) fn abort_card_print(&mut self, now: Duration) {
        if self.card.has_print() {
            self.card.stop(now);
            self.thermal.all_off(now);
        }
    }

    /// Somebody starts a print at the panel: so many bytes, and warm heaters.
    fn print_from_card(&mut self, now: Duration, bytes: u64) {
        self.thermal.set_target(now, HeaterId::Nozzle(0), 205.0);
        self.thermal.set_target(now, HeaterId::Bed, 60.0);
        self.card.start(now, bytes);
    }

    /// Carries the running command as far as it gets at `now`.
    pub(crate) fn proceed(&mut self, stage: Stage, now: Duration) -> Stage {
        self.planner.retire(now);
        self.show_plate();
        match stage {
            Stage::Room(block) if self.planner.free() > 0 => {
                self.planner.push(now, block, &self.motion.limits);
                Stage::Done
            }
            Stage::Arc(walk) => self.walk(walk, now),
            Stage::Still(then) if self.planner.is_still(now) => self.at_rest(then, now),
            Stage::Until(end, finally) if now >= end => {
                if let Finally::Homed(axes) = finally {
                    self.motion.homed(axes);
                    if let Some(plate) = &mut self.plate {
                        plate.homed(axes, &self.motion.position);
                    }
                    if self.speech().chatty {
                        self.report_position();
                    }
                }
                Stage::Done
            }
            Stage::Heat(mut wait) => match wait.check(now, self.thermal.heater(wait.heater)) {
                Progress::Over => Stage::Done,
                Progress::Waiting(report) => {
                    if let Some(left) = report {
                        let line = self.heating_report(now, wait.heater, &left);
                        self.line(&line);
                    }
                    Stage::Heat(wait)
                }
            },
            Stage::Person(Some(until)) if now >= until => Stage::Done,
            Stage::Change(change) => self.change_filament(change, now),
            waiting => waiting,
        }
    }

    /// Gives the planner as many pieces of an arc as there is room for.
    fn walk(&mut self, mut walk: Walk, now: Duration) -> Stage {
        while self.planner.free() > 0 {
            let Some(to) = walk.arc.next() else { return Stage::Done };
            let way = Way::straight(&walk.at, &to);
            if way.length > 0.0 || walk.at != to {
                let block = Block::new(walk.at, to, &way, walk.feed, &self.motion.limits);
                self.planner.push(now, block, &self.motion.limits);
            }
            walk.at = to;
        }
        Stage::Arc(walk)
    }

    fn at_rest(&mut self, then: Then, now: Duration) -> Stage {
        match then {
            Then::Finish => Stage::Done,
            Then::ChangeFilament => self.begin_change(now),
            Then::Dwell(time) => self.proceed(Stage::Until(now + time, Finally::Dwelt), now),
            Then::Pin => Stage::Pin,
            Then::Home(axes) => Stage::Until(now + self.motion.homing_time(axes), Finally::Homed(axes)),
            Then::Probe => Stage::Until(now + PROBING, Finally::Nothing),
            Then::Release => {
                self.motion.release();
                Stage::Done
            }
            Then::SelectTool(tool) => {
                self.tool = tool;
                Stage::Done
            }
            Then::Ask { text, default, timeout } => {
                if let Some(text) = &text {
                    self.line(&format!("echo:{text}"));
                }
                let message = text.as_deref().unwrap_or(default);
                if let Some(mark) = self.speech().action.filter(|_| self.speech().prompts) {
                    for line in [
                        "prompt_end",
                        &format!("prompt_begin {message}"),
                        "prompt_button Continue",
                        "prompt_show",
                    ] {
                        self.line(&format!("{mark}action:{line}"));
                    }
                }
                Stage::Person(timeout.map(|timeout| now + timeout))
            }
        }
    }

    /// M410, on reception or from the queue: the axes stop where they are.
    pub(crate) fn quick_stop(&mut self, now: Duration) {
        if let Some(rest) = self.planner.quick_stop(now) {
            self.motion.position = rest;
        }
        self.show_plate();
    }

    /// M112.
    pub(crate) fn kill_by_host(&mut self) {
        if self.config.dialect == Dialect::Marlin {
            self.line("echo:M112 Shutdown");
        }
        self.fail(Failure::Killed);
    }

    /// Says why and stops for good.
    pub(crate) fn fail(&mut self, failure: Failure) {
        for line in self.config.dialect.last_words(failure) {
            self.line(&line);
        }
        self.thermal.all_off(self.last_activity);
        self.dead = true;
        self.dead_answer = self.config.dialect.dead_answer(failure);
        self.halted = self.dead_answer.is_none();
        self.card.stop(self.last_activity);
    }

    /// When an automatic report is due.
    pub(crate) fn next_report(&self) -> Option<Duration> {
        [self.temperature_reports.due(), self.position_reports.due()].into_iter().flatten().min()
    }

    /// Sends the automatic reports that are due, or skips them if there is no room to send.
    pub(crate) fn auto_report(&mut self, now: Duration, roomy: bool) {
        if self.temperature_reports.take(now) && roomy {
            let line = self.unasked_temperatures(now);
            self.line(&line);
        }
        if self.position_reports.take(now) && roomy {
            self.report_position();
        }
    }

    /// M85: when the printer kills itself if nothing happens. `running`: the command at work, if any. A move and what is
    /// waited for are activity, but neither a dwell nor the wait for a pin: Marlin goes round in `idle()` there
    /// (gcode/motion/G4.cpp, gcode/control/M226.cpp), and `manage_inactivity` counts on.
    pub(crate) fn inactivity_kill_at(&self, running: Option<&Stage>) -> Option<Duration> {
        let is_active = running.is_some_and(Stage::is_activity);
        let limit = self.max_inactive.filter(|_| !is_active && !self.dead)?;
        Some(self.last_motion.max(self.planner.ends()) + limit)
    }

    pub(crate) fn check_inactivity(&mut self, now: Duration, running: Option<&Stage>) {
        if running.is_some() {
            self.last_activity = now;
        }
        if running.is_some_and(Stage::is_activity) {
            self.last_motion = now;
        }
        if self.inactivity_kill_at(running).is_some_and(|at| now >= at) {
            let command = std::mem::take(&mut self.last_command);
            self.line(&format!(
                "Error:!! KILL caused by too much inactive time - current command: {command}"
            ));
            self.fail(Failure::Killed);
        }
    }

    /// The nozzle a command means: its T, or the tool in use. `None` if there is no such nozzle.
    pub(crate) fn nozzle(&self, wanted: Option<i64>) -> Option<HeaterId> {
        let index = wanted.map_or(Some(self.tool), |tool| usize::try_from(tool).ok())?;
        (index < usize::from(self.config.tools)).then_some(HeaterId::Nozzle(index))
    }
}
