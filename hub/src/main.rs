//! `stardust-hub`: the command line.

use std::backtrace::Backtrace;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;
use stardust_clock::SystemClock;
use stardust_hub::accounts::password::Passwords;
use stardust_hub::config::{Config, Settings};
use stardust_hub::{accounts, api, serve};
use stardust_outlet::Outlet;
use tokio::runtime::Builder;

/// The hub of a Stardust fleet: dashboard, API, print queue, and the broker that the agents talk to.
#[derive(Parser)]
#[command(name = "stardust-hub", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Settings file (TOML); the command line and STARDUST_HUB_… win over it
    #[arg(long, global = true, env = "STARDUST_HUB_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Subcommand)]
enum Command {
    /// Run the hub
    Serve,
    /// Print the OpenAPI document
    Openapi,
    /// Write the manual pages and the shells' completions, for a package
    #[command(hide = true)]
    Manual {
        /// Where to
        directory: PathBuf,
    },
    /// Look after a hub on this machine
    Admin {
        #[command(subcommand)]
        command: AdminCommand,
    },
}

#[derive(Subcommand)]
enum AdminCommand {
    /// Give a member a new random password and print it
    ResetPassword {
        /// The member's e-mail address
        email: String,
    },
}

type Failure = Box<dyn std::error::Error>;

/// Threads that never wait.
const WORKERS: usize = 2;
/// What is begun may come to its end within this.
const REST_WITHIN: Duration = Duration::from_secs(2);
/// What is said at the end is waited for so long, whether somebody reads it or not.
const LOG_IS_READ_WITHIN: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let cli = Cli::parse();
    let log = match Outlet::of_text("stderr", std::io::stderr()) {
        Ok(log) => log,
        Err(error) => {
            let _ =
                writeln!(std::io::stderr(), "stardust-hub: the system gives no thread for the log: {error}");
            return ExitCode::FAILURE;
        }
    };
    start_log(&log);
    let result = match Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build() {
        Ok(runtime) => {
            let result = runtime.block_on(run(cli));
            // What still waits for a disk that hangs matters to nobody any more.
            runtime.shutdown_timeout(REST_WITHIN);
            result
        }
        Err(error) => Err(error.into()),
    };
    if let Err(error) = &result {
        log.put(format!("stardust-hub: {error}\n").as_bytes());
    }
    // There is nobody to tell.
    let _ = log.flush(LOG_IS_READ_WITHIN);
    if result.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The log goes to standard error: JSON with `STARDUST_HUB_LOG_FORMAT=json`, as much as `STARDUST_HUB_LOG` says.
///
/// Nobody waits for whoever reads it: all requests would, and a stop at once among them.
fn start_log(log: &Outlet) {
    let of_panics = log.clone();
    std::panic::set_hook(Box::new(move |panic| {
        of_panics.put(format!("{panic}\n{}\n", Backtrace::capture()).as_bytes());
    }));
    let log = log.clone();
    let filter = tracing_subscriber::EnvFilter::try_from_env("STARDUST_HUB_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,rumqttd=warn"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(move || log.clone());
    // A line that can't be written is not said anywhere else: without this it would be on the same standard error, by whoever has
    // something else to do.
    let builder = builder.log_internal_errors(false);
    if std::env::var("STARDUST_HUB_LOG_FORMAT").is_ok_and(|format| format == "json") {
        builder.json().flatten_event(true).init();
    } else {
        builder.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).init();
    }
}

async fn run(cli: Cli) -> Result<(), Failure> {
    let config = || -> Result<Config, Failure> {
        let file = cli.config.as_deref().map(Settings::read).transpose()?.unwrap_or_default();
        Ok(cli.settings.clone().or(file).resolve())
    };
    match &cli.command {
        Command::Serve => Ok(serve::serve(config()?, SystemClock::shared(), asked_to_stop()?).await?),
        Command::Openapi => {
            let spec = api::openapi::document().to_pretty_json()?;
            Ok(writeln!(std::io::stdout(), "{spec}")?)
        }
        Command::Manual { directory } => Ok(write_manual(directory)?),
        Command::Admin { command: AdminCommand::ResetPassword { email } } => {
            let db = serve::open_db(&config()?).await?;
            let password = accounts::first_start::reset_password(&db, &Passwords::start()?, email).await?;
            Ok(writeln!(std::io::stdout(), "new password for {email}: {password}")?)
        }
    }
}

fn write_manual(directory: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(directory)?;
    let mut command = Cli::command();
    for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
        clap_complete::generate_to(shell, &mut command, "stardust-hub", directory)?;
    }
    // Afresh: the shells' generator has added `help` for each command.
    clap_mangen::generate_to(Cli::command(), directory)
}

fn asked_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
