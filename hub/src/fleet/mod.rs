//! The fleet: which printers there are, and how each of them is right now.
//!
//! Rows (name, model, credential) are in the database; live data is a twin in memory ([`twin`]), fed by the
//! agents' status messages ([`ingest`]) and by the queue, which says which job is on a printer.
//! Must not know: what is in the queue beyond that.

pub mod agent_routes;
pub mod attempts;
pub mod credentials;
pub mod emergency;
pub mod ingest;
pub mod pairing;
pub mod pin;
pub mod printer;
pub mod removal;
pub mod routes;
pub mod second_agent;
pub mod speaker;
mod stops;
pub mod store;
pub mod twin;
pub mod waiting;

pub use printer::{Contact, ContactState, JobOnPrinter, Printer};
pub use twin::Fleet;
