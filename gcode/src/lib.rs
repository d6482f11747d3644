//! G-code as data: what a print file says, without printing it.
//!
//! Everything here is pure and streaming: bytes are fed in chunks of any size, memory stays bounded
//! whatever the file, and no input makes it panic. There is no I/O, no clock and no async here; the agent
//! and the hub bring those.
//!
//! | module | question it answers |
//! |---|---|
//! | [`lines`] | where does each line begin and end? |
//! | [`command`] | what of this line goes to the firmware, and what does it say? |
//! | [`commands`] | what are the commands of a whole file, in order? |
//! | [`modal`] | what has an earlier command set that a later one relies on? |
//! | [`arc`] | where does a G2 or G3 go? |
//! | [`motion`] | how long does it take, how much filament, where, in which layer? |
//! | [`sniff`] | is this G-code at all, judged by its content? |
//! | [`scan`] | what is there to know about a whole file, in one pass? |
//! | [`metadata`] | what does the slicer say of it? |
//! | [`thumbnail`] | what does it look like? |

pub mod arc;
pub mod command;
pub mod commands;
pub mod lines;
pub mod metadata;
pub mod modal;
pub mod motion;
pub mod scan;
pub mod sniff;
pub mod thumbnail;
