//! A print file, read for these tests: by its slicer's marks, and not by the agent's idea of layers and commands.

use std::path::Path;

use crate::machine_model::Machine;

/// The commands of a file without odd texts.
pub(crate) fn commands(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().filter_map(command).collect()
}

fn command(line: &str) -> Option<String> {
    let bare = line.split(';').next().unwrap_or_default().trim();
    (!bare.is_empty()).then(|| bare.to_owned())
}

/// A layer, as it stands in the file.
pub(crate) struct OfLayer {
    /// What the commands before its first extrusion have made of a printer.
    pub(crate) before: Machine,
    /// From its first extrusion on.
    pub(crate) rest: Vec<String>,
    /// How high it is printed, nm.
    pub(crate) height: i64,
    /// How high the nozzle is when all is printed, nm.
    pub(crate) end: i64,
}

impl OfLayer {
    /// From 1.
    pub(crate) fn read(file: &Path, number: u32) -> Self {
        let text = std::fs::read_to_string(file).unwrap();
        let mut machine = Machine::new();
        let (mut marks, mut found) = (0, None::<Self>);
        for line in text.lines() {
            marks += u32::from(line.starts_with(";LAYER:") || line == ";LAYER_CHANGE");
            let Some(command) = command(line) else { continue };
            let before = machine.clone();
            machine.carry_out(&command);
            let moves = machine.at[..2] != before.at[..2] && machine.filament > before.filament;
            if found.is_none() && marks >= number && command.starts_with("G1") && moves {
                found = Some(Self { before, rest: Vec::new(), height: machine.at[2], end: 0 });
            }
            if let Some(found) = &mut found {
                found.rest.push(command);
            }
        }
        let found = found.unwrap_or_else(|| panic!("the file has no layer {number}"));
        Self { end: machine.at[2], ..found }
    }
}
