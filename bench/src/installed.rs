//! The agent as it is installed: `stardust-agent run`, paired with a real hub, with a job of it.
//!
//! Owns: the hub, the agent's process and its data. Must not know: printers, figures, targets.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use stardust_demo::agent::{AgentOptions, AgentProcess};
use stardust_demo::binaries::Binaries;
use stardust_demo::client::Client;
use stardust_demo::hub::{HubOptions, HubProcess};
use stardust_demo::port::Port;
use stardust_demo::wait;
use tokio::runtime::Runtime;

use crate::BenchError;

/// Whatever takes longer will not come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
const NAME: &str = "bench";

/// Where the agent keeps its data, and what its environment adds.
pub(crate) struct Home {
    pub(crate) data: PathBuf,
    pub(crate) env: Vec<(String, String)>,
}

/// An agent with its hub. Dropping it ends both.
pub(crate) struct Installed {
    program: PathBuf,
    folder: PathBuf,
    home: Home,
    agent: Option<Child>,
    pub(crate) client: Client,
    hub: HubProcess,
    pub(crate) runtime: Runtime,
    pub(crate) ports: [Port; 2],
}

impl Installed {
    /// Starts a hub in `folder`, pairs an agent at `port` with it and starts that; returns when it is ready for a job.
    pub(crate) fn start(
        binaries: &Binaries,
        agent: &Path,
        folder: &Path,
        port: &Path,
    ) -> Result<Self, BenchError> {
        let home = Home { data: folder.join("agent"), env: Vec::new() };
        Self::start_at(binaries, agent, folder, port, home)
    }

    /// The same with an agent that is at home elsewhere.
    pub(crate) fn start_at(
        binaries: &Binaries,
        agent: &Path,
        folder: &Path,
        port: &Path,
        home: Home,
    ) -> Result<Self, BenchError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let ports = [Port::pick()?, Port::pick()?];
        let options = HubOptions {
            data: folder.join("hub"),
            logs: folder.join("logs"),
            listen: ports[0].address(),
            mqtt_listen: ports[1].address(),
            database: None,
            env: Vec::new(),
        };
        let hub = runtime.block_on(HubProcess::start(binaries, &options))?;
        let sign_in = hub.first_sign_in().ok_or_else(|| failed("the hub shows no first sign-in"))?;
        let client = runtime.block_on(async {
            let client = Client::new(&hub.url())?.sign_in(&sign_in.email, &sign_in.password).await?;
            let code = client.pairing_code().await?;
            let options = AgentOptions {
                name: NAME.to_owned(),
                model: None,
                port: port.to_owned(),
                data: home.data.clone(),
                log: folder.join("logs/agent.log"),
                env: Vec::new(),
            };
            AgentProcess::pair(binaries, &hub.url(), &code, &options).await?;
            Ok::<_, stardust_demo::Error>(client)
        })?;
        let (program, folder) = (agent.to_owned(), folder.to_owned());
        let mut installed = Self { program, folder, home, agent: None, client, hub, runtime, ports };
        installed.run()?;
        installed.until_idle()?;
        Ok(installed)
    }

    /// Starts the agent's process.
    pub(crate) fn run(&mut self) -> Result<(), BenchError> {
        let log =
            std::fs::File::options().append(true).create(true).open(self.folder.join("logs/agent.log"))?;
        let mut command = Command::new(&self.program);
        command.arg("run").arg("--data").arg(&self.home.data);
        command.envs(self.home.env.iter().map(|(name, value)| (name, value)));
        command.env("NO_PROXY", "127.0.0.1").stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let name = self.program.display().to_string();
        self.agent = Some(command.spawn().map_err(|error| BenchError::Program(name, error))?);
        Ok(())
    }

    /// Kills it (SIGKILL), and waits until it is gone.
    pub(crate) fn kill(&mut self) -> Result<(), BenchError> {
        if let Some(mut agent) = self.agent.take() {
            agent.kill()?;
            agent.wait()?;
        }
        Ok(())
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.agent.as_ref().map_or(0, Child::id)
    }

    /// Whether its process is gone.
    pub(crate) fn has_ended(&mut self) -> Result<bool, BenchError> {
        Ok(self.agent.as_mut().map(Child::try_wait).transpose()?.flatten().is_some())
    }

    pub(crate) fn until_idle(&self) -> Result<(), BenchError> {
        let idle = wait::try_until("the printer to be idle on the hub", PATIENCE, async || {
            let printers = self.client.printers().await?;
            Ok(printers.iter().any(|printer| printer["state"] == "idle").then_some(()))
        });
        Ok(self.runtime.block_on(idle)?)
    }

    /// Has a file printed; the job's id, as soon as it is being printed.
    pub(crate) fn print(&self, file: &Path) -> Result<String, BenchError> {
        let job = self.begin(file)?;
        self.until(&job, "printing")?;
        Ok(job)
    }

    /// The same, as soon as it is ordered.
    pub(crate) fn begin(&self, file: &Path) -> Result<String, BenchError> {
        let bytes = std::fs::read(file)?;
        let id = self.runtime.block_on(async {
            let file = self.client.upload("bench.gcode", bytes).await?;
            let id = file["id"].as_str().unwrap_or_default();
            self.client.extracted_file(id, PATIENCE).await?;
            Ok::<_, BenchError>(id.to_owned())
        })?;
        self.order(&id)
    }

    /// The file that somebody has uploaded, as soon as the hub has looked at it.
    pub(crate) fn uploaded(&self) -> Result<String, BenchError> {
        self.runtime.block_on(async {
            let files = self.client.get("/api/v1/files").await?;
            let id = files["items"][0]["id"].as_str().ok_or_else(|| failed("the hub has no file"))?;
            self.client.extracted_file(id, PATIENCE).await?;
            Ok(id.to_owned())
        })
    }

    /// Orders a job of a file that the hub has; its id.
    pub(crate) fn order(&self, file: &str) -> Result<String, BenchError> {
        let job = self.runtime.block_on(self.client.create_job(file, None))?;
        Ok(job["id"].as_str().unwrap_or_default().to_owned())
    }

    /// Waits until a job is in this state.
    pub(crate) fn until(&self, job: &str, state: &str) -> Result<(), BenchError> {
        self.runtime.block_on(self.client.job_in_state(job, state, PATIENCE))?;
        Ok(())
    }

    /// How far a job is, 0 to 1.
    pub(crate) fn fraction(&self, job: &str) -> Result<f64, BenchError> {
        let job = self.runtime.block_on(self.client.job(job))?;
        Ok(job["progress"]["fraction"].as_f64().unwrap_or(0.0))
    }

    /// Cancels a job, and clears the bed.
    pub(crate) fn cancel(&self, job: &str) -> Result<(), BenchError> {
        self.runtime.block_on(self.client.ask(job, "cancel"))?;
        self.until(job, "cancelled")?;
        self.runtime.block_on(self.client.ask(job, "confirm-removal"))?;
        self.until_idle()
    }

    /// Pauses a job, and waits until it is.
    pub(crate) fn pause(&self, job: &str) -> Result<(), BenchError> {
        self.runtime.block_on(self.client.ask(job, "pause"))?;
        self.until(job, "paused")
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        // Neither has anything to lose.
        let _ = self.kill();
        let _ = self.runtime.block_on(self.hub.kill());
    }
}

/// Something that should not be.
pub(crate) fn failed(what: impl Into<String>) -> BenchError {
    BenchError::Installed(what.into())
}
