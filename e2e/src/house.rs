//! A house of real processes for one test: on free ports, in a directory of its own, on the database that
//! `STARDUST_E2E_DATABASE` names. A failed test leaves its directory and says where it is.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use stardust_demo::binaries::Binaries;
use stardust_demo::client::Client;
use stardust_demo::database::TestDatabase;
use stardust_demo::house::{House, HouseOptions, PrinterPlan};
use stardust_demo::port::Port;
use stardust_demo::wait;

use crate::journal;
use crate::unwritable::Unwritable;

/// Long enough for whatever a test waits for on a busy machine; a test that reaches it has failed.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// What is not as usual in a house.
#[derive(Debug, Clone, Copy, Default)]
pub struct Setting<'a> {
    /// More environment variables for the hub.
    pub hub_env: &'a [(&'a str, &'a str)],
    /// The agents' configuration file.
    pub agent: Option<&'a str>,
    /// More arguments of the simulated printers.
    pub printer: &'a [&'a str],
}

/// A house that belongs to a test.
pub struct TestHouse {
    /// The processes.
    pub house: House,
    /// The names of the printers.
    names: Vec<String>,
    options: HouseOptions,
    _dir: TestDir,
    database: Option<Arc<TestDatabase>>,
    _ports: [Port; 2],
}

impl TestHouse {
    /// Starts a hub and printers of these names, `speed` times faster than real ones, and waits until all
    /// are idle.
    pub async fn start(names: &[&str], speed: f64) -> Self {
        Self::start_with(names, speed, &[]).await
    }

    /// The same with settings for the hub.
    pub async fn start_with(names: &[&str], speed: f64, hub_env: &[(&str, &str)]) -> Self {
        Self::start_as(names, speed, Setting { hub_env, ..Setting::default() }).await
    }

    /// The same with settings for all of it.
    pub async fn start_as(names: &[&str], speed: f64, setting: Setting<'_>) -> Self {
        let dir =
            tempfile::Builder::new().prefix("stardust-e2e-").tempdir().expect("a directory for the test");
        let ports = [Port::pick().expect("a free port"), Port::pick().expect("a free port")];
        let database = TestDatabase::from_environment().expect("a database for the test").map(Arc::new);
        let printers =
            names.iter().map(|name| PrinterPlan { name: (*name).to_owned(), model: "Simulated".to_owned() });
        let mut options = HouseOptions::for_test(dir.path(), &ports[0], &ports[1], printers.collect(), speed);
        options.database = database.as_ref().map(|database| database.url());
        let of_hub = setting.hub_env.iter();
        options.hub_env = of_hub.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        if let Some(text) = setting.agent {
            let path = dir.path().join("agent.toml");
            std::fs::write(&path, text).expect("the agents' configuration");
            options.agent_env = vec![("STARDUST_AGENT_CONFIG".to_owned(), path.display().to_string())];
        }
        options.printer_args = setting.printer.iter().map(|argument| (*argument).to_owned()).collect();
        let binaries = Binaries::beside_this_program().expect("the binaries: run `make build`");
        let started = House::start(&binaries, &options).await;
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let house = match started {
            Ok(house) => house,
            Err(error) => panic!("{error}\nlogs: {}", dir.keep().display()),
        };
        let test = Self { house, names, options, _dir: TestDir(Some(dir)), database, _ports: ports };
        for name in &test.names {
            test.printer_in_state(name, "idle").await;
        }
        test
    }

    /// The signed-in client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.house.client
    }

    /// The options that the house was started with.
    #[must_use]
    pub fn options(&self) -> &HouseOptions {
        &self.options
    }

    /// The hub's database can be read and not written, until this is dropped.
    #[must_use]
    pub fn database_unwritable(&self) -> Unwritable {
        match &self.database {
            Some(database) => Unwritable::postgres(Arc::clone(database)),
            None => Unwritable::sqlite(&self.options.data.join("hub/hub.db")),
        }
    }

    /// Whether what is to be written to such a database waits, and is not refused at once.
    #[must_use]
    pub fn writes_wait(&self) -> bool {
        self.database.is_none()
    }

    /// A printer by its name.
    pub async fn printer(&self, name: &str) -> Value {
        let printers = self.client().printers().await.expect("the printers");
        printers.into_iter().find(|printer| printer["name"] == name).expect("a printer of this name")
    }

    /// Its id.
    pub async fn printer_id(&self, name: &str) -> String {
        self.printer(name).await["id"].as_str().expect("an id").to_owned()
    }

    /// Waits until a printer is in a state.
    pub async fn printer_in_state(&self, name: &str, state: &str) -> Value {
        let what = format!("printer {name} to be {state}");
        wait::until(&what, PATIENCE, async || {
            let printer = self.printer(name).await;
            (printer["state"] == state).then_some(printer)
        })
        .await
        .unwrap_or_else(|error| panic!("{error}"))
    }

    /// Waits until a job is in a state.
    pub async fn job_in_state(&self, id: &str, state: &str) -> Value {
        self.client().job_in_state(id, state, PATIENCE).await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Waits until a job is further than a fraction of its file.
    pub async fn job_beyond(&self, id: &str, fraction: f64) -> f64 {
        let what = format!("job {id} to be beyond {fraction}");
        wait::until(&what, PATIENCE, async || {
            let job = self.client().job(id).await.expect("the job");
            assert!(!["failed", "cancelled"].contains(&job["state"].as_str().unwrap_or_default()), "{job}");
            job["progress"]["fraction"].as_f64().filter(|done| *done > fraction)
        })
        .await
        .unwrap_or_else(|error| panic!("{error}"))
    }

    /// Uploads bytes and waits until the hub has read what the slicer says of them.
    pub async fn upload(&self, name: &str, bytes: Vec<u8>) -> Value {
        let file = self.client().upload(name, bytes).await.expect("the upload");
        let id = file["id"].as_str().expect("an id");
        self.client().extracted_file(id, PATIENCE).await.expect("the file's metadata")
    }

    /// Uploads and queues; the job's id.
    pub async fn print(&self, name: &str, bytes: Vec<u8>, printer: Option<&str>) -> String {
        let file = self.upload(name, bytes).await;
        let printer = match printer {
            Some(name) => Some(self.printer_id(name).await),
            None => None,
        };
        let id = file["id"].as_str().expect("an id");
        let job = self.client().create_job(id, printer.as_deref()).await.expect("the job");
        job["id"].as_str().expect("an id").to_owned()
    }

    /// The states that a job went through.
    pub async fn history(&self, job: &str) -> Vec<String> {
        let moves = self.client().transitions(job).await.expect("the transitions");
        moves.iter().map(|moved| moved["to"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// What a printer accepted: the commands of each job that it has printed to its end. Waits until the journal has
    /// `count` of them, of which the last is `commands` long: it is written a moment after the fact.
    pub async fn printed(&self, name: &str, count: usize, commands: usize) -> Vec<Vec<String>> {
        let what = format!("{count} jobs, the last of {commands} commands, in the journal of {name}");
        let path = self.journal(name);
        wait::until(&what, Duration::from_secs(20), async || {
            let jobs = journal::finished(&journal::read(&path));
            let complete = jobs.len() == count && jobs.last().is_some_and(|job| job.len() >= commands);
            complete.then_some(jobs)
        })
        .await
        .unwrap_or_else(|error| {
            let lengths: Vec<_> = journal::jobs(&journal::read(&path)).iter().map(Vec::len).collect();
            panic!("{error}; there are {lengths:?}, finished or not")
        })
    }

    /// Stops everything; a process that does not end as it should fails the test.
    pub async fn stop(self) {
        self.house.stop().await.unwrap_or_else(|error| panic!("{error}"));
    }

    /// Where the agent of a printer keeps its own journal.
    ///
    /// # Panics
    /// Its name is not a plain word.
    #[must_use]
    pub fn agent_journal(&self, name: &str) -> PathBuf {
        assert!(name.chars().all(|c| c.is_ascii_alphabetic()), "{name}: a folder's name is another then");
        let folder = name.to_ascii_lowercase();
        self.options
            .data
            .join("printers")
            .join(&folder)
            .join("agent/printers")
            .join(&folder)
            .join("journal.jsonl")
    }

    /// How often a printer was told to halt (`M112`), by the record of its line.
    #[must_use]
    pub fn halts(&self, name: &str) -> usize {
        journal::halts(&self.journal(name).with_file_name("wire"))
    }

    /// What a printer's heaters are set to, by the printer itself: its nozzle and its bed.
    #[must_use]
    pub fn targets(&self, name: &str) -> [f64; 2] {
        let written = std::fs::read(self.journal(name).with_file_name("targets")).expect("its targets");
        let targets: Value = serde_json::from_slice(&written).expect("its targets");
        [&targets["nozzles"][0], &targets["bed"]].map(|target| target.as_f64().unwrap_or_default())
    }

    /// Where a printer's journal is.
    #[must_use]
    pub fn journal(&self, name: &str) -> PathBuf {
        let station = self.house.stations.iter().find(|station| station.name == name).expect("a station");
        station.simulator.journal().expect("a journal").to_owned()
    }
}

/// The directory of a test; kept when the test fails.
struct TestDir(Option<tempfile::TempDir>);

impl Drop for TestDir {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(dir) = self.0.take()
        {
            eprintln!(
                "the house of this test, with its logs and databases, is kept in {}",
                dir.keep().display()
            );
        }
    }
}
