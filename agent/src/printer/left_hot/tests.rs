//! A printer that can't be driven, with a disk that does not answer, no port to be had, and a thread that hangs. Who drives its port
//! stands in for a thread: it says what such a one would.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};

use rstest::rstest;
use stardust_clock::SystemClock;
use stardust_protocol::{CommandId, StopReach, Timestamp};
use tokio::sync::mpsc;

use super::super::SetupError;
use super::super::folder::PrinterConfig;
use super::*;
use crate::hub_link::client::{Credential, HubClient};
use crate::hub_link::mqtt::MqttLink;
use crate::journal::Journal;
use crate::port::{PortPlan, PortStore, PortView, Resumption, SpeedView, Workplace, handle, pty};
use crate::settings::Settings;

/// Fails instead of hanging.
const NEVER: Duration = Duration::from_secs(3600);
const SENT: Reach = Reach::Sent { on_wire: true, dtr_pulsed: false };

struct Bench {
    disk: DiskWork,
    /// None: the system has no descriptor left.
    places: Option<mpsc::UnboundedSender<Workplace>>,
    drives: AtomicUsize,
    folder: PrinterFolder,
    clock: SharedClock,
    going: watch::Sender<bool>,
    /// The real one drives its port, and not this test.
    real: Option<PortStore>,
    _data: tempfile::TempDir,
}

impl Wiring for Bench {
    fn drive(
        &self,
        folder: &PrinterFolder,
        plan: PortPlan,
        parking: Parking,
        clock: &SharedClock,
        job: Option<Resumption>,
    ) -> std::io::Result<PortHandle> {
        self.drives.fetch_add(1, Ordering::SeqCst);
        if let Some(real) = &self.real {
            return real.drive(folder, plan, parking, clock, job);
        }
        let places = self.places.as_ref().ok_or_else(|| std::io::Error::other("Too many open files"))?;
        let (handle, place) = handle(SpeedView::Known(115_200))?;
        let _ = places.send(place);
        Ok(handle)
    }

    fn connect(
        &self,
        _: &PrinterFolder,
        _: &PrinterConfig,
        _: Credential,
    ) -> Result<(HubClient, MqttLink), SetupError> {
        unreachable!("nobody speaks to a hub here")
    }

    fn disk(&self) -> DiskWork {
        self.disk.clone()
    }
}

impl Bench {
    /// One that owes heat at a port.
    fn with(disk: DiskWork) -> (Self, mpsc::UnboundedReceiver<Workplace>) {
        let data = tempfile::tempdir().unwrap();
        let folder = PrinterFolder::for_name(&Settings::of_data(data.path().to_owned()), "Ada");
        folder.prepare().unwrap();
        let owed = HeatOwed { port: Some(data.path().join("ttyX")), ..HeatOwed::default() };
        hot::owe(&folder, owed).unwrap();
        let (places, driven) = mpsc::unbounded_channel();
        let (drives, clock, going) = (AtomicUsize::default(), SystemClock::shared(), watch::channel(false).0);
        let real = None;
        (Self { disk, places: Some(places), drives, folder, clock, going, real, _data: data }, driven)
    }

    /// With a disk that does one piece of work for each token, and all when the sender is gone.
    fn with_a_gate() -> (Self, mpsc::UnboundedReceiver<Workplace>, Sender<()>) {
        let (gate, opened) = channel::<()>();
        let opened = Mutex::new(opened);
        let disk = DiskWork::behind(Arc::new(move || _ = opened.lock().unwrap().recv()));
        let (bench, driven) = Self::with(disk);
        (bench, driven, gate)
    }

    async fn attempt(&self, undriven: &mut Undriven) -> bool {
        let going = self.going.subscribe();
        make_safe_or_stop(&self.folder, &self.clock, self, Patience::Short, going, undriven).await
    }

    fn asks(&self, desk: &StopDesk) {
        desk.ask(CommandId::generate(self.clock.now()), Timestamp::from_millis(0));
    }

    fn stops_owed(&self) -> usize {
        std::fs::read_to_string(self.folder.journal()).unwrap().matches("\"stopped\":true").count()
    }

    fn owes(&self) -> bool {
        !Journal::peek(&self.folder.journal()).heat.is_empty()
    }
}

async fn in_time<T>(what: impl Future<Output = T>) -> T {
    timeout(NEVER, what).await.unwrap()
}

async fn is_told_to_stop(place: &mut Workplace) {
    in_time(async { while !matches!(place.orders.recv().await.unwrap(), Order::Kill(_)) {} }).await;
}

fn says(place: &Workplace, event: PortEvent) {
    place.events.send(event).unwrap();
}

fn settles(place: &Workplace) {
    says(place, PortEvent::Host(HostEvent::HeatSettled, 0));
}

/// Until its owner leaves it.
async fn is_left(mut place: Workplace) {
    in_time(async { while place.orders.recv().await.is_some() {} }).await;
}

#[tokio::test]
async fn no_stop_waits_for_a_disk_that_does_not_answer() {
    let (bench, mut driven, gate) = Bench::with_a_gate();
    let mut undriven = Undriven::default();
    let desk = undriven.desk.clone();
    // Made safe once, so its port is known; that is written down, and the disk answers no more.
    gate.send(()).unwrap();
    gate.send(()).unwrap();
    let first = async {
        let place = driven.recv().await.unwrap();
        settles(&place);
        is_left(place).await;
    };
    assert!(tokio::join!(bench.attempt(&mut undriven), first).0);
    bench.asks(&desk);
    let script = async {
        let mut place = in_time(driven.recv()).await.unwrap();
        assert!(matches!(place.orders.recv().await, Some(Order::Kill(_))), "before anything else");
        says(&place, PortEvent::Killed(SENT));
        let is_told = async {
            while desk.is_under_way() {
                tokio::task::yield_now().await
            }
        };
        in_time(is_told).await;
        bench.asks(&desk);
        is_told_to_stop(&mut place).await;
        says(&place, PortEvent::Killed(SENT));
        settles(&place);
        is_left(place).await;
        // Also while it is to be written down that it is safe.
        bench.asks(&desk);
    };
    tokio::join!(in_time(bench.attempt(&mut undriven)), script);
    assert_eq!(bench.stops_owed(), 0, "it would be no test");
    let script = async {
        let mut place = in_time(driven.recv()).await.unwrap();
        is_told_to_stop(&mut place).await;
        drop(gate);
        says(&place, PortEvent::Killed(SENT));
        settles(&place);
        is_left(place).await;
    };
    assert!(tokio::join!(in_time(bench.attempt(&mut undriven)), script).0);
    assert!(!bench.owes() && desk.has_settled());
}

/// By the port that is really driven: what it needs of the disk was read when that answered, and nothing of it since.
#[tokio::test]
async fn a_real_port_is_told_to_stop_without_the_disk() {
    let (mut bench, _driven, gate) = Bench::with_a_gate();
    let (master, path) = pty();
    rustix::io::ioctl_fionbio(&master, true).unwrap();
    let owed = HeatOwed { port: Some(path.clone()), baud: Some(115_200), ..HeatOwed::default() };
    hot::owe(&bench.folder, owed).unwrap();
    bench.real = Some(PortStore::default());
    let mut undriven = Undriven::default();
    gate.send(()).unwrap();
    let found = undriven.find(&bench.disk, &bench.folder, &mut bench.going.subscribe()).await;
    assert_eq!(found.unwrap().unwrap().plan.unwrap().path, path);
    // Whoever asks the disk from now on reads of an adapter that is not there.
    let adapter = "model = \"1a86:7523\"\npart = \"0-0\"\nsocket = \"1-1\"\n";
    let port = path.display();
    std::fs::write(bench.folder.adapter_file(), format!("port = \"{port}\"\n\n[adapter]\n{adapter}"))
        .unwrap();
    assert!(crate::port::adapter_is_of(&bench.folder.adapter_file(), &path), "it would be no test");

    bench.asks(&undriven.desk);
    let mut heard = Vec::new();
    let is_told = async {
        let mut buffer = [0; 256];
        while !heard.windows(6).any(|line| line == b"\nM112\n") {
            match rustix::io::read(&master, &mut buffer) {
                Ok(count) => heard.extend_from_slice(&buffer[..count]),
                // The task goes on: it shares this thread.
                Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        }
    };
    tokio::select! {
        _ = bench.attempt(&mut undriven) => panic!("it does not end: nothing answers there"),
        told = timeout(Duration::from_secs(20), is_told) => told.expect("M112"),
    }
    drop(gate);
}

/// The process that is to end is not kept by it either.
#[tokio::test]
async fn no_end_of_the_process_waits_for_a_disk_that_does_not_answer() {
    let (bench, mut driven, gate) = Bench::with_a_gate();
    let mut undriven = Undriven::default();
    gate.send(()).unwrap();
    bench.asks(&undriven.desk);
    let script = async {
        let mut place = in_time(driven.recv()).await.unwrap();
        is_told_to_stop(&mut place).await;
        says(&place, PortEvent::Killed(SENT));
        bench.going.send_replace(true);
        settles(&place);
        is_left(place).await;
    };
    tokio::join!(in_time(bench.attempt(&mut undriven)), script);
    assert!(bench.owes(), "the next process sees to it");
    drop(gate);
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fails {
    Drive,
    /// As soon as it has begun.
    Thread,
    Disk,
}

/// The system is out of descriptors or threads, and stays so.
#[rstest]
#[tokio::test(start_paused = true)]
async fn what_fails_is_tried_again_a_moment_later_and_it_is_said_that_the_stop_waits(
    #[values(Fails::Drive, Fails::Thread, Fails::Disk)] fails: Fails,
) {
    let disk = match fails {
        Fails::Disk => DiskWork::behind(Arc::new(|| panic!("no thread"))),
        Fails::Drive | Fails::Thread => DiskWork::here(),
    };
    let (mut bench, driven) = Bench::with(disk);
    if fails == Fails::Drive {
        bench.places = None;
    }
    drop(driven);
    let mut undriven = Undriven::default();
    let desk = undriven.desk.clone();
    bench.asks(&desk);
    let began = Instant::now();
    for tries in 1..=5 {
        in_time(desk.wanted()).await;
        assert!(!in_time(bench.attempt(&mut undriven)).await);
        assert_eq!(desk.report().unwrap().reach, StopReach::PortClosed);
        let after = began.elapsed();
        assert!(after >= Duration::from_secs(2) * (tries - 1), "{tries}: {after:?}");
    }
    tokio::time::sleep(port::STOP_KEPT * 2).await;
    in_time(bench.attempt(&mut undriven)).await;
    assert_eq!(desk.report().unwrap().reach, StopReach::GivenUp, "not for ever");
}

#[tokio::test(start_paused = true)]
async fn a_stop_is_kept_for_a_closed_port_and_written_down_once() {
    let (bench, mut driven) = Bench::with(DiskWork::here());
    let mut undriven = Undriven::default();
    let desk = undriven.desk.clone();
    bench.asks(&desk);
    let script = async {
        let mut place = in_time(driven.recv()).await.unwrap();
        let closed = PortView { port_error: Some("There is no port".into()), ..PortView::closed() };
        place.view.send_replace(closed);
        is_told_to_stop(&mut place).await;
        says(&place, PortEvent::Killed(Reach::Waits));
        // It is not waited for so long else.
        tokio::time::sleep(Duration::from_secs(300)).await;
        assert_eq!((bench.stops_owed(), bench.drives.load(Ordering::SeqCst)), (1, 1));
        assert_eq!(desk.report().unwrap().reach, StopReach::PortClosed);
        settles(&place);
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert!(bench.owes(), "what was read back before it settles nothing");
        place.view.send_replace(PortView::closed());
        says(&place, PortEvent::Killed(SENT));
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!((bench.stops_owed(), desk.report().unwrap().reach), (1, StopReach::Sent));
        settles(&place);
        is_left(place).await;
    };
    assert!(tokio::join!(in_time(bench.attempt(&mut undriven)), script).0);
    assert!(!bench.owes() && desk.has_settled());
}

#[tokio::test(start_paused = true)]
async fn a_thread_that_hangs_is_seen_to_hang_and_its_stop_is_given_up() {
    let (bench, mut driven) = Bench::with(DiskWork::here());
    let (pulse, mut looked_at) = watch::channel(None);
    let mut undriven = Undriven::looked_at(pulse);
    let desk = undriven.desk.clone();
    bench.asks(&desk);
    assert!(!in_time(bench.attempt(&mut undriven)).await);
    assert_eq!(desk.report().unwrap().reach, StopReach::GivenUp);
    let mut seen = looked_at.borrow_and_update().clone().expect("whoever looks sees it");
    seen.owed_for(Duration::from_secs(1));
    seen.owed_for(Duration::from_secs(2));
    assert!(seen.owed_for(Duration::from_secs(20)) > Duration::ZERO, "it gives no sign");
    bench.asks(&desk);
    assert!(!in_time(bench.attempt(&mut undriven)).await);
    assert_eq!(bench.drives.load(Ordering::SeqCst), 1, "no more threads behind it");
    assert_eq!(desk.report().unwrap().reach, StopReach::PortClosed);
    // It goes on, and ends.
    drop(driven.recv().await);
    let script = async {
        let mut place = in_time(driven.recv()).await.unwrap();
        assert!(looked_at.borrow().is_some());
        is_told_to_stop(&mut place).await;
        says(&place, PortEvent::Killed(SENT));
        settles(&place);
        is_left(place).await;
    };
    assert!(tokio::join!(in_time(bench.attempt(&mut undriven)), script).0);
    assert!(looked_at.borrow().is_none(), "nobody drives it");
}
