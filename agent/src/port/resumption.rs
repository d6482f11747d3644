//! A job of an earlier process, as the driver of its port needs it.
//!
//! Owns: what belongs together. Must not know: where it was found.

use crate::serial::{Checkpoint, CommandSource};
use crate::trail::Trail;

/// A job to go on with.
#[derive(Debug)]
pub struct Resumption {
    /// Where it was.
    pub checkpoint: Checkpoint,
    /// Its file, from there on.
    pub source: Box<dyn CommandSource>,
    /// Where it is kept from now on.
    pub trail: Trail,
    /// The port's speed, bits a second.
    pub speed: u32,
    /// This machine has lost its power since: what was written last may be missing.
    pub after_power_loss: bool,
}
