//! One fault of a plan at work: counts what passes and says when it strikes.

use std::time::Duration;

use super::kind::{FaultKind, Site};
use super::plan::{FaultPlan, Trigger};
use crate::random::Random;

/// A fault with its own count and its own random numbers, so that no rule moves another's decisions.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) kind: FaultKind,
    trigger: Trigger,
    random: Random,
    seen: u64,
    spent: bool,
}

impl Rule {
    /// The rules of a plan that strike at this site.
    pub(super) fn all(plan: &FaultPlan, seed: u64, site: Site) -> Vec<Self> {
        let numbered = plan.faults().iter().zip(1_u64..);
        numbered
            .filter(|(fault, _)| fault.kind.site() == site)
            .map(|(fault, stream)| Self {
                kind: fault.kind,
                trigger: fault.trigger,
                random: Random::new(seed, stream),
                seen: 0,
                spent: false,
            })
            .collect()
    }

    /// The rules that strike the printer as a whole.
    pub(crate) fn events(plan: &FaultPlan, seed: u64) -> Vec<Self> {
        Self::all(plan, seed, Site::Event)
    }

    /// One thing more has come by: is it struck?
    pub(crate) fn strikes(&mut self, now: Duration) -> bool {
        self.seen += 1;
        match self.trigger {
            Trigger::Rate(rate) => self.random.chance(rate),
            Trigger::AtLine(line) => self.seen == line,
            Trigger::AtTime(_) => self.is_due(now),
        }
    }

    /// When it strikes by itself, whether something comes by or not.
    pub(crate) fn due(&self) -> Option<Duration> {
        match self.trigger {
            Trigger::AtTime(time) if !self.spent => Some(time),
            _ => None,
        }
    }

    /// Whether its own time has come; once.
    pub(crate) fn is_due(&mut self, now: Duration) -> bool {
        let due = self.due().is_some_and(|due| now >= due);
        self.spent |= due;
        due
    }

    /// Asked for by name: it strikes even where a random one would spare.
    pub(super) fn is_definite(&self) -> bool {
        !matches!(self.trigger, Trigger::Rate(_))
    }

    pub(crate) fn random(&mut self) -> &mut Random {
        &mut self.random
    }
}
