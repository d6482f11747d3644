//! What reports say of all heaters together.
//!
//! Owns: when a heater counts as off that this firmware does not tell of. Must not know: what follows from it.

use super::super::reply::Heat;
use super::super::thermometer::Thermometer;
use super::Heaters;

/// What reports say of all heaters together.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// One that this firmware reports has not been told yet.
    Incomplete,
    Hot,
    /// One can't be read back, and was not turned off by us yet.
    Unknown,
    /// None is on.
    Off,
}

pub(super) fn verdict(
    heard: &Thermometer,
    heaters: &Heaters,
    known: &Thermometer,
    turned_off: Option<&Heaters>,
) -> Verdict {
    let tool =
        |of: &Thermometer, tool: u32| u8::try_from(tool).ok().and_then(|tool| of.tools.get(&tool).copied());
    let was = |holds: &dyn Fn(&Heaters) -> bool| turned_off.is_some_and(holds);
    let tools = heaters
        .tools
        .iter()
        .map(|number| (tool(heard, *number), tool(known, *number), was(&|off| off.tools.contains(number))));
    let bed = (heard.bed, known.bed, was(&|_| true));
    let chamber = heaters.chamber.then(|| (heard.chamber, known.chamber, was(&|off| off.chamber)));
    let words_may_heat = heaters.words && !was(&|off| off.words || off.knows_words);
    let (mut is_incomplete, mut is_unknown) = (false, words_may_heat);
    for (heard, known, was_turned_off) in tools.chain([bed]).chain(chamber) {
        match (heard, known) {
            (Some(Heat { target: Some(target), .. }), _) if target > 0.0 => return Verdict::Hot,
            (Some(Heat { target: Some(_), .. }), _) => {}
            (Some(_), _) | (None, None) => is_unknown |= !was_turned_off,
            (None, Some(_)) => is_incomplete = true,
        }
    }
    match (is_incomplete, is_unknown) {
        (true, _) => Verdict::Incomplete,
        (false, true) => Verdict::Unknown,
        (false, false) => Verdict::Off,
    }
}
