//! Where the logs go.
//!
//! Owns: format and filter. Must not know: who logs what.

use std::backtrace::Backtrace;
use std::io::{IsTerminal, Write as _};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::journald::Journal;
use super::outlets::StandardError;

/// Starts logging: to systemd's journal where it has standard error, else to standard error as text. A filter that
/// can't be read is replaced by `info`.
pub(super) fn start(filter: &str) {
    // Who panics must not wait either: its thread may be everybody's.
    std::panic::set_hook(Box::new(|panic| {
        let _ = writeln!(StandardError, "{panic}\n{}", Backtrace::capture());
    }));
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
        // A line that can't be written is not said anywhere else: without this it would be on the same standard error, by whoever
        // has something else to do.
        .log_internal_errors(false)
        .with_writer(|| StandardError)
        .try_init();
}
