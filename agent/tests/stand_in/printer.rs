//! A simulated printer: the project's own `firmware-sim`, as a process on a pty.

use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde::Deserialize;

/// The agent's binary.
pub(crate) fn agent() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stardust-agent"));
    // Not what an installed agent has.
    command.env("STARDUST_AGENT_DATA", std::env::temp_dir().join("stardust-agent-tests"));
    command
}

/// A file of the fixtures.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/gcode").join(name)
}

/// A running simulator; ends with the test.
pub(crate) struct Printer {
    process: Child,
    folder: tempfile::TempDir,
    port: PathBuf,
    said: Lines<BufReader<ChildStdout>>,
}

/// A command that the printer has accepted.
#[derive(Debug, Deserialize)]
pub(crate) struct Accepted {
    #[serde(default)]
    pub(crate) n: Option<u64>,
    #[serde(default)]
    pub(crate) cmd: String,
}

#[derive(Deserialize)]
struct Targets {
    nozzles: Vec<f64>,
    bed: f64,
    chamber: Option<f64>,
}

impl Printer {
    /// Starts one whose time runs `speed` times as fast.
    pub(crate) fn start(speed: u32) -> Self {
        Self::start_with(&["--speed", &speed.to_string()])
    }

    /// Starts one with these options.
    pub(crate) fn start_with(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = folder.path().join("port");
        Self::start_at(&port, folder, options)
    }

    /// Starts one whose port is `port`; `folder` is for its journal.
    pub(crate) fn start_at(port: &Path, folder: tempfile::TempDir, options: &[&str]) -> Self {
        let simulator = Path::new(env!("CARGO_BIN_EXE_stardust-agent")).with_file_name("firmware-sim");
        assert!(
            simulator.is_file(),
            "{} is missing: build it: cargo build -p firmware-sim",
            simulator.display()
        );
        let mut process = Command::new(simulator)
            .arg("--link")
            .arg(port)
            .arg("--journal")
            .arg(folder.path().join("journal"))
            .arg("--targets")
            .arg(folder.path().join("targets"))
            .args(options)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
        let ready = said.by_ref().any(|line| line.unwrap().starts_with("ready "));
        assert!(ready, "the simulator did not start");
        // What it has set is there to be read from now on.
        super::eventually("its targets", || folder.path().join("targets").exists().then_some(()));
        Self { process, folder, port: port.to_owned(), said }
    }

    /// Waits until its cable is in again; gives its new port.
    pub(crate) fn replugged(&mut self) -> PathBuf {
        let line =
            self.said.find_map(|line| Some(line.unwrap().strip_prefix("replugged ")?.to_owned())).unwrap();
        self.port = line.split(' ').next().unwrap().into();
        self.port.clone()
    }

    pub(crate) fn port(&self) -> PathBuf {
        self.port.clone()
    }

    /// Holds it still, as one that does not answer: what is sent to it waits in its port.
    pub(crate) fn hold(&self) {
        self.signal(rustix::process::Signal::STOP);
    }

    /// It goes on, with what has come meanwhile.
    pub(crate) fn go_on(&self) {
        self.signal(rustix::process::Signal::CONT);
    }

    fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.process), signal).unwrap();
    }

    /// Ends it: its journal is whole then.
    pub(crate) fn end(&mut self) {
        self.signal(rustix::process::Signal::TERM);
        self.process.wait().unwrap();
    }

    /// What the printer has accepted so far; all of it once the simulator has ended.
    pub(crate) fn journal(&self) -> Vec<Accepted> {
        let text = std::fs::read_to_string(self.folder.path().join("journal")).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// What its heaters are set to, °C, as the printer has it: nozzles, bed, and a chamber if it has one.
    pub(crate) fn targets(&self) -> Vec<f64> {
        let text = std::fs::read_to_string(self.folder.path().join("targets")).unwrap();
        let told: Targets = serde_json::from_str(&text).unwrap();
        told.nozzles.into_iter().chain([told.bed]).chain(told.chamber).collect()
    }

    /// Whether it was told to heat nothing.
    pub(crate) fn is_cold(&self) -> bool {
        self.targets().iter().all(|target| *target == 0.0)
    }

    /// Where it writes down what it accepts.
    pub(crate) fn journal_file(&self) -> PathBuf {
        self.folder.path().join("journal")
    }

    /// How often its controller has started.
    pub(crate) fn boots(&self) -> usize {
        let text = std::fs::read_to_string(self.folder.path().join("journal")).unwrap_or_default();
        text.matches("\"boot\":true").count()
    }

    /// How much its journal holds, bytes.
    pub(crate) fn journal_size(&self) -> u64 {
        std::fs::metadata(self.journal_file()).map_or(0, |file| file.len())
    }

    /// Ends it and gives the commands of the last job's file: no file printed so has an M73 or an M85 of its own.
    pub(crate) fn last_job(self) -> Vec<String> {
        let mut job = self.last_job_with_progress();
        job.retain(|line| !line.starts_with("M73 P"));
        job
    }

    /// Ends it and gives the numbered commands of the last job, without the numbering itself, the dead-man, and the
    /// `M400` and `M105` by which the host makes sure of the end, with the `M27` that it asks once it is idle.
    pub(crate) fn last_job_with_progress(mut self) -> Vec<String> {
        self.end();
        let journal = self.journal();
        let start = journal.iter().rposition(|line| line.cmd.starts_with("M110")).unwrap();
        let numbered =
            journal.into_iter().skip(start + 1).filter(|line| line.n.is_some()).map(|line| line.cmd);
        let mut job: Vec<String> = numbered.filter(|line| !line.starts_with("M85 S")).collect();
        while job.last().is_some_and(|line| line == "M27") {
            job.pop();
        }
        if job.ends_with(&["M400".to_owned(), "M105".to_owned()]) {
            job.truncate(job.len() - 2);
        }
        job
    }
}

impl Drop for Printer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The commands of a file: comments and blanks left out. Written anew here, so that it checks the agent's reading.
pub(crate) fn commands(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap();
    let bare = text.lines().map(|line| line.split(';').next().unwrap_or("").trim().to_owned());
    bare.filter(|line| !line.is_empty()).collect()
}

/// The hash that the simulator's journal keeps.
pub(crate) fn hash(commands: &[String]) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    for command in commands {
        hash.update(command.as_bytes());
        hash.update(b"\n");
    }
    hash.finalize().to_vec()
}
