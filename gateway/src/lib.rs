//! The MQTT edge: speaks MQTT 3.1.1 to devices in front of the embedded broker (rumqttd's in-process Router),
//! and lets nothing through that is not authenticated, well-formed and allowed.
//!
//! Owns: the listener, the deadlines and limits, the rule of who may publish and subscribe to what
//! ([`policy`]), the broker behind it, and the hub's own link into that broker.
//! Must not know: databases, what a printer is doing, what is in a payload. Who is who is asked of an
//! [`Authenticator`]; what happens is told by [`EdgeEvent`]s.
//!
//! ```text
//! device ──TCP──► accept ──► connection: CONNECT, Authenticator ──► session: validity, policy, rate ──┐
//!                                                                                                     ▼
//! hub ◄── EdgeEvent ◄── hub's link ◄────────────── Router (a thread) ◄── feeder (a thread) ◄── packets
//! hub ──► Gateway::publish ──────────────────────────────────────────────────▲
//! ```
//!
//! Where later work goes: TLS wraps the stream in `connection` (everything below is generic over the
//! stream); another upstream broker stands beside `broker`; a rebuild of a dead broker replaces the
//! Router and its feeder as a pair there; further principals are variants of [`Principal`] with arms
//! in [`policy::allow`]; further limits are fields of [`GatewayConfig`] kept in `limits`.

mod accept;
mod auth;
mod broker;
mod config;
mod connection;
mod error;
mod events;
mod gateway;
mod limits;
pub mod policy;
mod session;
pub mod validity;
mod wire;

pub use auth::{Authenticator, Principal, Refusal};
pub use config::GatewayConfig;
pub use error::{GatewayError, PublishError};
pub use events::{ConnectionId, DisconnectReason, EdgeEvent};
pub use gateway::Gateway;
