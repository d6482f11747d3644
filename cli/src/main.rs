//! `stardust`: the command line client of a Stardust hub.
//!
//! Owns: starting up and the exit status (0 done, 1 failed, 2 wrongly called). Everything it does goes
//! through the hub's public REST API.

mod api;
mod args;
mod commands;
mod credentials;
mod error;
mod output;
mod password;
mod quantity;
mod stream;
mod table;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let args = args::Args::parse();
    // The first provider installed stays; there is no other.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::complain(&format!("the program could not start: {error}"));
            return ExitCode::from(1);
        }
    };
    let outcome = runtime.block_on(commands::run(args));
    // A thread may still be waiting for a key that nobody will press.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error::CliError::OutputClosed) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&error.to_string());
            ExitCode::from(error.exit_status())
        }
    }
}
