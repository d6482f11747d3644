//! What a print before has left hot at a port, turned off by whoever names that port next and does not print there.
//!
//! Owns: how long that is waited for, and the words. Must not know: how the heaters are turned off ([`crate::serial::heat`]), why
//! nothing is printed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use stardust_clock::{SharedClock, SystemClock};

use super::own_agent;
use super::print::halting::stopped_at_once;
use super::say;
use super::signals::Ending;
use crate::disk_work::DiskWork;
use crate::folder_lock::FolderLock;
use crate::port::{self, Order, Patience, PortEvent, PortHandle, PortPlan, SpeedMemory, drive};
use crate::printer::berth;
use crate::printer::by_hand::killed::{Killed, KilledPrint};
use crate::printer::folder::PrinterFolder;
use crate::serial::{HostEvent, Parking, Safety};
use crate::settings::{Given, Settings};

/// How long a printer that does not answer, or whose port can't be opened, is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// And one that answers: it may heat, and hear nothing else until that is over.
const PATIENCE_ALIVE: Duration = Duration::from_secs(15 * 60);
/// Its state is looked at this often.
const LOOK_EVERY: Duration = Duration::from_secs(1);

const BEGINS: &str = "A print before has not seen this printer's heaters off: they are turned off now. Ctrl-C stops the printer at once.";

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LeftBehind {
    /// All heaters were read back as off.
    Off,
    /// The printer prints from its memory card now, and heats for that.
    OnTheCard,
    /// Somebody did not want to wait, and the printer was stopped at once, with these words; true: its heaters were read back as off.
    Stopped(String, bool),
    /// Its port is not there, or can't be opened. Whose data know of it.
    NotThere(PathBuf),
    /// They could not be read back as off.
    NotKnown,
    /// An agent that has ended has left it so, in the middle of something that it may go on with.
    TheAgents,
    /// Whether anything was left could not be looked up, and why.
    Unknown(String),
}

impl LeftBehind {
    /// What a person has to know of it.
    pub(super) fn sentence(&self) -> String {
        match self {
            Self::Off => {
                "A print before had not seen this printer's heaters off: they are off now, read back.".into()
            }
            Self::OnTheCard => {
                "A print before had not seen this printer's heaters off; it prints from its memory card by now, so they were left \
                 to that."
                    .into()
            }
            Self::Stopped(words, _) => words.clone(),
            Self::NotThere(data) => format!(
                "The printer may be HOT: a print before has not seen its heaters off, and its port can't be opened now. Switch the \
                 printer off. The next print at this port turns them off, or an agent with the data in {}, as soon as the printer is \
                 reached.",
                data.display()
            ),
            Self::NotKnown => {
                "The printer may be HOT: a print before has not seen its heaters off, and they could not be read back as off now. Look \
                 at the printer, and switch it off."
                    .into()
            }
            Self::TheAgents => {
                "The printer may be HOT: its agent has ended without turning the heaters off. Start the agent (it turns them off, or \
                 goes on with its job), or switch the printer off."
                    .into()
            }
            Self::Unknown(why) => {
                format!(
                    "Whether a print before has left this printer hot could not be looked up ({why}). Look at the printer."
                )
            }
        }
    }

    /// Whether nothing is hot that nobody wants.
    pub(super) fn is_safe(&self) -> bool {
        matches!(self, Self::Off | Self::OnTheCard | Self::Stopped(_, true))
    }
}

/// The settings can't be understood: what was left at this port is turned off all the same, and said.
pub(super) fn beside_broken_settings(given: Given, port: &Path, baud: Option<u32>) {
    // Without a runtime nothing can be done.
    let Ok(runtime) = super::runtime() else { return };
    let settings = Settings::salvaged(given);
    let speeds = Some(SpeedMemory::new(&settings.data));
    let plan = PortPlan { speeds, ..PortPlan::new(port.to_owned(), baud) };
    let left = super::carried_out_by(runtime, async {
        let mut stop = Ending::watch_but(None).ok()?;
        make_safe(&settings, &plan, &SystemClock::shared(), &mut stop, say).await
    });
    if let Some(left) = left {
        super::fail(&left.sentence());
    }
}

/// Turns off what was left at the port of this plan. None: nothing was, or somebody else sees to it. `say`: for what takes its time.
pub(super) async fn make_safe(
    settings: &Settings,
    plan: &PortPlan,
    clock: &SharedClock,
    stop: &mut Ending,
    say: impl Fn(&str),
) -> Option<LeftBehind> {
    if own_agent::that_drives(settings, &plan.path).is_some() {
        return None;
    }
    let mut outcome = match Killed::at(settings, plan).await {
        Killed::SeenTo => return None,
        Killed::Unknown(error) => Some(LeftBehind::Unknown(error.to_string())),
        Killed::Nothing => None,
        Killed::Left(prints) => {
            let mut outcome = None;
            for print in prints {
                let came = one(settings, print, clock, stop, &say).await;
                let is_safe = came.is_safe();
                outcome = Some(came);
                if !is_safe {
                    break;
                }
            }
            outcome
        }
    };
    if outcome.as_ref().is_none_or(LeftBehind::is_safe) && owed_by_an_agent(settings, plan).await {
        outcome = Some(LeftBehind::TheAgents);
    }
    outcome
}

async fn one(
    settings: &Settings,
    print: KilledPrint,
    clock: &SharedClock,
    stop: &mut Ending,
    say: &impl Fn(&str),
) -> LeftBehind {
    let not_there = || LeftBehind::NotThere(settings.data.clone());
    if port::device(print.plan()).is_none() {
        return not_there();
    }
    let Ok(mut port) = drive(print.plan().clone(), Parking::default(), clock.clone()) else {
        return not_there();
    };
    say(BEGINS);
    port.order(Order::Name(print.heaters().clone()));
    port.order(Order::MakeSafe(Safety::AllOff));
    let came = turned_off(&mut port, stop, &settings.data).await;
    if came.is_safe() {
        print.settled().await;
    }
    port.close().await;
    came
}

async fn turned_off(port: &mut PortHandle, stop: &mut Ending, data: &Path) -> LeftBehind {
    let mut patience = Patience::new(PATIENCE, PATIENCE_ALIVE);
    loop {
        let (left, is_gone) = {
            let view = port.view.borrow();
            (patience.left(&view), view.port_error.is_some())
        };
        if left.is_zero() {
            return if is_gone { LeftBehind::NotThere(data.to_owned()) } else { LeftBehind::NotKnown };
        }
        tokio::select! {
            event = port.events.recv() => match event {
                Some(PortEvent::Host(HostEvent::HeatLeftToCard, _)) => return LeftBehind::OnTheCard,
                Some(PortEvent::Host(HostEvent::HeatSettled, _)) => return LeftBehind::Off,
                None => return LeftBehind::NotKnown,
                Some(_) => {}
            },
            () = stop.heard(true) => {
                let stopped = stopped_at_once(port, stop).await;
                return LeftBehind::Stopped(stopped.sentence, stopped.is_off);
            }
            () = tokio::time::sleep(LOOK_EVERY.min(left)) => {}
        }
    }
}

/// Whether there is a printer at this port whose agent has left it hot, and is gone.
async fn owed_by_an_agent(settings: &Settings, plan: &PortPlan) -> bool {
    let (settings, plan) = (settings.clone(), plan.clone());
    let look = move || {
        let is_free = |folder: &PrinterFolder| FolderLock::take_if_free(folder.path()).is_some();
        // Where its port is out, by its settings alone.
        let is_out = port::device(&plan).is_none();
        let is_named = |folder: &PrinterFolder| folder.config().is_ok_and(|config| config.port == plan.path);
        let owes = |folder: &PrinterFolder| {
            berth::owes_at_plan(folder, &plan) || is_out && folder.may_be_hot() && is_named(folder)
        };
        Ok(PrinterFolder::all(&settings).iter().any(|one| owes(one) && is_free(one)))
    };
    DiskWork::on_threads().run(look).await.unwrap_or(false)
}
