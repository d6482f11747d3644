//! Serial ports: opening them, listing them, and the thread that drives the host protocol on one.
//!
//! Owns: I/O and waiting. Must not know: what is printed, or the hub.

pub mod connect;
pub mod driver;
mod latency;
pub mod listing;
pub mod open;
mod view;
mod wait;
mod waker;

pub use driver::{Order, PortEvent, PortHandle, drive};
pub use latency::latency_ms;
pub use view::{JobView, PortView};
