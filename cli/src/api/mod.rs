//! The hub's REST API as a client sees it.
//!
//! Owns: requests, answers, paging and problem details. Must not know: the terminal.

mod client;
mod problem;
mod session;
mod types;

pub(crate) use client::{Client, is_loopback};
pub(crate) use problem::Problem;
pub(crate) use session::sign_in;
pub(crate) use types::{
    Attention, Change, EmergencyStop, Interruption, Op, Pause, Preheat, PrintFile, PrintJob, Printer,
    PrinterStatus, Progress, Temperature, is_id,
};
