//! What can go wrong between host and printer, on demand: which faults, how often, and their replay by seed.
//!
//! Owns the choice of a fault and where it strikes. The line and the firmware carry it out
//! ([`virtual_printer`](crate::virtual_printer)). Every decision follows from the seed and the bytes that pass,
//! never from how they were cut into pieces: the same seed and the same host give the same run.
//!
//! # What a host may rely on
//!
//! The faults are those a host can survive, as far as its protocol allows. A line's checksum is the exclusive or
//! of its bytes: it finds every single damaged, lost or doubled byte, but two in one line may cancel out, and no
//! host could ever tell. So a byte fault strikes a line at most once and spares the line after it (a damaged line
//! end makes one line of two), and damage is one flipped bit (three could make a line end of a space, and the
//! rest of the line a command without number). What no rule can spare: with EMERGENCY_PARSER a flipped bit can
//! make an M112 of an M110 or M113, and the printer is rightly killed. And where the dialect verifies nothing
//! (Klipper's pty), damage on the way in stays unnoticed.

mod incoming;
mod kind;
mod outgoing;
mod plan;
mod rule;

pub use kind::FaultKind;
pub use plan::{Fault, FaultPlan, InvalidFault, Trigger};

pub(crate) use incoming::Incoming;
pub(crate) use outgoing::{Outgoing, Sending};
pub(crate) use rule::Rule;
