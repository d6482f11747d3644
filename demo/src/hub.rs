//! A hub as a process: started, waited for, asked for its first sign-in, restarted on the same ports.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use crate::binaries::Binaries;
use crate::client::Client;
use crate::process::{Plan, Process};
use crate::sign_in::SignIn;
use crate::{Error, Result, wait};

/// How long a hub may take until it is ready.
pub const READY_DEADLINE: Duration = Duration::from_secs(60);

/// How a hub is started.
#[derive(Debug, Clone)]
pub struct HubOptions {
    /// Its data directory.
    pub data: PathBuf,
    /// Directory for its log.
    pub logs: PathBuf,
    /// Dashboard, API, agents.
    pub listen: SocketAddr,
    /// The MQTT gateway.
    pub mqtt_listen: SocketAddr,
    /// `postgres://…`; none: SQLite in the data directory.
    pub database: Option<String>,
    /// More environment variables.
    pub env: Vec<(String, String)>,
}

/// A running hub.
#[derive(Debug)]
pub struct HubProcess {
    process: Process,
    listen: SocketAddr,
    first_sign_in: Option<SignIn>,
}

impl HubProcess {
    /// Starts a hub and waits until it answers `/readyz`.
    ///
    /// # Errors
    /// It ended before it was ready (with the end of its log), or was not ready within [`READY_DEADLINE`].
    pub async fn start(binaries: &Binaries, options: &HubOptions) -> Result<Self> {
        let plan = Plan::new("the hub", binaries.path("stardust-hub")?, options.logs.join("hub.log"))
            .stdout(options.logs.join("hub.stdout"))
            .args(["serve", "--data"])
            .args([&options.data])
            .args(["--listen", &options.listen.to_string()])
            .args(["--mqtt-listen", &options.mqtt_listen.to_string()])
            // A setting that holds a password: on the command line every user of the machine could read it.
            .env(options.database.iter().map(|url| ("STARDUST_HUB_DATABASE".to_owned(), url.clone())))
            .env(options.env.clone());
        let process = Process::start(plan)?;
        let mut hub = Self { process, listen: options.listen, first_sign_in: None };
        hub.wait_ready().await?;
        Ok(hub)
    }

    /// Where the dashboard and the API are.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.listen)
    }

    /// The first sign-in, when the hub has shown it since this value was made.
    #[must_use]
    pub fn first_sign_in(&self) -> Option<&SignIn> {
        self.first_sign_in.as_ref()
    }

    /// The process, to look at it or to send it signals.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Starts it again as it was started first, on the same ports and data. A hub that still runs is killed
    /// with -9 first.
    ///
    /// # Errors
    /// As for [`HubProcess::start`].
    pub async fn restart(&mut self) -> Result<()> {
        self.process.kill().await?;
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

    /// Kills it as a power cut would.
    ///
    /// # Errors
    /// It is not gone in time.
    pub async fn kill(&mut self) -> Result<ExitStatus> {
        self.process.kill().await
    }

    async fn wait_ready(&mut self) -> Result<()> {
        let client = Client::new(&self.url())?;
        let process = &mut self.process;
        wait::try_until("the hub to be ready", READY_DEADLINE, async || {
            process.check_alive()?;
            Ok(client.is_ready().await.then_some(()))
        })
        .await?;
        // Standard output has a file of its own, made anew at each start: the lines are there at the first only.
        let shown = process.plan().stdout.as_deref().map(read).transpose()?;
        if let Some(sign_in) = shown.as_deref().and_then(SignIn::parse) {
            self.first_sign_in = Some(sign_in);
        }
        Ok(())
    }
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(Error::file(path))
}
