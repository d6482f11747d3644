//! How prints went: progress and temperatures of each job over time.
//!
//! Agents post what they saw, also of the time in which the hub was out of their reach ([`agent_routes`]); each sample
//! is kept once ([`store`]), and shown as a series of at most so many points as a chart has ([`points`], pure).
//! Nothing is decided by it. Must not know: the queue beyond which job is whose, or how a printer is right now.

pub mod agent_routes;
pub mod points;
pub mod routes;
pub mod store;
#[cfg(test)]
mod tests;
