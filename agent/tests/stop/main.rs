//! A stop at once is at once: in every state of what drives a port, `M112` is on the wire before anybody is told that it was
//! ordered, and the board's DTR line falls only after it. The evidence is the wire: raw pseudo terminals, or the record of
//! bytes of `firmware-sim`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

#[path = "../stand_in/mod.rs"]
mod stand_in;
#[allow(dead_code, reason = "its certificate never changes here")]
#[path = "../faults/tls_front.rs"]
mod tls_front;

mod at_a_lost_port;
mod at_an_unknown_firmware;
mod by_firmware;
mod by_hub;
mod by_keyboard;
mod by_second_signal;
mod driver;
mod old_card;
mod once_more;
mod rig;
mod unread;

use std::path::Path;

/// How often a printer was told to halt, by the record of its line.
fn halts(wire: &Path) -> usize {
    let bytes = std::fs::read(wire).unwrap_or_default();
    String::from_utf8_lossy(&bytes).lines().filter(|line| *line == "M112").count()
}

/// Whether nothing but the stop itself is in this record, which may end within a line.
fn is_only_the_stop(wire: &str) -> bool {
    let (lines, _) = wire.rsplit_once('\n').unwrap_or_default();
    let is_stop = |line: &str| {
        matches!(line, "" | "M112" | "N0 M110 N0*125" | "N1 M112*32" | "M105" | "N1 M105*38" | "<DTR>")
    };
    lines.lines().all(is_stop)
}
