//! A simulated printer and `stardust-agent print` at its port: no hub, no house.
//!
//! Owns: the processes and their files. Must not know: what a test expects of a print.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Signal;
use stardust_demo::binaries::Binaries;
use stardust_demo::process::{Plan, Process};
use stardust_demo::simulator::{SimOptions, SimProcess};
use stardust_demo::wait;

use crate::journal::{self, Entry};

/// A simulated printer of its own, in a directory of its own.
pub struct Printer {
    simulator: SimProcess,
    binaries: Binaries,
    dir: tempfile::TempDir,
}

/// A run of `stardust-agent`.
pub struct Agent {
    process: Process,
    output: PathBuf,
}

impl Printer {
    /// Starts the simulator with these arguments, `speed` times faster than a real printer.
    pub async fn start(speed: f64, args: &[&str]) -> Self {
        let dir = tempfile::Builder::new().prefix("stardust-print-").tempdir().expect("a directory");
        let binaries = Binaries::beside_this_program().expect("the binaries: run `make build`");
        let options = SimOptions {
            name: "the printer".to_owned(),
            link: dir.path().join("port"),
            speed,
            journal: Some(dir.path().join("journal")),
            log: dir.path().join("simulator.log"),
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
        };
        let simulator = SimProcess::start(&binaries, options).await.expect("the simulator");
        Self { simulator, binaries, dir }
    }

    /// Starts `stardust-agent` with these arguments and this printer's port.
    pub fn agent(&self, args: &[&str]) -> Agent {
        let output = self.dir.path().join("agent.log");
        let program = self.binaries.path("stardust-agent").expect("the agent: run `make build`");
        let plan = Plan::new("the agent", program, output.clone())
            .args(args)
            .args(["--port".as_ref(), self.simulator.link().as_os_str()])
            .env([("STARDUST_AGENT_DATA".to_owned(), self.dir.path().join("data").display().to_string())]);
        Agent { process: Process::start(plan).expect("the agent"), output }
    }

    /// Starts `stardust-agent print` of a file on this printer.
    pub fn print(&self, file: &Path) -> Agent {
        self.agent(&["print", file.to_str().expect("a path of UTF-8")])
    }

    /// Writes a print file beside the printer.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, content).expect("the print file");
        path
    }

    /// What it has accepted so far.
    #[must_use]
    pub fn accepted(&self) -> Vec<Entry> {
        self.simulator.journal().map(journal::read).unwrap_or_default()
    }

    /// The numbered lines of the last print, as soon as they are as they should be: the journal is written a moment
    /// after the fact. What there is after ten seconds otherwise.
    pub async fn last_print(&self, complete: impl Fn(&[String]) -> bool) -> Vec<String> {
        let look = || journal::prints(&self.accepted()).pop().unwrap_or_default();
        let waited =
            wait::until("the journal", Duration::from_secs(10), async || complete(&look()).then_some(()));
        let _ = waited.await;
        look()
    }

    /// Switches it off; all that it has accepted.
    pub async fn stop(mut self) -> Vec<Entry> {
        self.simulator.stop().await.expect("the simulator to end");
        self.accepted()
    }
}

impl Agent {
    /// Waits for its end: exit code and everything it has said.
    pub async fn ended(mut self, patience: Duration) -> (Option<i32>, String) {
        let status = self.process.wait_exit(patience).await;
        let said = self.said();
        (status.unwrap_or_else(|error| panic!("{error}; it said: {said}")).code(), said)
    }

    /// What it has said so far, to people and as errors.
    #[must_use]
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.output).unwrap_or_default()).into_owned()
    }

    /// Sends it a signal.
    pub fn signal(&mut self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Waits until the printer has accepted what `seen` looks for; a run that ends before fails the test.
    pub async fn until(&mut self, what: &str, printer: &Printer, seen: impl Fn(&[Entry]) -> bool) {
        let looked = wait::try_until(what, Duration::from_secs(60), async || {
            self.process.check_alive()?;
            Ok(seen(&printer.accepted()).then_some(()))
        });
        if let Err(error) = looked.await {
            panic!("{error}; the agent said: {}", self.said());
        }
    }
}
