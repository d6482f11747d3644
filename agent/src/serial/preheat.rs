//! Heat that is wanted without a job at work, for a time after which it is a debt again ([`super::heat`]).
//!
//! A person preheats a printer; or a print was interrupted, and its bed, which holds the part, stays warm for as long as the
//! printer's settings say. Owns: how long that may be, which commands set it, and what of the heaters may be on. Must not know:
//! when it ends otherwise, who asks.

pub(super) mod read_back;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::heat::Heaters;
use super::reply::TemperatureReport;
use super::thermometer::Thermometer;

/// What a person wants heated; what is not named is turned off.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Preheat {
    /// Nozzles by tool, °C.
    pub nozzles: Vec<(u32, f64)>,
    /// The bed, °C.
    pub bed: Option<f64>,
    /// How long, from when it is begun.
    pub lasts: Duration,
}

impl Preheat {
    /// The commands that set every heater.
    pub(super) fn commands(&self, heaters: &Heaters) -> Vec<String> {
        let mut all = heaters.clone();
        all.tools.extend(self.nozzles.iter().map(|(tool, _)| *tool));
        all.set(|tool| self.nozzle(tool), self.bed_target())
    }

    fn nozzle(&self, tool: u32) -> f64 {
        self.nozzles.iter().find(|(named, _)| *named == tool).map_or(0.0, |(_, target)| *target)
    }

    fn bed_target(&self) -> f64 {
        self.bed.unwrap_or(0.0)
    }

    /// What the nozzle is set to in the end where all tools share one: the last command for it counts.
    fn shared_nozzle(&self) -> f64 {
        let hot = self.nozzles.iter().filter(|(_, target)| *target > 0.0);
        hot.max_by_key(|(tool, _)| *tool).map_or(0.0, |(_, target)| *target)
    }
}

/// Heat that stays on without a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Until then, by the time that the host is driven with.
    pub until: Duration,
    /// Whose it is.
    pub by: WantedBy,
}

/// Who wants heat without a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WantedBy {
    /// A person, by a [`Preheat`].
    Person,
    /// The settings, after a print was interrupted: the bed alone.
    Interruption,
}

/// What stays on, and until when.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Standing {
    /// What a person has set, here or at the panel.
    All(Duration),
    /// The bed at this, °C. Of the others it is known that they are off, or not yet.
    Bed { until: Duration, target: f64, others_are_off: bool },
}

impl Standing {
    pub(super) fn until(self) -> Duration {
        match self {
            Self::All(until) | Self::Bed { until, .. } => until,
        }
    }

    /// What people are shown, once nothing is on that must not be.
    pub(super) fn wanted(self) -> Option<Wanted> {
        let until = self.until();
        match self {
            Self::All(_) => Some(Wanted { until, by: WantedBy::Person }),
            Self::Bed { others_are_off, .. } => {
                others_are_off.then_some(Wanted { until, by: WantedBy::Interruption })
            }
        }
    }

    /// The bed's target, where it is the bed alone.
    pub(super) fn bed(self) -> Option<f64> {
        match self {
            Self::All(_) => None,
            Self::Bed { target, .. } => Some(target),
        }
    }
}

/// A thermometer without its bed, for who has to know of all the others.
pub(super) fn without_bed(known: &Thermometer) -> Thermometer {
    Thermometer { bed: None, ..known.clone() }
}

/// The same of a report.
pub(super) fn report_without_bed(report: &TemperatureReport) -> TemperatureReport {
    TemperatureReport { bed: None, ..report.clone() }
}

/// How long the bed of an interrupted print is kept warm, minutes: 0 (not at all) to 480.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct KeepBedWarm(u16);

impl KeepBedWarm {
    /// Eight hours: from the evening until somebody comes.
    const MOST: u16 = 480;

    /// Whether it is to be kept warm at all.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.0 == 0
    }

    pub(super) fn time(self) -> Option<Duration> {
        (self.0 > 0).then(|| Duration::from_secs(60 * u64::from(self.0)))
    }
}

impl TryFrom<u16> for KeepBedWarm {
    type Error = String;

    fn try_from(minutes: u16) -> Result<Self, String> {
        if minutes <= Self::MOST {
            return Ok(Self(minutes));
        }
        Err(format!(
            "{minutes} min is not possible: it may be 0 to {} min, and there is no “for ever”",
            Self::MOST
        ))
    }
}

impl From<KeepBedWarm> for u16 {
    fn from(set: KeepBedWarm) -> Self {
        set.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(&[0], &[(0, 200.0)], Some(60.0), &["M104 S200", "M140 S60"])]
    #[case::what_is_not_named_is_turned_off(&[0, 1], &[(1, 210.0)], None, &["M104 T0 S0", "M104 T1 S210", "M140 S0"])]
    #[case::one_that_nobody_has_named_yet(&[0], &[(0, 200.0), (1, 0.0)], None, &["M104 T1 S0", "M104 T0 S200", "M140 S0"])]
    #[case::one_nozzle_for_all_tools(&[0, 1, 2], &[(1, 210.0)], None, &["M104 T0 S0", "M104 T2 S0", "M104 T1 S210", "M140 S0"])]
    fn every_heater_is_set(
        #[case] tools: &[u32],
        #[case] nozzles: &[(u32, f64)],
        #[case] bed: Option<f64>,
        #[case] expected: &[&str],
    ) {
        let heaters = Heaters { tools: tools.iter().copied().collect(), ..Heaters::default() };
        let preheat = Preheat { nozzles: nozzles.to_vec(), bed, lasts: Duration::from_secs(60) };
        assert_eq!(preheat.commands(&heaters), expected);
    }

    #[rstest]
    #[case(0, true)]
    #[case(480, true)]
    #[case(481, false)]
    fn a_bed_is_kept_warm_for_a_time_that_has_an_end(#[case] minutes: u16, #[case] may: bool) {
        assert_eq!(KeepBedWarm::try_from(minutes).is_ok(), may);
        assert_eq!(KeepBedWarm::default().time(), None);
    }
}
