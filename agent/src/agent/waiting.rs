//! A printer that waits to be paired: its PIN is shown until a member has typed it.
//!
//! Owns: where the PIN is shown (log, status), and storing what comes of it. Must not know: how the PIN is asked for.

use std::path::PathBuf;
use std::time::Duration;

use stardust_protocol::PrinterState;
use tokio::sync::watch;
use url::Url;

use crate::hub_link::client::{Credential, HubClient};
use crate::pairing::pin::{self, Shown};
use crate::port::{DeviceTree, remember_adapter};
use crate::printer::folder::{PrinterConfig, PrinterFolder};
use crate::printer::report::PrinterReport;

/// A disk that is full may be emptied.
const STORE_AGAIN: Duration = Duration::from_secs(10);

/// Shows PINs until one was typed, and stores the pairing.
pub(super) async fn pair(
    folder: PrinterFolder,
    (name, port): (String, PathBuf),
    hub: Url,
    report: watch::Sender<Option<PrinterReport>>,
    shown: watch::Sender<Option<String>>,
) {
    let say = |link: String| {
        let (name, hub) = (name.clone(), hub.to_string());
        let message = Some("Not paired yet.".to_owned());
        report.send_replace(Some(PrinterReport::idle(name, hub, link, PrinterState::Offline, message)));
    };
    let client = match HubClient::new(hub.clone(), None) {
        Ok(client) => client,
        Err(error) => return say(error.to_string()),
    };
    let paired = pin::wait(&client, &pin::request(&name, None), |what| match what {
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
    })
    .await;
    let config = PrinterConfig::new(&paired, hub.clone(), port.clone());
    let credential = Credential::new(&paired.token);
    remember_adapter(&DeviceTree::default(), &port, &folder.adapter_file());
    while let Err(error) = folder.store(&config, &credential) {
        tracing::error!(printer.name = name, error = %error, "the pairing can't be stored");
        tokio::time::sleep(STORE_AGAIN).await;
    }
    tracing::info!(printer.name = config.name, printer.id = %config.printer_id, "paired by PIN");
}
