//! `stardust-agent pair HUB CODE --port PATH`
//!
//! Owns: the order of things: nothing is left half done, and the code is not used up in vain.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use stardust_clock::SharedClock;
use stardust_protocol::ProtocolVersion;
use stardust_protocol::agent_api::PairRequest;
use url::Url;

use super::{Failure, PairArguments, say};
use crate::hub_link::client::{Credential, HubClient};
use crate::port::connect::connect;
use crate::port::listing::{self, FoundPort};
use crate::port::{DeviceTree, PortPlan, SpeedMemory, remember_adapter};
use crate::printer::folder::{PrinterConfig, PrinterFolder};

/// A printer that is switched on answers by then; the agent goes on looking for the others.
const PATIENCE: Duration = Duration::from_secs(20);

/// Pairs one printer.
pub(super) async fn run(
    options: PairArguments,
    data: &Path,
    clock: SharedClock,
) -> Result<ExitCode, Failure> {
    let hub = hub_url(&options.hub)?;
    let port = match options.port {
        Some(port) => port,
        None => only_port(listing::list(&DeviceTree::default()))?,
    };
    let name = options.name.clone().unwrap_or_else(|| default_name(&port));
    let folder = PrinterFolder::for_name(data, &name);
    if folder.is_paired() {
        return Err(format!(
            "A printer named “{name}” is paired here already. Choose another --name, or remove {} first.",
            folder.path().display()
        ));
    }
    // `run` may be started somewhere else.
    let port = std::path::absolute(&port)
        .map_err(|error| format!("{} can't be used as a port: {error}", port.display()))?;
    folder.prepare().map_err(|error| error.to_string())?;
    // Whatever its name becomes later, this is the one that is meant.
    remember_adapter(&DeviceTree::default(), &port, &folder.adapter_file());
    if !port.exists() {
        say(&format!("Note: there is no port {} now; the agent waits for it.", port.display()));
    } else if !options.no_check {
        let plan = PortPlan {
            speeds: Some(SpeedMemory::new(data)),
            adapter_file: Some(folder.adapter_file()),
            ..PortPlan::new(port.clone(), options.baud)
        };
        say(&check(plan, &clock).await);
    }
    let request = PairRequest {
        code: options.code,
        protocol: ProtocolVersion::CURRENT,
        agent_version: env!("CARGO_PKG_VERSION").into(),
        printer_name: name,
        printer_model: options.model,
    };
    let client = HubClient::new(hub.clone(), None).map_err(|error| error.to_string())?;
    let paired = client.pair(&request).await.map_err(|error| error.to_string())?;
    let config = PrinterConfig {
        name: paired.printer_name.clone(),
        hub,
        workspace_id: paired.workspace_id,
        printer_id: paired.printer_id,
        port,
        baud: options.baud,
        reset_on_open: false,
        profile: crate::print_job::profile::Profile::default(),
        scripts: crate::serial::Templates::default(),
    };
    folder.store(&config, &Credential::new(&paired.token)).map_err(|error| {
        format!(
            "{error}. The printer “{}” now exists at the hub without an agent: delete it there.",
            config.name
        )
    })?;
    say(&format!("Paired: “{}”. It goes to work as soon as `stardust-agent run` runs.", config.name));
    Ok(ExitCode::SUCCESS)
}

/// Asks the printer who it is. It may be switched off just now: that is no reason not to pair.
async fn check(plan: PortPlan, clock: &SharedClock) -> String {
    say("Asking the printer who it is…");
    let (port, speed) = match tokio::time::timeout(PATIENCE, connect(plan, clock)).await {
        Ok(Ok(connected)) => connected,
        Err(_) => {
            return "Note: the printer does not answer; is it switched on? It is paired all the same, and the agent \
                    goes on trying."
                .into();
        }
        Ok(Err(error)) => {
            return format!("Note: {error}\n      It is paired all the same, and the agent goes on trying.");
        }
    };
    let firmware = port.view.borrow().firmware.clone();
    port.close().await;
    match firmware {
        Some(name) => format!("The printer answers at {speed} baud: {name}."),
        None => format!("The printer answers at {speed} baud, but does not say what firmware it has."),
    }
}

/// `https://hub`, `http://192.168.1.5:8080/`; anything else is a mistake worth naming.
fn hub_url(text: &str) -> Result<Url, Failure> {
    let with_scheme = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let mut url: Url = with_scheme.parse().map_err(|error| format!("“{text}” is not an address: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(format!("“{text}” is not the address of a hub; it looks like https://hub.example"));
    }
    // Paths are joined to it: without the slash its last part would be replaced.
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

/// The port when there is no doubt which.
fn only_port(found: Vec<FoundPort>) -> Result<PathBuf, Failure> {
    match found.as_slice() {
        [only] => Ok(PathBuf::from(&only.path)),
        [] => Err(
            "No serial port was found. Connect the printer and switch it on, or name its port with --port."
                .into(),
        ),
        several => {
            let paths: Vec<_> = several.iter().map(|port| port.path.as_str()).collect();
            Err(format!(
                "There are several serial ports. Name the printer's with --port: {}",
                paths.join(", ")
            ))
        }
    }
}

/// The port's own name: there is nothing better to call a printer that nobody has named.
fn default_name(port: &Path) -> String {
    port.file_name().map_or_else(|| "printer".into(), |name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(&[], "No serial port was found")]
    #[case(&["/dev/ttyUSB0"], "/dev/ttyUSB0")]
    #[case(&["/dev/ttyUSB0", "/dev/ttyACM0"], "There are several")]
    fn a_port_is_taken_only_when_there_is_no_doubt(#[case] paths: &[&str], #[case] expected: &str) {
        let found = paths.iter().map(|path| FoundPort {
            path: (*path).into(),
            device: (*path).into(),
            description: None,
        });
        let said = match only_port(found.collect()) {
            Ok(port) => port.display().to_string(),
            Err(failure) => failure.to_string(),
        };
        assert!(said.contains(expected), "{said}");
    }

    #[rstest]
    #[case("https://hub.example", Some("https://hub.example/"))]
    #[case("hub.example", Some("https://hub.example/"))]
    #[case("http://192.168.1.5:8080", Some("http://192.168.1.5:8080/"))]
    #[case("https://example.org/stardust", Some("https://example.org/stardust/"))]
    #[case("ftp://hub", None)]
    #[case("https://", None)]
    fn addresses(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(hub_url(text).ok().map(|url| url.to_string()).as_deref(), expected);
    }
}
