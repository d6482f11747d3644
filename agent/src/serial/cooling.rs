//! How long what is hot may wait for a person.
//!
//! Owns: the limits that a printer's settings may set, what has been turned off in a wait, and what people are told of
//! it. Must not know: commands, the line, or what is waited for.
//!
//! Filament that stands in a hot nozzle burns and clogs it, and a heater that nobody looks after is a danger: so the
//! nozzle is cooled soon, and the bed, which holds the part, much later. There is no “for ever”.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Seconds that a heater may stay on while a person is waited for: 1 to `MOST`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct HotFor<const MOST: u32>(u32);

/// For the nozzles: an hour at most.
pub type NozzleHotFor = HotFor<3600>;
/// For the bed and the chamber: twelve hours at most.
pub type BedHotFor = HotFor<43_200>;

impl<const MOST: u32> HotFor<MOST> {
    fn time(self) -> Duration {
        Duration::from_secs(self.0.into())
    }
}

impl<const MOST: u32> TryFrom<u32> for HotFor<MOST> {
    type Error = String;

    fn try_from(seconds: u32) -> Result<Self, String> {
        if (1..=MOST).contains(&seconds) {
            return Ok(Self(seconds));
        }
        Err(format!("{seconds} s is not possible: it may be 1 to {MOST} s, and there is no “for ever”"))
    }
}

impl<const MOST: u32> From<HotFor<MOST>> for u32 {
    fn from(set: HotFor<MOST>) -> Self {
        set.0
    }
}

/// Ten minutes, where the settings say nothing.
const NOZZLE: Duration = Duration::from_secs(600);
/// Two hours: a part comes off a bed that has cooled.
const BED: Duration = Duration::from_secs(7200);

/// How long the heaters of a printer may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) nozzle: Duration,
    pub(super) bed: Duration,
}

impl Limits {
    /// The bed is not turned off before the nozzle.
    pub(super) fn new(nozzle: Option<NozzleHotFor>, bed: Option<BedHotFor>) -> Self {
        let nozzle = nozzle.map_or(NOZZLE, HotFor::time);
        Self { nozzle, bed: bed.map_or(BED, HotFor::time).max(nozzle) }
    }
}

/// Heaters and what they are set to, °C.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Heated {
    /// Nozzles by tool.
    pub(super) nozzles: Vec<(u32, f64)>,
    pub(super) bed: Option<f64>,
    pub(super) chamber: Option<f64>,
    /// Others, by name: they go with the chamber.
    pub(super) named: Vec<(String, f64)>,
}

impl Heated {
    pub(super) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Those that are not known yet.
    pub(super) fn add_nozzles(&mut self, nozzles: &[(u32, f64)]) {
        let is_known = |tool: &u32| self.nozzles.iter().any(|(known, _)| known == tool);
        let new: Vec<_> = nozzles.iter().filter(|(tool, _)| !is_known(tool)).copied().collect();
        self.nozzles.extend(new);
    }
}

/// What becomes of the heat while a person is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// The nozzle is cooled when nobody has come in so long.
    CoolsIn(Duration),
    /// The nozzle was cooled after so long.
    NozzleOff(Duration),
    /// Nothing is heated any more, as far as is known.
    AllOff {
        /// The job may have heated something by a macro.
        by_macros: bool,
    },
    /// The firmware takes no command before it is answered, and its nozzle is hot.
    OutOfReach,
}

impl Waiting {
    /// What a person is told.
    #[must_use]
    pub fn sentence(self) -> String {
        match self {
            Self::CoolsIn(left) => format!("Its nozzle is cooled in {} if nobody comes.", minutes(left)),
            Self::NozzleOff(after) => format!(
                "Its nozzle was cooled after {}; it is heated again when the print goes on.",
                as_set(after)
            ),
            Self::AllOff { by_macros } => {
                let which = if by_macros { "All heaters that are known here" } else { "All heaters" };
                let others = if by_macros { " What a macro has heated may be on." } else { "" };
                format!(
                    "{which} were turned off; they are heated again when the print goes on. The part may have come off the \
                     bed.{others}"
                )
            }
            Self::OutOfReach => "Its nozzle is hot and can't be cooled from here: the printer takes no command before someone \
                                 presses its button."
                .into(),
        }
    }
}

/// As a person has set it.
fn as_set(time: Duration) -> String {
    match (time.as_secs() / 60, time.as_secs() % 60) {
        (minutes @ 1.., 0) => format!("{minutes} min"),
        (0, seconds) => format!("{seconds} s"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}

/// In whole minutes, the one that has begun counted: what a person is told must not change each second.
fn minutes(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..60 => format!("{} s", seconds.div_ceil(10).max(1) * 10),
        seconds => format!("{} min", seconds.div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, false)]
    #[case(1, true)]
    #[case(3600, true)]
    #[case(3601, false)]
    fn nobody_may_set_for_ever(#[case] seconds: u32, #[case] may: bool) {
        assert_eq!(NozzleHotFor::try_from(seconds).is_ok(), may);
    }

    #[test]
    fn the_bed_outlasts_the_nozzle() {
        let limits = Limits::new(NozzleHotFor::try_from(3600).ok(), BedHotFor::try_from(60).ok());
        assert_eq!(limits.bed, limits.nozzle);
        assert_eq!(Limits::new(None, None), Limits { nozzle: NOZZLE, bed: BED });
    }

    #[rstest]
    #[case(600, "10 min")]
    #[case(541, "10 min")]
    #[case(61, "2 min")]
    #[case(42, "50 s")]
    #[case(0, "10 s")]
    fn people_are_told_minutes(#[case] seconds: u64, #[case] words: &str) {
        assert_eq!(minutes(Duration::from_secs(seconds)), words);
    }
}
