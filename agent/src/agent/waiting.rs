//! A printer that waits to be paired: its PIN is shown until a member has typed it.
//!
//! Owns: where the PIN is shown (log, status, the display of a printer whose port a person has named), and storing what
//! comes of it. A port that nobody has named is not opened: what hangs on it may be no printer. Who types the PIN has seen
//! which port it is for. Must not know: how the PIN is asked for.

use std::path::Path;
use std::time::Duration;

use stardust_clock::SharedClock;
use stardust_protocol::PrinterState;
use tokio::sync::watch;
use url::Url;

use super::found::Unpaired;
use crate::disk_work::DiskWork;
use crate::hub_link::client::{Credential, HubClient};
use crate::pairing::examination;
use crate::pairing::pin::{self, Shown};
use crate::port::{DeviceTree, Order, PortHandle, PortPlan, drive, remember_adapter};
use crate::printer::berth;
use crate::printer::folder::{PrinterConfig, PrinterFolder};
use crate::printer::report::PrinterReport;
use crate::serial::Parking;

/// A display forgets; and what it was told may have come at the wrong moment.
const SHOW_EVERY: Duration = Duration::from_secs(5);
/// A printer that is on has said by then what it is; the others are paired without.
const PATIENCE: Duration = Duration::from_secs(5);
/// What is hot at its port is looked at this often.
const LOOK_FOR_HEAT: Duration = Duration::from_secs(1);
/// A disk that is full may be emptied.
const STORE_AGAIN: Duration = Duration::from_secs(10);

/// Shows PINs until one was typed, and stores the pairing.
pub(super) async fn pair(
    Unpaired { folder, name, port, is_named }: Unpaired,
    hub: Url,
    report: watch::Sender<Option<PrinterReport>>,
    shown: watch::Sender<Option<String>>,
    clock: SharedClock,
) {
    let say = |link: String| {
        let (name, hub) = (name.clone(), hub.to_string());
        let message = Some("Not paired yet.".to_owned());
        report.send_replace(Some(PrinterReport::idle(name, hub, link, PrinterState::Offline, message)));
    };
    let client = HubClient::new(hub.clone(), None, folder.hub_ca().cloned());
    // Whoever owes it needs the port.
    while is_hot(&folder, &port).await {
        say(format!("Waits until what may be hot at {} is off.", port.display()));
        tokio::time::sleep(LOOK_FOR_HEAT).await;
    }
    let open = || drive(PortPlan::new(port.clone(), None), Parking::default(), clock).ok();
    let mut display = if is_named { open() } else { None };
    let model = match &mut display {
        Some(display) => model(display).await,
        None => None,
    };
    let request = pin::request(&name, model);
    let pins = shown.subscribe();
    let waiting = pin::wait(&client, &request, |what| match what {
        Shown::Pin(pin) => {
            tracing::info!(
                printer.name = name, port.path = %port.display(), hub = %hub, pin = pin.pin,
                "for a printer on this port, type this PIN into the dashboard: Add printer → I have a PIN"
            );
            say(format!(
                "Waits for its PIN to be typed into the dashboard: for the printer on {}.",
                port.display()
            ));
            shown.send_replace(Some(pin.pin.clone()));
        }
        Shown::Nothing(error) => {
            tracing::warn!(printer.name = name, error = %error, "no PIN to pair this printer with");
            say(error.to_string());
            shown.send_replace(None);
        }
    });
    let paired = tokio::select! {
        paired = waiting => paired,
        () = show(display.as_mut(), pins) => return,
    };
    // The printer's own task opens it anew.
    if let Some(display) = display {
        display.close().await;
    }
    let config = PrinterConfig::new(&paired, hub.clone(), port.clone());
    let credential = Credential::new(&paired.token);
    remember_adapter(&DeviceTree::default(), &port, &folder.adapter_file());
    while let Err(error) = folder.store(&config, &credential) {
        tracing::error!(printer.name = name, error = %error, "the pairing can't be stored");
        tokio::time::sleep(STORE_AGAIN).await;
    }
    tracing::info!(printer.name = config.name, printer.id = %config.printer_id, "paired by PIN");
}

async fn is_hot(folder: &PrinterFolder, port: &Path) -> bool {
    let (folder, plan) = (folder.clone(), PortPlan::new(port.to_owned(), None));
    DiskWork::on_threads().run(move || Ok(berth::is_owed_at(&folder, &plan))).await.unwrap_or(true)
}

/// What the printer says that it is, if it says so soon.
async fn model(port: &mut PortHandle) -> Option<String> {
    let ready = port.view.wait_for(|view| view.is_ready);
    let view = tokio::time::timeout(PATIENCE, ready).await.ok()?.ok()?;
    view.machine_type.clone().and_then(examination::model)
}

/// Shows PINs on the printer's display; never ends.
async fn show(port: Option<&mut PortHandle>, pins: watch::Receiver<Option<String>>) {
    let Some(port) = port else { return std::future::pending().await };
    loop {
        let pin = pins.borrow().clone();
        if let Some(pin) = pin.filter(|_| port.view.borrow().is_ready) {
            port.order(Order::Say(format!("PIN {pin}")));
        }
        tokio::time::sleep(SHOW_EVERY).await;
        // Nobody else reads them.
        while port.events.try_recv().is_ok() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::open::tests::pty;
    use crate::printer::folder::PrinterFolder;
    use crate::settings::Settings;
    use rstest::rstest;
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use stardust_clock::SystemClock;
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpListener;

    /// A hub with whom somebody types the PIN when it has been asked for so often.
    fn hub(polls: usize) -> Url {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let mut polled = 0;
            for stream in listener.incoming() {
                let mut reader = BufReader::new(stream.unwrap());
                let (mut head, mut line) = (String::new(), String::new());
                while reader.read_line(&mut line).unwrap() > 2 {
                    head += &std::mem::take(&mut line).to_ascii_lowercase();
                }
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
                reader.read_exact(&mut body).unwrap();
                polled += usize::from(head.contains("/poll"));
                let answer = if !head.contains("/poll") {
                    r#"{"pin":"ABCD-EFGH","poll_token":"t","expires_at":"2026-11-23T06:13:00.250Z","expires_in_s":900,"poll_every_s":0}"#
                } else if polled < polls {
                    "{}"
                } else {
                    r#"{"paired":{"workspace_id":"0190a7c2-6f00-7000-8000-00000000000b","printer_id":"0190a7c2-6f00-7000-8000-00000000000a","printer_name":"x","token":"t"}}"#
                };
                let length = answer.len();
                let _ = write!(
                    reader.get_mut(),
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{answer}"
                );
            }
        });
        url.parse().unwrap()
    }

    /// Seen from the other end of the port's line.
    #[rstest]
    #[case::nobody_has_named_it(false)]
    #[case::a_person_has_named_it(true)]
    #[tokio::test]
    async fn a_port_is_opened_before_its_pin_is_typed_only_where_a_person_has_named_it(
        #[case] is_named: bool,
    ) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (master, port) = pty();
        let data = tempfile::tempdir().unwrap();
        let settings = Settings { spool_bytes: 1000, ..Settings::of_data(data.path().to_owned()) };
        let folder = PrinterFolder::for_name(&settings, "x");
        let unpaired = Unpaired { folder: folder.clone(), name: "x".into(), port: port.clone(), is_named };
        let (report, _reports) = watch::channel(None);
        let (shown, mut pins) = watch::channel(None);
        let waiting = pair(unpaired, hub(3), report, shown, SystemClock::shared());
        let pin = async {
            let pin = pins.wait_for(Option::is_some).await.unwrap().clone();
            // The hub is asked three times, a second between, before the PIN was typed.
            std::future::pending::<()>().await;
            pin
        };
        tokio::select! {
            () = waiting => {}
            _ = pin => {}
        }
        assert_eq!(folder.load().unwrap().0.port, port, "it is paired with that port");
        let mut waits = [PollFd::new(&master, PollFlags::IN)];
        poll(&mut waits, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).unwrap();
        let has_bytes = waits[0].revents().contains(PollFlags::IN);
        assert_eq!(has_bytes, is_named, "what came out of the port before the PIN was typed");
    }
}
