//! What must be true of the way back to a layer, whatever commands it is made of.

use std::path::Path;

use stardust_agent::print_job::file_source::FileSource;
use stardust_agent::serial::LayerPoint;

use crate::machine_model::Machine;
use crate::print::{commands, commands_of};

/// Pushed through beside the part, nm of filament.
const PRIME: i64 = 10_000_000;

/// `accepted`: everything that the printer has taken since the return began.
pub(crate) fn check(file: &Path, point: &LayerPoint, accepted: &[String]) -> Result<(), String> {
    let source =
        FileSource::open_at(file, point.read_to, Some(point.layer)).map_err(|error| error.to_string())?;
    let rest = commands_of(source);
    let all = commands(file);
    let before_layer = all.len() - rest.len();

    // The host makes sure of the end by a command of its own.
    let ends = |part: &[String]| part.last().is_some_and(|last| last == "M400");
    let of_file = accepted.len().checked_sub(rest.len() + 1).ok_or("too few commands")?;
    let (script, printed) = accepted.split_at(of_file);
    if !ends(printed) || printed[..rest.len()] != rest[..] {
        let differs = printed.iter().zip(&rest).position(|(one, other)| one != other);
        return Err(format!(
            "the rest of the file was not printed exactly: first at {differs:?}, after {script:#?}"
        ));
    }

    let mut uninterrupted = Machine::new();
    all[..before_layer].iter().for_each(|command| uninterrupted.carry_out(command));
    let mut machine = Machine::new();
    walk(&mut machine, point, script)?;
    if machine.filament != PRIME {
        return Err(format!("{} nm of filament were pushed", machine.filament));
    }
    (machine.filament, uninterrupted.filament) = (0, 0);
    if machine.equals(&uninterrupted) {
        Ok(())
    } else {
        Err(format!("it begins otherwise:\n{machine:?}\n{uninterrupted:?}\n{script:#?}"))
    }
}

/// Carries the way back out, and looks at every step of it.
fn walk(machine: &mut Machine, point: &LayerPoint, script: &[String]) -> Result<(), String> {
    let nano = |mm: f64| (mm * 1e6).round() as i64;
    let (stands, target) = (nano(point.stands_at_mm), nano(point.modal.position()[2].unwrap_or_default()));
    // A head that was parked stands a lift above it.
    if target < stands && target > stands - nano(4.0) {
        return Err("it ends below the layer that it stands at".into());
    }
    let (mut is_declared, mut is_hot, mut is_homed, mut is_lifted) = (false, false, false, false);
    for line in script {
        let before = machine.clone();
        machine.carry_out(line);
        let code = line.split(' ').next().unwrap_or_default();
        let goes = |axis: usize| machine.at[axis] != before.at[axis];
        match code {
            "M109" => is_hot = true,
            "G92" if line.contains('Z') => {
                is_declared = machine.at[2] == stands;
            }
            "G28" if line != "G28 X Y" => return Err(format!("the part is where Z would be homed: {line}")),
            "G28" if !is_lifted => return Err("it is homed before it was lifted".into()),
            "G28" => is_homed = true,
            "G0" | "G1" => {
                if !is_hot || !is_declared && goes(2) {
                    return Err(format!("it is moved while it is stuck, or its height not known: {line}"));
                }
                if (goes(0) || goes(1)) && (!is_homed || machine.at[2] < stands + nano(4.9)) {
                    return Err(format!("it is moved sideways at the part: {line}"));
                }
                if machine.at[2] < stands.min(target) {
                    return Err(format!("it goes into the part: {line}"));
                }
                is_lifted |= machine.at[2] > stands;
            }
            _ => {}
        }
    }
    Ok(())
}
