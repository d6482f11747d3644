//! What may go wrong with the printer's host, each with its outcome: a full disk, one that turns read-only, files that
//! vanish, a hub whose certificate changes. Real processes; the disks are real ones (`disk`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "tests"
)]

mod asked_to_go;
mod by_hand;
mod cable_out;
mod certificate;
mod disk;
mod doctor;
mod ended_at_once;
mod full;
mod heat;
mod host;
mod in_its_place;
mod lost_journal;
mod machine;
mod no_log;
mod not_begun;
mod odd_files;
mod other_port;
mod own_fault;
mod read_only;
mod revoked;
mod settings;
mod spool;
#[path = "../stand_in/mod.rs"]
mod stand_in;
mod tls_front;
mod unsendable;
mod untold;
mod vanished;
