//! `stardust-agent`: reads the command line and hands over to [`stardust_agent::cli`].

use std::process::ExitCode;

use clap::Parser;
use stardust_agent::cli;

fn main() -> ExitCode {
    match cli::Arguments::try_parse() {
        Ok(arguments) => cli::run(arguments),
        Err(error) => cli::misunderstood(&error),
    }
}
