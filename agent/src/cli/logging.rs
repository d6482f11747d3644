//! Where the logs go.
//!
//! Owns: format and filter. Must not know: who logs what.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::journald::Journal;

/// Starts logging: to systemd's journal where it has standard error, else to standard error as text. A filter that
/// can't be read is replaced by `info`.
pub(super) fn start(filter: &str) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    // A second start (in tests) leaves the first in place.
    if let Some(journal) = Journal::of_this_service() {
        let _ = tracing_subscriber::registry().with(filter).with(journal).try_init();
        return;
    }
    let ansi = std::io::stderr().is_terminal();
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(ansi)
        // A full disk or a terminal that was closed takes no line, and that line's thread must go on: without this it would say so
        // on the same standard error, and panic.
        .log_internal_errors(false)
        .with_writer(std::io::stderr)
        .try_init();
}
