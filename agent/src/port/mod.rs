//! Serial ports: finding and opening them, and the thread that drives the host protocol on one.
//!
//! | module | what it owns |
//! |---|---|
//! | [`devices`], `locator` | which device is the printer's, whatever its name has become |
//! | [`listing`] | the ports a person chooses from |
//! | [`open`], `permission`, `reset`, `latency` | opening a port the way a printer needs it |
//! | [`kept`], `resumption` | what outlives this process: open ports, and a job to go on with |
//! | `speed_search`, `recognition`, `speed_memory` | which speed it speaks: rules without I/O |
//! | `handle`, [`driver`], `wait`, `seek`, `kill`, `reopening` | the thread: bytes, orders, waiting; finding the speed; stopping at once; opening it again |
//! | `pulse` | whether the thread still turns |
//! | [`connect`] | waiting until a printer is ready |
//! | [`round_trip`] | how long an answer takes |
//!
//! Owns: I/O and waiting. Must not know: what is printed, or the hub.

pub mod connect;
pub mod devices;
pub mod driver;
mod ended;
mod handle;
pub mod kept;
mod kill;
mod latency;
pub mod listing;
mod locator;
pub mod open;
mod patience;
mod permission;
mod plan;
mod pulse;
mod recognition;
mod reopening;
mod reset;
mod resumption;
pub mod round_trip;
mod second_way;
mod seek;
mod speed_memory;
mod speed_search;
mod view;
mod wait;
mod waker;

pub use crate::serial::STOP_KEPT;
pub use devices::DeviceTree;
pub use driver::{drive, drive_on};
pub use handle::{Order, Orders, PortEvent, PortHandle, Reach, SpeedView, Workplace, handle};
pub use kept::PortStore;
pub use latency::latency_ms;
pub use locator::{adapter_is_of, device, locate, remember_adapter};
#[cfg(test)]
pub(crate) use open::tests::pty;
pub use patience::{END_SILENT, Patience};
pub use plan::PortPlan;
pub use pulse::Pulse;
pub use resumption::Resumption;
pub use speed_memory::SpeedMemory;
pub use view::{Asked, JobView, PortView};
