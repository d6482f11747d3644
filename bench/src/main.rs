//! `stardust-bench`: how fast and how dear the agent is as a print host, against the least that any must do.
//!
//! Everything is measured at one fake printer on a pty. Ratios of one run count; absolute figures are the
//! machine's. It ends with 1 when something failed, with 2 when a target was missed, and with 3 when all that was asked for was left
//! out; what was left out beside other parts is its last line.

mod ceiling;
mod firmware;
mod heard;
mod host;
mod installed;
mod installed_stop;
mod job_file;
mod pacing;
mod process;
mod pty;
mod resident;
mod revival;
mod run;
mod signs_of_life;
mod slow_disk;
mod stop;
mod stop_states;
mod stop_under_load;
mod targets;
mod uart;
mod uploads;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use stardust_clock::SystemClock;

use crate::host::Host;
use crate::run::{Bench, Part, Plan};
use crate::targets::{Summary, Table};

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
enum BenchError {
    /// The system gave no pty, process, file.
    #[error("{0}")]
    System(#[from] io::Error),
    /// A host could not be started.
    #[error("{0} can't be started ({1}): build it with `cargo build --release -p stardust-agent`")]
    Program(String, io::Error),
    /// The hub, or the simulated printer.
    #[error("{0}")]
    Around(#[from] stardust_demo::Error),
    /// The installed agent did something else than print.
    #[error("{0}")]
    Installed(String),
    /// A run that proves nothing.
    #[error(
        "a run went wrong: {seen} of {moves} moves came through, {refused} lines were damaged, more was sent than \
         a printer holds {overruns} times, and the host ended {}", if *succeeded { "well" } else { "with an error" }
    )]
    Faulty {
        /// That were to be printed.
        moves: u64,
        /// That came.
        seen: u64,
        /// Damaged or out of turn.
        refused: u64,
        /// Beyond the receive buffer or the queue.
        overruns: u64,
        /// The host's exit status.
        succeeded: bool,
    },
}

/// Measures the agent as a print host.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The agent's program [default: beside this one]
    #[arg(long, value_name = "PATH")]
    agent: Option<PathBuf>,
    /// Only this part
    #[arg(long, value_enum)]
    only: Option<Part>,
    /// Runs of each kind, five times as many without pacing; medians are shown
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// How often the installed agent is killed
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    kills: u32,
    /// How often a printer is stopped at once in each state, and five times as often while the hub reads uploads
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    stops: u32,
    /// Size of the file for which memory is measured, MB
    #[arg(long, default_value_t = 100, value_name = "MB", value_parser = clap::value_parser!(u64).range(1..))]
    large: u64,
    /// Where the installed agent keeps its data while it is measured, on a disk [default: beside this program]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// A folder on a slow disk, for the part that measures the agent there; it takes 1.2 GB
    #[arg(long, value_name = "DIR")]
    slow_dir: Option<PathBuf>,
    /// Short runs: to see that it works, not for figures
    #[arg(long)]
    quick: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// The ceiling itself, as a process of its own
    #[command(hide = true)]
    Ceiling {
        /// What to send
        file: PathBuf,
        /// Where to
        port: PathBuf,
    },
}

/// The exit status when there are no figures, because something failed.
const NO_FIGURES: u8 = 1;
/// The exit status when a target was missed.
const MISSED: u8 = 2;
/// The exit status when nothing of what was asked for can be measured here.
const NOTHING_MEASURED: u8 = 3;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match &arguments.command {
        Some(Command::Ceiling { file, port }) => {
            ceiling::send(file, port).map(|()| Summary::Missed(0)).map_err(BenchError::from)
        }
        None => bench(arguments),
    };
    if let Err(error) = &result {
        // Where standard error is closed there is nobody to tell.
        let _ = writeln!(io::stderr(), "stardust-bench: {error}");
    }
    ExitCode::from(status(&result))
}

/// The exit status.
const fn status(result: &Result<Summary, BenchError>) -> u8 {
    match result {
        Ok(Summary::Missed(0)) => 0,
        Ok(Summary::Missed(_)) => MISSED,
        Ok(Summary::NothingMeasured) => NOTHING_MEASURED,
        Err(_) => NO_FIGURES,
    }
}

fn bench(arguments: Arguments) -> Result<Summary, BenchError> {
    let own = std::env::current_exe()?;
    let agent = arguments.agent.unwrap_or_else(|| own.with_file_name("stardust-agent"));
    let programs = own.parent().unwrap_or(Path::new(".")).to_owned();
    // Not where files live in memory: what is written to the disk is measured too.
    let folder = tempfile::Builder::new()
        .prefix("stardust-bench-")
        .tempdir_in(arguments.data.as_deref().unwrap_or(&programs))?;
    let plan = if arguments.quick {
        Plan {
            only: arguments.only,
            runs: 1,
            paced: Duration::from_secs(1),
            pairs: 2,
            moves: 20_000,
            cancels: 2,
            large: 1_000_000,
            idle: Duration::from_secs(2),
            printing: Duration::from_secs(3),
            kills: 2,
            stops: 1,
            stops_under_load: 3,
            upload: 100_000_000,
            slow_dir: arguments.slow_dir,
            slow_disk_file: 64 << 20,
        }
    } else {
        Plan {
            only: arguments.only,
            runs: arguments.runs,
            paced: Duration::from_secs(5),
            pairs: arguments.runs * 5,
            moves: 40_000,
            cancels: 10,
            large: arguments.large * 1_000_000,
            idle: Duration::from_secs(10),
            printing: Duration::from_secs(60),
            kills: arguments.kills,
            stops: arguments.stops,
            stops_under_load: arguments.stops * 5,
            upload: 100_000_000,
            slow_dir: arguments.slow_dir,
            slow_disk_file: 1 << 30,
        }
    };
    Bench {
        plan,
        agent: Host::Agent(agent),
        ceiling: Host::Ceiling(own),
        folder: folder.path().to_owned(),
        programs,
        clock: SystemClock::shared(),
        table: Table::new(io::stdout()),
    }
    .run()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What scripts go by; numbers of targets that a status of eight bits would cut to 0 among them.
    #[test]
    fn a_missed_target_and_missing_figures_are_told_apart_by_the_exit_status() {
        assert_eq!(status(&Ok(Summary::Missed(0))), 0);
        for missed in [1, 2, 3, 255, 256, 512, u32::MAX] {
            assert_eq!(status(&Ok(Summary::Missed(missed))), 2, "{missed} missed");
        }
        assert_eq!(status(&Ok(Summary::NothingMeasured)), 3);
        assert_eq!(status(&Err(BenchError::Installed("no hub".into()))), 1);
        assert_eq!(status(&Err(io::Error::other("no pty").into())), 1);
    }
}
