//! An agent that can't work, because its own settings can't be understood: what was left hot is turned off all the same.
//!
//! Nobody else comes: it waits for a cable that is out for as long as that takes, and a service manager that asks it to end does
//! not have the heaters left on. Owns: finding what may be hot, and how long each is waited for, before and after it was asked
//! to end. Must not know: how anything is turned off.

use std::time::Duration;

use stardust_clock::SharedClock;
use tokio::sync::watch;
use tokio::time::Instant;

use super::LOOK_FOR_PRINTERS;
use super::left::{AT_THE_LATEST, Attempt, Found, Left};
use crate::disk_work::DiskWork;
use crate::hub_link::client::{Credential, HubClient};
use crate::hub_link::mqtt::MqttLink;
use crate::port::{self, PortHandle, PortPlan, PortStore, PortView, Resumption};
use crate::printer::SetupError;
use crate::printer::folder::{JournalStamp, PrinterConfig, PrinterFolder};
use crate::printer::left_hot::Patience;
use crate::printer::wiring::Wiring;
use crate::serial::Parking;
use crate::settings::Settings;
use crate::systemd::{self, ServiceManager};

/// The service manager is asked for more time each time for so long.
const MORE_TIME: Duration = Duration::from_secs(15);
/// Whoever starts it waits no longer than this for hot printers that don't answer.
const START_TAKES_AT_MOST: Duration = Duration::from_secs(90);
/// As an agent that works: how long one that is asked to end waits for a printer that does not answer any more.
const STOP_PATIENCE: Duration = Duration::from_secs(10);
/// And for one that does: it may heat, and nothing but the end of that gets its ear.
const STOP_PATIENCE_ALIVE: Duration = Duration::from_secs(15 * 60);
/// A printer is looked at this often then.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Turns off what printers were left heating, however long that takes. `settings` are what is left of those that can't be
/// understood.
///
/// When `stop` turns true, those are waited for that can still be reached: not one whose port is not there, nor one that is silent.
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
                    see_to(folder, patience, clock.clone(), ports.clone(), stop.clone())
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

/// One of them, until it is safe, or nothing more can be done about it after `stop` has turned true.
async fn see_to(
    folder: PrinterFolder,
    patience: Patience,
    clock: SharedClock,
    ports: PortStore,
    stop: watch::Receiver<bool>,
) -> Option<JournalStamp> {
    let (tell, sight) = watch::channel(Sight::Looking);
    let watched = Watched { ports, sight: tell };
    tokio::select! {
        journal = make_safe(&folder, patience, &clock, &watched, stop.clone()) => journal,
        is_hot = given_up(stop, sight) => {
            if is_hot {
                tracing::error!(
                    printer.name = folder.name(),
                    "stopping, and the heaters could not be read back as off: look after the printer"
                );
            }
            None
        }
    }
}

async fn make_safe(
    folder: &PrinterFolder,
    patience: Patience,
    clock: &SharedClock,
    watched: &Watched,
    mut stop: watch::Receiver<bool>,
) -> Option<JournalStamp> {
    // How long it goes on once it is asked to end is not for one attempt to say.
    let (_keep, never) = watch::channel(false);
    let mut again = LOOK_FOR_PRINTERS;
    loop {
        let sight = match Attempt::at(folder, clock, watched, patience, never.clone()).await {
            Attempt::Over(journal) => return journal,
            Attempt::InVain => Sight::Looking,
            Attempt::Theirs => Sight::Theirs,
        };
        again = match sight {
            Sight::Looking if patience == Patience::Short => (again * 2).min(AT_THE_LATEST),
            _ => LOOK_FOR_PRINTERS,
        };
        watched.sight.send_replace(sight);
        let was_stopping = *stop.borrow();
        tokio::select! {
            // There is no time to lose then.
            () = tokio::time::sleep(if was_stopping { LOOK_EVERY } else { again }) => {}
            _ = stop.wait_for(|stop| *stop), if !was_stopping => {}
        }
    }
}

/// Once `stop` has turned true, when nothing more can be done; whether the printer may be hot then.
async fn given_up(mut stop: watch::Receiver<bool>, sight: watch::Receiver<Sight>) -> bool {
    if stop.wait_for(|stop| *stop).await.is_err() {
        return std::future::pending().await;
    }
    let mut patience = port::Patience::new(STOP_PATIENCE, STOP_PATIENCE_ALIVE);
    loop {
        let view = match &*sight.borrow() {
            Sight::Looking => PortView::closed(),
            Sight::Theirs => return false,
            Sight::At(view) => view.borrow().clone(),
        };
        // A port that is not there has nothing to wait for.
        if view.port_error.is_some() || patience.left(&view).is_zero() {
            return true;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// What is known of a printer that may be hot.
#[derive(Debug, Clone)]
enum Sight {
    /// Nothing yet.
    Looking,
    /// A print that is at work looks after it.
    Theirs,
    /// Its port is being driven.
    At(watch::Receiver<PortView>),
}

/// The machine's ports, each of them seen while it is driven.
struct Watched {
    ports: PortStore,
    sight: watch::Sender<Sight>,
}

impl Wiring for Watched {
    fn drive(
        &self,
        folder: &PrinterFolder,
        plan: PortPlan,
        parking: Parking,
        clock: &SharedClock,
        job: Option<Resumption>,
    ) -> std::io::Result<PortHandle> {
        let port = self.ports.drive(folder, plan, parking, clock, job)?;
        self.sight.send_replace(Sight::At(port.view.clone()));
        Ok(port)
    }

    fn connect(
        &self,
        folder: &PrinterFolder,
        config: &PrinterConfig,
        credential: Credential,
    ) -> Result<(HubClient, MqttLink), SetupError> {
        self.ports.connect(folder, config, credential)
    }
}
