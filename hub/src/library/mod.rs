//! The library: print files and their versions.
//!
//! Owns: taking uploads in, listing, and handing the bytes out. Must not know: what is in a file beyond
//! "this is G-code" (the extractor's), nor how files are printed (the queue's).

pub mod content;
pub mod file;
mod form;
pub mod name;
pub mod routes;
pub mod store;
pub mod upload;

pub use file::{FileMetadata, PrintFile};
