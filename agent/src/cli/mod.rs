//! What a person types: `stardust-agent run|pair|ports|print|status`.
//!
//! Owns: arguments, what is printed, exit codes. Must not know: how anything is done.

mod logging;
mod ports;
mod print;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use stardust_clock::SystemClock;

/// The agent beside a 3D printer: connects it to a Stardust hub, or prints a file by itself.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Arguments {
    /// What is logged, as `debug` or `stardust_agent::serial=trace`; logs go to standard error
    #[arg(long, env = "STARDUST_AGENT_LOG", global = true, value_name = "FILTER")]
    log: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the serial ports that could be a printer's
    Ports,
    /// Print one file with no hub: the quickest check of a printer
    Print(PrintArguments),
}

#[derive(Debug, clap::Args)]
struct PrintArguments {
    /// A plain G-code file
    file: PathBuf,
    /// The printer's serial port
    #[arg(long, value_name = "PATH")]
    port: PathBuf,
    /// Its speed
    #[arg(long, value_name = "N", default_value_t = DEFAULT_BAUD)]
    baud: u32,
}

/// What most boards speak.
const DEFAULT_BAUD: u32 = 115_200;

/// Runs the command; errors go to standard error in a sentence.
#[must_use]
pub fn run(arguments: Arguments) -> ExitCode {
    let default = match arguments.command {
        Command::Ports | Command::Print(_) => "warn",
    };
    logging::start(arguments.log.as_deref().unwrap_or(default));
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("The system gives no resources to start with: {error}")),
    };
    let result = runtime.block_on(async {
        match arguments.command {
            Command::Ports => ports::run(),
            Command::Print(options) => print::run(&options, SystemClock::shared()).await,
        }
    });
    match result {
        Ok(code) => code,
        Err(message) => fail(&message),
    }
}

/// A sentence for the person at the terminal.
type Failure = String;

fn fail(message: &str) -> ExitCode {
    // Where standard error is closed there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "stardust-agent: {message}");
    ExitCode::FAILURE
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
