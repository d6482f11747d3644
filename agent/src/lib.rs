//! The agent: the daemon on the printer host.

pub mod serial;
