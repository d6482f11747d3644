//! Which printer: its firmware's build and the line it hangs on.

use std::time::Duration;

use crate::firmware::Config;

/// A printer and its line.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// The firmware's build and the machine's size.
    pub config: Config,
    /// The line between host and printer.
    pub line: LineSettings,
    /// Simulated seconds of the printer per second of the line, greater than 0. The line never runs faster.
    pub speed: f64,
}

/// What the line does to bytes beside carrying them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineSettings {
    /// Bytes pass at a tenth of this rate a second, in both directions; `None`: at once.
    pub baud: Option<u32>,
    /// From a byte's end on one side to its arrival at the other, each way: half of a USB round trip.
    pub latency: Duration,
}

impl Default for Profile {
    fn default() -> Self {
        Self { config: Config::default(), line: LineSettings::default(), speed: 1.0 }
    }
}
