//! Whether a printer has taken what a person wants heated: what it tells of its heaters is compared with that.
//!
//! That a command was answered by `ok` says nothing: firmware passes over a tool that it does not have, and some refuse a target or
//! set less than was asked for. A heater of which the firmware tells no target counts as set when the command for it was taken.
//! Owns: what counts as taken. Must not know: when the firmware is asked, and what follows.

use std::fmt;

use super::Preheat;
use crate::serial::heat::Heaters;
use crate::serial::reply::{Heat, TemperatureReport};
use crate::serial::thermometer::Thermometer;

/// One report may be damaged on its way: so many in a row have to tell that it was not taken.
const REPORTS: u8 = 2;
/// Targets are whole degrees.
const SAME_C: f64 = 0.5;

/// Why a preheat does not stand.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum NotSet {
    /// The firmware has set something else.
    #[error(
        "The printer did not take it: its {heater} is set to {told} °C, and {wanted} °C were asked for. All its heaters are turned \
         off again. Its firmware may allow less, or have no such heater."
    )]
    Differs {
        /// Which heater.
        heater: Heater,
        /// What was asked for, °C.
        wanted: f64,
        /// What the firmware tells, °C.
        told: f64,
    },
    /// It has ended before the firmware told that it was taken.
    #[error(
        "The printer was stopped, cooled down, locked or lost before it had taken it: all its heaters are turned off as soon as it \
         answers."
    )]
    Ended,
}

/// A heater, as people call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heater {
    /// By tool, from 0.
    Nozzle(u32),
    /// The bed.
    Bed,
    /// The chamber.
    Chamber,
}

impl fmt::Display for Heater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nozzle(tool) => write!(f, "nozzle {}", tool + 1),
            Self::Bed => f.write_str("bed"),
            Self::Chamber => f.write_str("chamber"),
        }
    }
}

/// A preheat that was sent, and what is heard of it since.
#[derive(Debug, Clone)]
pub(in crate::serial) struct ReadBack {
    wanted: Preheat,
    heard: Thermometer,
    /// So many reports have told otherwise.
    others: u8,
}

/// What the reports of all heaters together say.
enum Compared {
    /// A heater that this firmware reports has not been told yet.
    Incomplete,
    Same,
    Differs(NotSet),
}

impl ReadBack {
    pub(in crate::serial) fn new(wanted: Preheat) -> Self {
        Self { wanted, heard: Thermometer::default(), others: 0 }
    }

    /// It is on the line still: what was heard is of before.
    pub(in crate::serial) fn unhear(&mut self) {
        (self.heard, self.others) = (Thermometer::default(), 0);
    }

    /// Whether the last report told otherwise.
    pub(in crate::serial) fn is_doubted(&self) -> bool {
        self.others > 0
    }

    /// A report that came after it was sent; `known`: all that this firmware has ever reported, `is_late`: what has not been told by
    /// now is not told any more.
    pub(in crate::serial) fn hear(
        &mut self,
        report: &TemperatureReport,
        heaters: &Heaters,
        known: &Thermometer,
        is_late: bool,
    ) -> Option<Result<(), NotSet>> {
        self.heard.read(report);
        match self.compare(heaters, known, is_late) {
            Compared::Incomplete => None,
            Compared::Same => Some(Ok(())),
            Compared::Differs(not_set) => {
                self.heard = Thermometer::default();
                self.others += 1;
                (self.others >= REPORTS).then_some(Err(not_set))
            }
        }
    }

    fn compare(&self, heaters: &Heaters, known: &Thermometer, is_late: bool) -> Compared {
        let nozzle = |of: &Thermometer, tool: u32| {
            u8::try_from(tool).ok().and_then(|tool| of.tools.get(&tool).copied())
        };
        // Several tools, and one nozzle for all of them.
        let shared = (known.tools.len() == 1).then(|| self.wanted.shared_nozzle());
        let nozzles = heaters.tools.iter().map(|tool| {
            let wanted = shared.unwrap_or_else(|| self.wanted.nozzle(*tool));
            (Heater::Nozzle(*tool), wanted, nozzle(&self.heard, *tool), nozzle(known, *tool))
        });
        let bed = (Heater::Bed, self.wanted.bed_target(), self.heard.bed, known.bed);
        let chamber = heaters.chamber.then_some((Heater::Chamber, 0.0, self.heard.chamber, known.chamber));
        let mut all = Compared::Same;
        for (heater, wanted, heard, known) in nozzles.chain([bed]).chain(chamber) {
            match (heard, known) {
                (Some(Heat { target: Some(told), .. }), _) if (told - wanted).abs() > SAME_C => {
                    return Compared::Differs(NotSet::Differs { heater, wanted, told });
                }
                (None, Some(_)) if !is_late => all = Compared::Incomplete,
                _ => {}
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::serial::reply::Reply;
    use rstest::rstest;

    fn report(text: &str) -> TemperatureReport {
        match Reply::parse(text) {
            Reply::Temperatures(report) => report,
            other => panic!("{other:?}"),
        }
    }

    /// What is heard of a printer with so many tools, of which the first has been heated to 200 °C and the bed to 60 °C.
    fn heard(tools: u32, known: &str, reports: &[&str]) -> Option<Result<(), NotSet>> {
        let wanted = Preheat { nozzles: vec![(0, 200.0)], bed: Some(60.0), lasts: Duration::from_secs(60) };
        let heaters = Heaters { tools: (0..tools).collect(), ..Heaters::default() };
        let mut all = Thermometer::default();
        all.read(&report(known));
        let mut read_back = ReadBack::new(wanted);
        reports.iter().find_map(|text| read_back.hear(&report(text), &heaters, &all, false))
    }

    #[rstest]
    #[case::one_report_tells_all(1, "T:20 /0 B:20 /0", &["T:20 /200 B:20 /60"])]
    #[case::the_bed_in_a_line_of_its_own(1, "T:20 /0 B:20 /0", &["T:20 /200", "B:20 /60"])]
    #[case::damaged_once(1, "T:20 /0 B:20 /0", &["T:20 /20 B:20 /60", "T:20 /200 B:20 /60"])]
    #[case::two_nozzles(2, "T:20 /0 B:20 /0 T0:20 /0 T1:20 /0", &["T:20 /200 B:20 /60 T0:20 /200 T1:20 /0"])]
    #[case::two_tools_with_one_nozzle(2, "T:20 /0 B:20 /0", &["T:20 /200 B:20 /60"])]
    #[case::no_target_is_told(1, "T:20 B:20", &["T:20 B:20"])]
    fn what_is_told_as_it_was_set_is_taken(
        #[case] tools: u32,
        #[case] known: &str,
        #[case] reports: &[&str],
    ) {
        assert_eq!(heard(tools, known, reports), Some(Ok(())));
    }

    #[rstest]
    #[case::refused("T:20 /0 B:20 /60", Heater::Nozzle(0), 200.0, 0.0)]
    #[case::less("T:20 /200 B:20 /50", Heater::Bed, 60.0, 50.0)]
    #[case::turned_off_by_the_other_tool("T:20 /0 B:20 /60", Heater::Nozzle(0), 200.0, 0.0)]
    fn what_is_told_otherwise_twice_is_not(
        #[case] told_so: &str,
        #[case] heater: Heater,
        #[case] wanted: f64,
        #[case] told: f64,
    ) {
        for tools in [1, 2] {
            assert_eq!(heard(tools, "T:20 /0 B:20 /0", &[told_so]), None, "it may have been damaged");
            let expected = Some(Err(NotSet::Differs { heater, wanted, told }));
            assert_eq!(heard(tools, "T:20 /0 B:20 /0", &[told_so, told_so]), expected);
        }
    }

    #[test]
    fn a_heater_that_is_not_told_is_waited_for() {
        assert_eq!(heard(1, "T:20 /0 B:20 /0", &["T:20 /200", "T:20 /200"]), None);
    }
}
