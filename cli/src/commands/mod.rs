//! What the program does, one module a command.
//!
//! Owns: which command runs. Must not know: HTTP, the command line's grammar.

mod answer;
mod choose;
mod control;
mod cut_off;
mod follow;
mod hot;
mod jobs;
mod login;
mod preheat;
mod print;
mod printers;
mod stop;
mod upload;
mod watch;

use crate::api::Client;
use crate::args::{Args, Command};
use crate::credentials;
use crate::error::CliError;

/// Runs one command.
pub(crate) async fn run(args: Args) -> Result<(), CliError> {
    let client = || credentials::current().and_then(Client::new);
    match args.command {
        Command::Login { hub_url, email, password_stdin } => {
            login::login(&hub_url, email, password_stdin).await
        }
        Command::Logout => login::logout().await,
        Command::Upload { files, json } => upload::run(&client()?, &files, json).await,
        Command::Print { file, printer, even_if_cut_off, watch, json } => {
            print::run(&client()?, &file, printer.as_deref(), even_if_cut_off, watch, json).await
        }
        Command::Watch { job } => watch::run(&client()?, job.as_deref()).await,
        Command::Printers { json } => printers::run(&client()?, json).await,
        Command::Jobs { history, all, limit, json } => {
            let scope = if all {
                "all"
            } else if history {
                "history"
            } else {
                "active"
            };
            jobs::run(&client()?, scope, limit, json).await
        }
        Command::Pause { job } => control::run(&client()?, &job, control::Action::Pause).await,
        Command::Resume { job, from_layer } => {
            control::run(&client()?, &job, control::Action::Resume { from_layer }).await
        }
        Command::Cancel { job } => control::run(&client()?, &job, control::Action::Cancel).await,
        Command::Answer { printer, button } => answer::run(&client()?, &printer, button.as_deref()).await,
        Command::Stop { printers, all, yes, clear } => {
            let which = if all { stop::Which::All } else { stop::Which::Named(printers) };
            match clear {
                true => stop::clear(&client()?, which, yes).await,
                false => stop::run(&client()?, which, yes).await,
            }
        }
        Command::Preheat { printer, nozzle, bed, minutes } => {
            let wanted = preheat::Wanted { nozzles: nozzle, bed, minutes };
            preheat::run(&client()?, &printer, &wanted).await
        }
        Command::CoolDown { printers } => preheat::cool_down(&client()?, &printers).await,
        Command::Cleared { job } => control::run(&client()?, &job, control::Action::ConfirmRemoval).await,
    }
}
