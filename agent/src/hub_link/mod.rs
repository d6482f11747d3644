//! The link to the hub: jobs and events over HTTPS, live status and commands over MQTT.
//!
//! Owns: the wire, its retries and its errors. Must not know: what a print is, or the serial port.

pub mod back_off;
mod certificate;
pub mod client;
mod command_wait;
pub mod commands;
pub mod events;
pub mod hub_time;
pub mod instance;
pub mod mqtt;
pub mod status;
pub mod telemetry;
pub mod transport;
