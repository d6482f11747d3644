//! A whole house of real processes on one machine: a hub, simulated printers, an agent beside each.
//!
//! Owns how the binaries are found, started, waited for and stopped, and a small client of the hub's public API.
//! The demo (`stardust-demo`) and the end-to-end tests are built on it.
//! Must not know what the processes do inside: it links none of their crates, and talks to them as anybody could.

pub mod agent;
pub mod binaries;
pub mod client;
pub mod database;
pub mod error;
pub mod house;
pub mod hub;
pub mod port;
pub mod process;
pub mod sign_in;
pub mod simulator;
pub mod wait;

mod spawn;

pub use error::{Error, Result};
