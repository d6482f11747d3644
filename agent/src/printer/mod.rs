//! One printer of this agent: its settings, and the task that brings its port, its jobs and its hub together.
//!
//! Owns: wiring. A fault here ends this printer's task and no other. Must not know: other printers.

pub mod folder;
pub mod picture;
pub mod report;
mod task;

pub use task::{Printer, SetupError};
