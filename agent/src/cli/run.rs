//! `stardust-agent run`
//!
//! Owns: signals. SIGINT, SIGTERM and all others by which a process ends: the first asks for a clean stop, the second stops the
//! printers that are not done with that at once (`M112`) and ends. SIGUSR1 hands over: the process ends at once and leaves
//! everything as it is, because systemd starts the next one, which goes on.

use std::future::Future;
use std::process::ExitCode;

use rustix::process::Signal as Number;
use stardust_clock::{SharedClock, SystemClock};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use super::Failure;
use super::signals::Ending;
use crate::agent;
use crate::folder_lock::FolderLock;
use crate::port::PortStore;
use crate::settings::{Given, Settings};

/// The settings can't be understood: what was left hot is turned off before the process gives up.
pub(super) fn make_safe(given: Given) {
    // Without a runtime nothing can be done.
    let Ok(runtime) = super::runtime() else { return };
    let settings = Settings::salvaged(given);
    let ports = PortStore::from_environment();
    let ended = super::carried_out_by(runtime, async {
        // Before anything that takes its time: who is ended by the first one leaves everything on.
        let signals = Signals::watch();
        let (stop, stopping) = watch::channel(false);
        let work = async {
            // Where it is held, another agent looks after its printers.
            let _held = FolderLock::take(&settings.data).await.map_err(|another| another.to_string())?;
            agent::make_all_safe(&settings, SystemClock::shared(), ports.clone(), stopping).await;
            Ok(())
        };
        match signals {
            Ok(signals) => signals.attend(work, &stop, &ports).await,
            Err(error) => {
                tracing::error!(error, "what is hot is turned off all the same");
                work.await
            }
        }
    });
    if let Err(error) = ended {
        super::fail(&error);
    }
}

/// Runs until it is told to stop.
pub(super) async fn run(settings: &Settings, clock: SharedClock) -> Result<ExitCode, Failure> {
    let data = &settings.data;
    std::fs::create_dir_all(data).map_err(|error| format!("{} can't be made: {error}", data.display()))?;
    let _held = FolderLock::take(data).await.map_err(|error| error.to_string())?;
    let ports = PortStore::from_environment();
    let (stop, stopping) = watch::channel(false);
    let signals = Signals::watch()?;
    let work = async {
        let hot = agent::run(settings, clock, ports.clone(), stopping).await;
        if hot.is_empty() { Ok(()) } else { Err(may_be_hot(&hot)) }
    };
    signals.attend(work, &stop, &ports).await.map(|()| ExitCode::SUCCESS)
}

const HAND_OVER: Number = Number::USR1;

/// Those that a service is ended by.
struct Signals {
    ending: Ending,
    hand_over: Signal,
}

impl Signals {
    fn watch() -> Result<Self, Failure> {
        let hand_over = signal(SignalKind::from_raw(HAND_OVER.as_raw()));
        let hand_over = hand_over.map_err(|error| format!("Signals can't be watched: {error}"))?;
        Ok(Self { ending: Ending::watch_but(Some(HAND_OVER))?, hand_over })
    }

    /// Until the work is done, which is told by the first one to come to its end, or there was another one.
    async fn attend(
        mut self,
        work: impl Future<Output = Result<(), Failure>>,
        stop: &watch::Sender<bool>,
        ports: &PortStore,
    ) -> Result<(), Failure> {
        tokio::pin!(work);
        loop {
            let is_stopping = *stop.borrow();
            tokio::select! {
                result = &mut work => return result,
                () = self.ending.heard(is_stopping) => {}
                _ = self.hand_over.recv() => {
                    if PortStore::is_kept() {
                        // What is sent from now on is known to the next process as well: every line is, before it is sent.
                        ports.hand_over();
                        tracing::info!("handing over to the next process");
                        return Ok(());
                    }
                    if is_stopping {
                        continue;
                    }
                    tracing::warn!("there is nobody to hand over to (NOTIFY_SOCKET is not set): stopping instead");
                }
            }
            if stop.send_replace(true) {
                let ports = ports.clone();
                let stopped = tokio::task::spawn_blocking(move || ports.kill_all()).await.unwrap_or_default();
                return Err(at_once(stopped));
            }
            tracing::info!("stopping");
        }
    }
}

/// What a person is told of printers that were not seen safe before the end.
fn may_be_hot(printers: &[String]) -> Failure {
    format!(
        "Stopped, and these printers may be HOT: {}. Their heaters could not be read back as off: look after them, or switch them \
         off. The next start turns the heaters off as soon as it reaches them.",
        printers.join(", ")
    )
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
