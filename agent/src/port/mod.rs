//! Serial ports: finding and opening them, and the thread that drives the host protocol on one.
//!
//! | module | what it owns |
//! |---|---|
//! | [`devices`], `locator` | which device is the printer's, whatever its name has become |
//! | [`listing`] | the ports a person chooses from |
//! | [`open`], `permission`, `reset`, `latency` | opening a port the way a printer needs it |
//! | `speed_search`, `recognition`, `speed_memory` | which speed it speaks: rules without I/O |
//! | [`driver`], `wait`, `seek` | the thread: bytes, orders, waiting; finding the speed |
//! | [`connect`] | waiting until a printer is ready |
//! | [`round_trip`] | how long an answer takes |
//!
//! Owns: I/O and waiting. Must not know: what is printed, or the hub.

pub mod connect;
pub mod devices;
pub mod driver;
mod latency;
pub mod listing;
mod locator;
pub mod open;
mod permission;
mod plan;
mod recognition;
mod reset;
pub mod round_trip;
mod seek;
mod speed_memory;
mod speed_search;
mod view;
mod wait;
mod waker;

pub use devices::DeviceTree;
pub use driver::{Order, PortEvent, PortHandle, SpeedView, drive};
pub use latency::latency_ms;
pub use locator::{locate, remember_adapter};
pub use plan::PortPlan;
pub use speed_memory::SpeedMemory;
pub use view::{Asked, JobView, PortView};
