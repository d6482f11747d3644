//! One child process: started with its log in a file, looked at, killed or stopped, and never left behind.

use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

use crate::{Error, Result, spawn, wait};

/// How long a process may take to end after SIGTERM before it is killed.
pub const STOP_DEADLINE: Duration = Duration::from_secs(10);

/// What to start, and how.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What people call it, in messages.
    pub name: String,
    /// The binary.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Environment variables on top of the caller's.
    pub env: Vec<(String, String)>,
    /// Where its standard error is appended, and its standard output when `stdout` is not given.
    pub log: PathBuf,
    /// A file of its own for its standard output: made anew at each start, readable by this user only.
    pub stdout: Option<PathBuf>,
}

impl Plan {
    /// A process with a log and no arguments yet.
    #[must_use]
    pub fn new(name: impl Into<String>, program: PathBuf, log: PathBuf) -> Self {
        Self { name: name.into(), program, args: Vec::new(), env: Vec::new(), log, stdout: None }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Adds environment variables.
    #[must_use]
    pub fn env(mut self, env: impl IntoIterator<Item = (String, String)>) -> Self {
        self.env.extend(env);
        self
    }

    /// Gives standard output a file of its own.
    #[must_use]
    pub fn stdout(mut self, path: PathBuf) -> Self {
        self.stdout = Some(path);
        self
    }
}

/// A running (or ended) child. Dropping it stops it: SIGTERM, then SIGKILL after [`STOP_DEADLINE`].
#[derive(Debug)]
pub struct Process {
    plan: Plan,
    child: Child,
    status: Option<ExitStatus>,
}

impl Process {
    /// Starts it, in a process group of its own: the terminal's Ctrl-C does not reach it, whoever started it
    /// decides in which order things stop.
    ///
    /// # Errors
    /// The log can't be opened, or the operating system does not start the program.
    pub fn start(plan: Plan) -> Result<Self> {
        let log = open_log(&plan.log, false)?;
        let stdout = match &plan.stdout {
            Some(path) => open_log(path, true)?,
            None => log.try_clone().map_err(Error::file(&plan.log))?,
        };
        let mut command = spawn::command(&plan.program);
        spawn::forget_settings(&mut command);
        command
            .args(&plan.args)
            .envs(plan.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(log)
            .process_group(0);
        let child = spawn::spawn(command).map_err(|error| Error::Spawn { name: plan.name.clone(), error })?;
        Ok(Self { plan, child, status: None })
    }

    /// What people call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.plan.name
    }

    /// How it was started.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            // An error means that it was never ours to wait for: treated as still running.
            self.status = self.child.try_wait().ok().flatten();
        }
        self.status
    }

    /// An error with the end of its log if it has ended.
    ///
    /// # Errors
    /// It has ended.
    pub fn check_alive(&mut self) -> Result<()> {
        match self.ended() {
            None => Ok(()),
            Some(status) => Err(Error::Exited {
                name: self.plan.name.clone(),
                status: in_words(status),
                tail: self.log_tail(20),
            }),
        }
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// It still runs at the deadline.
    pub async fn wait_exit(&mut self, deadline: Duration) -> Result<ExitStatus> {
        let what = format!("{} to end", self.plan.name);
        wait::until(&what, deadline, async || self.ended()).await
    }

    /// Asks it to end (SIGTERM) and waits; kills it when it does not end in time.
    ///
    /// # Errors
    /// It could not even be killed.
    pub async fn stop(&mut self) -> Result<ExitStatus> {
        self.signal(Signal::TERM);
        match self.wait_exit(STOP_DEADLINE).await {
            Ok(status) => Ok(status),
            Err(_) => self.kill().await,
        }
    }

    /// Kills it (SIGKILL), as a power cut would, and waits until it is gone.
    ///
    /// # Errors
    /// It is not gone after [`STOP_DEADLINE`].
    pub async fn kill(&mut self) -> Result<ExitStatus> {
        self.signal(Signal::KILL);
        self.wait_exit(STOP_DEADLINE).await
    }

    /// Sends a signal, unless it has ended.
    pub fn signal(&mut self, signal: Signal) {
        if self.ended().is_none() {
            if let Some(pid) = self.pid() {
                // It may end between the look and the signal; it is not reaped yet, so the id is still its own.
                let _ = kill_process(pid, signal);
            }
        }
    }

    /// Memory that it holds now (resident set size), in kB; none when it has ended.
    #[must_use]
    pub fn resident_kb(&self) -> Option<u64> {
        self.memory_kb("VmRSS:")
    }

    /// The part of it that is its own: without the pages of its program file, which are many in a debug build.
    #[must_use]
    pub fn private_kb(&self) -> Option<u64> {
        self.memory_kb("RssAnon:")
    }

    fn memory_kb(&self, field: &str) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(field))?;
        line.split_whitespace().next()?.parse().ok()
    }

    /// The last lines of its log.
    #[must_use]
    pub fn log_tail(&self, lines: usize) -> String {
        let text = std::fs::read(&self.plan.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let skipped = text.lines().count().saturating_sub(lines);
        text.lines().skip(skipped).collect::<Vec<_>>().join("\n")
    }

    fn pid(&self) -> Option<Pid> {
        i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)
    }

    fn ends_within(&mut self, deadline: Duration) -> bool {
        let pidfd = self.pid().and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
        if let (None, Some(pidfd)) = (self.ended(), pidfd) {
            let timeout = Timespec::try_from(deadline).ok();
            let _ = poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], timeout.as_ref());
        }
        self.ended().is_some()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::TERM);
        if !self.ends_within(STOP_DEADLINE) {
            self.signal(Signal::KILL);
            self.ends_within(STOP_DEADLINE);
        }
    }
}

/// `exit code 3` or `killed by signal 9`.
#[must_use]
pub fn in_words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("killed by signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}

fn open_log(path: &Path, anew: bool) -> Result<File> {
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir).map_err(Error::file(dir))?;
    }
    let mut options = OpenOptions::new();
    options.create(true).mode(0o600);
    if anew {
        options.write(true).truncate(true)
    } else {
        options.append(true)
    };
    options.open(path).map_err(Error::file(path))
}
