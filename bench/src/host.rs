//! A host being measured: a process that prints a file on the fake printer.
//!
//! Owns: starting it, what it cost, what the fake printer saw of it. Must not know: targets.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use rustix::process::{Pid, Signal, kill_process};
use stardust_clock::SharedClock;

use crate::BenchError;
use crate::pacing::Pace;
use crate::pty::Pty;
use crate::uart::{Seen, Uart};

/// How often a process's memory is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Who prints.
#[derive(Debug, Clone)]
pub(crate) enum Host {
    /// `stardust-agent print`, by this program.
    Agent(PathBuf),
    /// The least a host must do: this program itself, in a process of its own.
    Ceiling(PathBuf),
}

impl Host {
    fn command(&self, file: &Path, port: &Path, pace: Pace) -> Command {
        let (Self::Agent(program) | Self::Ceiling(program)) = self;
        let mut command = Command::new(program);
        match self {
            Self::Agent(_) => {
                let baud = pace.baud.unwrap_or(115_200).to_string();
                command.arg("print").arg(file).arg("--port").arg(port).args(["--baud", &baud]);
            }
            Self::Ceiling(_) => {
                command.arg("ceiling").arg(file).arg(port);
            }
        }
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }
}

/// What a host did and what it cost.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) seen: Seen,
    /// Processor time of the whole process, user and system.
    pub(crate) cpu: Duration,
    /// Its largest resident size, KiB.
    pub(crate) peak_kib: u64,
    pub(crate) succeeded: bool,
    /// When it was interrupted.
    pub(crate) interrupted: Option<Duration>,
}

impl Outcome {
    /// From the first byte of the first move to the last move's `ok`.
    pub(crate) fn took(&self) -> Duration {
        self.seen.last_ok.saturating_sub(self.seen.first.unwrap_or_default())
    }
}

/// Lets a host print a file to the end, or until it has sent so many moves: then it is interrupted as by Ctrl-C.
pub(crate) fn print(
    host: &Host,
    file: &Path,
    pace: Pace,
    interrupt_after: Option<u64>,
    clock: &SharedClock,
) -> Result<Outcome, BenchError> {
    let pty = Pty::open()?;
    let mut command = host.command(file, &pty.path, pace);
    let uart = Uart::start(pty, pace, clock.clone())?;
    let mut child = command.spawn().map_err(|error| BenchError::Program(command_name(&command), error))?;
    let peak = Peak::watch(&child)?;
    let mut interrupted = None;
    if let Some(moves) = interrupt_after {
        while uart.moves() < moves && child.try_wait()?.is_none() {
            pause(Duration::from_micros(500))?;
        }
        interrupted = Some(clock.elapsed());
        kill_process(pid(&child)?, Signal::INT).map_err(std::io::Error::from)?;
    }
    let before = spent()?;
    let succeeded = child.wait()?.success();
    let cpu = spent()?.saturating_sub(before);
    Ok(Outcome { seen: uart.finish()?, cpu, peak_kib: peak.finish(), succeeded, interrupted })
}

fn command_name(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

fn pid(child: &Child) -> std::io::Result<Pid> {
    i32::try_from(child.id())
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(|| std::io::Error::other("a process without an id"))
}

pub(crate) fn pause(wait: Duration) -> std::io::Result<()> {
    let timeout = rustix::event::Timespec::try_from(wait).map_err(std::io::Error::other)?;
    rustix::event::poll(&mut [], Some(&timeout))?;
    Ok(())
}

/// User and system time of all processes started here that have ended and were waited for.
fn spent() -> std::io::Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let of = |time: nix::sys::time::TimeVal| u64::try_from(time.num_microseconds()).unwrap_or(0);
    Ok(Duration::from_micros(of(usage.user_time()) + of(usage.system_time())))
}

/// Watches how much memory a process holds at most.
struct Peak {
    kib: Arc<AtomicU64>,
    ended: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<()>,
}

impl Peak {
    fn watch(child: &Child) -> std::io::Result<Self> {
        let (kib, ended) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (seen, over) = (kib.clone(), ended.clone());
        let path = format!("/proc/{}/status", child.id());
        let thread = std::thread::Builder::new().name("memory".into()).spawn(move || {
            while !over.load(Ordering::Relaxed) {
                let status = std::fs::read_to_string(&path).unwrap_or_default();
                let high = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
                let high = high.and_then(|text| text.trim().trim_end_matches(" kB").parse().ok());
                seen.fetch_max(high.unwrap_or(0), Ordering::Relaxed);
                if pause(LOOK_EVERY).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { kib, ended, thread })
    }

    fn finish(self) -> u64 {
        self.ended.store(true, Ordering::Relaxed);
        // It has nothing to lose.
        let _ = self.thread.join();
        self.kib.load(Ordering::Relaxed)
    }
}
