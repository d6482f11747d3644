//! Whole conversations with the printer, written like the observed ones; `session` has how they are read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod card;
mod end;
mod heat;
mod levelling;
mod lines;
mod moves;
mod people;
mod session;
