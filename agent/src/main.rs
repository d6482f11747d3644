//! `stardust-agent`: reads the command line and hands over to [`stardust_agent::cli`].

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    stardust_agent::cli::run(stardust_agent::cli::Arguments::parse())
}
