//! Which command does what. Each family of commands has its module; this one only tells them apart.

mod heating;
mod hosting;
mod memory_card;
mod moving;

use std::time::Duration;

use super::command::Command;
use super::dialect::Dialect;
use super::machine::Machine;
use super::meaning;
use super::numbering::LineCounter;
use super::stage::{Stage, Then};

/// Starts a command and returns what it waits for.
pub(super) fn execute(machine: &mut Machine, counter: &mut LineCounter, text: &str, now: Duration) -> Stage {
    machine.planner.retire(now);
    let visible = Command::visible(text);
    visible.clone_into(&mut machine.last_command);
    if let Some(complaint) = meaning::complaint(machine.config.dialect, text) {
        machine.line(&complaint);
        return Stage::Done;
    }
    let command = Command::parse(visible);
    let unlocks = command.is_some_and(|command| command.letter == 'M' && command.code == 511);
    if machine.config.locked && !unlocks {
        // Marlin's gcode.cpp, process_parsed_command.
        machine.line("echo:Printer locked! (Unlock with M511 or LCD)");
        return Stage::Done;
    }
    if let Some(answer) = machine.dead_answer {
        // Klipper tells temperatures and who it is in any state (klippy/gcode.py, base_gcode_handlers).
        let still = machine.config.dialect == Dialect::Klipper
            && command
                .is_some_and(|command| command.letter == 'M' && matches!(command.code, 105 | 110 | 115));
        if !still {
            machine.line(answer);
            return Stage::Done;
        }
    }
    let Some(command) = command else {
        return heating::by_words(machine, visible, now).unwrap_or_else(|| unknown(machine, visible));
    };
    if matches!(command.code, 113 | 154 | 155) && command.letter == 'M' && !machine.speech().reports {
        return unknown(machine, visible);
    }
    match command.letter {
        'G' => g(machine, &command, now),
        'T' => moving::select_tool(machine, &command),
        _ => m(machine, counter, &command, now),
    }
}

fn g(machine: &mut Machine, command: &Command<'_>, now: Duration) -> Stage {
    match command.code {
        0 | 1 => moving::straight(machine, command, now),
        2 | 3 => moving::arc(machine, command, now),
        4 => moving::dwell(command),
        20 | 21 => done(|| machine.motion.inches = command.code == 20),
        28 => {
            // Marlin's gcode/calibrate/G28.cpp: "Reset to the XY plane".
            machine.kept.forget_plane();
            moving::home(command)
        }
        29 => Stage::Still(Then::Probe),
        90 | 91 => done(|| machine.motion.relative = [command.code == 91; 4]),
        92 => moving::rename_place(machine, command),
        // Retraction by the firmware, planes, parking, coordinate systems: taken, without effect on the model.
        10..=12 | 17..=19 | 27 | 53..=61 | 80 => done(|| machine.kept.keep(command)),
        _ => unknown(machine, command.text),
    }
}

fn m(machine: &mut Machine, counter: &mut LineCounter, command: &Command<'_>, now: Duration) -> Stage {
    match command.code {
        0 | 1 => hosting::stop_for_person(command),
        17 => Stage::Done,
        20..=25 | 27 | 524 => memory_card::card(machine, command, now),
        18 | 84 => moving::release(machine, command, now),
        31 => hosting::print_time(machine),
        73 => hosting::progress(machine, command),
        82 | 83 => done(|| machine.motion.relative[3] = command.code == 83),
        85 => done(|| {
            let time = command.value('S').map(|time| time * machine.config.pace);
            machine.max_inactive = time.and_then(seconds).filter(|time| !time.is_zero());
            machine.last_motion = now;
        }),
        104 | 109 => heating::nozzle(machine, command, now),
        105 => heating::report(machine, now),
        106 | 107 => heating::fan(machine, command),
        // M108 and M876 did what they do when they were received.
        108 | 876 => Stage::Done,
        110 => done(|| {
            if let Some(number) = command.integer('N') {
                counter.set_last(number);
            }
        }),
        112 => done(|| machine.kill_by_host()),
        113 => hosting::keepalive(machine, command),
        114 => done(|| machine.report_position()),
        115 => hosting::describe(machine),
        118 => hosting::echo(machine, command),
        119 => hosting::end_stops(machine),
        140 | 190 => heating::bed(machine, command, now),
        141 | 191 if machine.thermal.has_chamber() => heating::chamber(machine, command, now),
        154 => done(|| machine.position_reports.set(now, command.integer('S').unwrap_or(0))),
        155 => done(|| machine.temperature_reports.set(now, command.integer('S').unwrap_or(0))),
        201 | 203..=205 => moving::limits(machine, command),
        211 => done(|| {
            if let Some(on) = command.integer('S') {
                machine.motion.soft_end_stops = on != 0;
            }
        }),
        220 => moving::feed_percent(machine, command),
        221 => moving::flow_percent(machine, command),
        226 if command.has('P') => Stage::Still(Then::Pin),
        226 => Stage::Done,
        302 => moving::allow_cold_extrusion(machine, command),
        400 => Stage::Still(Then::Finish),
        410 => moving::quick_stop(machine, now),
        511 => done(|| machine.config.locked = false),
        // Klipper's is a macro that its owner may write (no `cmd_M600` in klippy), Teacup's gcode_process.c has none.
        600 if matches!(machine.config.dialect, Dialect::Klipper | Dialect::Teacup) => {
            unknown(machine, command.text)
        }
        600 if machine.config.menu => Stage::Still(Then::ChangeFilament),
        600 => Stage::Still(Then::Ask { text: None, default: "Nozzle Parked", timeout: None }),
        code if accepted_without_effect(code) => done(|| machine.kept.keep(command)),
        _ => unknown(machine, command.text),
    }
}

/// Settings and services that real builds have and that change nothing this model shows: statistics and timers
/// (M75–M78), steps and limits (M92, M202…), messages (M117, M300), PID (M301…), stored settings (M500…),
/// Prusa's checks (M862, M601, M602) and its filament changer (M403, M701, M702), linear advance (M900), drivers
/// (M906…) and the like.
fn accepted_without_effect(code: u32) -> bool {
    matches!(code, 42 | 75..=78 | 80 | 92 | 111 | 117 | 120 | 121 | 145 | 149 | 150 | 200 | 202 | 206..=209)
        || matches!(
            code,
            217 | 218 | 250 | 280 | 290 | 300 | 301 | 303..=305 | 355 | 403 | 413 | 420 | 425 | 428
        )
        || matches!(
            code,
            307 | 404..=407 | 412 | 500..=504 | 512 | 540 | 569 | 572 | 575 | 593 | 601 | 602 | 603 | 665 | 666 | 701 | 702 | 851
        )
        || matches!(code, 862 | 900 | 906..=919 | 930 | 999)
}

fn unknown(machine: &mut Machine, text: &str) -> Stage {
    let (before, after) = machine.speech().unknown;
    let text = match (machine.config.dialect, text.split_at_checked(1)) {
        (Dialect::Teacup, Some((letter, code))) => format!("{letter}-code {code}"),
        _ => text.to_owned(),
    };
    machine.line(&format!("{before}{text}{after}"));
    Stage::Done
}

fn done(action: impl FnOnce()) -> Stage {
    action();
    Stage::Done
}

/// A parameter in seconds. A nonsensical one is none.
fn seconds(value: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(value).ok()
}
