//! The layers of a print file: where each begins, how high it is, and what the commands before it have set.
//!
//! A layer begins at its first extrusion: what a slicer puts before that at the height of the layer below (wiping, drawing
//! back, the way there) leads through what the layer may have left already.
//!
//! Owns: reading them out of a file, and what makes a file unfit for going on at a layer. Must not know: why it is gone on.

use std::io::BufRead;
use std::sync::Arc;

use stardust_gcode::command::{Command, Disposition};
use stardust_gcode::commands::of_line;
use stardust_gcode::lines::LineScanner;
use stardust_gcode::modal::{Effect, ExtruderRule, Modal};

use super::file_source::layer_after;
use super::hindrance::{self, Hindrance};
use super::settings::Settings;
use crate::serial::Envelope;

/// A layer may begin so much lower than the one before: rounding, spirals.
const ROUNDING_MM: f64 = 0.01;

/// A layer of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// Its number, from 1.
    pub number: u32,
    /// Bytes up to its first extrusion.
    pub read_to: u64,
    /// How high its first extrusion is, mm, in the file's coordinates.
    pub height_mm: f64,
    /// Why no print can go on at it, because of what the file has left before it.
    pub hindrance: Option<Hindrance>,
}

/// No print can go on at a layer of this file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Its comments don't tell.
    #[error("the file does not tell where its layers begin (its slicer writes no layer comments)")]
    NoLayers,
    /// One part after another: the head would have to go down beside one that is there.
    #[error("the file prints several parts one after the other, and the head could hit those that are there")]
    PartByPart,
    /// More than one nozzle.
    #[error("the file uses several nozzles or filaments")]
    SeveralTools,
    /// It can't be read.
    #[error("the file can't be read: {0}")]
    Unreadable(String),
}

/// What the commands before a layer have left.
#[derive(Debug, Clone, PartialEq)]
pub struct Before {
    /// What they have set, as far as it is followed.
    pub modal: Modal,
    /// What else they have set, as commands that set it again; or what of it can't be had back.
    pub settings: Result<Vec<String>, Arc<str>>,
    /// What may stand on the bed: everything up to the layer's end.
    pub envelope: Envelope,
}

/// All layers of a file, in order.
///
/// # Errors
/// [`Unfit`].
pub fn layers(file: impl BufRead, rule: ExtruderRule) -> Result<Vec<Layer>, Unfit> {
    let mut found: Vec<Layer> = Vec::new();
    let mut begun: Option<u32> = None;
    let (mut modal, mut settings) = (Modal::new(rule), Settings::default());
    let mut fault = None;
    walk(file, |step| {
        match step {
            Step::Layer(number) => begun = Some(number),
            Step::Command { line, begins, command } => {
                // A move sets nothing for good, so it may be the first extrusion itself.
                settings.follow(line, command);
                let at_layer = begun.map(|number| (number, modal));
                match modal.apply(command) {
                    Effect::ToolChange { .. } => fault = Some(Unfit::SeveralTools),
                    Effect::Move(it) if it.prints() => {
                        let (Some((number, before)), [.., Some(z)]) = (at_layer, modal.position()) else {
                            return true;
                        };
                        begun = None;
                        let last = found.last();
                        if last.is_some_and(|last| number <= last.number || z < last.height_mm - ROUNDING_MM)
                        {
                            fault = Some(Unfit::PartByPart);
                        }
                        let hindrance = hindrance::find(&before, z, settings.lost());
                        found.push(Layer { number, read_to: begins, height_mm: z, hindrance });
                    }
                    _ => {}
                }
            }
        }
        fault.is_none()
    })?;
    match fault {
        Some(fault) => Err(fault),
        None if found.is_empty() => Err(Unfit::NoLayers),
        None => Ok(found),
    }
}

/// What the commands of the file before this layer have left.
///
/// # Errors
/// [`Unfit::Unreadable`].
pub fn before(file: impl BufRead, rule: ExtruderRule, layer: &Layer) -> Result<Before, Unfit> {
    let (mut modal, mut envelope) = (Modal::new(rule), Envelope::default());
    let mut settings = Settings::default();
    let mut at_layer = None;
    walk(file, |step| match step {
        Step::Layer(number) => number <= layer.number,
        Step::Command { line, begins, command } => {
            if begins < layer.read_to {
                settings.follow(line, command);
            } else if at_layer.is_none() {
                at_layer = Some(modal);
            }
            let effect = modal.apply(command);
            envelope.follow(&effect, &modal);
            true
        }
    })?;
    Ok(Before { modal: at_layer.unwrap_or(modal), settings: settings.again(), envelope })
}

/// What comes next in a file.
enum Step<'a> {
    /// Another layer.
    Layer(u32),
    Command {
        /// Its line's number, from 1.
        line: u64,
        /// Bytes of the file before its line.
        begins: u64,
        command: &'a Command<'a>,
    },
}

/// Goes through a file while `go_on` says so.
fn walk(mut file: impl BufRead, mut go_on: impl FnMut(Step<'_>) -> bool) -> Result<(), Unfit> {
    let unreadable = |error: &dyn std::error::Error| Unfit::Unreadable(error.to_string());
    let mut scanner = LineScanner::new();
    let mut layer = None;
    let mut begins = 0;
    loop {
        let chunk = match file.fill_buf() {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            chunk => chunk.map_err(|error| unreadable(&error))?,
        };
        let at_end = chunk.is_empty();
        let mut rest = chunk;
        let line = if at_end { scanner.finish() } else { scanner.next_line(&mut rest) };
        let mut goes_on = true;
        if let Some(line) = &line {
            let next = layer_after(line.text, layer);
            if let Some(number) = next.filter(|_| next != layer) {
                layer = next;
                goes_on = go_on(Step::Layer(number));
            } else if let Some(command) = of_line(line).map_err(|error| unreadable(&error))? {
                if command.disposition() == Disposition::Send {
                    goes_on = go_on(Step::Command { line: line.number, begins, command: &command });
                }
            }
            begins = line.end;
        }
        let (nothing, used) = (line.is_none(), chunk.len() - rest.len());
        file.consume(used);
        if !goes_on || at_end && nothing {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const CURA: &str = "M140 S60\nM109 S205\nM204 S500\nG28\nG1 Z15\nG1 E5\nG92 E0\n;LAYER:0\nG0 X1 Y1 Z0.3\nG1 X9 E1\n;LAYER:1\nG0 X1 Z0.5\nG1 X9 E2\n\
                        ;LAYER:2\nG0 X1 Z0.7\nG1 X9 E3\n";

    fn of(text: &str) -> Result<Vec<Layer>, Unfit> {
        layers(text.as_bytes(), ExtruderRule::GoesAlong)
    }

    #[test]
    fn each_layer_is_found_with_its_height_and_what_was_set_before_it() {
        let found = of(CURA).unwrap();
        let brief: Vec<_> = found.iter().map(|layer| (layer.number, layer.height_mm)).collect();
        assert_eq!(brief, [(1, 0.3), (2, 0.5), (3, 0.7)]);
        let at = CURA.find("G1 X9 E2").unwrap();
        assert_eq!(found[1].read_to, at as u64);
        let Before { modal, envelope, settings } =
            before(CURA.as_bytes(), ExtruderRule::GoesAlong, &found[1]).unwrap();
        assert_eq!((modal.position(), modal.e), ([Some(1.0), Some(1.0), Some(0.5)], 1.0));
        assert_eq!(settings, Ok(vec!["M204 S500".to_owned()]));
        // Its own layer may be there already, the next one not.
        let mut up_to = (Modal::default(), Envelope::default());
        for line in CURA.lines().take_while(|line| *line != ";LAYER:2").filter(|line| !line.starts_with(';'))
        {
            let effect = up_to.0.apply(&stardust_gcode::command::parse(line.as_bytes()).unwrap());
            up_to.1.follow(&effect, &up_to.0);
        }
        assert_eq!(envelope, up_to.1);
        assert_eq!((modal.bed_c, modal.nozzle_in_use_c()), (Some(60.0), Some(205.0)));
    }

    #[rstest]
    #[case::no_comments("G28\nG1 X1 Y1 Z1 E1\n", Unfit::NoLayers)]
    #[case::part_by_part(
        ";LAYER:0\nG1 X1 Z0.3 E1\n;LAYER:1\nG1 X2 Z0.5 E2\n;LAYER:0\nG1 X50 Z0.3 E3\n",
        Unfit::PartByPart
    )]
    #[case::part_by_part_counted_on(
        ";LAYER_CHANGE\nG1 X1 Z0.3 E1\n;LAYER_CHANGE\nG1 X2 Z0.5 E2\n;LAYER_CHANGE\nG1 X50 Z0.3 E3\n",
        Unfit::PartByPart
    )]
    #[case::two_nozzles(";LAYER:0\nG1 X1 Z0.3 E1\nT1\nG1 X2 E2\n", Unfit::SeveralTools)]
    fn files_that_no_print_can_go_on_in(#[case] file: &str, #[case] why: Unfit) {
        assert_eq!(of(file).unwrap_err(), why);
    }

    #[test]
    fn an_empty_layer_is_none() {
        let found = of(";LAYER:0\nG1 X1 Z0.3 E1\n;LAYER:1\n;LAYER:2\nG1 X2 Z0.7 E2\n").unwrap();
        assert_eq!(found.iter().map(|layer| layer.number).collect::<Vec<_>>(), [1, 3]);
    }

    /// A levelling in mid-print hinders the layers behind it until it is switched off; what else is lost hinders all behind it.
    #[test]
    fn what_keeps_a_print_from_going_on_at_a_layer_is_found_on_the_same_way() {
        const FILE: &str = "M109 S205\nG28\nG92 E0\n;LAYER:0\nG0 X1 Y1 Z0.3\nG1 X9 E1\n;LAYER:1\nG0 X1 Z0.5\nG1 X9 E2\nG29\n\
            ;LAYER:2\nG0 X1 Y1 Z0.7\nG1 X9 E3\n;LAYER:3\nM420 S0\nG0 X1 Z0.9\nG1 X9 E4\n;LAYER:4\nG0 X1\nG1 X9 Z1.1 E5\n;LAYER:5\n\
            G0 X1 Z1.3\nG1 X9 E6\nM290 Z0.1\n;LAYER:6\nG0 X1 Z1.5\nG1 X9 E7\n;LAYER:7\nG0 X1 Z1.7\nG1 X9 E8\n";
        let found = of(FILE).unwrap();
        let told = |layer: &Layer| layer.hindrance.as_ref().map(ToString::to_string).unwrap_or_default();
        let expected = [
            "",
            "",
            "“G29” in line 10 ",
            "",
            "begins below it",
            "",
            "“M290 Z0.1” in line 24",
            "“M290 Z0.1” in line 24",
        ];
        assert_eq!(found.len(), expected.len());
        for (layer, expected) in found.iter().zip(expected) {
            let told = told(layer);
            assert!(told.contains(expected) && told.is_empty() == expected.is_empty(), "{layer:?}: {told}");
            // What is found at once is what is found of the one layer that is chosen.
            let before = before(FILE.as_bytes(), ExtruderRule::GoesAlong, layer).unwrap();
            let of_one = hindrance::find(&before.modal, layer.height_mm, before.settings.as_ref().err());
            assert_eq!(layer.hindrance, of_one);
        }
    }
}
