//! A printer that can't be driven, and may have been left hot: it is made safe all the same, as far as its port can be
//! opened.
//!
//! Settings with a mistake, a credential or a journal that can't be read, a hub's address that is none: nothing of that
//! is a reason to leave heaters on, or not to stop it at once. Owns: what is enough to know for that. Must not know: jobs, the hub.

use std::path::Path;
use std::time::Duration;

use stardust_clock::SharedClock;
use tokio::sync::watch;
use tokio::time::Instant;

use super::by_hand;
use super::folder::PrinterFolder;
use super::stop_desk::StopDesk;
use super::stops::BY;
use super::wiring::Wiring;
use crate::disk_work::DiskWork;
use crate::journal::{HeatOwed, Journal};
use crate::port::{self, Order, PortEvent, PortPlan, Reach, device};
use crate::serial::{HostEvent, Parking, Safety};
use crate::systemd;
use crate::trail::Trail;

/// How long a printer is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// What is wrong may be mended meanwhile: it is looked at again soon, above all where the port is not there.
    Short,
    /// Nobody else comes: until its heaters were read back as off.
    Endless,
}

impl Patience {
    /// Whether it is over after so long.
    fn is_over(self, waited: Duration, port_is_there: bool) -> bool {
        let most = if port_is_there { Duration::from_secs(90) } else { Duration::from_secs(5) };
        self == Self::Short && waited >= most
    }
}

/// The port is looked at this often.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The service manager that waits for the end is asked for more time each time for so long.
const MORE_TIME: Duration = Duration::from_secs(15);

/// What may be hot of a printer that can't be driven.
#[derive(Debug)]
struct Hot {
    owed: HeatOwed,
    /// `InPlace`: a part stands there that may be gone on with.
    safety: Safety,
    /// How its port is reached, where anybody knows.
    plan: Option<PortPlan>,
    /// Nothing else may be hot.
    is_all: bool,
}

/// Turns off what may be on, and reads it back. True: nothing more has to be done, because all is off or nobody could do
/// more; false: to be tried again. When `stop` turns true, it goes on for as long as a printer is waited for then.
pub async fn make_safe(
    folder: &PrinterFolder,
    clock: &SharedClock,
    wiring: &impl Wiring,
    patience: Patience,
    stop: watch::Receiver<bool>,
) -> bool {
    make_safe_or_stop(folder, clock, wiring, patience, stop, &StopDesk::default()).await
}

/// The same; what is asked for at the desk comes before everything else.
pub async fn make_safe_or_stop(
    folder: &PrinterFolder,
    clock: &SharedClock,
    wiring: &impl Wiring,
    patience: Patience,
    mut stop: watch::Receiver<bool>,
    desk: &StopDesk,
) -> bool {
    let disk = wiring.disk();
    let (looked, is_wanted) = (folder.clone(), desk.is_wanted());
    let hot = match disk.run(move || Ok(look(&looked).or_else(|| is_wanted.then(|| anything(&looked))))).await
    {
        Ok(looked) => looked,
        Err(error) => {
            tracing::error!(printer.name = folder.name(), error = %error, "whether it is hot can't be found out");
            return false;
        }
    };
    let Some(Hot { mut owed, safety, plan, is_all }) = hot else { return true };
    let name = folder.name();
    let Some(plan) = plan else {
        if desk.take() {
            tracing::error!(
                printer.name = name,
                "it is to be stopped at once, and nobody knows its port: switch it off by hand"
            );
            desk.reached(Reach::GaveUp);
        }
        tracing::error!(printer.name = name, "it may be hot, and nobody knows its port: look after it");
        return true;
    };
    let at = plan.path.clone();
    let what = if desk.is_wanted() { "it is stopped at once" } else { "its heaters are turned off" };
    tracing::warn!(
        printer.name = name, port.path = %plan.path.display(),
        "this printer can't be driven and may be hot: {what}"
    );
    let mut port = match wiring.drive(folder, plan, Parking::default(), clock, None) {
        Ok(port) => port,
        Err(error) => {
            tracing::error!(printer.name = name, error = %error, "its port can't be driven");
            return false;
        }
    };
    let is_stopped = desk.take();
    if is_stopped {
        // Before anything else: it is the first thing that is written when the port is open.
        port.order(Order::Kill(BY.into()));
    }
    port.order(Order::Name(owed.heaters.clone()));
    if !is_stopped {
        let was_stopped = owed.stopped || desk.was_sent();
        port.order(if was_stopped { Order::FollowStopUp } else { Order::MakeSafe(safety) });
    }
    let (mut began, mut end, mut said_gone) = (Instant::now(), None, false);
    let settled = loop {
        if desk.take() {
            port.order(Order::Kill(BY.into()));
        }
        if *stop.borrow() {
            systemd::ask_for_time(MORE_TIME);
            let end = end.get_or_insert_with(port::Patience::at_the_end);
            let (left, is_there) = {
                let view = port.view.borrow();
                (end.left(&view), view.port_error.is_none())
            };
            if left.is_zero() {
                break false;
            }
            if !is_there && !std::mem::replace(&mut said_gone, true) {
                tracing::warn!(
                    printer.name = name,
                    wait_s = port::END_SILENT.as_secs(),
                    "stopping, the printer may be hot, and its port is not there: waiting for it a moment"
                );
            }
        } else {
            let is_there = port.view.borrow().port_error.is_none();
            // A stop is kept for its port as long as the port's own thread keeps it.
            if !desk.is_under_way() && patience.is_over(began.elapsed(), is_there) {
                break false;
            }
        }
        tokio::select! {
            event = port.events.recv() => match event {
                // What was read back before it was on the wire settles nothing.
                Some(PortEvent::Host(HostEvent::HeatSettled | HostEvent::HeatLeftToCard, _)) if !desk.is_under_way() => break true,
                Some(PortEvent::Killed(reach)) => {
                    desk.reached(reach);
                    began = Instant::now();
                    if reach == Reach::GaveUp {
                        port.order(Order::FollowStopUp);
                    }
                    owed = owe_for_stop(&disk, folder, &owed, &at).await;
                }
                None => break false,
                Some(_) => {}
            },
            () = desk.wanted() => {}
            Ok(()) = stop.changed() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    };
    port.close().await;
    desk.give_back();
    if settled {
        tracing::warn!(printer.name = name, "its heaters are off");
        let folder = folder.clone();
        let crossed = move || {
            cross_out(&folder, &owed);
            Ok(())
        };
        if let Err(error) = disk.run(crossed).await {
            tracing::warn!(error = %error, "that the heaters are off could not be written down");
        }
    } else {
        tracing::error!(printer.name = name, "its heaters could not be read back as off: look after it");
    }
    // What is hot at another port is seen to the next time.
    settled && is_all
}

/// Where nothing is owed, and it has to be stopped at once all the same.
fn anything(folder: &PrinterFolder) -> Hot {
    let owed = HeatOwed { in_place: true, ..HeatOwed::default() };
    let plan = plan(folder, &owed);
    Hot { owed, safety: Safety::InPlace, plan, is_all: true }
}

/// It was told to stop: whether it has is written down as a debt where that can be. Behind the sending.
async fn owe_for_stop(disk: &DiskWork, folder: &PrinterFolder, owed: &HeatOwed, at: &Path) -> HeatOwed {
    let owed = HeatOwed { port: Some(at.to_owned()), in_place: true, stopped: true, ..owed.clone() };
    let (folder, record) = (folder.clone(), owed.clone().into());
    let write = move || {
        let written = Journal::open(&folder.journal()).and_then(|mut journal| journal.append(&[record]));
        written.map_err(std::io::Error::other)
    };
    if let Err(error) = disk.run(write).await {
        tracing::warn!(error = %error, "that it was told to stop could not be written down");
    }
    owed
}

/// What the journal says; one that can't be read may say anything.
fn look(folder: &PrinterFolder) -> Option<Hot> {
    let state = match folder.look_at_journal() {
        Ok(state) => state,
        Err(error) => {
            tracing::warn!(error = %error, "nobody knows whether the printer was left hot");
            let owed = HeatOwed::default();
            let plan = plan(folder, &owed);
            return Some(Hot { owed, safety: Safety::InPlace, plan, is_all: true });
        }
    };
    // The latest first, and those before it whose port is there while that one's is not.
    let plans: Vec<_> = state.heat.iter().rev().map(|owed| (owed, plan(folder, owed))).collect();
    let is_there =
        |(_, plan): &(&HeatOwed, Option<PortPlan>)| plan.as_ref().is_some_and(|plan| device(plan).is_some());
    let at = plans.iter().position(is_there).unwrap_or(0);
    let is_all = plans.len() == 1;
    let (owed, plan) = plans.into_iter().nth(at)?;
    let is_cut_off = state.held.as_ref().is_some_and(|held| held.cut_off.is_some());
    let safety = if is_cut_off || owed.in_place { Safety::InPlace } else { Safety::AllOff };
    Some(Hot { owed: owed.clone(), safety, plan, is_all })
}

/// How to get at its port: as the journal has it, which no settings can make another one; where it does not say, by the
/// printer's settings, or as the agent's settings name it, or as what can be read of the printer's broken ones does.
fn plan(folder: &PrinterFolder, owed: &HeatOwed) -> Option<PortPlan> {
    let config = folder.config().ok().map(|config| folder.port_plan(&config));
    let owed_at = owed.port.clone().or_else(|| by_hand::port_of(folder));
    match (&owed_at, config) {
        (Some(port), Some(plan)) if *port == plan.path => Some(plan),
        (Some(port), _) => Some(folder.port_plan_of(port.clone(), owed.baud)),
        (None, Some(plan)) => Some(plan),
        (None, None) => {
            let (port, baud) = folder.port_of_broken()?;
            Some(folder.port_plan_of(port, owed.baud.or(baud)))
        }
    }
}

/// The debt is settled; a journal that can't be written keeps it, and the next process does all this again.
fn cross_out(folder: &PrinterFolder, owed: &HeatOwed) {
    // A print that was at work is cold now: nobody must go on with it.
    Trail::remove(&folder.trail());
    let crossed = Journal::open(&folder.journal())
        .and_then(|mut journal| journal.append(&[owed.settled()]).map(|()| journal.state().heat.is_empty()));
    let forgotten = match crossed {
        Ok(true) => by_hand::forget(folder),
        Ok(false) => Ok(()),
        Err(error) => {
            tracing::warn!(error = %error, "that the heaters are off could not be written down");
            return;
        }
    };
    if let Err(error) = forgotten {
        tracing::warn!(error = %error, "what a print has left behind could not be removed");
    }
}
