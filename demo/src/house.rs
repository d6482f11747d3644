//! The whole house: a hub, and for each printer a simulator with an agent beside it.

use std::path::{Path, PathBuf};

use crate::agent::{AgentOptions, AgentProcess};
use crate::binaries::Binaries;
use crate::client::Client;
use crate::hub::{HubOptions, HubProcess};
use crate::port::Port;
use crate::process::Process;
use crate::sign_in::SignIn;
use crate::simulator::{SimOptions, SimProcess};
use crate::{Error, Result};

/// One printer that a house shall have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrinterPlan {
    /// Its name on the dashboard.
    pub name: String,
    /// Its model.
    pub model: String,
}

/// How a house is started. Everything that it writes is below `data`.
#[derive(Debug, Clone)]
pub struct HouseOptions {
    /// Directory of the house: `hub/`, `printers/…/`, `logs/`.
    pub data: PathBuf,
    /// Its printers.
    pub printers: Vec<PrinterPlan>,
    /// How many times faster than real ones the printers are.
    pub speed: f64,
    /// Whether each printer keeps a journal of what it did, `printers/…/journal.jsonl`, a record of what came over its line,
    /// `printers/…/wire`, and what its heaters are set to, `printers/…/targets`.
    pub journals: bool,
    /// Dashboard, API, agents.
    pub listen: std::net::SocketAddr,
    /// The MQTT gateway.
    pub mqtt_listen: std::net::SocketAddr,
    /// `postgres://…`; none: SQLite.
    pub database: Option<String>,
    /// More environment variables for the hub.
    pub hub_env: Vec<(String, String)>,
    /// And for the agents, when they are paired already.
    pub agent_env: Vec<(String, String)>,
    /// More arguments of the simulated printers.
    pub printer_args: Vec<String>,
}

impl HouseOptions {
    /// A house for a test: the given ports, journals kept, SQLite.
    #[must_use]
    pub fn for_test(data: &Path, http: &Port, mqtt: &Port, printers: Vec<PrinterPlan>, speed: f64) -> Self {
        Self {
            data: data.to_owned(),
            printers,
            speed,
            journals: true,
            listen: http.address(),
            mqtt_listen: mqtt.address(),
            database: None,
            hub_env: Vec::new(),
            agent_env: Vec::new(),
            printer_args: Vec::new(),
        }
    }

    /// Where the logs are.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.data.join("logs")
    }

    /// Where the first sign-in is kept.
    #[must_use]
    pub fn sign_in_file(&self) -> PathBuf {
        self.data.join("first-sign-in.txt")
    }

    fn hub(&self) -> HubOptions {
        HubOptions {
            data: self.data.join("hub"),
            logs: self.logs(),
            listen: self.listen,
            mqtt_listen: self.mqtt_listen,
            database: self.database.clone(),
            env: self.hub_env.clone(),
        }
    }

    fn station_dir(&self, printer: &PrinterPlan) -> PathBuf {
        self.data.join("printers").join(file_name(&printer.name))
    }

    fn simulator(&self, printer: &PrinterPlan) -> SimOptions {
        let dir = self.station_dir(printer);
        let kept = |option: &str, file: &str| [option.to_owned(), dir.join(file).display().to_string()];
        let kept = self.journals.then(|| [kept("--wire", "wire"), kept("--targets", "targets")]);
        SimOptions {
            name: printer.name.clone(),
            link: dir.join("port"),
            speed: self.speed,
            journal: self.journals.then(|| dir.join("journal.jsonl")),
            log: self.logs().join(format!("{}-simulator.log", file_name(&printer.name))),
            args: ["--name".to_owned(), printer.model.clone()]
                .into_iter()
                .chain(kept.into_iter().flatten().flatten())
                .chain(self.printer_args.iter().cloned())
                .collect(),
        }
    }

    /// How the agent of a printer is paired and run.
    #[must_use]
    pub fn agent(&self, printer: &PrinterPlan) -> AgentOptions {
        let dir = self.station_dir(printer);
        AgentOptions {
            name: printer.name.clone(),
            model: Some(printer.model.clone()),
            port: dir.join("port"),
            data: dir.join("agent"),
            log: self.logs().join(format!("{}-agent.log", file_name(&printer.name))),
            env: self.agent_env.clone(),
        }
    }
}

/// A printer with its agent.
#[derive(Debug)]
pub struct Station {
    /// Its name on the dashboard.
    pub name: String,
    /// The agent. Before the simulator: dropped first, so that it never sees its printer vanish.
    pub agent: AgentProcess,
    /// The printer.
    pub simulator: SimProcess,
}

/// A running house. Dropping it stops agents and printers, then the hub.
#[derive(Debug)]
pub struct House {
    /// The printers, in the order of the options.
    pub stations: Vec<Station>,
    /// The hub.
    pub hub: HubProcess,
    /// A client of it, signed in when the sign-in is known.
    pub client: Client,
    /// The owner's sign-in, from this start or an earlier one; none when it has been changed since.
    pub sign_in: Option<SignIn>,
    /// Whether this was the first start on its data.
    pub fresh: bool,
}

impl House {
    /// Starts everything. Agents that have no credential yet are paired. The sign-in that the hub shows at its
    /// first start is kept in the house (`first-sign-in.txt`) for the later ones.
    ///
    /// # Errors
    /// Something did not start, or an agent has to be paired and no sign-in is known.
    pub async fn start(binaries: &Binaries, options: &HouseOptions) -> Result<Self> {
        binaries.check()?;
        let hub = HubProcess::start(binaries, &options.hub()).await?;
        let file = options.sign_in_file();
        let shown = hub.first_sign_in().cloned();
        let fresh = shown.is_some();
        let sign_in = match shown {
            Some(sign_in) => {
                // At once: the hub never shows it again, and what follows may fail.
                sign_in.save(&file)?;
                Some(sign_in)
            }
            None => SignIn::load(&file)?,
        };
        let client = Client::new(&hub.url())?;
        let mut house = Self { stations: Vec::new(), hub, client, sign_in, fresh };
        match house.sign_in().await {
            // The owner has another password by now: a later start needs none, unless a printer is new.
            Err(error) if !fresh && error.code() == Some("bad_credentials") => house.sign_in = None,
            Ok(()) | Err(Error::NoSignIn) => {}
            Err(error) => return Err(error),
        }
        for printer in &options.printers {
            let station = house.start_station(binaries, options, printer).await?;
            house.stations.push(station);
        }
        Ok(house)
    }

    async fn start_station(
        &mut self,
        binaries: &Binaries,
        options: &HouseOptions,
        printer: &PrinterPlan,
    ) -> Result<Station> {
        let dir = options.station_dir(printer);
        std::fs::create_dir_all(&dir).map_err(Error::file(&dir))?;
        let simulator = SimProcess::start(binaries, options.simulator(printer)).await?;
        let agent_options = options.agent(printer);
        // A file of ours, written after the fact: pairing that was cut off is done again.
        let paired = dir.join("paired");
        if !paired.exists() {
            self.sign_in().await?;
            let code = self.client.pairing_code().await?;
            AgentProcess::pair(binaries, &self.hub.url(), &code, &agent_options).await?;
            std::fs::write(&paired, "").map_err(Error::file(&paired))?;
        }
        let agent = AgentProcess::start(binaries, &agent_options)?;
        Ok(Station { name: printer.name.clone(), agent, simulator })
    }

    /// Signs the client in, if it is not yet.
    async fn sign_in(&mut self) -> Result<()> {
        if self.client.is_anonymous() {
            let sign_in = self.sign_in.as_ref().ok_or(Error::NoSignIn)?;
            self.client = self.client.sign_in(&sign_in.email, &sign_in.password).await?;
        }
        Ok(())
    }

    /// All processes: the hub first, then each printer's simulator and agent.
    pub fn processes(&mut self) -> impl Iterator<Item = &mut Process> {
        let stations = self
            .stations
            .iter_mut()
            .flat_map(|station| [station.simulator.process(), station.agent.process()]);
        std::iter::once(self.hub.process()).chain(stations)
    }

    /// Stops everything in order: the agents, which let go of their printers; the printers; the hub.
    ///
    /// # Errors
    /// A process could not even be killed.
    pub async fn stop(mut self) -> Result<()> {
        use rustix::process::Signal;
        // All of a kind at once: the time of the slowest one, not the sum.
        for station in &mut self.stations {
            station.agent.process().signal(Signal::TERM);
        }
        for station in &mut self.stations {
            station.agent.stop().await?;
        }
        for station in &mut self.stations {
            station.simulator.process().signal(Signal::TERM);
        }
        for station in &mut self.stations {
            station.simulator.stop().await?;
        }
        self.hub.stop().await?;
        Ok(())
    }
}

/// A printer's name as a file name: lower-case letters and digits, the rest dashes.
fn file_name(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("Ada", "ada")]
    #[case("Ender 3 / left", "ender-3---left")]
    #[case("../up", "---up")]
    fn a_printers_files_stay_below_the_house(#[case] name: &str, #[case] file: &str) {
        assert_eq!(file_name(name), file);
    }
}
