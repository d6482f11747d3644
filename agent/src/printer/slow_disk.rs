//! A printer whose host's disk takes as long as it likes, over a whole job until it begins: whatever waits for the disk,
//! the hub goes on seeing the printer, and nothing is done before what it rests on is written.
//!
//! The disk stands in for a slow one: each piece of work waits until three more statuses have been seen. So do the hub
//! and the printer, by what they answer.

mod beginning;
mod going_on;
mod preheating;

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use reqwest::{Request, Response};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use stardust_clock::{ManualClock, SharedClock};
use stardust_protocol::{JobState, Timestamp};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use url::Url;

use super::folder::{PrinterConfig, PrinterFolder};
use super::wiring::Wiring;
use super::{Left, Printer, SetupError};
use crate::disk_work::DiskWork;
use crate::hub_link::client::{Credential, HubClient};
use crate::hub_link::mqtt::{self, FarEnd, MqttEvent, MqttLink};
use crate::hub_link::transport::Transport;
use crate::journal::Journal;
use crate::port::{Order, PortHandle, PortPlan, PortView, Resumption, SpeedView, Workplace, handle};
use crate::serial::{Connection, Parking};
use crate::settings::Settings;
use crate::trail::Trail;

/// More than is written at once.
const LINES: usize = 60_000;
/// Fails instead of hanging.
const NEVER: Duration = Duration::from_secs(120);

fn file() -> String {
    "G28\nG1 X10 Y10 F6000\n".to_owned() + &"; 0123456789\n".repeat(LINES)
}

fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What was asked of the hub, and what was on disk by then.
#[derive(Debug)]
struct Hub {
    folder: PrinterFolder,
    asked: Mutex<Vec<&'static str>>,
    /// What came of its commands, by the last digits of each.
    outcomes: Mutex<HashMap<String, Value>>,
    has_a_job: bool,
}

impl Transport for Hub {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, String>> {
        let path = request.url().path().to_owned();
        let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let on_disk = Journal::peek(&self.folder.journal());
        let answer = if path.ends_with("/claim") {
            let is_first = self.has_a_job && !self.asked.lock().unwrap().contains(&"file");
            let file = file();
            let claim = json!({
                "job_id": "0190a7c2-6f00-7000-8000-000000000001",
                "claim_id": "0190a7c2-6f00-7000-8000-000000000002", "lease_until": "2026-11-23T06:13:00.250Z",
                "file_name": "a.gcode", "size_bytes": file.len(), "sha256": digest(&file)
            });
            json!({"claim": is_first.then_some(claim)}).to_string()
        } else if path.ends_with("/file") {
            assert!(on_disk.held.is_some(), "nothing is fetched before the claim is on disk");
            self.asked.lock().unwrap().push("file");
            file()
        } else if path.ends_with("/start") {
            let spooled = self.folder.spool().join(format!("{}.gcode", digest(&file())));
            assert_eq!(std::fs::read_to_string(spooled).unwrap(), file(), "it is there, whole");
            assert!(on_disk.outbox.is_empty(), "what the hub was told is on disk as told");
            self.asked.lock().unwrap().push("start");
            json!({"started_at": "2026-11-23T06:13:00.250Z"}).to_string()
        } else if path.ends_with("/events") {
            let last = body["events"].as_array().unwrap().last().unwrap()["seq"].as_u64().unwrap();
            assert!(on_disk.next_seq > last, "no event is told that is not on disk");
            for event in body["events"].as_array().unwrap() {
                if let Some(command) = event["command_id"].as_str() {
                    let outcome = event["outcome"].clone();
                    self.outcomes.lock().unwrap().insert(command[34..].to_owned(), outcome);
                }
            }
            json!({"acknowledged_seq": last}).to_string()
        } else {
            json!({"commands": [], "kept": 0}).to_string()
        };
        Box::pin(async move { Ok(hyper::Response::new(reqwest::Body::from(answer)).into()) })
    }
}

struct Bench {
    disk: DiskWork,
    hub: Arc<Hub>,
    ends: Mutex<Option<(FarEnd, Workplace)>>,
    place: Mutex<Option<Workplace>>,
}

impl Wiring for Bench {
    fn drive(
        &self,
        _: &PrinterFolder,
        _: PortPlan,
        _: Parking,
        _: &SharedClock,
        job: Option<Resumption>,
    ) -> std::io::Result<PortHandle> {
        assert!(job.is_none());
        let (handle, place) = handle(SpeedView::Known(115_200))?;
        place.view.send_replace(PortView {
            is_ready: true,
            connection: Connection::Ready,
            ..PortView::closed()
        });
        *self.place.lock().unwrap() = Some(place);
        Ok(handle)
    }

    fn connect(
        &self,
        _: &PrinterFolder,
        config: &PrinterConfig,
        credential: Credential,
    ) -> Result<(HubClient, MqttLink), SetupError> {
        let (link, far_end) = mqtt::link();
        *self.ends.lock().unwrap() = self.place.lock().unwrap().take().map(|place| (far_end, place));
        let hub = Arc::clone(&self.hub) as Arc<dyn Transport>;
        Ok((HubClient::over(hub, config.hub.clone(), Some(credential)), link))
    }

    fn disk(&self) -> DiskWork {
        self.disk.clone()
    }
}

fn paired(data: &std::path::Path) -> PrinterFolder {
    let settings = Settings { spool_bytes: 1 << 30, ..Settings::of_data(data.to_owned()) };
    let folder = PrinterFolder::for_name(&settings, "x");
    let paired = serde_json::from_value(json!({
        "workspace_id": "0190a7c2-6f00-7000-8000-00000000000b",
        "printer_id": "0190a7c2-6f00-7000-8000-00000000000a", "printer_name": "x", "token": "token"
    }));
    let hub: Url = "http://hub.example/".parse().unwrap();
    let config = PrinterConfig::new(&paired.unwrap(), hub, "/dev/none".into());
    folder.store(&config, &Credential::new("token")).unwrap();
    folder
}

/// Work that has come to the disk, each with how it is let through.
fn gate() -> (DiskWork, Receiver<Sender<()>>) {
    let (at_the_gate, waiting) = channel::<Sender<()>>();
    let gate = move || {
        let (pass, passes) = channel();
        if at_the_gate.send(pass).is_ok() {
            let _ = passes.recv_timeout(NEVER);
        }
    };
    (DiskWork::behind(Arc::new(gate)), waiting)
}

/// A printer at work on such a disk.
struct Run {
    folder: PrinterFolder,
    hub: Arc<Hub>,
    clock: Arc<ManualClock>,
    far_end: FarEnd,
    place: Workplace,
    at_the_disk: Receiver<Sender<()>>,
    task: JoinHandle<Result<Left, SetupError>>,
    _stop: watch::Sender<bool>,
    seen: u64,
    pieces: u32,
}

impl Run {
    async fn begin(data: &std::path::Path) -> Self {
        Self::begin_with(data, true).await
    }

    async fn begin_with(data: &std::path::Path, has_a_job: bool) -> Self {
        let folder = paired(data);
        let (disk, at_the_disk) = gate();
        let hub = Arc::new(Hub {
            folder: folder.clone(),
            asked: Mutex::default(),
            outcomes: Mutex::default(),
            has_a_job,
        });
        let bench = Bench { disk, hub: Arc::clone(&hub), ends: Mutex::default(), place: Mutex::default() };
        let clock = ManualClock::at(Timestamp::from_millis(1_795_414_380_250));
        let printer = Printer::set_up(&folder, Arc::clone(&clock) as SharedClock, &bench).unwrap();
        let (far_end, place) = bench.ends.lock().unwrap().take().unwrap();
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(printer.run(stopped, watch::channel(None).0));
        let session = serde_json::from_value(json!({
            "protocol": {"major": 1, "minor": 0}, "workspace_id": "0190a7c2-6f00-7000-8000-00000000000b",
            "printer_id": "0190a7c2-6f00-7000-8000-00000000000a", "printer_name": "x",
            "mqtt": {"port": 1, "tls": false}, "last_event_seq": 0, "now": "2026-11-23T06:13:00.250Z"
        }));
        far_end.events.send(MqttEvent::Session(Box::new(session.unwrap()))).await.unwrap();
        far_end.events.send(MqttEvent::Connected).await.unwrap();
        let (seen, pieces) = (0, 0);
        Self { folder, hub, clock, far_end, place, at_the_disk, task, _stop: stop, seen, pieces }
    }

    /// The hub commands this.
    async fn is_told(&self, number: u8, command: Value) {
        self.is_told_what_was_asked(0, number, command).await;
    }

    /// The same, which was asked for so many seconds after the others.
    async fn is_told_what_was_asked(&self, seconds: u8, number: u8, command: Value) {
        let message = serde_json::from_value(json!({
            "protocol": {"major": 1, "minor": 0}, "id": format!("0190a7c2-6f00-7000-8000-0000000000{number:02x}"),
            "at": format!("2026-11-23T06:13:{seconds:02}.250Z"), "command": command
        }));
        self.far_end.events.send(MqttEvent::Command(message.unwrap())).await.unwrap();
    }

    /// Work that has come to the disk, if some has, and three statuses that were seen since.
    async fn waits_at_the_disk(&mut self) -> Option<Sender<()>> {
        assert!(!self.task.is_finished(), "the printer's task has ended");
        let Ok(pass) = self.at_the_disk.try_recv() else {
            tokio::time::sleep(Duration::from_millis(1)).await;
            return None;
        };
        self.pieces += 1;
        for _ in 0..3 {
            self.seen += 1;
            self.clock.advance(Duration::from_millis(500));
            let firmware = format!("after {}", self.seen);
            self.place.view.send_modify(|view| view.firmware = Some(firmware.clone()));
            loop {
                let status = timeout(NEVER, self.far_end.statuses.recv()).await.expect("a status").unwrap();
                if serde_json::to_string(&status).unwrap().contains(&firmware) {
                    break;
                }
            }
        }
        Some(pass)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test]
async fn a_job_begins_on_a_slow_disk_and_the_hub_sees_the_printer_all_the_while() {
    let data = tempfile::tempdir().unwrap();
    let mut run = Run::begin(data.path()).await;
    let order = loop {
        if let Ok(order) = run.place.orders.try_recv() {
            break order;
        }
        if let Some(pass) = run.waits_at_the_disk().await {
            let _ = pass.send(());
        }
    };
    assert!(matches!(order, Order::Start(..)), "{order:?}");
    assert_eq!(*run.hub.asked.lock().unwrap(), ["file", "start"]);
    let on_disk = Journal::peek(&run.folder.journal());
    let held = on_disk.held.unwrap();
    assert!(held.started && held.reported == Some(JobState::Transferring), "{held:?}");
    assert!(!on_disk.heat.is_empty(), "what gets hot now is owed");
    assert!(Trail::find(&run.folder.trail()).is_some(), "a next process has something to go on by");
    assert!(run.pieces >= 10, "{} pieces of work", run.pieces);
}

/// The leave was given, and the disk has still to write it down.
#[tokio::test]
async fn what_a_slow_disk_has_kept_from_starting_does_not_start_behind_a_stop_at_once() {
    let data = tempfile::tempdir().unwrap();
    let mut run = Run::begin(data.path()).await;
    let mut is_stopped = false;
    while !is_stopped || Journal::peek(&run.folder.journal()).held.is_some() {
        if let Ok(order) = run.place.orders.try_recv() {
            let is_start = matches!(order, Order::Start(..) | Order::StartAt(..));
            assert!(!is_start, "{order:?}");
        }
        let Some(pass) = run.waits_at_the_disk().await else { continue };
        if !is_stopped && run.hub.asked.lock().unwrap().contains(&"start") {
            is_stopped = true;
            run.is_told(3, json!({"kind": "emergency_stop"})).await;
            let order = timeout(NEVER, run.place.orders.recv()).await.unwrap();
            assert!(matches!(order, Some(Order::Kill(_))), "at once, whatever the disk does: {order:?}");
        }
        let _ = pass.send(());
    }
}
