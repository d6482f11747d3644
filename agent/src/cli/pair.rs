//! `stardust-agent pair HUB [CODE]`
//!
//! Owns: the order of things: nothing is left half done, and the code is not used up in vain. The rules are in
//! [`crate::pairing`].

use std::ffi::OsString;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use stardust_clock::SharedClock;
use stardust_protocol::ProtocolVersion;
use stardust_protocol::agent_api::{PairRequest, PairResponse};

use super::outlets::StandardOut;
use super::{Failure, PairArguments, say};
use crate::hub_link::client::{Credential, HubClient};
use crate::journal::Journal;
use crate::pairing::choice::{self, Choice};
use crate::pairing::farewell::Standing;
use crate::pairing::pin::{self, Shown};
use crate::pairing::service::{self, ServiceManager};
use crate::pairing::{address, examination};
use crate::port::{DeviceTree, PortPlan, SpeedMemory, listing, remember_adapter};
use crate::printer::folder::{PrinterConfig, PrinterFolder};
use crate::printer::report::AgentReport;
use crate::settings::{SYSTEM_CONFIG, Settings};
use crate::status_socket::{self, AskError};

/// Pairs one printer; as root, with the rights of the service's user.
pub(super) async fn run(
    options: PairArguments,
    settings: &Settings,
    clock: SharedClock,
) -> Result<ExitCode, Failure> {
    let is_root = rustix::process::geteuid().is_root();
    let with_service = is_root && !options.no_service && settings.service_is_meant;
    if !is_root && settings.service_is_meant && Path::new(SYSTEM_CONFIG).exists() {
        say("Note: this pairs for an agent of your own. For the service of this machine, use sudo.");
    }
    let is_last = !with_service && !options.as_service_user;
    match service::other_owner(&settings.data) {
        // Our own arguments once more.
        Some(owner) => {
            let arguments = std::env::args_os().skip(1).chain([OsString::from("--as-service-user")]);
            if !service::run_as(owner, arguments, settings)? {
                return Ok(ExitCode::FAILURE);
            }
        }
        None => {
            pair(options, settings, &clock).await?;
            if is_last {
                say("It goes to work as soon as `stardust-agent run` runs.");
            }
        }
    }
    if with_service {
        say(&ServiceManager::default().enable());
    }
    Ok(ExitCode::SUCCESS)
}

async fn pair(options: PairArguments, settings: &Settings, clock: &SharedClock) -> Result<(), Failure> {
    let hub = address::parse(&options.hub)?;
    let (name, port) = name_and_port(&options, settings)?;
    // `run` may be started somewhere else.
    let port = std::path::absolute(&port)
        .map_err(|error| format!("{} can't be used as a port: {error}", port.display()))?;
    let folder = PrinterFolder::for_name(settings, &name);
    let before = Before::of(&folder, settings)?;
    if let Some(before) = &before {
        before.standing.may_leave(options.force)?;
        if before.config.port != port && !options.force {
            return Err(format!(
                "A printer named “{name}” is paired here already, on {}. Choose another --name; or, if the printer is \
                 on {} now, pair it again with --force.",
                before.config.port.display(),
                port.display()
            ));
        }
    }
    let mut model = options.model.clone();
    folder.prepare().map_err(|error| error.to_string())?;
    // Whatever its name becomes later, this is the one that is meant.
    remember_adapter(&DeviceTree::default(), &port, &folder.adapter_file());
    if before.as_ref().is_some_and(|before| before.standing.running) {
        // The running agent has the port.
    } else if !port.exists() {
        say(&format!("Note: there is no port {} now; the agent waits for it.", port.display()));
    } else if !options.no_check {
        say("Asking the printer who it is…");
        let plan = PortPlan {
            speeds: Some(SpeedMemory::new(&settings.data)),
            adapter_file: Some(folder.adapter_file()),
            ..PortPlan::new(port.clone(), options.baud)
        };
        let found = examination::examine(plan, clock).await;
        say(&found.words);
        model = model.or(found.model);
    }
    // `run` may be started somewhere else, and as another user.
    let hub_ca = options.hub_ca.as_deref().map(std::path::absolute).transpose();
    let hub_ca = hub_ca.map_err(|error| format!("--hub-ca can't be used: {error}"))?;
    let client = HubClient::new(hub.clone(), None, hub_ca.clone().or(settings.hub_ca.clone()));
    let paired = match options.code {
        Some(code) => {
            let request = PairRequest {
                code,
                protocol: ProtocolVersion::CURRENT,
                agent_version: env!("CARGO_PKG_VERSION").into(),
                printer_name: name,
                printer_model: model,
                // Told to nobody but the hub that has given it.
                credential: before
                    .as_ref()
                    .filter(|before| before.config.hub == hub)
                    .and_then(Before::secret),
            };
            client.pair(&request).await.map_err(|error| error.to_string())?
        }
        None => by_pin(&client, &name, model).await,
    };
    let new = PrinterConfig { hub_ca, ..PrinterConfig::new(&paired, hub, port) };
    let config = match &before {
        // What a person has set about the printer holds for every hub.
        Some(Before { config, .. }) => PrinterConfig {
            baud: options.baud.or(config.baud),
            reset_on_open: config.reset_on_open,
            profile: config.profile.clone(),
            scripts: config.scripts.clone(),
            ..new
        },
        None => PrinterConfig { baud: options.baud, ..new },
    };
    let place = if before.is_some() { folder.next() } else { folder.clone() };
    place.store(&config, &Credential::new(&paired.token)).map_err(|error| {
        format!(
            "{error}. The printer “{}” now exists at the hub without an agent: delete it there.",
            config.name
        )
    })?;
    say(&format!("Paired: “{}”.", config.name));
    if let Some(before) = before {
        say(&before.farewell(&folder, &paired));
    }
    Ok(())
}

/// The pairing that there was.
struct Before {
    config: PrinterConfig,
    credential: Option<Credential>,
    standing: Standing,
}

impl Before {
    fn of(folder: &PrinterFolder, settings: &Settings) -> Result<Option<Self>, Failure> {
        if !folder.is_paired() {
            return Ok(None);
        }
        // A pairing that has not taken over yet is the one that counts.
        let counting = if folder.next().is_paired() { folder.next() } else { folder.clone() };
        let config = counting.stored_config().map_err(|error| error.to_string())?;
        let standing = standing(folder, &config.name, settings)?;
        Ok(Some(Self { config, credential: counting.credential().ok(), standing }))
    }

    fn secret(&self) -> Option<String> {
        self.credential.as_ref().map(|credential| credential.secret().to_owned())
    }

    fn farewell(&self, folder: &PrinterFolder, paired: &PairResponse) -> String {
        if paired.printer_id == self.config.printer_id {
            return self.standing.renewed();
        }
        self.standing.left(&self.config.hub, &folder.former(self.config.printer_id))
    }
}

/// How the printer stands: as the running agent says, else as its journal does.
fn standing(folder: &PrinterFolder, name: &str, settings: &Settings) -> Result<Standing, Failure> {
    match status_socket::ask(settings) {
        Ok(text) => {
            let report: AgentReport = serde_json::from_str(&text).map_err(|error| {
                format!(
                    "The running agent can't be understood ({error}): is it another version? Start it anew."
                )
            })?;
            let found = report.printers.into_iter().find(|entry| entry.report.name == name);
            // Its journal belongs to the agent that runs, whatever that says.
            let Some(entry) = found else { return Ok(Standing { running: true, ..Standing::default() }) };
            let job = entry.report.status.job.is_some().then(|| entry.report.file_name.unwrap_or_default());
            return Ok(Standing { job, undelivered: entry.report.undelivered_events, running: true });
        }
        Err(AskError::NotRunning) => {}
        Err(error) => return Err(error.to_string()),
    }
    if !folder.journal().exists() {
        return Ok(Standing::default());
    }
    let state = Journal::look(&folder.journal()).map_err(|error| error.to_string())?;
    let job = state.held.as_ref().map(|held| held.claim.file_name.clone());
    Ok(Standing { job, undelivered: state.outbox.len(), running: false })
}

/// Shows a PIN, and waits until somebody has typed it.
async fn by_pin(client: &HubClient, name: &str, model: Option<String>) -> PairResponse {
    let hub = client.base().clone();
    pin::wait(client, &pin::request(name, model), |shown| match shown {
        Shown::Pin(pin) => say(&format!(
            "PIN: {}\nType it into the dashboard of {hub} within {} minutes: Add printer, I have a PIN. Waiting…",
            pin.pin,
            pin.expires_in_s / 60
        )),
        Shown::Nothing(error) => say(&format!("Note: there is no PIN yet: {error} Trying again.")),
    })
    .await
}

/// What the options say, else what a person at the terminal does, else what is beyond doubt.
fn name_and_port(options: &PairArguments, settings: &Settings) -> Result<(String, PathBuf), Failure> {
    let known = |name: &str| {
        let paired = PrinterFolder::for_name(settings, name).stored_config().ok().map(|config| config.port);
        paired.or_else(|| settings.sections.port_of(name).cloned())
    };
    let port = match (&options.port, options.name.as_deref().and_then(known)) {
        (Some(port), _) => port.clone(),
        (None, Some(port)) => port,
        (None, None) => {
            let taken: Vec<PathBuf> = PrinterFolder::all(settings)
                .iter()
                .filter_map(|folder| Some(folder.load().ok()?.0.port))
                .collect();
            match choice::choose(choice::candidates(listing::list(&DeviceTree::default()), &taken))? {
                Choice::Only(port) => {
                    say(&format!("The only serial port without a printer is {}.", port.display()));
                    port
                }
                Choice::Ask(ports) if can_ask() => {
                    say(&format!("Which port is the printer's?\n{}", choice::list(&ports).trim_end()));
                    loop {
                        let answer = ask("Number: ")?;
                        if let Some(port) = choice::picked(&ports, &answer) {
                            break port;
                        }
                        say(&format!("A number from 1 to {}, please.", ports.len()));
                    }
                }
                Choice::Ask(ports) => return Err(choice::several(&ports).trim_end().to_owned()),
            }
        }
    };
    let name = match &options.name {
        Some(name) => name.clone(),
        None => ask_name(&port)?,
    };
    Ok((name, port))
}

fn ask_name(port: &Path) -> Result<String, Failure> {
    let default = choice::name_of(port);
    if !can_ask() {
        return Ok(default);
    }
    let answer = ask(&format!("The printer's name on the dashboard [{default}]: "))?;
    Ok(if answer.trim().is_empty() { default } else { answer.trim().to_owned() })
}

fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

fn ask(question: &str) -> Result<String, Failure> {
    let unanswered = |error: std::io::Error| format!("Nobody can be asked: {error}");
    // Behind what was said before.
    StandardOut.write_all(question.as_bytes()).map_err(unanswered)?;
    let mut answer = String::new();
    match std::io::stdin().lock().read_line(&mut answer).map_err(unanswered)? {
        0 => Err("No answer; nothing was changed.".into()),
        _ => Ok(answer),
    }
}
