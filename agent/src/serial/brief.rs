//! What is known of a job's file before it is fed.
//!
//! Owns: the words for it. Must not know: how it was found out, or what is made of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::heat::Heaters;

/// A file that was looked through.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brief {
    /// Bytes to the end of its last command.
    pub size_bytes: u64,
    /// How long the slicer thinks that it takes.
    pub estimated: Option<Duration>,
    /// It tells its progress by itself: M73.
    pub brings_progress: bool,
    /// It writes on the printer's display: M117.
    pub brings_messages: bool,
    /// Its end is missing: when all of it is printed, the print is not finished.
    #[serde(default)]
    pub cut_off: bool,
    /// What its commands heat.
    #[serde(default)]
    pub heaters: Heaters,
}
