//! What the fuzz targets share.
//!
//! Owns: how one input becomes chunks, and the way to the agent's serial protocol. Must not know: any parser.

/// The agent's serial protocol, compiled from its own sources. Through the agent's crate it would bring TLS,
/// HTTP and MQTT with it, and minutes of building; it needs none of them.
#[path = "../../agent/src/serial/mod.rs"]
#[allow(dead_code)]
pub mod serial;

/// An input in two chunks: its first two bytes say where it is cut.
#[must_use]
pub fn cut(input: &[u8]) -> (&[u8], &[u8]) {
    let [high, low, rest @ ..] = input else { return (input, &[]) };
    let at = usize::from(u16::from_be_bytes([*high, *low])) % (rest.len() + 1);
    rest.split_at(at)
}
