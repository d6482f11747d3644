//! A print job on this printer: its file as commands, how far it is, and its way through its states.
//!
//! Owns: what is known of one job. Must not know: the wire to the hub, or the serial protocol's inside.

pub mod admission;
pub mod briefed;
mod demands;
pub mod estimate;
pub mod file_source;
pub mod hindrance;
pub mod layers;
pub mod lifecycle;
pub mod profile;
pub mod return_plan;
mod settings;
pub mod stopwatch;
pub mod wholeness;
