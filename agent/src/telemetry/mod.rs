//! How the print at hand goes, kept for the hub: progress and temperatures, from time to time.
//!
//! Live status shows the hub a printer as it is now, and nothing while it is out of reach. What is kept here is delivered
//! when it can be ([`crate::hub_link::telemetry`]), each sample once. It is bounded: thinned while nobody takes it, never
//! more than [`series::MOST`] of them, however long the hub is away.
//! Owns: when a sample is taken ([`pace`]), which are kept ([`series`]), and that they outlive the process ([`mod@file`]).
//! Must not know: the hub, or what a printer is.

pub mod file;
pub mod pace;
pub mod series;

pub use pace::Pace;
pub use series::Series;
