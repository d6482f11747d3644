//! `stardust-agent run`
//!
//! Owns: signals. The first asks for a clean stop, the second ends at once.

use std::process::ExitCode;

use stardust_clock::SharedClock;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::Failure;
use crate::agent;
use crate::settings::Settings;

/// Runs until it is told to stop.
pub(super) async fn run(settings: &Settings, clock: SharedClock) -> Result<ExitCode, Failure> {
    let data = &settings.data;
    std::fs::create_dir_all(data).map_err(|error| format!("{} can't be made: {error}", data.display()))?;
    let (stop, stopping) = watch::channel(false);
    let unwatched = |error: std::io::Error| format!("Signals can't be watched: {error}");
    let mut interrupt = signal(SignalKind::interrupt()).map_err(unwatched)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(unwatched)?;
    let work = agent::run(settings, clock, stopping);
    tokio::pin!(work);
    loop {
        tokio::select! {
            () = &mut work => return Ok(ExitCode::SUCCESS),
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        if stop.send_replace(true) {
            return Err("Stopped at once. The heaters may still be on.".into());
        }
        tracing::info!("stopping");
    }
}
