//! The processes of the agent on one printer host, one after the other.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use stardust_agent::disk_work::DiskWork;
use stardust_agent::hub_link::client::{Credential, HubClient};
use stardust_agent::hub_link::instance::Instance as Speaker;
use stardust_agent::hub_link::mqtt::{self, FarEnd, MqttEvent, MqttLink};
use stardust_agent::port::{PortHandle, PortPlan, Resumption, SpeedView, handle};
use stardust_agent::printer::folder::{PrinterConfig, PrinterFolder};
use stardust_agent::printer::left_hot::{self, Patience};
use stardust_agent::printer::wiring::Wiring;
use stardust_agent::printer::{Left, Printer, SetupError};
use stardust_agent::serial::Parking;
use stardust_clock::{Clock, SharedClock};
use stardust_protocol::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::house::House;
use crate::hub::Way;
use crate::plan::Broken;
use crate::port::Driver;

/// After a fault the printer's task is started again (`agent/src/agent/seat.rs`).
const START_AGAIN: Duration = Duration::from_secs(2);

/// The clock of a process.
#[derive(Debug)]
struct ProcessClock {
    run_began: Instant,
    began: Instant,
}

impl Clock for ProcessClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(
            1_795_414_380_000 + i64::try_from(self.run_began.elapsed().as_millis()).unwrap(),
        )
    }

    fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}

struct HouseWiring {
    house: Arc<House>,
    began: Instant,
    beside: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl Wiring for HouseWiring {
    fn drive(
        &self,
        _: &PrinterFolder,
        plan: PortPlan,
        parking: Parking,
        _: &SharedClock,
        job: Option<Resumption>,
    ) -> std::io::Result<PortHandle> {
        let (handle, place) = handle(SpeedView::Known(250_000))?;
        let by_settings = self.house.plan.broken == Some(Broken::BelievesTheSettings);
        let printer = if by_settings { self.house.named() } else { self.house.printer_at(&plan.path) };
        let driver = Driver::new(Arc::clone(&self.house), printer, self.began, place, parking, job);
        self.beside.lock().unwrap().push(tokio::spawn(driver.drive()));
        Ok(handle)
    }

    fn connect(
        &self,
        folder: &PrinterFolder,
        config: &PrinterConfig,
        credential: Credential,
    ) -> Result<(HubClient, MqttLink), SetupError> {
        let way =
            Way { books: Arc::clone(&self.house.books), began: self.house.began, seed: self.house.plan.seed };
        let hub = HubClient::over(Arc::new(way), config.hub.clone(), Some(credential));
        let hub = hub.speaking_as(Speaker::of(folder.path()));
        let (link, end) = mqtt::link();
        self.beside.lock().unwrap().push(tokio::spawn(live(hub.clone(), end)));
        Ok((hub, link))
    }

    /// No time passes there, and a run has to repeat.
    fn disk(&self) -> DiskWork {
        DiskWork::here()
    }
}

/// The live link: there once and for all.
async fn live(hub: HubClient, mut end: FarEnd) {
    if let Ok(session) = hub.session().await {
        let _ = end.events.send(MqttEvent::Session(Box::new(session))).await;
        let _ = end.events.send(MqttEvent::Connected).await;
    }
    while end.statuses.recv().await.is_some() {}
}

/// A process of the agent.
pub(crate) struct Process {
    task: JoinHandle<()>,
    stop: watch::Sender<bool>,
    beside: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl Process {
    pub(crate) fn start(house: &Arc<House>) -> Self {
        house.note(|| "the agent starts".into());
        let (stop, stopped) = watch::channel(false);
        let beside = Arc::<Mutex<Vec<JoinHandle<()>>>>::default();
        let wiring =
            HouseWiring { house: Arc::clone(house), began: Instant::now(), beside: Arc::clone(&beside) };
        let task = tokio::spawn(keep_running(Arc::clone(house), wiring, stopped));
        Self { task, stop, beside }
    }

    /// One that can't understand its own settings.
    pub(crate) fn start_unable(house: &Arc<House>) -> Self {
        house.note(|| "the agent starts, and can't work".into());
        let (stop, stopped) = watch::channel(false);
        let beside = Arc::<Mutex<Vec<JoinHandle<()>>>>::default();
        let wiring =
            HouseWiring { house: Arc::clone(house), began: Instant::now(), beside: Arc::clone(&beside) };
        let task = tokio::spawn(make_safe(Arc::clone(house), wiring, stopped));
        Self { task, stop, beside }
    }

    /// `kill -9`: nothing of it does anything any more.
    pub(crate) async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
        self.beside.lock().unwrap().drain(..).for_each(|task| task.abort());
        // Those end at their next turn, which comes before anything else.
        tokio::task::yield_now().await;
    }

    /// SIGTERM: until it has ended.
    pub(crate) async fn stop(self) {
        let _ = self.stop.send(true);
        self.task.await.unwrap();
        self.beside.lock().unwrap().drain(..).for_each(|task| task.abort());
        tokio::task::yield_now().await;
    }
}

/// As the agent makes all printers safe before it gives up.
async fn make_safe(house: Arc<House>, wiring: HouseWiring, stop: watch::Receiver<bool>) {
    let clock: SharedClock = Arc::new(ProcessClock { run_began: house.began, began: wiring.began });
    while !left_hot::make_safe(&house.folder, &clock, &wiring, Patience::Endless, stop.clone()).await
        && !*stop.borrow()
    {
        tokio::time::sleep(START_AGAIN).await;
    }
}

/// As the agent keeps a printer's task running, which is private there and starts real threads.
async fn keep_running(house: Arc<House>, wiring: HouseWiring, mut stop: watch::Receiver<bool>) {
    let clock: SharedClock = Arc::new(ProcessClock { run_began: house.began, began: wiring.began });
    let (mut was_made_safe, mut folder) = (false, house.folder.clone());
    while !*stop.borrow() {
        match Printer::set_up(&folder, Arc::clone(&clock), &wiring) {
            Ok(printer) => match printer.run(stop.clone(), watch::channel(None).0).await {
                Ok(left) => {
                    folder.give_up(if let Left::PortGivenUp(port) = left { Some(port) } else { None });
                    continue;
                }
                Err(error) => house.note(|| format!("the printer's task has ended: {error}")),
            },
            Err(error) => {
                house.note(|| format!("the printer can't be driven: {error}"));
                was_made_safe = was_made_safe
                    || left_hot::make_safe(&house.folder, &clock, &wiring, Patience::Short, stop.clone())
                        .await;
            }
        }
        tokio::select! {
            _ = stop.changed() => {}
            () = tokio::time::sleep(START_AGAIN) => {}
        }
    }
}
