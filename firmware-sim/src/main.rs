//! `firmware-sim`: one simulated printer on a pty. Reads its options and hands over to the driver.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use firmware_sim::driver::{self, Options};
use firmware_sim::firmware::Config;

/// A simulated Marlin printer on a pseudo terminal.
///
/// Prints `ready <link> <pty>` and runs until SIGINT or SIGTERM. Hosts may come and go.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Symbolic link to the pty for hosts to open; an older link is replaced, ours is removed at the end
    #[arg(long, value_name = "PATH")]
    link: PathBuf,

    /// Simulated seconds per real second: motion, heating, busy lines and reports all run faster
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = speed)]
    speed: f64,

    /// Line rate of the printer: shown, and kept with --pace (a pty has no rate of its own)
    #[arg(long, value_name = "N", default_value_t = 115_200, value_parser = clap::value_parser!(u32).range(300..))]
    baud: u32,

    /// Let bytes pass at baud/10 a second of real time, in both directions
    #[arg(long)]
    pace: bool,

    /// Append every accepted command to this file, one JSON object a line
    ///
    /// {"t":seconds,"n":line number or null,"cmd":"G1 X1 Y2","sha256":"…"}, and {"t":0,"boot":true} at every
    /// start. t is simulated time. cmd comes without line number and checksum, trimmed. A command is written when
    /// it is taken from the queue to be executed, numbered or not, the host's own (M105, M110, M155) included.
    /// sha256 is the running hash over the cmd of every entry since the start, each followed by a line feed.
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,

    /// MACHINE_TYPE in M115; the UUID follows from it
    #[arg(long, default_value = "Simulated Marlin")]
    name: String,

    /// Extruders
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=8))]
    tools: u8,

    /// Answer `ok N10 P15 B3`: line number, free planner blocks, free queue places
    #[arg(long)]
    advanced_ok: bool,

    /// Build without EMERGENCY_PARSER: M108, M112 and M410 wait for their turn
    #[arg(long)]
    no_emergency_parser: bool,
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if (0.001..=1_000_000.0).contains(&speed) => Ok(speed),
        _ => Err("must be a number from 0.001 to 1000000".to_owned()),
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let config = Config {
        name: arguments.name,
        tools: arguments.tools,
        advanced_ok: arguments.advanced_ok,
        emergency_parser: !arguments.no_emergency_parser,
        ..Config::default()
    };
    let pace_baud = arguments.pace.then_some(arguments.baud);
    let options =
        Options { link: arguments.link, speed: arguments.speed, pace_baud, journal: arguments.journal };
    let (name, baud, speed) = (&config.name, arguments.baud, arguments.speed);
    let _ = writeln!(std::io::stderr(), "firmware-sim: {name}, {baud} baud, time x {speed}");
    match driver::run(config, &options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "firmware-sim: {error}");
            ExitCode::FAILURE
        }
    }
}
