//! A printer host: it runs the agent, whose processes end in every way, and starts it again.

use std::io::Write as _;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use stardust_agent::disk_work::DiskWork;
use stardust_agent::hub_link::client::{Credential, HubClient};
use stardust_agent::hub_link::instance::Instance;
use stardust_agent::hub_link::mqtt::{self, MqttLink};
use stardust_agent::port::{PortHandle, PortPlan, Resumption, SpeedView, handle};
use stardust_agent::printer::folder::{PrinterConfig, PrinterFolder};
use stardust_agent::printer::wiring::Wiring;
use stardust_agent::printer::{Printer as Agent, SetupError};
use stardust_agent::serial::Parking;
use stardust_clock::SharedClock;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::dice::Dice;
use crate::life::{Life, Living, has_died};
use crate::live_link;
use crate::network::VirtualNetwork;
use crate::printer::Printer;
use crate::template::NAMES;
use crate::time::HostClock;
use crate::world::{Bed, World};

/// What the process of an agent is connected to.
struct VirtualWiring {
    world: Arc<World>,
    index: usize,
    life: Arc<Life>,
    dice: Mutex<Dice>,
    /// What belongs to the process beside the agent's own tasks.
    beside: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl Wiring for VirtualWiring {
    fn drive(
        &self,
        _: &PrinterFolder,
        _: PortPlan,
        _: Parking,
        _: &SharedClock,
        job: Option<Resumption>,
    ) -> std::io::Result<PortHandle> {
        if job.is_some() {
            self.world.broken("a job is to be gone on with, but nothing of it was kept".into());
        }
        let (handle, place) = handle(SpeedView::Known(115_200))?;
        let dice = Dice::new(self.dice.lock().unwrap().next(), 3);
        let printer = Printer::new(Arc::clone(&self.world), self.index, Arc::clone(&self.life), place, dice);
        self.beside.lock().unwrap().push(tokio::spawn(printer.work()));
        Ok(handle)
    }

    fn connect(
        &self,
        folder: &PrinterFolder,
        config: &PrinterConfig,
        credential: Credential,
    ) -> Result<(HubClient, MqttLink), SetupError> {
        let network = VirtualNetwork {
            world: Arc::clone(&self.world),
            printer: self.index,
            is_dead: Arc::clone(&self.life.is_dead),
            seed: self.dice.lock().unwrap().next(),
        };
        let hub = HubClient::over(Arc::new(network), config.hub.clone(), Some(credential));
        let hub = hub.speaking_as(Instance::of(folder.path()));
        let (link, far_end) = mqtt::link();
        let drive = live_link::drive(Arc::clone(&self.world), self.index, hub.clone(), far_end);
        self.beside.lock().unwrap().push(tokio::spawn(drive));
        Ok((hub, link))
    }

    /// No time passes there, and a run has to repeat.
    fn disk(&self) -> DiskWork {
        DiskWork::here()
    }
}

/// How a process is to end.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Lives,
    Killed(Duration),
    DiesAtLine(u64),
    DiesAtStart,
    Stopped(Duration),
}

impl Fate {
    fn decide(world: &World, dice: &mut Dice) -> Self {
        if !dice.percent(world.rates().agent_dies) {
            return Self::Lives;
        }
        match dice.below(10) {
            0..3 => Self::Killed(dice.seconds(1, 400)),
            3..7 => Self::DiesAtLine(1 + dice.below(25)),
            7..9 => Self::DiesAtStart,
            _ => Self::Stopped(dice.seconds(10, 400)),
        }
    }
}

/// Runs the agent for as long as the run lasts.
pub(crate) async fn keep(world: Arc<World>, index: usize) {
    let mut dice = Dice::new(world.plan.seed, 20 + index as u64);
    loop {
        let fate = Fate::decide(&world, &mut dice);
        world.note(|| format!("{} agent starts: {fate:?}", NAMES[index]));
        run(&world, index, fate, &mut dice).await;
        world.hosts[index].journal.lock().unwrap().collect(&world.hosts[index].folder.journal());
        // Its clock may be another after a restart.
        if dice.percent(20) {
            let ahead = dice.below(7_200_000) as i64 - 3_600_000;
            world.hosts[index].ahead_ms.store(ahead, Ordering::SeqCst);
        }
        let down = if dice.percent(20) { dice.seconds(60, 300) } else { dice.seconds(0, 10) };
        let is_well = world.state().is_well;
        tokio::time::sleep(if is_well { Duration::from_secs(1) } else { down }).await;
    }
}

/// One process.
async fn run(world: &Arc<World>, index: usize, fate: Fate, dice: &mut Dice) {
    let line = if let Fate::DiesAtLine(line) = fate { Some(line) } else { None };
    let life = Arc::new(Life::new(matches!(fate, Fate::DiesAtStart), line));
    let beside = Arc::default();
    let wiring = VirtualWiring {
        world: Arc::clone(world),
        index,
        life: Arc::clone(&life),
        dice: Mutex::new(Dice::new(dice.next(), 4)),
        beside: Arc::clone(&beside),
    };
    let folder = world.hosts[index].folder.clone();
    world.state().counts.samples_left_to_a_later_process += u64::from(folder.telemetry().exists());
    let clock = HostClock::new(world.began, Arc::clone(&world.hosts[index].ahead_ms));
    let clock: SharedClock = Arc::new(clock);
    let (stop, stopped) = watch::channel(false);
    let code = async move {
        let agent = Agent::set_up(&folder, clock, &wiring)?;
        agent.run(stopped, watch::channel(None).0).await
    };
    let mut task = tokio::spawn(Living { life: Arc::clone(&life), code: Box::pin(code) });
    let end = async {
        match fate {
            Fate::Killed(after) => {
                tokio::time::sleep(after).await;
                if !world.state().is_well {
                    return life.kill();
                }
            }
            Fate::Stopped(after) => {
                tokio::time::sleep(after).await;
                if !world.state().is_well {
                    world.note(|| format!("{} agent is told to stop", NAMES[index]));
                    world.state().counts.agent_stops += 1;
                    let _ = stop.send(true);
                }
            }
            _ => {}
        }
        std::future::pending::<()>().await;
    };
    let result = tokio::select! {
        biased;
        result = &mut task => Some(result),
        () = life.ended() => None,
        () = end => None,
    };
    life.kill();
    task.abort();
    let result = match result {
        None => task.await,
        Some(result) => result,
    };
    for task in beside.lock().unwrap().drain(..) {
        task.abort();
    }
    world.state().ways[index].inbox = None;
    {
        // Nobody feeds it any more.
        let mut bed = world.hosts[index].bed.lock().unwrap();
        if *bed == Bed::AtWork {
            *bed = Bed::Occupied;
        }
    }
    match result {
        Ok(Ok(_)) => world.note(|| format!("{} agent has stopped", NAMES[index])),
        Ok(Err(error)) => world.broken(format!("the agent can't drive its printer: {error}")),
        Err(error) => {
            let is_killed = error.is_cancelled() || has_died(&*error.into_panic());
            if !is_killed {
                world.broken("the agent has panicked".into());
            }
            killed(world, index, dice);
        }
    }
}

/// What a killed process may leave: half a line in its journal.
fn killed(world: &World, index: usize, dice: &mut Dice) {
    world.note(|| format!("{} agent is dead", NAMES[index]));
    world.state().counts.agent_kills += 1;
    if dice.percent(world.rates().torn) {
        world.state().counts.torn_journals += 1;
        let path = world.hosts[index].folder.journal();
        let journal = std::fs::OpenOptions::new().append(true).open(path);
        // There is none when it died before it had one.
        if let Ok(mut journal) = journal {
            let line =
                b"{\"record\":\"event\",\"seq\":7,\"at\":\"2026-11-23T06:13:00.250Z\",\"kind\":\"job_moved\"";
            let torn = 1 + usize::try_from(dice.below(line.len() as u64 - 1)).unwrap();
            journal.write_all(&line[..torn]).unwrap();
        }
    }
}
