//! A printer's own scripts, as a person writes them in its settings.
//!
//! Owns: filling in the places and values of a job. Must not know: when a script is sent.
//!
//! One command a line of a script. `{x}`, `{y}`, `{z}` are where the job stopped, `{max_x}`, `{max_y}`, `{max_z}` how far the
//! machine reaches, `{tool}`, `{nozzle}` and `{bed}` what the job has set; a line whose value is not known is left
//! out. What a script must not forget, it can't: heaters off at a cancel, and every mode, position and temperature
//! of the job when it goes on, are the host's own.

use serde::{Deserialize, Serialize};

use stardust_gcode::command::parse;
use stardust_gcode::modal::Modal;

use super::cooling::{BedHotFor, NozzleHotFor};
use super::firmware::Area;
use super::heat::Heaters;
use super::named_heaters::sets_by_name;

/// Scripts in place of the built-in ones. None: the built-in one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Templates {
    /// Before the first command of a job. Built in: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// After the moves before a pause. Built in: draw back, lift, park.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pause: Option<String>,
    /// When it is hot again, before the way back. Built in: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume: Option<String>,
    /// The firmware turns everything off when it has heard nothing of the host for so many seconds in mid-job
    /// (M85); 0: never. Built in: 600 for Marlin from 2.0.7 on, never for older Marlin and Prusa's 8-bit firmware, which
    /// also stop a printer that waits for filament. Other firmware has none, whatever is set here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_man_s: Option<u32>,
    /// A print that waits for a person, paused or asked something, cools its nozzle after so many seconds, 1 to 3600; it is
    /// heated again when the print goes on. Built in: 600.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pause_cool_after_s: Option<NozzleHotFor>,
    /// And turns the bed and the chamber off after so many, 1 to 43200. Built in: 7200.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pause_bed_off_after_s: Option<BedHotFor>,
    /// When the heaters and the fan are off. Built in: lift, motors off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancel: Option<String>,
}

impl Templates {
    /// Whether all are built in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What the scripts heat, which no file tells of.
    #[must_use]
    pub fn heaters(&self) -> Heaters {
        let (mut modal, mut words) = (Modal::default(), false);
        for line in self.lines() {
            let line = with_any_values(line);
            let Some(command) = parse(line.as_bytes()) else { continue };
            modal.apply(&command);
            words |= sets_by_name(&command);
        }
        Heaters { words, ..Heaters::named_by(&modal) }
    }

    /// Whether one of them has commands that are none of the codes: a firmware with macros may heat by those.
    pub(super) fn have_words(&self) -> bool {
        self.lines().filter_map(|line| parse(line.as_bytes())).any(|command| command.code().is_none())
    }

    fn lines(&self) -> impl Iterator<Item = &str> {
        let all = [&self.start, &self.pause, &self.resume, &self.cancel];
        all.into_iter().flatten().flat_map(|script| script.lines().map(str::trim))
    }
}

/// The template's lines with everything filled in.
pub(super) fn fill(template: &str, modal: &Modal, area: Option<Area>) -> Vec<String> {
    template.lines().filter_map(|line| fill_line(line.trim(), modal, area)).collect()
}

/// With some value at each place: which heater is meant does not hang on it, but for `T{tool}`. That is the one in use, which is known
/// anyway, as a line without it says.
fn with_any_values(line: &str) -> String {
    let mut parts = line.split('{');
    let before = parts.next().unwrap_or_default().to_owned();
    parts.fold(before, |line, part| {
        let (name, behind) = part.split_once('}').unwrap_or((part, ""));
        match line.strip_suffix(['T', 't']).filter(|_| name.trim() == "tool") {
            Some(without) => without.to_owned() + behind,
            None => line + "1" + behind,
        }
    })
}

fn fill_line(line: &str, modal: &Modal, area: Option<Area>) -> Option<String> {
    let mut filled = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        filled.push_str(before);
        filled.push_str(&format!("{:.3}", value(name.trim(), modal, area)?));
        rest = after;
    }
    filled.push_str(rest);
    Some(filled)
}

fn value(name: &str, modal: &Modal, area: Option<Area>) -> Option<f64> {
    let [x, y, z] = modal.position();
    let [max_x, max_y, max_z] = area.map_or([None; 3], |area| area.max.map(Some));
    match name {
        "x" => x,
        "y" => y,
        "z" => z,
        "max_x" => max_x,
        "max_y" => max_y,
        "max_z" => max_z,
        "tool" => Some(f64::from(modal.tool)),
        "nozzle" => modal.nozzle_in_use_c(),
        "bed" => modal.bed_c,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_filled_in_and_lines_without_one_left_out() {
        let mut modal = Modal::default();
        for line in ["M140 S60", "G1 X1 Y2"] {
            modal.apply(&parse(line.as_bytes()).unwrap());
        }
        let template = "G1 X{x} Y{max_y}\nG1 Z{z}\n M140 S{bed}\nM300 {oops}\nM117 Hello";
        let area = Some(Area { min: [0.0; 3], max: [200.0, 210.0, 180.0] });
        assert_eq!(fill(template, &modal, area), ["G1 X1.000 Y210.000", "M140 S60.000", "M117 Hello"]);
    }

    #[test]
    fn what_they_heat_is_known() {
        let script = |text: &str| Templates { start: Some(text.into()), ..Templates::default() };
        let heaters = script("M104 T1 S{nozzle}\n M141 S50").heaters();
        assert!(heaters.chamber && heaters.tools.contains(&1) && !heaters.words, "{heaters:?}");
        let in_use = script("M104 T{tool} S{nozzle}").heaters();
        assert_eq!(in_use.tools, script("M104 S{nozzle}").heaters().tools, "none that is not there");
        let by_name = script("SET_HEATER_TEMPERATURE HEATER=chamber TARGET=60");
        assert!(by_name.heaters().words && by_name.have_words());
        let heaters = script("G28").heaters();
        assert!(!heaters.chamber && !heaters.words, "{heaters:?}");
    }

    #[test]
    fn they_are_read_from_a_printers_settings() {
        let read: Templates = toml::from_str("cancel = \"G28 X\"\ndead_man_s = 0").unwrap();
        assert_eq!((read.cancel.as_deref(), read.dead_man_s), (Some("G28 X"), Some(0)));
        assert!(toml::from_str::<Templates>("dead_man_s = -1").is_err() && !read.is_empty());
        assert!(toml::from_str::<Templates>("pause_cool_after_s = 60").is_ok());
        let never = toml::from_str::<Templates>("pause_cool_after_s = 0").unwrap_err();
        assert!(never.to_string().contains("there is no “for ever”"), "{never}");
    }
}
