//! Heaters that have a name and no number: Klipper's `heater_generic`, a chamber as a rule.
//!
//! `SET_HEATER_TEMPERATURE HEATER=chamber TARGET=60` (klippy/extras/heaters.py; without `TARGET` it is 0). M105 tells of such a heater
//! only where its owner has given it a `gcode_id`, so what is on can't be read back, and `TURN_OFF_HEATERS` turns off every heater
//! that there is, also one that a macro has set. Owns: which heaters a job has set by name, and to what. Must not know: what else is
//! heated, when anything is turned off.

use serde::{Deserialize, Serialize};
use stardust_gcode::command::Command;

use super::dialect::Dialect;

/// Turns off all that has a name.
pub(super) const ALL_OFF: &str = "TURN_OFF_HEATERS";

/// So many are set again behind a pause; no printer has more.
const MOST: usize = 16;
/// Longer names are not set again.
const LONGEST_NAME: usize = 64;

/// Whether the command sets a heater by its name. Klipper reads the word in either case.
#[must_use]
pub fn sets_by_name(command: &Command<'_>) -> bool {
    command.code().is_none() && has_word(command, "SET_HEATER_TEMPERATURE")
}

fn has_word(command: &Command<'_>, word: &str) -> bool {
    command.text().split(' ').next().unwrap_or_default().eq_ignore_ascii_case(word)
}

/// What a job's commands have set by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct NamedHeaters {
    /// One was set, whether it could be understood or not, or may have been, by a macro.
    pub(super) any: bool,
    /// The firmware has macros: any word may heat anything.
    macros: bool,
    /// °C, by name; those that have a code of their own are not here.
    targets: Vec<(String, f64)>,
}

impl NamedHeaters {
    pub(super) fn of(dialect: Dialect) -> Self {
        Self { macros: dialect == Dialect::Klipper, ..Self::default() }
    }

    /// Follows a command of the job. Whether all heaters are off by it, whatever sets them.
    pub(super) fn follow(&mut self, command: &Command<'_>) -> bool {
        self.any |= self.macros && command.code().is_none();
        let turns_off = self.macros && command.code().is_none() && has_word(command, ALL_OFF);
        if turns_off {
            self.targets.clear();
        }
        self.set_by(command);
        turns_off
    }

    fn set_by(&mut self, command: &Command<'_>) {
        if !sets_by_name(command) {
            return;
        }
        self.any = true;
        let value = |name: &str| {
            let mut words = command.text().split(' ').filter_map(|word| word.split_once('='));
            let of_name = words.rfind(|(key, _)| key.eq_ignore_ascii_case(name));
            of_name.map(|(_, value)| value.trim_matches(['"', '\'']))
        };
        let Some(name) = value("HEATER").filter(|name| is_plain(name)) else { return };
        let Ok(target) = value("TARGET").map_or(Ok(0.0), str::parse::<f64>) else { return };
        // Python reads such words, and Klipper refuses them; nor could they be written down.
        if !target.is_finite() {
            return;
        }
        let has_room = self.targets.len() < MOST;
        match self.targets.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = target,
            None if has_room => self.targets.push((name.to_owned(), target)),
            // It is owed all the same.
            None => {}
        }
    }

    /// Whether any word may heat anything here.
    pub(super) fn may_be_macros(&self) -> bool {
        self.macros
    }

    /// Those that are on, and to what they are set.
    pub(super) fn hot(&self) -> Vec<(String, f64)> {
        self.targets.iter().filter(|(_, target)| *target > 0.0).cloned().collect()
    }
}

/// The command that sets it.
pub(super) fn set(name: &str, target: f64) -> String {
    format!("SET_HEATER_TEMPERATURE HEATER={name} TARGET={target}")
}

/// It can be sent without quotes, and M104 and M140 do not mean it.
fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    // `extruder`, `extruder1`; not `extruder_fan_heater`.
    let of_tool =
        name.strip_prefix("extruder").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
    let has_a_code = name == "heater_bed" || of_tool;
    !name.is_empty() && name.len() <= LONGEST_NAME && name.bytes().all(plain) && !has_a_code
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use stardust_gcode::command::parse;

    fn after(lines: &[&str]) -> NamedHeaters {
        let mut named = NamedHeaters::default();
        lines.iter().for_each(|line| assert!(!named.follow(&parse(line.as_bytes()).unwrap())));
        named
    }

    #[rstest]
    #[case(&["SET_HEATER_TEMPERATURE HEATER=chamber TARGET=60"], &[("chamber", 60.0)])]
    #[case(&["set_heater_temperature target=45.5 heater=\"Box-1\""], &[("Box-1", 45.5)])]
    #[case::twice(&["SET_HEATER_TEMPERATURE HEATER=a TARGET=60", "SET_HEATER_TEMPERATURE HEATER=a TARGET=50"], &[("a", 50.0)])]
    #[case::off(&["SET_HEATER_TEMPERATURE HEATER=a TARGET=60", "SET_HEATER_TEMPERATURE HEATER=a"], &[])]
    #[case::has_codes(&["SET_HEATER_TEMPERATURE HEATER=extruder1 TARGET=200"], &[])]
    #[case::has_none(&["SET_HEATER_TEMPERATURE HEATER=extruder_box.1 TARGET=50"], &[("extruder_box.1", 50.0)])]
    #[case::no_figure(&["SET_HEATER_TEMPERATURE HEATER=a TARGET=inf", "SET_HEATER_TEMPERATURE HEATER=b TARGET=nan"], &[])]
    #[case::to_be_quoted(&["SET_HEATER_TEMPERATURE HEATER=a=b TARGET=200"], &[])]
    fn what_is_set_again_behind_a_pause(#[case] lines: &[&str], #[case] hot: &[(&str, f64)]) {
        let named = after(lines);
        assert!(named.any, "owed, whatever it is");
        assert_eq!(named.hot(), hot.iter().map(|(name, at)| ((*name).to_owned(), *at)).collect::<Vec<_>>());
    }

    #[test]
    fn a_macro_may_heat_anything() {
        for (line, may) in [("PRINT_START CHAMBER=60", true), ("M104 S200", false)] {
            let mut named = NamedHeaters::of(Dialect::Klipper);
            named.follow(&parse(line.as_bytes()).unwrap());
            assert_eq!((named.any, named.hot().len()), (may, 0), "{line}");
        }
    }

    #[test]
    fn what_the_file_turns_off_is_not_set_again_behind_a_pause() {
        let mut named = NamedHeaters::of(Dialect::Klipper);
        for (line, off) in [("SET_HEATER_TEMPERATURE HEATER=a TARGET=60", false), ("turn_off_heaters", true)]
        {
            assert_eq!(named.follow(&parse(line.as_bytes()).unwrap()), off, "{line}");
        }
        assert_eq!((named.any, named.hot().len()), (true, 0), "owed all the same");
    }

    #[test]
    fn other_words_and_too_many_are_none() {
        assert_eq!(
            after(&["PRINT_START CHAMBER=60", "M104 S200", "M117 SET_HEATER_TEMPERATURE"]),
            NamedHeaters::default()
        );
        let lines: Vec<String> = (0..99).map(|at| set(&format!("h{at}"), 50.0)).collect();
        assert_eq!(after(&lines.iter().map(String::as_str).collect::<Vec<_>>()).hot().len(), MOST);
    }
}
