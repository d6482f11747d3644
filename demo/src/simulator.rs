//! A simulated printer as a process. Knows its command line, not what it simulates.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use crate::binaries::Binaries;
use crate::process::{Plan, Process};
use crate::{Error, Result, wait};

const READY_DEADLINE: Duration = Duration::from_secs(20);

/// How a simulated printer is started.
#[derive(Debug, Clone)]
pub struct SimOptions {
    /// What people call it.
    pub name: String,
    /// Where the symbolic link to its serial port is made.
    pub link: PathBuf,
    /// How many times faster than a real printer it moves and heats.
    pub speed: f64,
    /// Where it writes down every accepted command; none: nowhere.
    pub journal: Option<PathBuf>,
    /// Its log.
    pub log: PathBuf,
    /// More arguments, such as `--fault …`.
    pub args: Vec<String>,
}

/// A running simulated printer.
#[derive(Debug)]
pub struct SimProcess {
    process: Process,
    options: SimOptions,
}

impl SimProcess {
    /// Switches the printer on, and waits until its serial port is there.
    ///
    /// # Errors
    /// It ended before that, or took too long.
    pub async fn start(binaries: &Binaries, options: SimOptions) -> Result<Self> {
        remove_link(&options.link)?;
        let mut plan = Plan::new(
            format!("{}'s simulator", options.name),
            binaries.path("firmware-sim")?,
            options.log.clone(),
        )
        .args(["--link".as_ref(), options.link.as_os_str()])
        .args(["--speed", &options.speed.to_string()]);
        if let Some(journal) = &options.journal {
            plan = plan.args(["--journal".as_ref(), journal.as_os_str()]);
        }
        let process = Process::start(plan.args(&options.args))?;
        let mut sim = Self { process, options };
        sim.wait_ready().await?;
        Ok(sim)
    }

    /// The serial port to give to an agent.
    #[must_use]
    pub fn link(&self) -> &Path {
        &self.options.link
    }

    /// The journal, when it keeps one.
    #[must_use]
    pub fn journal(&self) -> Option<&Path> {
        self.options.journal.as_deref()
    }

    /// The process, to look at it or to send it signals.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Switches it on again; one that still runs loses its power first.
    ///
    /// # Errors
    /// As for [`SimProcess::start`].
    pub async fn restart(&mut self) -> Result<()> {
        self.process.kill().await?;
        remove_link(&self.options.link)?;
        self.process = Process::start(self.process.plan().clone())?;
        self.wait_ready().await
    }

    /// Ends it with SIGTERM.
    ///
    /// # Errors
    /// It could not even be killed.
    pub async fn stop(&mut self) -> Result<ExitStatus> {
        self.process.stop().await
    }

    async fn wait_ready(&mut self) -> Result<()> {
        let Self { process, options } = self;
        let what = format!("{}'s serial port", options.name);
        wait::try_until(&what, READY_DEADLINE, async || {
            process.check_alive()?;
            // The link is made when the terminal stands; following it proves that the terminal is there.
            Ok(options.link.exists().then_some(()))
        })
        .await
    }
}

// A link left by a killed simulator may point at a terminal that is somebody else's by now.
fn remove_link(link: &Path) -> Result<()> {
    match std::fs::remove_file(link) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::file(link)(error)),
        _ => Ok(()),
    }
}
