//! The agent: the daemon on the printer host.
//!
//! | module | what it owns |
//! |---|---|
//! | [`serial`] | the host protocol, without I/O |
//! | [`port`] | serial ports and the thread that drives the protocol on one |
//! | [`print_job`] | one job: its file, its progress, its way through its states |
//! | [`cli`] | what a person types |

pub mod cli;
pub mod port;
pub mod print_job;
pub mod serial;
