//! What a printer has been set to by the commands that it has carried out: written for this test from Marlin's
//! documentation, and on purpose not from the agent's own model.

use std::collections::BTreeMap;

/// A machine, as far as commands set it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Machine {
    /// X, Y, Z, E as the firmware names them, nm.
    pub(crate) at: [i64; 4],
    /// Filament pushed in all, nm; G92 does not change it.
    pub(crate) filament: i64,
    pub(crate) feed: Option<i64>,
    absolute: [bool; 2],
    inches: bool,
    pub(crate) tool: u32,
    pub(crate) fan: BTreeMap<u32, i64>,
    pub(crate) nozzle: BTreeMap<u32, i64>,
    pub(crate) bed: i64,
    pub(crate) chamber: i64,
    speed: Option<i64>,
    /// What M220 R brings back.
    speed_kept: Option<i64>,
    flow: BTreeMap<u32, i64>,
    plane: Option<String>,
    /// Accelerations, pressure advance and whatever else is set: by command, tool and letter.
    settings: BTreeMap<(String, u32, char), i64>,
    pub(crate) retracted: bool,
}

/// Nanometres: positions are compared as the slicer wrote them, not to the last bit of a double.
fn nano(value: f64) -> i64 {
    (value * 1e6).round() as i64
}

impl Machine {
    pub(crate) fn new() -> Self {
        Self { absolute: [true, true], ..Self::default() }
    }

    pub(crate) fn carry_out(&mut self, line: &str) {
        let mut words = line.split_ascii_whitespace();
        let Some(code) = words.next() else { return };
        let words: Vec<(char, f64)> = words
            .filter_map(|word| Some((word.chars().next()?, word.get(1..)?.parse().unwrap_or(0.0))))
            .collect();
        let word = |letter: char| words.iter().find(|(name, _)| *name == letter).map(|(_, value)| *value);
        let unit = if self.inches { 25.4 } else { 1.0 };
        let tool = word('T').map_or(self.tool, |tool| tool as u32);
        let fan = word('P').map_or(0, |fan| fan as u32);
        match code {
            "G0" | "G1" | "G2" | "G3" => {
                self.feed = word('F').map(|feed| nano(feed * unit)).or(self.feed);
                for (axis, letter) in ['X', 'Y', 'Z', 'E'].into_iter().enumerate() {
                    let Some(value) = word(letter).map(|value| nano(value * unit)) else { continue };
                    let is_absolute = self.absolute[usize::from(axis == 3)];
                    let target = if is_absolute { value } else { self.at[axis] + value };
                    if axis == 3 {
                        self.filament += target - self.at[3];
                    }
                    self.at[axis] = target;
                }
            }
            "G10" => self.retracted = true,
            "G11" => self.retracted = false,
            "G20" => self.inches = true,
            "G21" => self.inches = false,
            "G17" => self.plane = None,
            "G18" | "G19" => self.plane = Some(code.to_owned()),
            "G28" => {
                self.plane = None;
                let all = !words.iter().any(|(letter, _)| "XYZ".contains(*letter));
                for (axis, letter) in ['X', 'Y', 'Z'].into_iter().enumerate() {
                    if all || word(letter).is_some() {
                        self.at[axis] = 0;
                    }
                }
            }
            "G90" => self.absolute = [true, true],
            "G91" => self.absolute = [false, false],
            "G92" => {
                for (axis, letter) in ['X', 'Y', 'Z', 'E'].into_iter().enumerate() {
                    self.at[axis] = word(letter).map_or(self.at[axis], |value| nano(value * unit));
                }
            }
            "M82" => self.absolute[1] = true,
            "M83" => self.absolute[1] = false,
            "M104" | "M109" => {
                if let Some(target) = word('S').or(word('R')) {
                    self.nozzle.insert(tool, nano(target));
                }
            }
            "M140" | "M190" => self.bed = word('S').or(word('R')).map_or(self.bed, nano),
            "M106" => {
                self.fan.insert(fan, word('S').map_or(255_000_000, nano));
            }
            "M107" => {
                self.fan.insert(fan, 0);
            }
            "M141" | "M191" => self.chamber = word('S').or(word('R')).map_or(self.chamber, nano),
            "M220" => {
                if words.iter().any(|(letter, _)| *letter == 'B') {
                    self.speed_kept = self.speed;
                }
                if words.iter().any(|(letter, _)| *letter == 'R') {
                    self.speed = self.speed_kept;
                }
                self.speed = word('S').map(nano).or(self.speed);
            }
            "M221" => {
                self.flow.extend(word('S').map(|percent| (tool, nano(percent))));
            }
            // S of M204 is the old way to say P and T.
            "M204" => {
                let also = |letter: char| word(letter).or(word('S')).map(|value| (letter, value));
                for (letter, value) in
                    [also('P'), also('T'), word('R').map(|value| ('R', value))].into_iter().flatten()
                {
                    self.settings.insert((code.to_owned(), 0, letter), nano(value));
                }
            }
            // Displays, reports, checks, waits and the like set nothing.
            "M73" | "M84" | "M18" | "M105" | "M114" | "M115" | "M117" | "M118" | "M300" | "M400" | "M600"
            | "M702" => {}
            code if code.starts_with("M862") => {}
            code if code.starts_with('M') => {
                for (letter, value) in words.iter().filter(|(letter, _)| *letter != 'T') {
                    self.settings.insert((code.to_owned(), tool, *letter), nano(*value));
                }
            }
            _ => {
                if let Some(tool) = code.strip_prefix('T').and_then(|tool| tool.parse().ok()) {
                    self.tool = tool;
                }
            }
        }
    }

    /// Whether it is set as the other one is; positions and filament to 20 nm.
    pub(crate) fn equals(&self, other: &Self) -> bool {
        let near = |one: i64, other: i64| (one - other).abs() <= 20;
        let places = self.at.iter().zip(other.at).all(|(one, other)| near(*one, other));
        let rest = |machine: &Self| Self { at: [0; 4], filament: 0, ..machine.clone() };
        places && near(self.filament, other.filament) && rest(self) == rest(other)
    }
}
