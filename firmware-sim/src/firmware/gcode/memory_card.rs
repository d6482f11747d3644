//! M20 to M25, M27 and M524: as little of a memory card as a host needs to see that somebody prints from it.

use std::time::Duration;

use super::unknown;
use crate::firmware::command::Command;
use crate::firmware::dialect::{CardTold, Dialect};
use crate::firmware::machine::Machine;
use crate::firmware::stage::Stage;

/// The one file on the card, and its bytes.
const FILE: (&str, u64) = ("PANEL~1.GCO", 600_000);

/// Builds without a card reader know nothing of all this.
pub(super) fn card(machine: &mut Machine, command: &Command<'_>, now: Duration) -> Stage {
    if !machine.card.inserted {
        return unknown(machine, command.text);
    }
    let (name, bytes) = FILE;
    match command.code {
        20 => {
            for line in ["Begin file list", &format!("{name} {bytes}"), "End file list"] {
                machine.line(line);
            }
        }
        21 => machine.line(if machine.config.dialect == Dialect::Creality {
            "TF card ok"
        } else {
            "SD card ok"
        }),
        23 => {
            machine.line(&format!("File opened: {name} Size: {bytes}"));
            machine.line("File selected");
            machine.card.select(bytes);
        }
        24 if machine.card.has_print() => machine.card.resume(now),
        24 => machine.card.start(now, bytes),
        25 => machine.card.pause(now),
        27 => report(machine, now),
        // Marlin 2 (gcode/sd/M524.cpp) ends the print and turns the heaters off; the others know no such thing.
        524 if machine.config.dialect == Dialect::Marlin => machine.abort_card_print(now),
        524 => return unknown(machine, command.text),
        _ => {}
    }
    Stage::Done
}

fn report(machine: &mut Machine, now: Duration) {
    let told = match machine.speech().card {
        CardTold::WhilePrinting => machine.card.progress(now),
        CardTold::WhileBegun => machine.card.has_print().then(|| machine.card.place(now)),
        CardTold::Always => Some(machine.card.place(now)),
    };
    let line = match told {
        Some((done, all)) => format!("SD printing byte {done}/{all}"),
        // With a full stop: GCodes2.cpp of RepRapFirmware, virtual_sdcard.py of Klipper.
        None if matches!(machine.config.dialect, Dialect::RepRapFirmware | Dialect::Klipper) => {
            "Not SD printing.".to_owned()
        }
        None => "Not SD printing".to_owned(),
    };
    machine.line(&line);
}
