//! Heat without a job: what a person may ask a printer for, and for how long.
//!
//! Owns: the bounds, and what is told of heat that stays on for a time. Must not know: how a printer is heated, or what
//! this one can do.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::limits::{MAX_BED_C, MAX_NOZZLE_C, MAX_PREHEAT_MINUTES, MAX_TOOLS};

/// Heaters to be set without a job, for a time after which they are off again. What is not named is turned off.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Preheat {
    /// Targets of the nozzles by tool number, from 0, °C; 0: off.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(max_items = 16, example = json!([200])))]
    pub nozzles_c: Vec<u16>,
    /// Target of the bed, °C; absent or 0: off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(maximum = 150, example = 60))]
    pub bed_c: Option<u16>,
    /// How long, minutes from when the heaters are set: 1 to 240.
    #[serde(default = "half_an_hour")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 240, default = 30))]
    pub minutes: u16,
}

fn half_an_hour() -> u16 {
    30
}

/// What can't be asked of any printer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PreheatFlaw {
    /// Nothing is to be heated.
    #[error("There is nothing to heat: name a temperature for a nozzle or for the bed.")]
    Nothing,
    /// For no time, or for too long.
    #[error("{0} minutes are not possible: a preheat lasts 1 to {MAX_PREHEAT_MINUTES} minutes.")]
    Minutes(u16),
    /// More nozzles than any printer has.
    #[error("{0} nozzles are too many: at most {MAX_TOOLS} can be named.")]
    Nozzles(usize),
    /// A nozzle too hot for any printer.
    #[error("{0} °C are too hot for a nozzle: at most {MAX_NOZZLE_C} °C can be set.")]
    Nozzle(u16),
    /// A bed too hot for any printer.
    #[error("{0} °C are too hot for a bed: at most {MAX_BED_C} °C can be set.")]
    Bed(u16),
}

impl PreheatFlaw {
    /// A stable name, for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Nothing => "nothing_to_heat",
            Self::Minutes(_) => "bad_preheat_time",
            Self::Nozzles(_) => "too_many_nozzles",
            Self::Nozzle(_) | Self::Bed(_) => "too_hot",
        }
    }
}

impl Preheat {
    /// The bed's target, if it is to be on.
    #[must_use]
    pub fn bed(&self) -> Option<u16> {
        self.bed_c.filter(|bed| *bed > 0)
    }

    /// Whether it can be asked of a printer at all.
    ///
    /// # Errors
    /// What can't.
    pub fn check(&self) -> Result<(), PreheatFlaw> {
        if self.nozzles_c.len() > MAX_TOOLS {
            return Err(PreheatFlaw::Nozzles(self.nozzles_c.len()));
        }
        if self.bed().is_none() && self.nozzles_c.iter().all(|nozzle| *nozzle == 0) {
            return Err(PreheatFlaw::Nothing);
        }
        if !(1..=MAX_PREHEAT_MINUTES).contains(&self.minutes) {
            return Err(PreheatFlaw::Minutes(self.minutes));
        }
        if let Some(nozzle) = self.nozzles_c.iter().find(|nozzle| **nozzle > MAX_NOZZLE_C) {
            return Err(PreheatFlaw::Nozzle(*nozzle));
        }
        match self.bed_c {
            Some(bed) if bed > MAX_BED_C => Err(PreheatFlaw::Bed(bed)),
            _ => Ok(()),
        }
    }
}

/// Heaters that stay on without a job at work, until a time at which they are turned off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PreheatReport {
    /// Until when, by the hub's time as far as the agent knows it.
    pub until: Timestamp,
    /// Why.
    pub reason: PreheatReason,
}

/// Why heaters stay on without a job at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PreheatReason {
    /// A person has asked for it ([`crate::Command::Preheat`]).
    Asked,
    /// A print was interrupted, and the printer's settings have its bed kept warm for a while; the nozzles are off.
    Interrupted,
    /// From a newer agent.
    #[serde(other)]
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_asked_of_a_printer() {
        let wanted =
            |nozzles_c: &[u16], bed_c, minutes| Preheat { nozzles_c: nozzles_c.to_vec(), bed_c, minutes };
        for (wanted, expected) in [
            (wanted(&[200], Some(60), 30), Ok(())),
            (wanted(&[], Some(150), 240), Ok(())),
            (wanted(&[0, 350], None, 1), Ok(())),
            (wanted(&[0], Some(0), 30), Err(PreheatFlaw::Nothing)),
            (wanted(&[], None, 30), Err(PreheatFlaw::Nothing)),
            (wanted(&[200], None, 0), Err(PreheatFlaw::Minutes(0))),
            (wanted(&[200], None, 241), Err(PreheatFlaw::Minutes(241))),
            (wanted(&[200, 351], None, 30), Err(PreheatFlaw::Nozzle(351))),
            (wanted(&[], Some(151), 30), Err(PreheatFlaw::Bed(151))),
            (wanted(&[20; 17], None, 30), Err(PreheatFlaw::Nozzles(17))),
        ] {
            assert_eq!(wanted.check(), expected, "{wanted:?}");
        }
    }

    #[test]
    fn half_an_hour_unless_it_is_said() {
        let read: Preheat = serde_json::from_str(r#"{"bed_c":60}"#).unwrap();
        assert_eq!(read, Preheat { nozzles_c: Vec::new(), bed_c: Some(60), minutes: 30 });
    }
}
