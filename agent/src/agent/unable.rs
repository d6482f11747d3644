//! An agent that can't work, because its own settings can't be understood: what was left hot is turned off all the same.
//!
//! Nobody else comes: it waits for a cable that is out for as long as that takes, and a service manager that asks it to end does
//! not have the heaters left on. Owns: finding what may be hot, and what the service manager is told meanwhile. Must not know: how
//! anything is turned off.

use std::time::Duration;

use stardust_clock::SharedClock;
use tokio::sync::watch;
use tokio::time::Instant;

use super::LOOK_FOR_PRINTERS;
use super::left::{Found, Left, make_safe};
use crate::disk_work::DiskWork;
use crate::port::PortStore;
use crate::printer::folder::PrinterFolder;
use crate::printer::left_hot::Patience;
use crate::settings::Settings;
use crate::systemd::{self, ServiceManager};

/// The service manager is asked for more time each time for so long.
const MORE_TIME: Duration = Duration::from_secs(15);
/// Whoever starts it waits no longer than this for hot printers that don't answer.
const START_TAKES_AT_MOST: Duration = Duration::from_secs(90);

/// Turns off what printers were left heating, however long that takes. `settings` are what is left of those that can't be
/// understood.
///
/// When `stop` turns true, each is waited for as by an agent that works.
pub async fn make_all_safe(
    settings: &Settings,
    clock: SharedClock,
    ports: PortStore,
    mut stop: watch::Receiver<bool>,
) {
    let mut left = Left::default();
    let (began, mut service) = (Instant::now(), ServiceManager::default());
    let mut said = false;
    loop {
        let is_stopping = *stop.borrow_and_update();
        if is_stopping && !std::mem::replace(&mut said, true) {
            service.tell_stopping();
        }
        if is_stopping || began.elapsed() < START_TAKES_AT_MOST {
            systemd::ask_for_time(MORE_TIME);
        } else {
            service.tell_unable(
                "nothing is printed: the settings can't be understood (see the log). A printer may be hot and does not answer: \
                 look after it. Mend the settings, then: systemctl restart stardust-agent",
            );
        }
        let is_looked = match found(settings).await {
            Ok(found) => {
                left.see_to(found, |folder, patience| {
                    make_safe(folder, patience, clock.clone(), ports.clone(), stop.clone())
                });
                true
            }
            Err(error) => {
                tracing::error!(error = %error, "what was left hot can't be looked for");
                false
            }
        };
        if left.is_idle() && (is_looked || is_stopping) {
            return;
        }
        tokio::select! {
            () = left.one_is_over() => {}
            Ok(()) = stop.changed() => {}
            () = tokio::time::sleep(LOOK_FOR_PRINTERS) => {}
        }
    }
}

/// Printers that are paired, and what else may be hot, each with how long it is waited for at a time.
async fn found(settings: &Settings) -> std::io::Result<Vec<Found>> {
    let settings = settings.clone();
    let look = move || {
        let paired = PrinterFolder::all(&settings).into_iter();
        let paired = paired.map(|folder| Found::now(folder, Patience::Endless));
        Ok(paired.chain(Found::left_hot(&settings)).collect())
    };
    DiskWork::on_threads().run(look).await
}
