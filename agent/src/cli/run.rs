//! `stardust-agent run`
//!
//! Owns: signals. SIGINT, SIGTERM, SIGHUP and SIGQUIT: the first asks for a clean stop, the second stops the printers that are
//! not done with that at once (`M112`) and ends. SIGUSR1 hands over: the
//! process ends at once and leaves everything as it is, because systemd starts the next one, which goes on.

use std::process::ExitCode;

use stardust_clock::{SharedClock, SystemClock};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::Failure;
use crate::agent;
use crate::folder_lock::FolderLock;
use crate::port::PortStore;
use crate::settings::{Given, Settings};

/// The settings can't be understood: what was left hot is turned off before the process gives up.
pub(super) fn make_safe(given: Given) {
    // Without a runtime nothing can be done.
    if let Ok(runtime) = super::runtime() {
        let settings = Settings::salvaged(given);
        let ports = PortStore::from_environment();
        runtime.block_on(async {
            match FolderLock::take(&settings.data).await {
                Ok(_held) => agent::make_all_safe(&settings, SystemClock::shared(), ports).await,
                // That one looks after its printers.
                Err(another) => drop(super::fail(&another.to_string())),
            }
        });
    }
}

/// Runs until it is told to stop.
pub(super) async fn run(settings: &Settings, clock: SharedClock) -> Result<ExitCode, Failure> {
    let data = &settings.data;
    std::fs::create_dir_all(data).map_err(|error| format!("{} can't be made: {error}", data.display()))?;
    let _held = FolderLock::take(data).await.map_err(|error| error.to_string())?;
    let ports = PortStore::from_environment();
    let (stop, stopping) = watch::channel(false);
    let unwatched = |error: std::io::Error| format!("Signals can't be watched: {error}");
    let mut interrupt = signal(SignalKind::interrupt()).map_err(unwatched)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(unwatched)?;
    let mut hang_up = signal(SignalKind::hangup()).map_err(unwatched)?;
    let mut quit = signal(SignalKind::quit()).map_err(unwatched)?;
    let mut hand_over = signal(SignalKind::user_defined1()).map_err(unwatched)?;
    let work = agent::run(settings, clock, ports.clone(), stopping);
    tokio::pin!(work);
    loop {
        tokio::select! {
            () = &mut work => return Ok(ExitCode::SUCCESS),
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
            _ = quit.recv() => {}
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
            let stopped = tokio::task::spawn_blocking(move || ports.kill_all()).await.unwrap_or_default();
            return Err(at_once(stopped));
        }
        tracing::info!("stopping");
    }
}

/// What a person is told who would not wait for the clean stop.
fn at_once((sent, open): (usize, usize)) -> Failure {
    let looks = "Look whether the heaters are off; else switch the printer off.";
    match open {
        0 => format!(
            "Stopped at once. No printer was being stopped any more, so none was told to halt. {looks}"
        ),
        _ if sent == open => format!(
            "Stopped at once: {sent} of {open} printers that were still being stopped were told to halt (M112), and their \
             boards were reset where they are wired so. {looks}"
        ),
        _ => format!(
            "Stopped at once, but only {sent} of {open} printers that were still being stopped took the order to halt \
             (M112). Switch the others off by hand."
        ),
    }
}
