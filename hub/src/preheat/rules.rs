//! When a printer may be heated without a job, as far as the hub can tell. Its agent has the last word.

use stardust_protocol::{Preheat, PrinterState};

use crate::error::Error;
use crate::fleet::{ContactState, Printer};
use crate::queue::held_back;

/// Whether a person may have this printer heated. `waits`: its agent is in reach, if only over HTTPS.
///
/// # Errors
/// Why not.
pub fn may_preheat(printer: &Printer, waits: bool, wanted: &Preheat) -> Result<(), Error> {
    wanted.check().map_err(|flaw| Error::invalid(flaw.code(), flaw.to_string()))?;
    if printer.contact.state != ContactState::Online {
        if waits {
            return Err(Error::conflict(
                "no_live_data",
                "The printer's agent is in reach, but shows the hub nothing live (MQTT): nobody could see here that the printer \
                 is idle, or hot. Let its host reach the hub's MQTT port, or heat the printer at its panel.",
            ));
        }
        return Err(Error::conflict(
            "printer_out_of_reach",
            "The printer's agent is out of reach, so it can't be heated from here. Try again when it is online.",
        ));
    }
    if printer.emergency_stop.is_some() {
        return Err(held_back::stopped());
    }
    match printer.state {
        PrinterState::Idle => Ok(()),
        PrinterState::AwaitingRemoval => {
            Err(Error::conflict("not_idle", "A print lies on its bed: clear the bed and confirm that first."))
        }
        _ => Err(Error::conflict(
            "not_idle",
            "The printer is not idle: only one without a print can be preheated.",
        )),
    }
}

/// Whether a person may have this printer cooled down: whatever it does, its agent decides. `waits`: that is in reach, if only
/// over HTTPS.
///
/// # Errors
/// Its agent can't be reached.
pub fn may_cool_down(printer: &Printer, waits: bool) -> Result<(), Error> {
    if waits || printer.contact.state == ContactState::Online {
        return Ok(());
    }
    Err(Error::conflict(
        "printer_out_of_reach",
        "The printer's agent is out of reach, so it can't be cooled down from here. If it is hot, switch it off by hand.",
    ))
}
