//! What may be hot that nobody wants hot, and at which ports.
//!
//! Owns: which debt takes the place of which, and which is settled by what was read back at a port. Must not know: files, devices,
//! how anything is turned off.

use std::path::{Path, PathBuf};

use super::Record;
use crate::serial::Heaters;

/// What may be hot at so many ports is remembered.
const MOST: usize = 5;

/// What may be hot that nobody wants hot.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatOwed {
    /// At which port, where it was written down.
    pub port: Option<PathBuf>,
    /// Its speed, bits a second, where a person has set it.
    pub baud: Option<u32>,
    /// Nothing is moved when it is turned off.
    pub in_place: bool,
    /// It was told to stop at once, and nobody knows yet whether it has.
    pub stopped: bool,
    /// What may be hot beside the heaters that the printer tells of.
    pub heaters: Heaters,
}

/// Something, somewhere.
impl Default for HeatOwed {
    fn default() -> Self {
        Self { port: None, baud: None, in_place: false, stopped: false, heaters: Heaters::unknown() }
    }
}

impl From<HeatOwed> for Record {
    fn from(HeatOwed { port, baud, in_place, stopped, heaters }: HeatOwed) -> Self {
        Self::HeatOwed { port: port.unwrap_or_default(), baud, in_place, stopped, heaters: Some(heaters) }
    }
}

impl HeatOwed {
    /// What is written down when it was read back that all is off there.
    #[must_use]
    pub fn settled(&self) -> Record {
        Record::HeatSettled { port: Some(self.port.clone().unwrap_or_default()) }
    }
}

/// All that is owed: the oldest first, one for each port.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Debts(Vec<HeatOwed>);

impl Debts {
    /// Whether nothing is owed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each, the oldest first.
    pub fn iter(&self) -> std::slice::Iter<'_, HeatOwed> {
        self.0.iter()
    }

    /// What was written down last.
    #[must_use]
    pub fn latest(&self) -> Option<&HeatOwed> {
        self.0.last()
    }

    /// What the last job has heated.
    #[must_use]
    pub fn of_job(&self) -> Option<&HeatOwed> {
        self.0.iter().find(|owed| !owed.in_place)
    }

    /// One more. A person's takes the place of one at the same port; a job's that of all: whoever begins a job at a port says that
    /// the printer is there.
    pub(super) fn take_on(&mut self, mut new: HeatOwed) {
        let (in_place, port) = (new.in_place, new.port.clone());
        let stays = |old: &HeatOwed| in_place && old.port.is_some() && old.port != port;
        // What was heated before is not off because something else is heated as well.
        self.0.iter().filter(|old| !stays(old)).for_each(|old| new.heaters.add(&old.heaters));
        self.0.retain(stays);
        self.0.push(new);
        let too_many = self.0.len().saturating_sub(MOST);
        self.0.drain(..too_many);
    }

    /// A job has begun, and agents before 0.2 have written nothing else down.
    pub(super) fn assume(&mut self) {
        if self.0.is_empty() {
            self.0.push(HeatOwed::default());
        }
    }

    /// What was written down can't be read: something is owed, nobody knows where.
    pub fn lose_count(&mut self) {
        self.0.retain(|owed| owed.port.is_some());
        self.0.push(HeatOwed { in_place: true, ..HeatOwed::default() });
    }

    /// Read back as off at this port, empty: where nobody knows the port; none: as agents before 0.2 have written it, the last one.
    pub(super) fn settle(&mut self, port: Option<&Path>) {
        match port {
            None => drop(self.0.pop()),
            Some(port) => self.0.retain(|owed| owed.port.as_deref().unwrap_or(Path::new("")) != port),
        }
    }
}
