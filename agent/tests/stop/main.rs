//! A stop at once is at once: in every state of what drives a port, `M112` is on the wire before anybody is told that it was
//! ordered, and the board's DTR line falls only after it. The evidence is the wire: raw pseudo terminals, or the record of
//! bytes of `firmware-sim`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

#[path = "../stand_in/mod.rs"]
mod stand_in;
#[allow(dead_code, reason = "its certificate never changes here")]
#[path = "../faults/tls_front.rs"]
mod tls_front;

mod by_firmware;
mod by_hub;
mod by_keyboard;
mod driver;

use std::path::Path;

/// How often a printer was told to halt, by the record of its line.
fn halts(wire: &Path) -> usize {
    let bytes = std::fs::read(wire).unwrap_or_default();
    String::from_utf8_lossy(&bytes).lines().filter(|line| *line == "M112").count()
}
