//! How a printer of this host and a hub come together: by a code of the hub's, or by a PIN of the printer's.
//!
//! | module | what it owns |
//! |---|---|
//! | [`address`] | the hub's address as people type it |
//! | [`choice`] | which port is the printer's |
//! | [`examination`] | what a printer says of itself |
//! | [`farewell`] | what becomes of the jobs of the hub before |
//! | [`pin`] | waiting until a PIN was typed |
//! | [`service`] | the service that drives the printers, and its user |
//!
//! Owns: the rules and the calls. Must not know: the command line.

pub mod address;
pub mod choice;
pub mod examination;
pub mod farewell;
pub mod pin;
pub mod service;
