//! Print files of several parts, made of what a slicer has made of one: printed together, layer by layer, or one by one.
//!
//! Beside these there are files of several parts as a slicer has made them (`fixtures/gcode`). Here the moves are a slicer's own (its walls, travels, hops and wipes); only where the parts stand, and the way between them, is
//! made here. Infill is left out: a whole print takes no time then.

use std::path::{Path, PathBuf};

/// Layers of a part.
const LAYERS: usize = 32;
/// Where parts stand, from where the slicer has put the one, mm: the first lies on the second's way to where the head is parked,
/// at the back on the left.
const PLACES: [[f64; 2]; 3] = [[-45.0, 45.0], [40.0, -30.0], [45.0, 45.0]];

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/gcode").join(name)
}

/// How the parts of a file are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Together,
    OneByOne,
}

/// What a file begins with, whose slicer gives lengths of filament as `M83` says.
const BEGINNING: &str = "G21\nG90\nM140 S60\nM104 S205\nG28\nG1 Z15 F6000\nM190 S60\nM109 S205\nM83\nG1 E3 F200\nM204 S500\n\
                         M205 X8 Y8\nM900 K0.04\nM220 S100\nG0 X2 Y5 Z0.28 F6000\nG1 Y150 E8 F1500\nG0 Z2 F600\n";
const END: &str = "M107\nM104 S0\nM140 S0\nG91\nG1 E-1 F300\nG1 Z5 F600\nG90\nM84\n";

/// A file of so many parts of the one in `name`.
pub(crate) fn parts_of(name: &str, parts: usize, order: Order) -> String {
    let layers = layers(&std::fs::read_to_string(fixture(name)).unwrap());
    let mut file = BEGINNING.to_owned();
    let top = layers.last().unwrap().z;
    match order {
        Order::Together => {
            for (number, layer) in layers.iter().enumerate() {
                file.push_str(&format!(";LAYER:{number}\n"));
                for (part, place) in PLACES.iter().take(parts).enumerate() {
                    file.push_str(&format!("; printing object part ({part})\nG0 Z{:.3} F600\n", layer.z));
                    layer.lines.iter().for_each(|line| file.push_str(&moved(line, *place)));
                }
            }
        }
        Order::OneByOne => {
            for (part, place) in PLACES.iter().take(parts).enumerate() {
                for (number, layer) in layers.iter().enumerate() {
                    file.push_str(&format!(";LAYER:{number}\n; printing object part ({part})\n"));
                    if number > 0 {
                        file.push_str(&format!("G0 Z{:.3} F600\n", layer.z));
                    }
                    layer.lines.iter().for_each(|line| file.push_str(&moved(line, *place)));
                }
                // Over what is finished, and down beside it.
                let [x, y] = PLACES[(part + 1) % PLACES.len()];
                file.push_str(&format!(
                    "G0 Z{:.3} F600\nG0 X{:.3} Y{:.3} F6000\nG0 Z0.4 F600\n",
                    top + 3.0,
                    117.0 + x,
                    117.0 + y
                ));
            }
        }
    }
    file.push_str(END);
    file
}

/// Begun and left with the filament where it belongs: between two parts it is drawn back by neither.
struct Layer {
    z: f64,
    lines: Vec<Line>,
}

/// Filament that is pushed on the spot, or drawn back.
fn filament(by: f64) -> Line {
    Line { code: "G1".into(), words: vec![('F', 2400.0), ('E', by)] }
}

/// A move: words with numbers, filament by its length.
struct Line {
    code: String,
    words: Vec<(char, f64)>,
}

fn moved(line: &Line, [dx, dy]: [f64; 2]) -> String {
    let mut text = line.code.clone();
    for (letter, value) in &line.words {
        let value = value
            + [dx, dy, 0.0][match letter {
                'X' => 0,
                'Y' => 1,
                _ => 2,
            }];
        text.push_str(&format!(" {letter}{value:.5}"));
    }
    text.push('\n');
    text
}

/// The first layers of a slicer's file, walls and what is between them.
fn layers(text: &str) -> Vec<Layer> {
    let relative = text.lines().any(|line| line.starts_with("M83"));
    let (mut layers, mut is_wall, mut e): (Vec<Layer>, bool, f64) = (Vec::new(), false, 0.0);
    let (mut z, mut begun, mut drawn) = (0.0, false, 0.0_f64);
    for line in text.lines() {
        if line.starts_with(";LAYER:") || line.starts_with(";LAYER_CHANGE") {
            if layers.len() > LAYERS {
                break;
            }
            if let Some(layer) = layers.last_mut() {
                layer.lines.push(filament(drawn));
            }
            layers.push(Layer { z: 0.0, lines: vec![filament(-drawn)] });
            (is_wall, begun) = (false, false);
        }
        if let Some(kind) = line.strip_prefix(";TYPE:") {
            is_wall = kind.contains("OUTER") || kind.contains("External");
        }
        let mut words = line.split(';').next().unwrap().split_ascii_whitespace();
        let Some(code) = words.next() else { continue };
        let mut words: Vec<(char, f64)> =
            words.filter_map(|word| Some((word.chars().next()?, word.get(1..)?.parse().ok()?))).collect();
        let mut length = 0.0;
        for (letter, value) in &mut words {
            match letter {
                'Z' => z = *value,
                'E' if code == "G92" => e = *value,
                'E' => {
                    length = if relative { *value } else { *value - std::mem::replace(&mut e, *value) };
                    *value = length;
                }
                _ => {}
            }
        }
        if layers.is_empty() && code == "G1" {
            drawn = (drawn - length).max(0.0);
        }
        let Some(layer) = layers.last_mut() else { continue };
        if !matches!(code, "G0" | "G1" | "G2" | "G3") {
            continue;
        }
        let flat = words.iter().any(|(letter, _)| "XY".contains(*letter));
        if length > 0.0 && flat {
            if !is_wall {
                // The way is gone, nothing is laid down.
                words.retain(|(letter, _)| *letter != 'E');
            } else if !std::mem::replace(&mut begun, true) {
                layer.z = z;
            }
        }
        if length < 0.0 || !flat {
            drawn = (drawn - length).max(0.0);
        }
        layer.lines.push(Line { code: code.to_owned(), words });
    }
    layers.pop();
    for layer in &mut layers {
        layer.lines = thinned(std::mem::take(&mut layer.lines));
    }
    layers.retain(|layer| layer.z > 0.0);
    layers
}

/// Of travels after each other the last is enough.
fn thinned(lines: Vec<Line>) -> Vec<Line> {
    let is_travel = |line: &Line| {
        let has = |letters: &str| line.words.iter().any(|(letter, _)| letters.contains(*letter));
        has("X") && has("Y") && !has("ZE")
    };
    let next: Vec<bool> = lines.iter().skip(1).map(is_travel).chain([false]).collect();
    lines
        .into_iter()
        .zip(next)
        .filter(|(line, next)| !(is_travel(line) && *next))
        .map(|(line, _)| line)
        .collect()
}
