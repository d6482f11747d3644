//! The hub: one binary with the fleet, the library, the queue, and the dashboard that shows them.
//!
//! A folder per capability: [`accounts`], [`fleet`], [`library`], [`extractor`], [`queue`], [`stop`], [`preheat`], [`telemetry`]; each holds its
//! rules (pure), its store (SQL) and its routes. Platform folders ([`db`], [`objects`], [`events`], [`api`]) know no
//! capability's business. `ARCHITECTURE.md` shows the way of one print through them.

pub mod accounts;
pub mod agent_link;
pub mod api;
pub mod app;
pub mod config;
pub mod dashboard;
pub mod db;
pub mod error;
pub mod events;
pub mod extractor;
pub mod fleet;
pub mod last_times;
pub mod library;
pub mod objects;
pub mod preheat;
pub mod queue;
pub mod secret;
pub mod serve;
pub mod stop;
pub mod telemetry;
#[cfg(test)]
mod testing;
pub mod waiting_agents;
pub mod work;
