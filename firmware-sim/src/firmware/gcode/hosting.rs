//! Commands for the host's sake: who are you, show this, ask a person.

use std::time::Duration;

use super::seconds;
use crate::firmware::command::Command;
use crate::firmware::dialect::Dialect;
use crate::firmware::identity;
use crate::firmware::machine::Machine;
use crate::firmware::stage::{Stage, Then};

/// M115.
pub(super) fn describe(machine: &mut Machine) -> Stage {
    let lines = identity::description(&machine.config);
    if machine.config.dialect == Dialect::Klipper {
        machine.line(&format!("ok {}", lines.concat()));
        return Stage::Answered;
    }
    for line in lines {
        machine.line(&line);
    }
    Stage::Done
}

/// M0 and M1: text to show, or at most P milliseconds or S seconds to wait.
pub(super) fn stop_for_person(command: &Command<'_>) -> Stage {
    let message = command.message();
    let timeout = match (timeout_of(message, 'P'), timeout_of(message, 'S')) {
        (Some(ms), _) => seconds(ms / 1000.0),
        (None, s) => s.and_then(seconds),
    };
    let text = (timeout.is_none() && !message.is_empty()).then(|| message.to_owned());
    let default = if command.code == 1 { "M1 Stop" } else { "M0 Stop" };
    Stage::Still(Then::Ask { text, default, timeout: timeout.filter(|time| !time.is_zero()) })
}

/// `P500` or `S5` at the start of the text, and nothing else there: otherwise it is something to show.
fn timeout_of(text: &str, letter: char) -> Option<f64> {
    text.split(' ').next()?.strip_prefix(letter)?.parse().ok()
}

/// M73.
pub(super) fn progress(machine: &mut Machine, command: &Command<'_>) -> Stage {
    let (percent, minutes) = machine.progress;
    let percent = command.integer('P').map_or(percent, |percent| percent.clamp(0, 100));
    let minutes = command.integer('R').or(minutes);
    machine.progress = (percent, minutes);
    let left = minutes.map_or_else(String::new, |minutes| format!(" Time left: {minutes}m;"));
    if machine.speech().chatty {
        machine.line(&format!("echo: M73 Progress: {percent}%;{left}"));
    }
    Stage::Done
}

/// M31: no print is timed here.
pub(super) fn print_time(machine: &mut Machine) -> Stage {
    machine.line("echo:Print time: 0s");
    Stage::Done
}

/// M113: seconds between `busy` lines; 0 is off.
pub(super) fn keepalive(machine: &mut Machine, command: &Command<'_>) -> Stage {
    match command.integer('S') {
        Some(every) => {
            let every = u64::try_from(every.clamp(0, 60)).unwrap_or(0);
            machine.keepalive = (every > 0).then(|| Duration::from_secs(every));
        }
        None => {
            let every = machine.keepalive.unwrap_or_default().as_secs();
            machine.line(&format!("echo:M113 S{every}"));
        }
    }
    Stage::Done
}

/// M118: A1 prefixes `//`, E1 prefixes `echo:`, P names a port.
pub(super) fn echo(machine: &mut Machine, command: &Command<'_>) -> Stage {
    let (mut action, mut echo) = (false, false);
    let mut text = command.message();
    while let [letter @ (b'A' | b'E' | b'P'), digit @ b'0'..=b'9', ..] = text.as_bytes() {
        match letter {
            b'A' => action = *digit != b'0',
            b'E' => echo = *digit != b'0',
            _ => {}
        }
        text = text.get(2..).unwrap_or_default().trim_start_matches(' ');
    }
    let prefix = if echo { "echo:" } else { "" };
    let mark = machine.speech().action.filter(|_| action).unwrap_or_default();
    machine.line(&format!("{prefix}{mark}{text}"));
    Stage::Done
}

/// M119.
pub(super) fn end_stops(machine: &mut Machine) -> Stage {
    for line in ["Reporting endstop status", "x_min: open", "y_min: open", "z_min: open"] {
        machine.line(line);
    }
    Stage::Done
}
