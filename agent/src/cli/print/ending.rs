//! The end of `print`: the process leaves the printer alone when its heaters were read back as off, and says whether they
//! were.
//!
//! Owns: how long that is waited for, and the words. Must not know: how the heaters are turned off
//! ([`crate::serial::heat`]), signals.

use std::process::ExitCode;
use std::time::Duration;

use tokio::time::timeout;

use super::CANCELLED;
use crate::cli::{Failure, say};
use crate::port::{Patience, PortEvent, PortHandle};
use crate::serial::{End, HostEvent};

/// How long a printer that does not answer any more is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// And one that does: it may heat, and hear nothing else until that is over.
const PATIENCE_ALIVE: Duration = Duration::from_secs(15 * 60);
/// Its state is looked at this often.
const LOOK_EVERY: Duration = Duration::from_secs(1);

const OFF: &str = "The heaters are off.";
const NOT_KNOWN: &str =
    "The heaters could not be read back as off: they may be ON. Look at the printer, and switch it off.";

/// Waits until all heaters were read back as off; false when that can't be had.
pub(super) async fn is_cold(port: &mut PortHandle) -> bool {
    let mut patience = Patience::new(PATIENCE, PATIENCE_ALIVE);
    loop {
        if patience.left(&port.view.borrow()).is_zero() {
            return false;
        }
        match timeout(LOOK_EVERY, port.events.recv()).await {
            Ok(Some(PortEvent::Host(HostEvent::HeatSettled, _))) => return true,
            Ok(None) => return false,
            Ok(Some(_)) | Err(_) => {}
        }
    }
}

/// Everything was printed; `what` was.
pub(super) fn printed(what: &str, is_cold: bool) -> Result<ExitCode, Failure> {
    if is_cold {
        say(&format!("{what} {OFF}"));
        return Ok(ExitCode::SUCCESS);
    }
    say(what);
    Err(NOT_KNOWN.into())
}

/// It was not.
pub(super) fn stopped(end: End, is_cold: bool) -> Result<ExitCode, Failure> {
    let heaters = if is_cold { OFF } else { NOT_KNOWN };
    match end {
        End::Cancelled if is_cold => {
            say(&format!("Cancelled. {OFF}"));
            Ok(ExitCode::from(CANCELLED))
        }
        End::Cancelled => Err(format!("Cancelled. {NOT_KNOWN}")),
        End::Failed(reason) => Err(format!("{reason} {heaters}")),
        End::CutOff(place) => Err(format!("{} {heaters}", place.reason)),
    }
}
