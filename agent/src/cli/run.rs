//! `stardust-agent run`
//!
//! Owns: signals. SIGINT and SIGTERM: the first asks for a clean stop, the second ends at once. SIGUSR1 hands over: the
//! process ends at once and leaves everything as it is, because systemd starts the next one, which goes on.

use std::path::PathBuf;
use std::process::ExitCode;

use stardust_clock::{SharedClock, SystemClock};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::Failure;
use crate::agent;
use crate::port::PortStore;
use crate::settings::Settings;

/// The settings can't be understood: what was left hot is turned off before the process gives up.
pub(super) fn make_safe(data: Option<PathBuf>) {
    // Without a runtime nothing can be done.
    if let Ok(runtime) = super::runtime() {
        let settings = Settings::without_a_file(data);
        let ports = PortStore::from_environment();
        runtime.block_on(agent::make_all_safe(&settings, SystemClock::shared(), ports));
    }
}

/// Runs until it is told to stop.
pub(super) async fn run(settings: &Settings, clock: SharedClock) -> Result<ExitCode, Failure> {
    let data = &settings.data;
    std::fs::create_dir_all(data).map_err(|error| format!("{} can't be made: {error}", data.display()))?;
    let ports = PortStore::from_environment();
    let (stop, stopping) = watch::channel(false);
    let unwatched = |error: std::io::Error| format!("Signals can't be watched: {error}");
    let mut interrupt = signal(SignalKind::interrupt()).map_err(unwatched)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(unwatched)?;
    let mut hand_over = signal(SignalKind::user_defined1()).map_err(unwatched)?;
    let work = agent::run(settings, clock, ports.clone(), stopping);
    tokio::pin!(work);
    loop {
        tokio::select! {
            () = &mut work => return Ok(ExitCode::SUCCESS),
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hand_over.recv() => {
                if PortStore::is_kept() {
                    // What is sent from now on is known to the next process as well: every line is, before it is sent.
                    ports.hand_over();
                    tracing::info!("handing over to the next process");
                    return Ok(ExitCode::SUCCESS);
                }
                tracing::warn!("there is nobody to hand over to (NOTIFY_SOCKET is not set): stopping instead");
            }
        }
        if stop.send_replace(true) {
            return Err("Stopped at once. The heaters may still be on.".into());
        }
        tracing::info!("stopping");
    }
}
