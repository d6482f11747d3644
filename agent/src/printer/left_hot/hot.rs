//! What may be hot of a printer that can't be driven, and at which port: as far as its files say so.
//!
//! Owns: reading that, and writing down what is owed and what is not any more. All of it waits for the disk. Must not know: what is done
//! at the port, and when.

use std::io;
use std::path::Path;

use super::super::by_hand;
use super::super::folder::PrinterFolder;
use crate::journal::{HeatOwed, Journal};
use crate::port::{PortPlan, device};
use crate::serial::Safety;
use crate::trail::Trail;

/// What may be hot of a printer that can't be driven.
#[derive(Debug, Clone)]
pub(super) struct Hot {
    pub(super) owed: HeatOwed,
    /// `InPlace`: a part stands there that may be gone on with.
    pub(super) safety: Safety,
    /// How its port is reached, where anybody knows.
    pub(super) plan: Option<PortPlan>,
    /// Nothing else may be hot.
    pub(super) is_all: bool,
}

/// What may be hot, and whether anything is owed; all that is known of its port, so that nobody waits for the disk at it.
pub(super) fn find(folder: &PrinterFolder) -> (Hot, bool) {
    let owing = look(folder);
    let owes = owing.is_some();
    let hot = owing.unwrap_or_else(|| anything(folder));
    let read = |plan: PortPlan| PortPlan { left: Trail::left(&folder.trail()), ..plan.without_disk() };
    (Hot { plan: hot.plan.map(read), ..hot }, owes)
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

/// Where nothing is owed, and it has to be stopped at once all the same.
fn anything(folder: &PrinterFolder) -> Hot {
    let owed = HeatOwed { in_place: true, ..HeatOwed::default() };
    let plan = plan(folder, &owed);
    Hot { owed, safety: Safety::InPlace, plan, is_all: true }
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

/// It was told to stop, or is to be, at this port: nobody knows what is hot from now on.
pub(super) fn owed_for_stop(owed: &HeatOwed, at: &Path) -> HeatOwed {
    HeatOwed { port: Some(at.to_owned()), in_place: true, stopped: true, ..owed.clone() }
}

/// Writes down what is owed, where that can be.
pub(super) fn owe(folder: &PrinterFolder, owed: HeatOwed) -> io::Result<()> {
    let written = Journal::open(&folder.journal()).and_then(|mut journal| journal.append(&[owed.into()]));
    written.map_err(io::Error::other)
}

/// The debt is settled; a journal that can't be written keeps it, and the next process does all this again.
pub(super) fn cross_out(folder: &PrinterFolder, owed: &HeatOwed) -> io::Result<()> {
    // A print that was at work is cold now: nobody must go on with it.
    Trail::remove(&folder.trail());
    let crossed = Journal::open(&folder.journal())
        .and_then(|mut journal| journal.append(&[owed.settled()]).map(|()| journal.state().heat.is_empty()));
    if crossed.map_err(io::Error::other)? {
        let forgotten = by_hand::forget(folder);
        if let Err(error) = forgotten {
            tracing::warn!(error = %error, "what a print has left behind could not be removed");
        }
    }
    Ok(())
}
