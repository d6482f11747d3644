//! What the end-to-end tests share: a house of real processes for a test, or a printer and one
//! run of the agent without a house; and what a print must look like.
//!
//! Must not know how the product works inside: it links none of the product's crates. In particular the
//! commands of a file are told here once more, by the simplest rule there is ([`gcode`]).
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "only tests use this crate")]
#![allow(clippy::print_stderr, reason = "a failed test says where its logs are")]

pub mod books;
pub mod direct_print;
pub mod gcode;
pub mod house;
pub mod journal;
pub mod stream;
pub mod tls_front;
pub mod unwritable;
