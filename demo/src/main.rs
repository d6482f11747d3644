//! `stardust-demo`: a newcomer's first house. Starts it, says how to get in, keeps it running, stops it.

mod lock;
mod options;
mod ports;
mod run;
mod supervise;
mod welcome;

use std::process::ExitCode;

use clap::Parser;

use crate::options::Options;

// One thread is plenty, and the processes do the work.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run::run(&Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            welcome::complain(&error);
            ExitCode::FAILURE
        }
    }
}
