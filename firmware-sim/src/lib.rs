//! A simulated Marlin printer on a pseudo terminal.
//!
//! Parts that know nothing of each other's trade:
//!
//! - [`firmware`] is the printer: bytes and simulated time in, bytes and accepted commands out. It is pure:
//!   no file, no thread, no clock. Everything a test wants to see of a printer can be seen without a terminal.
//! - [`faults`] decides what goes wrong, repeatably; [`profile`] names the builds there are.
//! - [`virtual_printer`] is the printer behind its line, with the faults of both, on a virtual clock: what a test
//!   of a host talks to.
//! - [`driver`] puts that printer on a pty, keeps the symbolic link hosts open, and looks at the real clock.
//!
//! [`journal`] writes down what the printer really accepted, so that a test can prove that a print arrived
//! exactly: nothing lost, doubled or reordered.
//!
//! The simulator shares no code with the agent's host protocol or with the G-code library: a mistake made in one
//! of them must not be hidden by the same mistake made here.
//!
//! What is modelled, and from where, is listed in [`firmware`].

pub mod driver;
pub mod faults;
pub mod firmware;
pub mod journal;
pub mod profile;
pub mod virtual_printer;

mod random;
