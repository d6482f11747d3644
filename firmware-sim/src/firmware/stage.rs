//! What a command that has been started still waits for.

use std::time::Duration;

use super::arc::Arc;
use super::filament_change::FilamentChange;
use super::heat_wait::HeatWait;
use super::machine::Machine;
use super::motion::Axes;
use super::planner::Block;

/// The state of the running command.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Stage {
    /// Nothing; its `ok` can go out.
    Done,
    /// Nothing; its `ok` is part of the answer it gave.
    Answered,
    /// A move waits for room in the planner.
    Room(Block),
    /// An arc, of which the next piece waits for room.
    Arc(Walk),
    /// All moves must have ended, then this.
    Still(Then),
    /// Takes until then.
    Until(Duration, Finally),
    /// M109, M190.
    Heat(HeatWait),
    /// M0, M1: a person, at most until then.
    Person(Option<Duration>),
    /// M226: a pin, whatever time it takes.
    Pin,
    /// M600 of a printer with a menu.
    Change(FilamentChange),
}

/// An arc on its way into the planner.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Walk {
    /// Where the next piece begins.
    pub(crate) at: Axes,
    pub(crate) arc: Arc,
    /// mm/s.
    pub(crate) feed: f64,
}

/// What follows when the axes rest.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Then {
    Finish,
    Pin,
    Dwell(Duration),
    Home([bool; 3]),
    Probe,
    /// Without a text of its own the prompt shows the default.
    Ask {
        text: Option<String>,
        default: &'static str,
        timeout: Option<Duration>,
    },
    Release,
    SelectTool(usize),
    ChangeFilament,
}

/// What a span of time ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finally {
    Nothing,
    Dwelt,
    Homed([bool; 3]),
}

impl Stage {
    /// When there is something to do, if nothing happens before; `None`: only the host can end it.
    pub(crate) fn deadline(&self, machine: &Machine) -> Option<Duration> {
        match self {
            Self::Done | Self::Answered => Some(Duration::ZERO),
            Self::Room(_) | Self::Arc(_) | Self::Still(_) => machine.planner.next_change(),
            Self::Until(end, _) => Some(*end),
            Self::Heat(wait) => Some(wait.next_check()),
            Self::Person(until) => *until,
            Self::Pin => None,
            Self::Change(change) => change.deadline(),
        }
    }

    /// Whether M85 begins to count when it is over, and not before.
    pub(crate) fn is_activity(&self) -> bool {
        !matches!(
            self,
            Self::Until(_, Finally::Dwelt) | Self::Still(Then::Dwell(_) | Then::Pin) | Self::Pin | Self::Done
        )
    }

    /// What the `busy` line says of it.
    pub(crate) fn busy_state(&self) -> &'static str {
        match self {
            Self::Person(_) => "paused for user",
            Self::Change(change) => change.busy_state(),
            _ => "processing",
        }
    }

    /// M108 ends the wait that is running now, a prompt's answer only that for a person.
    pub(crate) fn end_wait(&mut self, heating_too: bool) {
        match self {
            Self::Person(_) => *self = Self::Done,
            Self::Heat(_) if heating_too => *self = Self::Done,
            _ => {}
        }
    }
}
