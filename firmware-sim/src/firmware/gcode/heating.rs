//! Heaters and fan.

use std::time::Duration;

use crate::firmware::command::Command;
use crate::firmware::dialect::Dialect;
use crate::firmware::heat_wait::HeatWait;
use crate::firmware::machine::Machine;
use crate::firmware::stage::Stage;
use crate::firmware::thermal::HeaterId;

/// M104, and M109 that waits.
pub(super) fn nozzle(machine: &mut Machine, command: &Command<'_>, now: Duration) -> Stage {
    match machine.nozzle(command.integer('T')) {
        Some(heater) => set(machine, command, now, heater, command.code == 109),
        None => {
            let tool = command.integer('T').unwrap_or(0);
            machine.line(&format!("echo:M{} Invalid extruder {tool}", command.code));
            Stage::Done
        }
    }
}

/// M140, and M190 that waits.
pub(super) fn bed(machine: &mut Machine, command: &Command<'_>, now: Duration) -> Stage {
    set(machine, command, now, HeaterId::Bed, command.code == 190)
}

/// M141, and M191 that waits.
pub(super) fn chamber(machine: &mut Machine, command: &Command<'_>, now: Duration) -> Stage {
    set(machine, command, now, HeaterId::Chamber, command.code == 191)
}

fn set(machine: &mut Machine, command: &Command<'_>, now: Duration, heater: HeaterId, wait: bool) -> Stage {
    let (warm, exact) = (command.value('S'), command.value('R'));
    let Some(target) = warm.or(exact.filter(|_| wait)) else { return Stage::Done };
    machine.thermal.set_target(now, heater, target);
    if machine.speech().tells_targets {
        let line = match heater {
            HeaterId::Nozzle(index) => format!("TargetExtr{index}:{target:.0}"),
            HeaterId::Bed => format!("TargetBed:{target:.0}"),
            HeaterId::Chamber | HeaterId::Generic => format!("TargetChamber:{target:.0}"),
        };
        machine.line(&line);
    }
    if wait { Stage::Heat(HeatWait::begin(now, heater, warm.is_none())) } else { Stage::Done }
}

/// Klipper's words (klippy/extras/heaters.py): one heater by its name, which also those with a code have, or all off. `None`: other
/// words, or another firmware.
pub(super) fn by_words(machine: &mut Machine, text: &str, now: Duration) -> Option<Stage> {
    if machine.config.dialect != Dialect::Klipper {
        return None;
    }
    let (word, arguments) = text.split_once(' ').unwrap_or((text, ""));
    match word.to_ascii_uppercase().as_str() {
        "TURN_OFF_HEATERS" => machine.thermal.all_off(now),
        "SET_HEATER_TEMPERATURE" => {
            let value = |name: &str| {
                let mut pairs = arguments.split(' ').filter_map(|pair| pair.split_once('='));
                let (_, value) = pairs.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
                Some(value.trim_matches(['"', '\'']))
            };
            let name = value("HEATER").unwrap_or_default();
            let target = value("TARGET").and_then(|target| target.parse().ok()).unwrap_or(0.0);
            let heater = match name {
                "heater_bed" => Some(HeaterId::Bed),
                "extruder" => Some(HeaterId::Nozzle(0)),
                _ if machine.config.generic_heater.as_deref() == Some(name) => Some(HeaterId::Generic),
                _ => None,
            };
            match heater {
                Some(heater) => machine.thermal.set_target(now, heater, target),
                None => machine.line(&format!("!! The value '{name}' is not valid for HEATER")),
            }
        }
        _ => return None,
    }
    Some(Stage::Done)
}

/// M105: the answer is the `ok`, without line number and buffer hints.
pub(super) fn report(machine: &mut Machine, now: Duration) -> Stage {
    let temperatures = machine.temperatures(now);
    if !machine.speech().temperatures_in_ok {
        machine.line(&temperatures);
        return Stage::Done;
    }
    if machine.config.reports_behind_ok {
        machine.line("ok");
        machine.line(&temperatures);
    } else {
        machine.line(&format!("ok {temperatures}"));
    }
    Stage::Answered
}

/// M106 and M107; there is one fan.
pub(super) fn fan(machine: &mut Machine, command: &Command<'_>) -> Stage {
    if command.integer('P').unwrap_or(0) != 0 {
        return Stage::Done;
    }
    let speed = if command.code == 107 { 0.0 } else { command.value('S').unwrap_or(255.0) };
    machine.fan = speed.clamp(0.0, 255.0) as u8;
    if machine.speech().chatty {
        machine.line(&format!("M106 P0 S{}", machine.fan));
    }
    Stage::Done
}
