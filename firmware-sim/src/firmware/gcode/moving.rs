//! Commands that move, or say how to move.

use std::time::Duration;

use super::{seconds, unknown};
use crate::firmware::arc::Arc;
use crate::firmware::command::Command;
use crate::firmware::machine::Machine;
use crate::firmware::motion::{Axes, Way};
use crate::firmware::planner::Block;
use crate::firmware::stage::{Stage, Then, Walk};
use crate::firmware::thermal::HeaterId;

/// EXTRUDE_MINTEMP, °C.
const EXTRUDE_MIN_C: f64 = 170.0;
/// EXTRUDE_MAXLENGTH, mm.
const EXTRUDE_MAX_MM: f64 = 200.0;

pub(super) fn straight(machine: &mut Machine, command: &Command<'_>, now: Duration) -> Stage {
    if refuses(machine) {
        return Stage::Done;
    }
    let to = machine.motion.target(command);
    let Some(from) = set_out(machine, to, now) else { return Stage::Done };
    if from == to {
        return Stage::Done;
    }
    let way = Way::straight(&from, &to);
    Stage::Room(Block::new(from, to, &way, machine.motion.feed_mm_s(), &machine.motion.limits))
}

/// Marlin's `homing_needed_error`.
fn refuses(machine: &mut Machine) -> bool {
    let refuses = machine.config.homes_first && !machine.motion.is_homed();
    if refuses {
        machine.line("echo:Home XYZ First");
    }
    refuses
}

pub(super) fn arc(machine: &mut Machine, command: &Command<'_>, now: Duration) -> Stage {
    if refuses(machine) {
        return Stage::Done;
    }
    let to = machine.motion.target(command);
    if Arc::new(&machine.motion.position, &to, command, command.code == 2).is_none() {
        machine.line("Error:G2/G3 bad parameters");
        return Stage::Done;
    }
    let Some(from) = set_out(machine, to, now) else { return Stage::Done };
    match Arc::new(&from, &to, command, command.code == 2) {
        Some(arc) => {
            machine.proceed(Stage::Arc(Walk { at: from, arc, feed: machine.motion.feed_mm_s() }), now)
        }
        None => Stage::Done,
    }
}

/// The place the next move begins at: E's is the move's end where no filament goes. `None`: no move at all.
fn set_out(machine: &mut Machine, to: Axes, now: Duration) -> Option<Axes> {
    let mut from = machine.motion.position;
    let extruded = to[3] - from[3];
    if extruded != 0.0 {
        let nozzle = machine.thermal.heater(HeaterId::Nozzle(machine.tool)).temperature(now);
        if nozzle < EXTRUDE_MIN_C && !machine.cold_extrusion {
            // The filament stays; the coordinate and the other axes go on as if nothing had happened.
            let speech = machine.speech();
            for line in speech.cold {
                machine.line(line);
            }
            if speech.refuses_cold_moves {
                return None;
            }
            from[3] = to[3];
        } else if extruded.abs() > EXTRUDE_MAX_MM {
            from[3] = to[3];
            machine.line("echo: too long extrusion prevented");
        }
    }
    machine.motion.position = to;
    Some(from)
}

pub(super) fn dwell(command: &Command<'_>) -> Stage {
    let time = match (command.value('S'), command.value('P')) {
        (Some(s), _) => seconds(s),
        (None, Some(ms)) => seconds(ms / 1000.0),
        (None, None) => None,
    };
    Stage::Still(Then::Dwell(time.unwrap_or_default()))
}

pub(super) fn home(command: &Command<'_>) -> Stage {
    let named = ['X', 'Y', 'Z'].map(|axis| command.has(axis));
    Stage::Still(Then::Home(if named.contains(&true) { named } else { [true; 3] }))
}

pub(super) fn rename_place(machine: &mut Machine, command: &Command<'_>) -> Stage {
    machine.show_plate();
    let delta = machine.motion.rename_place(command);
    machine.planner.shift(&delta);
    if let Some(plate) = &mut machine.plate {
        plate.rename(&delta);
    }
    if machine.speech().chatty {
        machine.report_position();
    }
    Stage::Done
}

pub(super) fn release(machine: &mut Machine, command: &Command<'_>, now: Duration) -> Stage {
    // With S it only sets the idle time after which the motors are let go.
    if command.has('S') { Stage::Done } else { machine.proceed(Stage::Still(Then::Release), now) }
}

pub(super) fn select_tool(machine: &mut Machine, command: &Command<'_>) -> Stage {
    let tools = usize::from(machine.config.tools);
    match usize::try_from(command.code) {
        // A build with one extruder has no tool change to refuse.
        _ if tools == 1 => Stage::Done,
        Ok(tool) if tool < tools => Stage::Still(Then::SelectTool(tool)),
        _ => {
            machine.line(&format!("echo:T{} Invalid extruder", command.code));
            Stage::Done
        }
    }
}

pub(super) fn limits(machine: &mut Machine, command: &Command<'_>) -> Stage {
    machine.motion.limits.set(command);
    Stage::Done
}

pub(super) fn feed_percent(machine: &mut Machine, command: &Command<'_>) -> Stage {
    match command.value('S') {
        Some(percent) if percent > 0.0 => machine.motion.feed_percent = percent,
        Some(_) => {}
        None => {
            let line = format!("FR:{:.0}%", machine.motion.feed_percent);
            machine.line(&line);
        }
    }
    Stage::Done
}

pub(super) fn flow_percent(machine: &mut Machine, command: &Command<'_>) -> Stage {
    match command.integer('S') {
        Some(percent) => machine.flow_percent = percent,
        None => {
            let line = format!("echo:E{} Flow: {}%", machine.tool, machine.flow_percent);
            machine.line(&line);
        }
    }
    Stage::Done
}

pub(super) fn allow_cold_extrusion(machine: &mut Machine, command: &Command<'_>) -> Stage {
    if let Some(allowed) = command.integer('P') {
        machine.cold_extrusion = allowed != 0;
    } else if let Some(minimum) = command.integer('S') {
        machine.cold_extrusion = minimum == 0;
    } else {
        return unknown(machine, command.text);
    }
    Stage::Done
}

pub(super) fn quick_stop(machine: &mut Machine, now: Duration) -> Stage {
    machine.quick_stop(now);
    Stage::Still(Then::Finish)
}
