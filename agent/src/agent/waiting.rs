//! A printer that waits to be paired: its PIN is shown until a member has typed it.
//!
//! Owns: where the PIN is shown (log, status, the printer's display), and storing what comes of it. Must not know: how the
//! PIN is asked for.

use std::path::PathBuf;
use std::time::Duration;

use stardust_clock::SharedClock;
use stardust_protocol::PrinterState;
use tokio::sync::watch;
use url::Url;

use crate::hub_link::client::{Credential, HubClient};
use crate::pairing::examination;
use crate::pairing::pin::{self, Shown};
use crate::port::{DeviceTree, Order, PortHandle, PortPlan, drive, remember_adapter};
use crate::printer::folder::{PrinterConfig, PrinterFolder};
use crate::printer::report::PrinterReport;
use crate::serial::Parking;

/// A display forgets; and what it was told may have come at the wrong moment.
const SHOW_EVERY: Duration = Duration::from_secs(5);
/// A printer that is on has said by then what it is; the others are paired without.
const PATIENCE: Duration = Duration::from_secs(5);
/// A disk that is full may be emptied.
const STORE_AGAIN: Duration = Duration::from_secs(10);

/// Shows PINs until one was typed, and stores the pairing.
pub(super) async fn pair(
    folder: PrinterFolder,
    (name, port): (String, PathBuf),
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
    let mut display = drive(PortPlan::new(port.clone(), None), Parking::default(), clock).ok();
    let model = match &mut display {
        Some(display) => model(display).await,
        None => None,
    };
    let request = pin::request(&name, model);
    let pins = shown.subscribe();
    let waiting = pin::wait(&client, &request, |what| match what {
        Shown::Pin(pin) => {
            tracing::info!(printer.name = name, hub = %hub, pin = pin.pin, "type this PIN into the dashboard: Add printer → I have a PIN");
            say("Waits for its PIN to be typed into the dashboard.".into());
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
