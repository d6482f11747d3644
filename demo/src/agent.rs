//! An agent as a process: paired once, then run. Knows its command line, not what it does.

use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use crate::binaries::Binaries;
use crate::process::{Plan, Process, in_words};
use crate::{Error, Result};

const PAIR_DEADLINE: Duration = Duration::from_secs(30);

/// How an agent is paired and run.
#[derive(Debug, Clone)]
pub struct AgentOptions {
    /// Its printer's name on the dashboard.
    pub name: String,
    /// Its printer's model, where one is to be told.
    pub model: Option<String>,
    /// The serial port.
    pub port: PathBuf,
    /// Its data directory: credential, journal, spool.
    pub data: PathBuf,
    /// Its log.
    pub log: PathBuf,
    /// More environment variables.
    pub env: Vec<(String, String)>,
}

/// A running agent.
#[derive(Debug)]
pub struct AgentProcess {
    process: Process,
}

impl AgentProcess {
    /// Turns a pairing code into a credential in the agent's data directory.
    ///
    /// # Errors
    /// The agent says no: its own words are in the error.
    pub async fn pair(binaries: &Binaries, hub_url: &str, code: &str, options: &AgentOptions) -> Result<()> {
        let mut plan = plan(binaries, "agent, while pairing,", options)?
            .args(["pair", hub_url, code, "--name", &options.name])
            .args(["--port".as_ref(), options.port.as_os_str()])
            .args(["--data".as_ref(), options.data.as_os_str()]);
        if let Some(model) = &options.model {
            plan = plan.args(["--model", model]);
        }
        let mut process = Process::start(plan)?;
        let status = process.wait_exit(PAIR_DEADLINE).await?;
        if status.success() {
            return Ok(());
        }
        Err(Error::Exited {
            name: process.name().to_owned(),
            status: in_words(status),
            tail: process.log_tail(20),
        })
    }

    /// Runs a paired agent.
    ///
    /// # Errors
    /// It can't be started. That it has reached the hub is seen on the hub, not here.
    pub fn start(binaries: &Binaries, options: &AgentOptions) -> Result<Self> {
        let plan = plan(binaries, "agent", options)?
            .args(["run", "--data"])
            .args([&options.data])
            .env(options.env.clone());
        Ok(Self { process: Process::start(plan)? })
    }

    /// The process, to look at it or to send it signals.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Starts it again; one that still runs is killed with -9 first.
    ///
    /// # Errors
    /// It can't be killed or started.
    pub async fn restart(&mut self) -> Result<()> {
        self.process.kill().await?;
        self.process = Process::start(self.process.plan().clone())?;
        Ok(())
    }

    /// Ends it with SIGTERM.
    ///
    /// # Errors
    /// It could not even be killed.
    pub async fn stop(&mut self) -> Result<ExitStatus> {
        self.process.stop().await
    }

    /// Kills it as a power cut would.
    ///
    /// # Errors
    /// It is not gone in time.
    pub async fn kill(&mut self) -> Result<ExitStatus> {
        self.process.kill().await
    }
}

fn plan(binaries: &Binaries, what: &str, options: &AgentOptions) -> Result<Plan> {
    Ok(Plan::new(format!("{}'s {what}", options.name), binaries.path("stardust-agent")?, options.log.clone()))
}
