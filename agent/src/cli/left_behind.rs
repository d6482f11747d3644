//! What a print that was killed has left hot at a port, turned off by whoever names that port next and does not print there.
//!
//! Owns: how long that is waited for, and the words. Must not know: how the heaters are turned off ([`crate::serial::heat`]), why
//! nothing is printed.

use std::time::Duration;

use stardust_clock::SharedClock;

use super::own_agent;
use super::signals::Ending;
use crate::disk_work::DiskWork;
use crate::folder_lock::FolderLock;
use crate::port::{self, Order, Patience, PortEvent, PortHandle, PortPlan, drive};
use crate::printer::by_hand::PrintByHand;
use crate::printer::folder::PrinterFolder;
use crate::serial::{HostEvent, Parking, Safety};
use crate::settings::Settings;

/// How long a printer that does not answer, or whose port can't be opened, is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// And one that answers: it may heat, and hear nothing else until that is over.
const PATIENCE_ALIVE: Duration = Duration::from_secs(15 * 60);
/// Its state is looked at this often.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// An open port has sent a few bytes, and reset its board, by then.
const KILL_PATIENCE: Duration = Duration::from_secs(2);

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LeftBehind {
    /// All heaters were read back as off.
    Off,
    /// The printer prints from its memory card now, and heats for that.
    OnTheCard,
    /// Somebody did not want to wait, and the printer was told to halt.
    ToldToHalt,
    /// Its port is not there, or can't be opened.
    NotThere,
    /// They could not be read back as off.
    NotKnown,
    /// An agent that has ended has left it so, in the middle of something that it may go on with.
    TheAgents,
}

impl LeftBehind {
    /// What a person has to know of it.
    pub(super) fn sentence(self) -> &'static str {
        match self {
            Self::Off => {
                "A print before was killed at this port and had left the printer hot: its heaters are off now, read back."
            }
            Self::OnTheCard => {
                "A print before was killed at this port; the printer prints from its memory card by now, so its heaters were left \
                 to that."
            }
            Self::ToldToHalt => {
                "A print before was killed at this port and had left the printer hot: it was told to halt (M112). Look whether the \
                 heaters are off; else switch the printer off."
            }
            Self::NotThere => {
                "The printer may be HOT: a print before was killed at this port, and the port can't be opened now to turn the \
                 heaters off. Switch the printer off. An agent that is started turns them off as soon as it reaches the printer, \
                 and so does the next print."
            }
            Self::NotKnown => {
                "The printer may be HOT: a print before was killed at this port, and the heaters could not be read back as off. Look \
                 at the printer, and switch it off."
            }
            Self::TheAgents => {
                "The printer may be HOT: its agent has ended without turning the heaters off. Start the agent (it turns them off, or \
                 goes on with its job), or switch the printer off."
            }
        }
    }

    /// Whether nothing is hot that nobody wants.
    pub(super) fn is_safe(self) -> bool {
        matches!(self, Self::Off | Self::OnTheCard)
    }
}

/// Turns off what was left at the port of this plan. None: nothing was, or somebody else sees to it.
pub(super) async fn make_safe(
    settings: &Settings,
    plan: &PortPlan,
    clock: &SharedClock,
    stop: &mut Ending,
) -> Option<LeftBehind> {
    if own_agent::that_drives(settings, &plan.path).is_some() {
        return None;
    }
    let Some(owed) = PrintByHand::left_behind(settings, plan).await else {
        return owed_by_an_agent(settings, plan).await.then_some(LeftBehind::TheAgents);
    };
    if port::device(plan).is_none() {
        return Some(LeftBehind::NotThere);
    }
    let Ok(mut port) = drive(plan.clone(), Parking::default(), clock.clone()) else {
        return Some(LeftBehind::NotThere);
    };
    port.order(Order::Name(owed.heaters()));
    port.order(Order::MakeSafe(Safety::AllOff));
    let came = turned_off(&mut port, stop).await;
    if came.is_safe() {
        owed.settled().await;
    }
    port.close().await;
    Some(came)
}

/// Whether there is a printer at this port whose agent has left it hot, and is gone.
async fn owed_by_an_agent(settings: &Settings, plan: &PortPlan) -> bool {
    let (settings, plan) = (settings.clone(), plan.clone());
    let look = move || {
        let device = port::device(&plan);
        let is_there = |folder: &PrinterFolder| {
            let its = folder.config().ok().map(|config| folder.port_plan(&config));
            device.is_some() && its.and_then(|its| port::device(&its)) == device
        };
        let is_free = |folder: &PrinterFolder| FolderLock::take_if_free(folder.path()).is_some();
        Ok(PrinterFolder::all(&settings).iter().any(|one| is_there(one) && one.may_be_hot() && is_free(one)))
    };
    DiskWork::on_threads().run(look).await.unwrap_or(false)
}

async fn turned_off(port: &mut PortHandle, stop: &mut Ending) -> LeftBehind {
    let mut patience = Patience::new(PATIENCE, PATIENCE_ALIVE);
    loop {
        let (left, is_gone, external) = {
            let view = port.view.borrow();
            (patience.left(&view), view.port_error.is_some(), view.external.is_some())
        };
        if left.is_zero() {
            return if is_gone { LeftBehind::NotThere } else { LeftBehind::NotKnown };
        }
        tokio::select! {
            event = port.events.recv() => match event {
                Some(PortEvent::Host(HostEvent::HeatSettled, _)) if external => return LeftBehind::OnTheCard,
                Some(PortEvent::Host(HostEvent::HeatSettled, _)) => return LeftBehind::Off,
                None => return LeftBehind::NotKnown,
                Some(_) => {}
            },
            () = stop.heard(true) => {
                let told = port.kill("at the keyboard", KILL_PATIENCE).await;
                let is_told = told.is_some_and(|reach| matches!(reach, port::Reach::Sent { on_wire: true, .. }));
                return if is_told { LeftBehind::ToldToHalt } else { LeftBehind::NotThere };
            }
            () = tokio::time::sleep(LOOK_EVERY.min(left)) => {}
        }
    }
}
