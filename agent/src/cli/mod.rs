//! What a person types: `stardust-agent run|pair|ports|print|status|doctor`.
//!
//! Owns: arguments, what is printed, exit codes. Must not know: how anything is done.

mod doctor;
mod journald;
mod keys;
mod left_behind;
mod logging;
mod manual;
mod outlets;
mod own_agent;
mod pair;
mod ports;
mod print;
mod run;
mod signals;
mod status;

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use stardust_clock::SystemClock;
use tokio::runtime::Runtime;

use crate::port::DeviceTree;
use crate::printer::by_hand;
use crate::printer::folder::{OfNobody, OutOfSight, PrinterFolder};
use crate::serial::Heaters;
use crate::settings::{Given, Settings};
use outlets::{StandardError, StandardOut};

/// The agent beside a 3D printer: connects it to a Stardust hub, or prints a file by itself.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Arguments {
    /// What is logged, as `debug` or `stardust_agent::serial=trace`; logs go to standard error
    #[arg(long, env = "STARDUST_AGENT_LOG", global = true, value_name = "FILTER")]
    log: Option<String>,
    /// Where printers, journals and print files are kept [default: /var/lib/stardust-agent for root]
    #[arg(long, env = "STARDUST_AGENT_DATA", global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// A configuration file (TOML): `data`, `hub`, `status_page`, and a `[printer.<name>]` for each printer [default for root:
    /// /etc/stardust/agent.toml]
    #[arg(long, env = "STARDUST_AGENT_CONFIG", global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Drive every paired printer
    Run(RunArguments),
    /// Connect a printer to a hub: with the code that its dashboard shows, or with a PIN to type there
    Pair(PairArguments),
    /// Show what the running agent's printers are doing
    Status {
        /// For programs
        #[arg(long)]
        json: bool,
    },
    /// List the serial ports that could be a printer's
    Ports,
    /// Check ports and printers, and say what to do
    Doctor(DoctorArguments),
    /// Print one file with no hub: the quickest check of a printer
    Print(PrintArguments),
    /// Say whether `run` could start with these settings, and drive every printer: exit status 0, 78 with the mistake, or 65 with the
    /// printers whose own files can't be read; `run` drives the others
    Check(RunArguments),
    /// Write down what a print with no hub owes, as the user to whom the data belong: root's `print` does
    #[command(hide = true)]
    Owed(OwedArguments),
    /// Write the manual pages and the shells' completions, for a package
    #[command(hide = true)]
    Manual {
        /// Where to
        directory: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
struct RunArguments {
    /// A page that shows what the printers do, for a browser on this machine, as 127.0.0.1:8091 [default: none, or
    /// `status_page` in the configuration]
    #[arg(long, env = "STARDUST_AGENT_STATUS_PAGE", value_name = "ADDRESS")]
    status_page: Option<String>,
    /// Print files are kept up to so many bytes, of all printers together; those that jobs need may take more
    /// [default: 2147483648]
    #[arg(long, env = "STARDUST_AGENT_SPOOL_BYTES", value_name = "BYTES")]
    spool_bytes: Option<u64>,
    /// A file (PEM) of the authorities that vouch for the hubs, besides those that this machine trusts [default: what
    /// each printer was paired with]
    #[arg(long, env = "STARDUST_AGENT_HUB_CA", value_name = "FILE")]
    hub_ca: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct PairArguments {
    /// The hub's address
    #[arg(value_name = "HUB_URL")]
    hub: String,
    /// The code that the dashboard shows; without it, a PIN is shown to type into the dashboard
    code: Option<String>,
    /// The printer's serial port [default: the only one of this machine, or asked for]
    #[arg(long, value_name = "PATH")]
    port: Option<PathBuf>,
    /// Its speed [default: found out]
    #[arg(long, value_name = "N", value_parser = baud())]
    baud: Option<u32>,
    /// A file (PEM) of the authorities that vouch for the hub, besides those that this machine trusts; kept for the
    /// printer
    #[arg(long, env = "STARDUST_AGENT_HUB_CA", value_name = "FILE")]
    hub_ca: Option<PathBuf>,
    /// Pair without asking the printer whether it answers
    #[arg(long)]
    no_check: bool,
    /// Pair again although a job is held, or on another port than before
    #[arg(long)]
    force: bool,
    /// As root: don't enable and start the service
    #[arg(long)]
    no_service: bool,
    /// Root's `pair` runs itself again as the service's user
    #[arg(long, hide = true)]
    as_service_user: bool,
    /// The printer's name on the dashboard [default: asked for, or the port's]
    #[arg(long)]
    name: Option<String>,
    /// What printer it is, as `Ender-3`
    #[arg(long)]
    model: Option<String>,
}

#[derive(Debug, clap::Args)]
struct PrintArguments {
    /// A plain G-code file
    file: PathBuf,
    /// The printer's serial port
    #[arg(long, value_name = "PATH")]
    port: PathBuf,
    /// Its speed [default: found out]
    #[arg(long, value_name = "N", value_parser = baud())]
    baud: Option<u32>,
    /// Start the printer's board anew first, by its DTR line: for boards that don't answer otherwise
    #[arg(long)]
    reset_on_open: bool,
    /// Print a file whose end is missing; it is not called finished then
    #[arg(long)]
    even_if_cut_off: bool,
}

#[derive(Debug, clap::Args)]
struct OwedArguments {
    /// The printer's serial port
    #[arg(long, value_name = "PATH")]
    port: PathBuf,
    /// Its speed
    #[arg(long, value_name = "N", value_parser = baud())]
    baud: Option<u32>,
    /// It heats this tool
    #[arg(long = "tool", value_name = "N")]
    tools: Vec<u32>,
    /// It heats the chamber
    #[arg(long)]
    chamber: bool,
    /// It heats by words, as Klipper does
    #[arg(long)]
    words: bool,
    /// Nothing more is owed
    #[arg(long)]
    settled: bool,
}

#[derive(Debug, Clone, clap::Args)]
struct DoctorArguments {
    /// The printer's serial port [default: those of all paired printers]
    #[arg(long, value_name = "PATH")]
    port: Option<PathBuf>,
    /// Its speed [default: found out]
    #[arg(long, value_name = "N", value_parser = baud())]
    baud: Option<u32>,
    /// For programs
    #[arg(long)]
    json: bool,
}

/// What a serial port can be set to at all; zero would hang up.
fn baud() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(300..=4_000_000)
}

/// The exit status at which the service is not started again at once (the unit names it): what is wrong stays wrong
/// until a person has changed it.
const SETTINGS_ARE_WRONG: u8 = 78;
/// The settings are well, but a printer's own files can't be read: the others are driven (the script behind the unit's `ExecStop`
/// knows this one).
const PRINTERS_ARE_WRONG: u8 = 65;
/// What is begun may come to its end within this: a journal that is being written, of which many may be; and what matters to nobody. All
/// together, and prints go on meanwhile.
const REST_WITHIN: Duration = Duration::from_secs(2);
/// As every program has it whose command line can't be understood.
const USAGE: u8 = 2;

/// The command line, or what the environment says in its place, can't be understood: that is said. A service that can't start
/// because of it makes safe what was left hot first.
#[must_use]
pub fn misunderstood(error: &clap::Error) -> ExitCode {
    let (out, err) = (std::io::stdout().is_terminal(), std::io::stderr().is_terminal());
    let in_colour = if error.use_stderr() { err } else { out };
    let text = if in_colour { error.render().ansi().to_string() } else { error.render().to_string() };
    if !error.use_stderr() {
        // `--help`, `--version`.
        let _ = StandardOut.write_all(text.as_bytes());
        outlets::settle(false);
        return ExitCode::SUCCESS;
    }
    let drives = std::env::args_os().any(|argument| argument == "run");
    if drives {
        signals::outlast_terminal(false);
    }
    let _ = StandardError.write_all(text.as_bytes());
    if drives {
        logging::start("info");
        run::make_safe(Given::read(std::env::args_os(), |name| std::env::var_os(name)));
    }
    outlets::settle(drives);
    ExitCode::from(if drives { SETTINGS_ARE_WRONG } else { USAGE })
}

/// Runs the command; errors go to standard error in a sentence.
#[must_use]
pub fn run(arguments: Arguments) -> ExitCode {
    let drives = matches!(arguments.command, Command::Run(_) | Command::Print(_) | Command::Doctor(_));
    if drives {
        signals::outlast_terminal(matches!(arguments.command, Command::Print(_)));
    }
    let code = carry_out(arguments);
    outlets::settle(drives);
    code
}

fn carry_out(arguments: Arguments) -> ExitCode {
    let default = match arguments.command {
        Command::Run(_) => "info",
        Command::Pair(_)
        | Command::Status { .. }
        | Command::Ports
        | Command::Check(_)
        | Command::Print(_)
        | Command::Owed(_)
        | Command::Manual { .. }
        | Command::Doctor(_) => "warn",
    };
    logging::start(arguments.log.as_deref().unwrap_or(default));
    // A second installation (in tests) leaves the first in place.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (page, hub_ca, spool_bytes) = match &arguments.command {
        Command::Run(of) | Command::Check(of) => {
            (of.status_page.as_deref(), of.hub_ca.clone(), of.spool_bytes)
        }
        _ => (None, None, None),
    };
    let given = Given { data: arguments.data.clone(), config: arguments.config.clone() };
    let settings = Settings::read(arguments.data, arguments.config.as_deref())
        .and_then(|mut settings| settings.put_page(page).map(|()| settings.overridden(hub_ca, spool_bytes)));
    let settings = match settings {
        Ok(settings) => settings,
        Err(error) => {
            fail(&error.to_string());
            match &arguments.command {
                Command::Run(_) => run::make_safe(given),
                Command::Print(PrintArguments { port, baud, .. })
                | Command::Doctor(DoctorArguments { port: Some(port), baud, .. }) => {
                    left_behind::beside_broken_settings(given, port, *baud);
                }
                Command::Status { .. } | Command::Check(_) | Command::Doctor(_) => {
                    let hot = status::hot_with_nobody_there(&Settings::salvaged(given));
                    hot.iter().for_each(|sentence| warn(sentence));
                }
                _ => {}
            }
            return ExitCode::from(SETTINGS_ARE_WRONG);
        }
    };
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("The system gives no resources to start with: {error}")),
    };
    let result = carried_out_by(runtime, async {
        match arguments.command {
            Command::Run(_) => run::run(&settings, SystemClock::shared()).await,
            // They were understood, and this program can be started: that is the first question.
            Command::Check(_) => Ok(check_printers(&settings)),
            Command::Pair(options) => pair::run(options, &settings, SystemClock::shared()).await,
            Command::Status { json } => status::run(&settings, json),
            Command::Ports => ports::run(),
            Command::Manual { directory } => manual::run(&directory),
            Command::Owed(options) => owed(&options, &settings).map(|()| ExitCode::SUCCESS),
            Command::Print(options) => print::run(&options, &settings, SystemClock::shared()).await,
            Command::Doctor(options) => doctor::run(&options, &settings, SystemClock::shared()).await,
        }
    });
    match result {
        Ok(code) => code,
        Err(message) => fail(&message),
    }
}

/// Whether the files of every printer can be read.
fn check_printers(settings: &Settings) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    // The agent starts with them, and drives every printer.
    OfNobody::all(settings).iter().for_each(|section| warn(&section.in_words()));
    for one in OutOfSight::all(settings) {
        fail(&format!(
            "{} can't be looked into ({}). The printers in there are not driven until that is mended.",
            one.path.display(),
            one.why
        ));
        code = ExitCode::from(PRINTERS_ARE_WRONG);
    }
    for folder in PrinterFolder::all(settings) {
        if let Err(error) = folder.load() {
            let comes_of_it = match own_agent::drives(settings, &folder) {
                Some(true) => {
                    "The agent that runs here still drives this printer, with the settings from before; from its next start on the \
                     printer is not driven until that is mended."
                }
                Some(false) | None => "This printer is not driven until that is mended.",
            };
            fail(&format!("{}: {error}. {comes_of_it}", folder.name()));
            code = ExitCode::from(PRINTERS_ARE_WRONG);
        }
    }
    code
}

fn owed(options: &OwedArguments, settings: &Settings) -> Result<(), Failure> {
    if options.settled {
        return by_hand::settle(settings, &options.port);
    }
    let tools = options.tools.iter().copied().collect();
    let heaters = Heaters { tools, chamber: options.chamber, words: options.words, ..Heaters::default() };
    by_hand::owe(settings, &options.port, options.baud, heaters, &DeviceTree::default())
}

fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// Does it, and does not wait for long then for what still waits for a disk or for a name server.
fn carried_out_by<T>(runtime: Runtime, work: impl Future<Output = T>) -> T {
    let done = runtime.block_on(work);
    runtime.shutdown_timeout(REST_WITHIN);
    done
}

/// A sentence for the person at the terminal.
type Failure = String;

fn fail(message: &str) -> ExitCode {
    // That does not fail.
    let _ = writeln!(StandardError, "stardust-agent: {message}");
    ExitCode::FAILURE
}

/// Nothing that ends the command.
fn warn(message: &str) {
    let _ = writeln!(StandardError, "stardust-agent: warning: {message}");
}

fn say(line: &str) {
    let _ = writeln!(StandardOut, "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name server that never answers, or a disk that hangs.
    #[test]
    fn what_matters_to_nobody_any_more_does_not_keep_the_process() {
        let (keep, kept) = std::sync::mpsc::channel::<()>();
        let (begun, has_begun) = std::sync::mpsc::channel();
        let done = carried_out_by(runtime().unwrap(), async {
            drop(tokio::task::spawn_blocking(move || {
                begun.send(()).unwrap();
                kept.recv()
            }));
            has_begun.recv().unwrap();
            7
        });
        assert_eq!(done, 7);
        drop(keep);
    }
}
