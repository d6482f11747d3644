//! `M0` and `M1` with a time: a wait, not a stop.
//!
//! Owns: telling the one from the other. Must not know: how a host waits.
//! Sources: Marlin's `src/gcode/lcd/M0_M1.cpp` and Prusa-Firmware's `Marlin_main.cpp`: `P` milliseconds, `S` seconds,
//! which counts where both stand there, and no time is a wait for a person.

use super::params::number_length;

/// Longer than that is a mistake, and a person is asked instead, ms.
const LONGEST_MS: f64 = 24.0 * 3_600_000.0;

/// The time that stands at the beginning of an `M0`'s argument, in ms; none where it waits for a person. A time further
/// behind is part of a text for people (`M0 Insert the M3 nuts P5 and P6`).
pub(super) fn wait_ms(argument: &[u8]) -> Option<u32> {
    let mut found = None;
    for word in argument.split(|byte| *byte == b' ').filter(|word| !word.is_empty()) {
        let Some((letter, number)) = word.split_first() else { break };
        if number.is_empty() || number_length(number) != number.len() {
            break;
        }
        let Some(value) = std::str::from_utf8(number).ok().and_then(|text| text.parse::<f64>().ok()) else {
            break;
        };
        match letter {
            b'S' | b's' => return ms(value * 1000.0),
            b'P' | b'p' => found = ms(value),
            _ => break,
        }
    }
    found
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within bounds")]
fn ms(value: f64) -> Option<u32> {
    (1.0..=LONGEST_MS).contains(&value).then_some(value as u32)
}
