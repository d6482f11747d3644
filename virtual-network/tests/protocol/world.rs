//! What all parts of a run share: the hub, the printer hosts, the weather between them, and what was seen.

use std::path::PathBuf;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use stardust_agent::printer::folder::PrinterFolder;
use stardust_protocol::CommandMessage;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

use crate::counts::Counts;
use crate::dice::Dice;
use crate::evidence::{JournalFile, Seen};
use crate::hub_house::HubHouse;
use crate::plan::{Plan, Rates};
use crate::template::{Template, temporary};
use crate::trace::Trace;

/// A run's world.
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) hub: HubHouse,
    pub(crate) template: &'static Template,
    pub(crate) hosts: Vec<Host>,
    pub(crate) began: Instant,
    pub(crate) state: Mutex<State>,
    folder: tempfile::TempDir,
}

/// A printer host and its printer: what outlives the agent's processes.
pub(crate) struct Host {
    pub(crate) folder: PrinterFolder,
    pub(crate) journal: Mutex<JournalFile>,
    /// By what its clock is wrong.
    pub(crate) ahead_ms: Arc<AtomicI64>,
    pub(crate) bed: Mutex<Bed>,
}

/// What lies on the printer's bed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bed {
    Clear,
    /// Something is being printed.
    AtWork,
    Occupied,
}

/// What changes.
pub(crate) struct State {
    pub(crate) trace: Trace,
    pub(crate) counts: Counts,
    pub(crate) seen: Seen,
    /// Nothing goes wrong any more.
    pub(crate) is_well: bool,
    pub(crate) hub_is_up: bool,
    /// Calls that may change something, as far as they have reached the hub.
    pub(crate) calls: u64,
    /// The numbers of those that have moved a job or answered a command, while there was trouble.
    pub(crate) moving: Vec<u64>,
    pub(crate) connections: u64,
    /// Jobs that people have yet to wish for.
    pub(crate) wishes: u64,
    pub(crate) ways: Vec<Way>,
    pub(crate) broken: Vec<String>,
}

/// The network between one printer host and the hub.
pub(crate) struct Way {
    pub(crate) dice: Dice,
    /// Where MQTT messages go while there is a connection.
    pub(crate) inbox: Option<UnboundedSender<CommandMessage>>,
    pub(crate) away_until: Option<Instant>,
}

impl World {
    pub(crate) fn new(plan: Plan, trace: bool) -> Arc<Self> {
        let template = Template::get();
        let folder = temporary();
        template.copy_database(&folder.path().join("hub.db"));
        let mut dice = Dice::new(plan.seed, 2);
        let hosts = (0..plan.printers).map(|index| {
            let data = folder.path().join(format!("host-{index}"));
            // Half of the clocks are right.
            let wrong = if dice.percent(50) { 0 } else { dice.below(7_200_000) as i64 - 3_600_000 };
            Host {
                folder: template.printer_folder(&data, index),
                journal: Mutex::default(),
                ahead_ms: Arc::new(AtomicI64::new(wrong)),
                bed: Mutex::new(Bed::Clear),
            }
        });
        let hosts = hosts.collect();
        let ways = (0..plan.printers).map(|index| Way {
            dice: Dice::new(plan.seed, 10 + index as u64),
            inbox: None,
            away_until: None,
        });
        let state = State {
            trace: Trace::new(trace),
            counts: Counts::default(),
            seen: Seen::default(),
            is_well: false,
            hub_is_up: false,
            calls: 0,
            moving: Vec::new(),
            connections: 0,
            wishes: plan.jobs,
            ways: ways.collect(),
            broken: Vec::new(),
        };
        let world = Self {
            hub: HubHouse::new(),
            template,
            hosts,
            began: Instant::now(),
            state: Mutex::new(state),
            folder,
            plan,
        };
        Arc::new(world)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // An agent that is killed in the middle of something is unwound.
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) fn ms(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_millis()).unwrap()
    }

    pub(crate) fn note(&self, line: impl FnOnce() -> String) {
        let ms = self.ms();
        self.state().trace.note(ms, line);
    }

    /// Something that must never be.
    pub(crate) fn broken(&self, what: String) {
        self.note(|| format!("BROKEN: {what}"));
        self.state().broken.push(what);
    }

    /// How likely what is now.
    pub(crate) fn rates(&self) -> Rates {
        if self.state().is_well { Rates::default() } else { self.plan.rates }
    }

    /// Starts the hub, unless it runs.
    pub(crate) fn start_hub(&self) {
        if !std::mem::replace(&mut self.state().hub_is_up, true) {
            self.note(|| "the hub starts".into());
            self.hub.clock.set(self.ms());
            self.hub.start(self.template.data(), &self.database());
        }
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("hub.db")
    }

    /// Kills the hub; it is started again after this time.
    pub(crate) fn kill_hub(self: &Arc<Self>, down: Duration) {
        self.note(|| format!("the hub is killed for {down:?}"));
        self.hub.kill();
        {
            let mut state = self.state();
            state.hub_is_up = false;
            state.ways.iter_mut().for_each(|way| way.inbox = None);
        }
        let world = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(down).await;
            world.start_hub();
        });
    }

    /// From now on everything is well.
    pub(crate) fn make_well(&self) {
        self.note(|| "all is well".into());
        {
            let mut state = self.state();
            state.is_well = true;
            state.ways.iter_mut().for_each(|way| way.away_until = None);
        }
        self.start_hub();
    }
}
