//! The running agent is killed (SIGKILL) at random moments of real jobs, and another one started: the printer's journal
//! equals the file each time. The store for open ports is a stand-in (`stand_in::fd_store`); half of the kills do
//! without it, and the port is opened anew.
//!
//! `STARDUST_KILLS=200 cargo test --release -p stardust-agent --test survive_kill -- --nocapture` kills so often;
//! `STARDUST_SEED` repeats a run's moments as far as time can be repeated.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests, of time itself"
)]

#[path = "exactness/dice.rs"]
#[allow(dead_code, reason = "its part")]
mod dice;
mod stand_in;

use std::process::Child;
use std::time::{Duration, Instant};

use dice::Dice;
use stand_in::eventually;
use stand_in::fd_store::FdStore;
use stand_in::hub::Hub;
use stand_in::printer::{Printer, agent, commands, fixture, hash};
use stardust_protocol::JobState;

const FILE: &str = "cura_teapot_ender3_marlin.gcode";
/// Of an ordinary run.
const KILLS: u64 = 12;
/// Kills of one job.
const A_JOB: u64 = 4;

struct Agent {
    data: tempfile::TempDir,
    process: Option<Child>,
}

impl Agent {
    fn command(&self) -> std::process::Command {
        let mut command = agent();
        command.env("STARDUST_AGENT_DATA", self.data.path());
        command
    }

    fn kill(&mut self) {
        let mut process = self.process.take().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn env(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// How long nothing of the job was taken, for each kill.
#[derive(Default)]
struct Gaps(Vec<Duration>);

impl Gaps {
    fn share(&mut self, percent: usize) -> Duration {
        self.0.sort();
        self.0[(self.0.len() - 1) * percent / 100]
    }
}

fn size(printer: &Printer) -> u64 {
    printer.journal_size()
}

fn wait(time: Duration) {
    let (_never, wait) = std::sync::mpsc::channel::<()>();
    let _ = wait.recv_timeout(time);
}

/// Prints a file, killing the agent so many times.
fn print(dice: &mut Dice, kills: u64, kept: bool, gaps: &mut Gaps) {
    // As fast as the test may take, and not so fast that everything was printed before anyone could be killed.
    let (hub, printer) = (Hub::start(), Printer::start_with(&["--speed", "100", "--advanced-ok"]));
    let file = fixture(FILE);
    hub.offer(&std::fs::read(&file).unwrap());
    let mut agent = Agent { data: tempfile::tempdir().unwrap(), process: None };
    let paired = agent
        .command()
        .args(["pair", &hub.url, "K7QM-4TXP", "--name", "ender", "--port"])
        .arg(printer.port())
        .output()
        .unwrap();
    assert!(paired.status.success(), "{}", String::from_utf8_lossy(&paired.stderr));
    let mut store = FdStore::new(agent.data.path());
    let mut command = agent.command();
    command.arg("run");
    agent.process = Some(if kept { store.give(&command, "ender").spawn().unwrap() } else { command.spawn().unwrap() });
    eventually("begun", || (hub.state.lock().unwrap().started == 1).then_some(()));
    for kill in 0..kills {
        // Now and then again before it has come back.
        let pause = if kill > 0 && dice.below(5) == 0 { dice.below(150) } else { 100 + dice.below(900) };
        wait(Duration::from_millis(pause as u64));
        if kept {
            store.keep_port_of(agent.process.as_ref().unwrap(), &printer.port());
        }
        if hub.state.lock().unwrap().moves().contains(&JobState::AwaitingRemoval) {
            break;
        }
        agent.kill();
        // What is still in the printer's own queue is taken without anyone's help.
        let mut before = size(&printer);
        let killed = Instant::now();
        agent.process = Some(if kept { store.give(&command, "ender").spawn().unwrap() } else { command.spawn().unwrap() });
        let mut last = killed;
        let mut longest = Duration::ZERO;
        // Until it goes on steadily.
        while killed.elapsed() < Duration::from_millis(1500) {
            wait(Duration::from_millis(1));
            let now = size(&printer);
            if now != before {
                longest = longest.max(last.elapsed());
                (before, last) = (now, Instant::now());
            }
            if longest > Duration::from_millis(50) && killed.elapsed() > Duration::from_millis(400) {
                break;
            }
        }
        gaps.0.push(longest);
    }
    eventually("printed", || {
        let moves = hub.state.lock().unwrap().moves();
        let over = moves.iter().any(|state| state.is_final() || *state == JobState::AwaitingRemoval);
        over.then_some(())
    });
    let state = hub.state.lock().unwrap();
    let reasons = format!("{:?}", state.events.last());
    assert_eq!(state.moves(), [JobState::Transferring, JobState::Printing, JobState::AwaitingRemoval], "{reasons}");
    assert_eq!(state.started, 1);
    drop(state);
    let mut printed = printer.last_job();
    printed.retain(|line| line != "M105");
    let expected = commands(&file);
    let differs = printed.iter().zip(&expected).position(|(one, other)| one != other);
    assert_eq!(hash(&printed), hash(&expected), "{} of {} lines, at {differs:?}", printed.len(), expected.len());
}

fn run(kept: bool) {
    let seed = env("STARDUST_SEED").unwrap_or(7) + u64::from(kept);
    let kills = env("STARDUST_KILLS").unwrap_or(KILLS) / 2;
    let mut dice = Dice::new(seed);
    let mut gaps = Gaps::default();
    while (gaps.0.len() as u64) < kills {
        let left = kills - gaps.0.len() as u64;
        print(&mut dice, left.min(A_JOB), kept, &mut gaps);
    }
    let how = if kept { "port kept" } else { "port opened anew" };
    println!(
        "{how}: {} kills (seed {seed}), every journal equal to the file. Gap between lines: median {:?}, 95 % {:?}, longest {:?}.",
        gaps.0.len(),
        gaps.share(50),
        gaps.share(95),
        gaps.share(100)
    );
    assert!(gaps.share(95) < Duration::from_secs(5));
}

#[test]
fn a_print_survives_kill_with_its_port_kept() {
    run(true);
}

#[test]
fn a_print_survives_kill_with_its_port_opened_anew() {
    run(false);
}
