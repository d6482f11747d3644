//! `stardust stop`: printers at once.
//!
//! Owns: that nothing is asked before a named printer is stopped, and that what came of it is said plainly for each. Must not
//! know: how a stop travels.

use std::collections::BTreeSet;
use std::io::{BufRead as _, IsTerminal as _};
use std::time::Duration;

use serde_json::{Value, json};

use super::choose;
use crate::api::{Client, EmergencyStop, Printer};
use crate::error::CliError;
use crate::output::{self, printable};

/// A stop that is on its way is looked at again this often.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// And for so long: the hub says by then that it could not be delivered.
const LOOKS: u32 = 150;

/// What is on its way for so many looks is said to be: whoever stops a printer does not want to wait in silence.
const UNANSWERED_AFTER: u32 = 4;

/// Which printers.
#[derive(Debug)]
pub(crate) enum Which {
    /// By name or id.
    Named(Vec<String>),
    /// Every one of the workspace.
    All,
}

/// Stops them, and tells how far that came. An error unless `M112` was sent to all of them.
pub(crate) async fn run(client: &Client, which: Which, sure: bool) -> Result<(), CliError> {
    let (body, strangers) = match which {
        Which::All if !sure && !confirmed()? => return Err(CliError::Failed("nothing was stopped".into())),
        Which::All => (json!({ "all": true }), Vec::new()),
        Which::Named(words) => {
            let (ids, strangers) = choose::printers(client, &words).await?;
            (json!({ "ids": ids }), strangers)
        }
    };
    let mut stopped: Vec<Printer> = Vec::new();
    if body["ids"].as_array().is_none_or(|ids| !ids.is_empty()) {
        let answer = client.post("api/v1/printers/emergency-stop", &body).await?;
        stopped = client.parse(answer.get("printers").cloned().unwrap_or(Value::Null))?;
    }
    let mut told = BTreeSet::new();
    for look in 0..LOOKS {
        for printer in &stopped {
            let Some(stop) = printer.emergency_stop.as_ref().filter(|stop| !stop.is_on_its_way()) else {
                continue;
            };
            if told.insert((printer.id.clone(), stop.state.clone())) {
                output::line(&printable(&sentence(&printer.name, stop)))?;
            }
        }
        let is_on_its_way =
            |it: &&Printer| it.emergency_stop.as_ref().is_some_and(EmergencyStop::is_on_its_way);
        let on_their_way: Vec<&str> =
            stopped.iter().filter(is_on_its_way).map(|it| it.name.as_str()).collect();
        if on_their_way.is_empty() {
            break;
        }
        if look == UNANSWERED_AFTER {
            output::line(&printable(&unanswered(&on_their_way)))?;
        }
        tokio::time::sleep(LOOK_EVERY).await;
        for printer in &mut stopped {
            *printer = client.parse(client.get(&format!("api/v1/printers/{}", printer.id)).await?)?;
        }
    }
    let has_reached = |it: &&Printer| it.emergency_stop.as_ref().is_some_and(EmergencyStop::has_reached);
    let missed: Vec<&str> = stopped.iter().filter(|it| !has_reached(it)).map(|it| it.name.as_str()).collect();
    match (missed.as_slice(), strangers.as_slice()) {
        ([], []) => Ok(()),
        ([], strangers) => Err(CliError::Failed(printable(&strangers.join("; ")))),
        (missed, _) => Err(CliError::Failed(printable(&format!(
            "not stopped for certain: {}. Go there, and switch the printer off by hand",
            missed.join(", ")
        )))),
    }
}

/// Says that printers are in order again.
pub(crate) async fn clear(client: &Client, words: &[String]) -> Result<(), CliError> {
    for word in words {
        let id = choose::printer(client, word).await?;
        let path = format!("api/v1/printers/{id}/emergency-stop/clear");
        let printer: Printer = client.parse(client.post(&path, &json!({})).await?)?;
        output::line(&printable(&format!("{}: jobs may start on it again.", printer.name)))?;
    }
    Ok(())
}

/// All printers at once is asked once more, at a terminal; a program says --yes.
fn confirmed() -> Result<bool, CliError> {
    let input = std::io::stdin();
    if !input.is_terminal() {
        return Err(CliError::Failed("stopping every printer needs --yes where nobody can be asked".into()));
    }
    output::line("Stop EVERY printer of the workspace at once? What is being printed is lost. Type yes:")?;
    let mut word = String::new();
    input.lock().read_line(&mut word).map_err(|error| CliError::Failed(error.to_string()))?;
    Ok(word.trim() == "yes")
}

/// No agent of these has answered yet.
fn unanswered(names: &[&str]) -> String {
    format!(
        "{}: no answer yet, and it is sent again and again. If you can, go there now, and switch the printer off by hand.",
        names.join(", ")
    )
}

/// What came of it.
fn sentence(name: &str, stop: &EmergencyStop) -> String {
    let told = reach(name, stop);
    if stop.recorded {
        return told;
    }
    format!(
        "{told} The hub could not write this down (see its log): if it is started anew before it can, it does not know of this \
         stop and lets jobs start there."
    )
}

/// How far it came.
fn reach(name: &str, stop: &EmergencyStop) -> String {
    let look = "Look whether its heaters are off. When it is in order again: stardust stop --clear";
    match stop.state.as_str() {
        "sent" => format!("{name}: M112 was sent to the printer. {look} {name}"),
        "sent_and_reset" => format!(
            "{name}: M112 was sent to the printer, and its board was reset where it is wired so. {look} {name}"
        ),
        "port_closed" => format!(
            "{name}: its agent has it, but the printer's port is closed. M112 is sent when it is open again. Switch the \
             printer off by hand."
        ),
        "not_delivered" => {
            format!(
                "{name}: its agent did not answer, so this could not be delivered. Switch the printer off by hand. It is still \
                 sent, in case the agent comes back."
            )
        }
        "failed" => format!("{name}: {}", stop.reason.as_deref().unwrap_or("it could not be stopped.")),
        other => format!("{name}: {}.", other.replace('_', " ")),
    }
}
