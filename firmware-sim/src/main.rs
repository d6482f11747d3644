//! `firmware-sim`: simulated printers on ptys. Reads its options and hands over to the driver.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io::Write;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use firmware_sim::driver::{self, Options};
use firmware_sim::faults::{Fault, FaultKind};
use firmware_sim::firmware::{Config, KeepAlive};
use firmware_sim::profile::{LineSettings, Profile};

/// Simulated printers on pseudo terminals.
///
/// Prints `ready <link> <pty>` for each and runs until SIGINT or SIGTERM. Hosts may come and go.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Symbolic link to the pty for hosts to open; an older link is replaced, ours is removed at the end
    ///
    /// With --count there is one for every printer: PATH-1, PATH-2, …
    #[arg(long, value_name = "PATH")]
    link: PathBuf,

    /// So many printers, named NAME 1, NAME 2, …
    #[arg(long, value_name = "N", default_value = "1")]
    count: NonZeroU16,

    /// Whose firmware, with all its peculiarities
    #[arg(long, value_name = "NAME", default_value = "marlin", value_parser = profile, long_help = profile_help())]
    profile: Profile,

    /// Simulated seconds per real second: motion, heating, busy lines and reports all run faster
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = speed)]
    speed: f64,

    /// Line rate of the printer: shown, and kept with --pace (a pty has no rate of its own)
    #[arg(long, value_name = "N", default_value_t = 115_200, value_parser = clap::value_parser!(u32).range(300..))]
    baud: u32,

    /// Let bytes pass at baud/10 a second of real time, in both directions
    #[arg(long)]
    pace: bool,

    /// USB round trip in milliseconds: half of it each way
    #[arg(long, value_name = "MS", default_value_t = 0.0, value_parser = milliseconds)]
    latency: f64,

    /// A host that sets another rate than --baud sends and receives garbage
    #[arg(long, requires = "pace")]
    strict_baud: bool,

    /// Bytes the printer receives ahead, 127 for most; more is lost. 0: native USB, the host is made to wait
    #[arg(long, value_name = "BYTES")]
    receive_buffer: Option<usize>,

    /// What goes wrong, and when; may be given several times
    #[arg(long = "fault", value_name = "KIND[=RATE|@N|@TIME]", long_help = fault_help())]
    faults: Vec<Fault>,

    /// Repeats a run's faults; without it every run has others. Of several printers each has the next seed
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Somebody has started a print of so many bytes from the memory card at the panel, 1000 bytes a second
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1..))]
    sd_print: Option<u64>,

    /// After an unplug the link comes back as PATH.2, PATH.3, …, and not only the pty has another name
    #[arg(long)]
    rename_on_replug: bool,

    /// Append every accepted command to this file, one JSON object a line
    ///
    /// {"t":seconds,"n":line number or null,"cmd":"G1 X1 Y2","sha256":"…"}, and {"t":0,"boot":true} at every
    /// start and every reset. t is simulated time since then. cmd comes without line number and checksum, trimmed. A command is written when
    /// it is taken from the queue to be executed, numbered or not, the host's own (M105, M110, M155) included.
    /// sha256 is the running hash over the cmd of every entry since then, each followed by a line feed.
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,

    /// Keep what the heaters are set to in this file: {"nozzles":[210.0],"bed":60.0,"chamber":null}
    ///
    /// Replaced in one piece whenever it changes. It is what the printer does, also while its cable is out.
    #[arg(long, value_name = "FILE")]
    targets: Option<PathBuf>,

    /// How long the cable is out when --fault unplug strikes, seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u16).range(1..))]
    unplugged: Option<u16>,

    /// The chamber is heated, up to so many °C
    #[arg(long, value_name = "CELSIUS", value_parser = clap::value_parser!(u8).range(40..))]
    chamber: Option<u8>,

    /// Append every byte that comes to this file, as it comes, and `<DTR>` where --resets-by-dtr saw it fall
    ///
    /// For who asks what a host has sent, and not what became of it.
    #[arg(long, value_name = "FILE")]
    wire: Option<PathBuf>,

    /// The board is wired so that it starts anew when the host lets DTR fall (a speed of zero)
    #[arg(long)]
    resets_by_dtr: bool,

    /// MACHINE_TYPE in M115; the UUID follows from it. Without it, the profile's
    #[arg(long)]
    name: Option<String>,

    /// Extruders
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=8))]
    tools: u8,

    /// Answer `ok N10 P15 B3`: line number, free planner blocks, free queue places
    #[arg(long)]
    advanced_ok: bool,

    /// Nothing moves before all axes were homed (NO_MOTION_BEFORE_HOMING)
    #[arg(long)]
    homes_first: bool,

    /// When a firmware at work says busy: always, not-in-moves, never
    #[arg(long, value_name = "WHEN", value_parser = keep_alive, default_value = "always")]
    keep_alive: KeepAlive,

    /// M105 is answered by a plain ok, and the report comes on a line behind it
    #[arg(long)]
    reports_behind_ok: bool,

    /// No sensor is connected: every heater reads `inf`
    #[arg(long)]
    no_sensors: bool,

    /// Locked by a password: takes no command but M511
    #[arg(long)]
    locked: bool,

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

fn milliseconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(ms) if (0.0..=10_000.0).contains(&ms) => Ok(ms),
        _ => Err("must be a number from 0 to 10000".to_owned()),
    }
}

fn keep_alive(when: &str) -> Result<KeepAlive, String> {
    match when {
        "always" => Ok(KeepAlive::Always),
        "not-in-moves" => Ok(KeepAlive::NotInMoves),
        "never" => Ok(KeepAlive::Never),
        _ => Err("must be always, not-in-moves or never".to_owned()),
    }
}

fn profile(name: &str) -> Result<Profile, String> {
    let names = || Profile::NAMES.map(|named| named.name).join(", ");
    Profile::named(name).ok_or_else(|| format!("there is no such profile; there are {}", names()))
}

fn profile_help() -> String {
    let builds = Profile::NAMES.map(|named| format!("  {}: {}", named.name, named.about));
    format!("Whose firmware, with all its peculiarities\n\n{}", builds.join("\n"))
}

fn fault_help() -> String {
    let names = FaultKind::ALL.map(FaultKind::name).join(", ");
    format!(
        "What goes wrong, and when; may be given several times\n\n\
         KIND strikes one line in a hundred, KIND=RATE that share of the lines (0.005 or 0.5%), KIND@N the line \
         with this number, KIND@TIME once at this time (30s, 500ms, 2min). Lines are those of the fault's \
         direction.\n\nKinds: {names}"
    )
}

/// Another one every time: the standard library seeds its hashes from the system's random numbers.
fn random_seed() -> u64 {
    RandomState::new().build_hasher().finish() >> 32
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let build = arguments.profile.config;
    let config = Config {
        name: arguments.name.unwrap_or(build.name),
        tools: arguments.tools,
        advanced_ok: build.advanced_ok || arguments.advanced_ok,
        homes_first: arguments.homes_first,
        keep_alive: arguments.keep_alive,
        reports_behind_ok: arguments.reports_behind_ok,
        no_sensors: arguments.no_sensors,
        locked: arguments.locked,
        emergency_parser: build.emergency_parser && !arguments.no_emergency_parser,
        receive_buffer: match arguments.receive_buffer {
            Some(bytes) => (bytes > 0).then_some(bytes),
            None => build.receive_buffer,
        },
        prints_from_card: arguments.sd_print,
        chamber_max_c: arguments.chamber.map(f64::from).or(build.chamber_max_c),
        ..build
    };
    let line = LineSettings {
        baud: arguments.pace.then_some(arguments.baud),
        latency: Duration::from_secs_f64(arguments.latency / 2000.0),
    };
    let profile = Profile { config, line, speed: arguments.speed };
    let options = Options {
        link: arguments.link,
        journal: arguments.journal,
        targets: arguments.targets,
        unplugged: arguments.unplugged.map(|seconds| Duration::from_secs(seconds.into())),
        wire: arguments.wire,
        count: arguments.count,
        plan: arguments.faults.into_iter().collect(),
        seed: arguments.seed.unwrap_or_else(random_seed),
        renames: arguments.rename_on_replug,
        checks_baud: arguments.strict_baud,
        resets_by_dtr: arguments.resets_by_dtr,
    };
    announce(&profile, &options, arguments.baud);
    match driver::run(&profile, &options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "firmware-sim: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What a person needs to see, and to start the same run again.
fn announce(profile: &Profile, options: &Options, baud: u32) {
    let mut to = std::io::stderr();
    let (name, speed) = (&profile.config.name, profile.speed);
    let _ = writeln!(to, "firmware-sim: {name}, {baud} baud, time x {speed}");
    if !options.plan.faults().is_empty() {
        let faults: Vec<String> = options.plan.faults().iter().map(ToString::to_string).collect();
        let _ = writeln!(to, "firmware-sim: faults {}; --seed {}", faults.join(", "), options.seed);
    }
}
