//! The command line.
//!
//! Owns: names, options and help texts. Must not know: what the commands do.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Sends prints to a Stardust hub and watches them.
///
/// Sign in once with `stardust login HUB_URL`. Instead, STARDUST_HUB and STARDUST_TOKEN may be set.
#[derive(Debug, Parser)]
#[command(name = "stardust", version, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Sign in to a hub and keep a token for it.
    Login {
        /// The hub's address, for example hub.example.org (https is meant when no scheme is given).
        #[arg(env = "STARDUST_HUB")]
        hub_url: String,
        /// E-mail address; asked for when left out.
        #[arg(long)]
        email: Option<String>,
        /// Read the password from standard input (its first line) instead of asking for it.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Withdraw the token and forget it.
    Logout,
    /// Upload print files.
    Upload {
        /// The G-code files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Print what the hub answers as JSON, one document a file.
        #[arg(long)]
        json: bool,
    },
    /// Print a file: a local one (uploaded first), or one of the library by id or name.
    Print {
        /// Path, id or name of the file.
        file: String,
        /// Name or id of the printer; the first available one when left out.
        #[arg(long)]
        printer: Option<String>,
        /// Print a file whose end is missing, as far as it goes.
        #[arg(long)]
        even_if_cut_off: bool,
        /// Watch the print until it is done.
        #[arg(long)]
        watch: bool,
        /// Print the job as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Watch a print; exit status 0 when it is printed, 1 when it failed or was cancelled.
    Watch {
        /// The job: its id, its file's name or its printer's name. Not needed when there is only one.
        job: Option<String>,
    },
    /// List the printers.
    Printers {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// List the print jobs that are not done.
    Jobs {
        /// Those that are done instead, newest first.
        #[arg(long, conflicts_with = "all")]
        history: bool,
        /// All of them.
        #[arg(long)]
        all: bool,
        /// At most so many.
        #[arg(long, default_value_t = 200)]
        limit: usize,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Pause a print.
    Pause {
        /// The job: its id, its file's name or its printer's name.
        job: String,
    },
    /// Go on with a paused print.
    Resume {
        /// The job: its id, its file's name or its printer's name.
        job: String,
        /// The layer to go on from, when the print was cut off; `stardust jobs` says which there are. Look at the printer
        /// first: the part must stick, the nozzle stand at the height of that layer (where the print was paused when the power
        /// failed: at the height where the pause has left it, which `stardust jobs` says), and nothing be in the way of X and Y.
        #[arg(long, value_name = "LAYER", value_parser = clap::value_parser!(u32).range(1..))]
        from_layer: Option<u32>,
    },
    /// Cancel a print.
    Cancel {
        /// The job: its id, its file's name or its printer's name.
        job: String,
    },
    /// Answer what a printer asks, so that it goes on.
    Answer {
        /// The printer: its name or its id.
        printer: String,
        /// The answer, by its words or its number from 1; not needed when there is only one.
        button: Option<String>,
    },
    /// Stop printers at once, in an emergency: M112, past everything that waits. What is being printed is lost.
    ///
    /// Exit status 0 when M112 was sent to all of them. Nothing starts on them until `--clear`.
    Stop {
        /// The printers: their names or ids.
        #[arg(required_unless_present = "all", conflicts_with = "all", value_name = "PRINTER")]
        printers: Vec<String>,
        /// Every printer of the workspace; with `--clear`: every one that is stopped. Asks once more.
        #[arg(long)]
        all: bool,
        /// Don't ask.
        #[arg(long, requires = "all")]
        yes: bool,
        /// The printers are in order again: jobs may start on them.
        #[arg(long)]
        clear: bool,
    },
    /// Preheat an idle printer for a time; its heaters are turned off when that is over.
    #[command(group(clap::ArgGroup::new("heater").args(["nozzle", "bed"]).required(true).multiple(true)))]
    Preheat {
        /// The printer: its name or its id.
        printer: String,
        /// The nozzle's temperature, °C; several nozzles in their order: --nozzle 200 --nozzle 210.
        #[arg(long, value_name = "°C", value_parser = clap::value_parser!(u16).range(0..=350))]
        nozzle: Vec<u16>,
        /// The bed's temperature, °C.
        #[arg(long, value_name = "°C", value_parser = clap::value_parser!(u16).range(0..=150))]
        bed: Option<u16>,
        /// For so long.
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=240))]
        minutes: u16,
    },
    /// Turn off the heaters of printers that have no print at work.
    CoolDown {
        /// The printers: their names or ids.
        #[arg(required = true, value_name = "PRINTER")]
        printers: Vec<String>,
    },
    /// Confirm that the bed is clear, so that the next job may start.
    Cleared {
        /// The job: its id, its file's name or its printer's name.
        job: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;
    use rstest::rstest;

    #[test]
    fn the_definition_holds() {
        Args::command().debug_assert();
    }

    #[rstest]
    #[case(&["login", "http://localhost:8080", "--email", "a@b.c", "--password-stdin"])]
    #[case(&["logout"])]
    #[case(&["upload", "a.gcode", "b.gcode"])]
    #[case(&["print", "a.gcode", "--printer", "Mk3", "--watch"])]
    #[case(&["watch"])]
    #[case(&["watch", "a.gcode"])]
    #[case(&["printers", "--json"])]
    #[case(&["jobs", "--history", "--json"])]
    #[case(&["resume", "Mk3", "--from-layer", "12"])]
    #[case(&["answer", "Mk3"])]
    #[case(&["answer", "Mk3", "Purge More"])]
    #[case(&["cleared", "0190"])]
    #[case(&["stop", "Ada", "Bo"])]
    #[case(&["stop", "--all", "--yes"])]
    #[case(&["stop", "--clear", "Ada"])]
    #[case(&["stop", "--clear", "--all", "--yes"])]
    #[case(&["preheat", "Ada", "--nozzle", "200", "--nozzle", "0", "--bed", "60", "--minutes", "240"])]
    #[case(&["preheat", "Ada", "--bed", "60"])]
    #[case(&["cool-down", "Ada", "Bo"])]
    fn is_understood(#[case] words: &[&str]) {
        Args::try_parse_from(["stardust"].iter().chain(words)).unwrap();
    }

    #[rstest]
    #[case(&[])]
    #[case(&["upload"])]
    #[case(&["pause"])]
    #[case(&["resume", "Mk3", "--from-layer", "0"])]
    #[case(&["jobs", "--history", "--all"])]
    #[case(&["dance"])]
    #[case(&["stop"])]
    #[case(&["stop", "Ada", "--all"])]
    #[case(&["stop", "--clear", "Ada", "--all"])]
    #[case(&["stop", "--clear"])]
    #[case(&["preheat", "Ada"])]
    #[case(&["preheat", "Ada", "--bed", "151"])]
    #[case(&["preheat", "Ada", "--bed", "60", "--minutes", "0"])]
    #[case(&["cool-down"])]
    fn is_refused_with_status_2(#[case] words: &[&str]) {
        let error = Args::try_parse_from(["stardust"].iter().chain(words)).unwrap_err();
        assert_eq!(error.exit_code(), 2);
    }
}
