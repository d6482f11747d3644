//! What must be true of the way back to a layer, whatever commands it is made of: by the plate, on which it is seen where the
//! nozzle went, and by the file, read anew. Nothing of it is taken from what the agent has made out of either.

use crate::machine_model::Machine;
use crate::of_file::OfLayer;
use crate::print::Print;

/// Pushed through beside the part, nm of filament.
const PRIME: i64 = 10_000_000;
/// The head goes sideways so high above where it stood, nm.
const CLEAR: i64 = 4_900_000;
/// Of machines: a thousandth of a step, mm.
const SAME_MM: f64 = 0.01;

/// How it stands after the loss, seen from outside.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stands {
    /// The nozzle's height in the machine, mm.
    nozzle_mm: f64,
    /// How high the part has become, mm.
    top_mm: f64,
    contacts: usize,
    /// The head was parked above the part.
    parked: bool,
}

impl Stands {
    pub(crate) fn seen(print: &Print, parked: bool) -> Self {
        let plate = print.plate();
        let [.., nozzle_mm] = plate.nozzle_mm();
        Self { nozzle_mm, top_mm: plate.top_mm(), contacts: plate.contact_count(), parked }
    }

    /// What a person who says “it is at this layer” says of the nozzle's height, nm: one that was parked has been lifted by
    /// a known way, seen at the machine.
    fn called(&self, layer: &OfLayer) -> i64 {
        if self.parked { nano(self.nozzle_mm) } else { layer.height }
    }
}

fn nano(mm: f64) -> i64 {
    (mm * 1e6).round() as i64
}

/// The whole of a return, from its first command to the end of the print.
pub(crate) fn check(print: &Print, layer: &OfLayer, stood: Stands) -> Result<(), String> {
    let accepted = print.accepted_since_return();
    // The host makes sure of the end by a command of its own.
    let ends = |part: &[String]| part.last().is_some_and(|last| last == "M400");
    let rest = &layer.rest;
    let of_file = accepted.len().checked_sub(rest.len() + 1).ok_or("too few commands")?;
    let (script, printed) = accepted.split_at(of_file);
    if !ends(printed) || printed[..rest.len()] != rest[..] {
        let differs = printed.iter().zip(rest).position(|(one, other)| one != other);
        return Err(format!(
            "the rest of the file was not printed exactly: first at {differs:?}, after {script:#?}"
        ));
    }
    let called = stood.called(layer);
    let mut machine = Machine::new();
    walk(&mut machine, called, layer, script)?;
    if machine.filament != PRIME {
        return Err(format!("{} nm of filament were pushed", machine.filament));
    }
    let mut uninterrupted = layer.before.clone();
    (machine.filament, uninterrupted.filament) = (0, 0);
    if !machine.equals(&uninterrupted) {
        return Err(format!("it begins otherwise:\n{machine:?}\n{uninterrupted:?}\n{script:#?}"));
    }
    at_the_plate(print, called, layer, stood)
}

/// Nothing that stands was touched, and it was printed as high as the person has said, no lower and no higher.
fn at_the_plate(print: &Print, called: i64, layer: &OfLayer, stood: Stands) -> Result<(), String> {
    let plate = print.plate();
    if plate.contact_count() != stood.contacts {
        return Err(format!("the nozzle met the part: {:?}", plate.contacts().last()));
    }
    // Between what it is called and what it is lies how far the person is off.
    let off = stood.nozzle_mm - called as f64 / 1e6;
    let ([.., is], should) = (plate.nozzle_mm(), layer.end as f64 / 1e6 + off);
    if (is - should).abs() > SAME_MM {
        return Err(format!("it ends at {is} mm and not at {should}: {stood:?}"));
    }
    if plate.top_mm() + SAME_MM < stood.top_mm {
        return Err(format!("the part is lower than before: {stood:?}"));
    }
    Ok(())
}

/// Carries the way back out, and looks at every step of it.
fn walk(machine: &mut Machine, stands: i64, layer: &OfLayer, script: &[String]) -> Result<(), String> {
    let target = layer.before.at[2];
    let (mut is_declared, mut is_hot, mut is_homed, mut is_lifted) = (false, false, false, false);
    for line in script {
        let before = machine.clone();
        machine.carry_out(line);
        let code = line.split(' ').next().unwrap_or_default();
        let goes = |axis: usize| machine.at[axis] != before.at[axis];
        match code {
            "M109" => is_hot = true,
            // As the firmware keeps it: to a thousandth.
            "G92" if line.contains('Z') => is_declared = (machine.at[2] - stands).abs() <= nano(SAME_MM),
            "G28" if line != "G28 X Y" => return Err(format!("the part is where Z would be homed: {line}")),
            "G28" if !is_lifted => return Err("it is homed before it was lifted".into()),
            "G28" => is_homed = true,
            "G0" | "G1" => {
                if !is_hot || !is_declared && goes(2) {
                    return Err(format!("it is moved while it is stuck, or its height not known: {line}"));
                }
                if (goes(0) || goes(1)) && (!is_homed || machine.at[2] < stands + CLEAR) {
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
