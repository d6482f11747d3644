//! What happened, for whoever needs to know.
//!
//! [`outbox`]: durable, for the hub's own work (extract a file, wake an agent): rows written with the change.
//! [`bus`]: fleeting, for the people who watch: deltas over SSE, resumable for as long as memory holds them.

pub mod bus;
pub mod outbox;
pub mod stream;
