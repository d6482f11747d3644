//! Heaters: first-order warming and cooling, computed when somebody asks. Nothing ticks.
//!
//! A heater at full power tends to a final temperature it never reaches; off, to the room's. Both with one time
//! constant, so its temperature at any time follows from the last change of target. On target the controller
//! lets it swing a little, as real ones do.

use std::f64::consts::TAU;
use std::time::Duration;

use serde::Serialize;

use super::config::Config;
use super::dialect::Temperatures;

/// How far a controlled heater swings about its target, °C, and how long a swing takes.
const SWING_C: f64 = 0.15;
const SWING_PERIOD_S: f64 = 20.0;
/// What M105 shows for full power.
const FULL_POWER: f64 = 127.0;

/// Which heater a command means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeaterId {
    Nozzle(usize),
    Bed,
    Chamber,
    /// Klipper's `heater_generic`, which has a name and no code.
    Generic,
}

/// One heater with its target.
#[derive(Debug, Clone)]
pub(crate) struct Heater {
    ambient_c: f64,
    /// What it would warm to in the end at full power.
    final_c: f64,
    time_constant_s: f64,
    max_target_c: f64,
    target_c: f64,
    /// Temperature and time when the target last changed.
    base_c: f64,
    base_at: Duration,
    /// Not heated, whatever its target is (Marlin's `heater_idle`).
    idle: bool,
}

impl Heater {
    fn new(ambient_c: f64, rate_c_per_s: f64, time_constant_s: f64, max_target_c: f64) -> Self {
        Self {
            ambient_c,
            final_c: ambient_c + rate_c_per_s * time_constant_s,
            time_constant_s,
            max_target_c,
            target_c: 0.0,
            base_c: ambient_c,
            base_at: Duration::ZERO,
            idle: false,
        }
    }

    /// What it is heated to in truth.
    fn aim(&self) -> f64 {
        if self.idle { 0.0 } else { self.target_c }
    }

    fn set_idle(&mut self, now: Duration, idle: bool) {
        (self.base_c, self.base_at) = (self.temperature(now), now);
        self.idle = idle;
    }

    pub(crate) fn target(&self) -> f64 {
        self.target_c
    }

    pub(crate) fn set_target(&mut self, now: Duration, target_c: f64) {
        self.base_c = self.temperature(now);
        self.base_at = now;
        self.target_c = target_c.clamp(0.0, self.max_target_c);
    }

    pub(crate) fn temperature(&self, now: Duration) -> f64 {
        let elapsed = now.saturating_sub(self.base_at).as_secs_f64();
        let on_target = self.seconds_to_target();
        match on_target {
            Some(reached) if elapsed >= reached => {
                self.aim() + SWING_C * ((elapsed - reached) / SWING_PERIOD_S * TAU).sin()
            }
            _ => {
                let toward = if self.aim() > self.base_c { self.final_c } else { self.ambient_c };
                toward + (self.base_c - toward) * (-elapsed / self.time_constant_s).exp()
            }
        }
    }

    /// The `@` of M105, 0 to 127.
    pub(crate) fn power(&self, now: Duration) -> u8 {
        let elapsed = now.saturating_sub(self.base_at).as_secs_f64();
        if self.aim() <= self.ambient_c {
            return 0;
        }
        match self.seconds_to_target() {
            Some(reached) if elapsed >= reached => {
                ((self.aim() - self.ambient_c) / (self.final_c - self.ambient_c) * FULL_POWER) as u8
            }
            _ if self.aim() > self.base_c => FULL_POWER as u8,
            _ => 0,
        }
    }

    /// From the last change of target; `None` if the target is out of reach (the room is warmer).
    fn seconds_to_target(&self) -> Option<f64> {
        let toward = if self.aim() > self.base_c { self.final_c } else { self.ambient_c };
        let left = (self.aim() - toward) / (self.base_c - toward);
        (left > 0.0 && left <= 1.0).then(|| -left.ln() * self.time_constant_s)
    }
}

/// All heaters of a printer.
#[derive(Debug, Clone)]
pub(crate) struct Thermal {
    nozzles: Vec<Heater>,
    bed: Heater,
    chamber: Option<Heater>,
    generic: Option<Heater>,
    no_sensors: bool,
}

/// What the heaters are set to, °C; 0 is off. For who looks at the printer from outside: no firmware was asked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Targets {
    /// The nozzles, by tool.
    pub nozzles: Vec<f64>,
    /// The bed.
    pub bed: f64,
    /// The chamber, where it is heated.
    pub chamber: Option<f64>,
    /// The heater that has a name and no code, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generic: Option<f64>,
}

impl Targets {
    /// Whether nothing is being heated.
    #[must_use]
    pub fn are_off(&self) -> bool {
        let all = self.nozzles.iter().chain([&self.bed]).chain(&self.chamber).chain(&self.generic);
        all.into_iter().all(|target| *target == 0.0)
    }
}

impl Thermal {
    /// Everything at room temperature and off.
    pub(crate) fn new(config: &Config) -> Self {
        let Config { tools, ambient_c, nozzle_max_c, bed_max_c, chamber_max_c, no_sensors, .. } = *config;
        let nozzle = Heater::new(ambient_c, 4.0, 100.0, nozzle_max_c);
        Self {
            nozzles: vec![nozzle; usize::from(tools.max(1))],
            bed: Heater::new(ambient_c, 0.8, 175.0, bed_max_c),
            chamber: chamber_max_c.map(|max| Heater::new(ambient_c, 0.1, 900.0, max)),
            // As warm as a chamber gets.
            generic: config.generic_heater.is_some().then(|| Heater::new(ambient_c, 0.1, 900.0, 80.0)),
            no_sensors,
        }
    }

    /// A heater that does not exist is answered for by the first nozzle.
    pub(crate) fn heater(&self, id: HeaterId) -> &Heater {
        match id {
            HeaterId::Bed => &self.bed,
            HeaterId::Chamber => self.chamber.as_ref().unwrap_or(&self.nozzles[0]),
            HeaterId::Generic => self.generic.as_ref().unwrap_or(&self.nozzles[0]),
            HeaterId::Nozzle(index) => self.nozzles.get(index).unwrap_or(&self.nozzles[0]),
        }
    }

    /// Sets a target; one for a heater that does not exist is dropped.
    pub(crate) fn set_target(&mut self, now: Duration, id: HeaterId, target_c: f64) {
        match id {
            HeaterId::Bed => self.bed.set_target(now, target_c),
            HeaterId::Chamber => {
                if let Some(chamber) = &mut self.chamber {
                    chamber.set_target(now, target_c);
                }
            }
            HeaterId::Generic => {
                if let Some(generic) = &mut self.generic {
                    generic.set_target(now, target_c);
                }
            }
            HeaterId::Nozzle(index) => {
                if let Some(nozzle) = self.nozzles.get_mut(index) {
                    nozzle.set_target(now, target_c);
                }
            }
        }
    }

    /// The nozzles have stood still too long, or are heated again.
    pub(crate) fn set_idle(&mut self, now: Duration, idle: bool) {
        self.nozzles.iter_mut().for_each(|nozzle| nozzle.set_idle(now, idle));
    }

    pub(crate) fn all_off(&mut self, now: Duration) {
        let known = self.nozzles.iter_mut().chain([&mut self.bed]).chain(&mut self.chamber);
        for heater in known.chain(&mut self.generic) {
            heater.set_target(now, 0.0);
        }
    }

    pub(crate) fn has_chamber(&self) -> bool {
        self.chamber.is_some()
    }

    pub(crate) fn targets(&self) -> Targets {
        Targets {
            nozzles: self.nozzles.iter().map(Heater::aim).collect(),
            bed: self.bed.target(),
            chamber: self.chamber.as_ref().map(Heater::target),
            generic: self.generic.as_ref().map(Heater::target),
        }
    }

    /// A reading as a dialect writes it: every nozzle once more if there are several.
    pub(crate) fn report(&self, now: Duration, active: usize, style: Temperatures) -> String {
        let reading = |heater: &Heater| {
            let (is, target) = (heater.temperature(now), heater.target());
            match style {
                _ if self.no_sensors => format!("inf /{target:.2}"),
                Temperatures::Marlin => format!("{is:.2} /{target:.2}"),
                Temperatures::Repetier => format!("{is:.2} /{target:.0}"),
                Temperatures::Teacup => format!("{is:.1}/{target:.1}"),
                _ => format!("{is:.1} /{target:.1}"),
            }
        };
        let head = self.heater(HeaterId::Nozzle(active));
        let (bed, power, bed_power) = (reading(&self.bed), head.power(now), self.bed.power(now));
        let each = |letter: &str, what: &dyn Fn(&Heater) -> String| -> String {
            let numbered = self.nozzles.iter().enumerate();
            numbered.map(|(index, nozzle)| format!(" {letter}{index}:{}", what(nozzle))).collect()
        };
        let several = self.nozzles.len() > 1;
        let always = matches!(style, Temperatures::Prusa | Temperatures::RepRap);
        let nozzles = if several || always { each("T", &reading) } else { String::new() };
        let powers = if several { each("@", &|nozzle| nozzle.power(now).to_string()) } else { String::new() };
        let active = reading(head);
        match style {
            Temperatures::Klipper => format!("B:{bed}{}", each("T", &reading)),
            Temperatures::RepRap => format!("T:{active}{nozzles} B:{bed}"),
            Temperatures::Teacup => format!("T:{active} B:{bed}"),
            Temperatures::Repetier => format!("T:{active} B:{bed} B@:{bed_power} @:{power}{nozzles}"),
            Temperatures::Prusa => {
                format!("T:{active} B:{bed}{nozzles} @:{power} B@:{bed_power} P:0.0 A:{:.1}", head.ambient_c)
            }
            // Marlin/src/module/temperature.cpp, print_heater_states: the chamber behind the bed.
            Temperatures::Marlin | Temperatures::OldMarlin => {
                let chamber = self.chamber.as_ref();
                let warm = chamber.map(|chamber| format!(" C:{}", reading(chamber))).unwrap_or_default();
                let used = chamber.map(|chamber| format!(" C@:{}", chamber.power(now))).unwrap_or_default();
                format!("T:{active} B:{bed}{warm}{nozzles} @:{power} B@:{bed_power}{used}{powers}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    fn thermal(tools: u8, ambient_c: f64) -> Thermal {
        Thermal::new(&Config { tools, ambient_c, ..Config::default() })
    }

    #[test]
    fn a_heated_chamber_is_reported_behind_the_bed_and_turned_off_with_the_others() {
        let mut warm =
            Thermal::new(&Config { ambient_c: 21.3, chamber_max_c: Some(70.0), ..Config::default() });
        warm.set_target(S(0), HeaterId::Chamber, 45.0);
        assert_eq!(
            warm.report(S(0), 0, Temperatures::Marlin),
            "T:21.30 /0.00 B:21.30 /0.00 C:21.30 /45.00 @:0 B@:0 C@:127"
        );
        assert!(!warm.targets().are_off());
        warm.all_off(S(1));
        assert_eq!(
            warm.targets(),
            Targets { nozzles: vec![0.0], bed: 0.0, chamber: Some(0.0), generic: None }
        );
        assert!(warm.targets().are_off());
    }

    #[test]
    fn a_nozzle_warms_at_four_degrees_a_second_at_first_and_reaches_its_target() {
        let mut thermal = thermal(1, 21.0);
        let id = HeaterId::Nozzle(0);
        thermal.set_target(S(0), id, 215.0);
        let first = thermal.heater(id).temperature(S(1));
        assert!((24.5..25.0).contains(&first), "{first}");
        let late = thermal.heater(id).temperature(S(120));
        assert!((late - 215.0).abs() <= SWING_C, "{late}");
    }

    #[test]
    fn it_cools_to_the_room_and_never_below() {
        let mut thermal = thermal(1, 21.0);
        thermal.set_target(S(0), HeaterId::Bed, 60.0);
        thermal.set_target(S(300), HeaterId::Bed, 0.0);
        let bed = thermal.heater(HeaterId::Bed);
        assert!(bed.temperature(S(301)) < 60.2);
        assert!((bed.temperature(S(5000)) - 21.0).abs() < 0.01);
    }

    #[test]
    fn a_target_above_the_limit_is_the_limit() {
        let mut thermal = thermal(1, 21.0);
        thermal.set_target(S(0), HeaterId::Nozzle(0), 999.0);
        assert_eq!(thermal.heater(HeaterId::Nozzle(0)).target(), 300.0);
    }

    #[test]
    fn the_report_names_every_nozzle_when_there_are_several() {
        let cold = thermal(1, 21.3);
        assert_eq!(cold.report(S(0), 0, Temperatures::Marlin), "T:21.30 /0.00 B:21.30 /0.00 @:0 B@:0");
        let two = thermal(2, 21.3);
        assert_eq!(
            two.report(S(0), 0, Temperatures::Marlin),
            "T:21.30 /0.00 B:21.30 /0.00 T0:21.30 /0.00 T1:21.30 /0.00 @:0 B@:0 @0:0 @1:0"
        );
    }

    #[rstest::rstest]
    #[case(Temperatures::Prusa, "T:21.3 /0.0 B:21.3 /0.0 T0:21.3 /0.0 @:0 B@:0 P:0.0 A:21.3")]
    #[case(Temperatures::OldMarlin, "T:21.3 /0.0 B:21.3 /0.0 @:0 B@:0")]
    #[case(Temperatures::Repetier, "T:21.30 /0 B:21.30 /0 B@:0 @:0")]
    #[case(Temperatures::RepRap, "T:21.3 /0.0 T0:21.3 /0.0 B:21.3 /0.0")]
    #[case(Temperatures::Klipper, "B:21.3 /0.0 T0:21.3 /0.0")]
    #[case(Temperatures::Teacup, "T:21.3/0.0 B:21.3/0.0")]
    fn every_dialect_writes_it_its_way(#[case] style: Temperatures, #[case] expected: &str) {
        assert_eq!(thermal(1, 21.3).report(S(0), 0, style), expected);
    }
}
