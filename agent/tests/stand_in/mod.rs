//! What the agent's tests start around it: a simulated printer, and a hub of a few dozen lines.

#![allow(dead_code, reason = "each test file uses its part")]

pub(crate) mod broker;
pub(crate) mod fd_store;
pub(crate) mod hub;
pub(crate) mod printer;

use std::time::Duration;

/// Runs `check` until it gives something, for as long as anyone would wait.
pub(crate) fn eventually<T>(what: &str, mut check: impl FnMut() -> Option<T>) -> T {
    let (_never, wait) = std::sync::mpsc::channel::<()>();
    for _ in 0..6000 {
        if let Some(found) = check() {
            return found;
        }
        let _ = wait.recv_timeout(Duration::from_millis(10));
    }
    panic!("never happened: {what}")
}
