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

const STOP_EVERY: &str =
    "Stop EVERY printer of the workspace at once? What is being printed is lost. Type yes:";

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
        Which::All if !sure && !confirmed("stopping every printer", STOP_EVERY)? => {
            return Err(CliError::Failed("nothing was stopped".into()));
        }
        Which::All => (json!({ "all": true }), Vec::new()),
        Which::Named(words) => {
            let (ids, strangers) = choose::printers(client, &words).await.map_err(not_stopped)?;
            (json!({ "ids": ids }), strangers)
        }
    };
    let mut stopped: Vec<Printer> = Vec::new();
    if body["ids"].as_array().is_none_or(|ids| !ids.is_empty()) {
        let answer = client.post("api/v1/printers/emergency-stop", &body).await.map_err(not_stopped)?;
        stopped =
            client.parse(answer.get("printers").cloned().unwrap_or(Value::Null)).map_err(nothing_known)?;
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
            let seen = client.get(&format!("api/v1/printers/{}", printer.id)).await;
            *printer = seen.and_then(|seen| client.parse(seen)).map_err(nothing_known)?;
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

/// The hub did not take it, or nobody knows whether it did: whoever has asked believes by now that the machine stands still.
fn not_stopped(error: CliError) -> CliError {
    CliError::Failed(format!(
        "NOT stopped, as far as is known: {error}. The printer goes on: switch it off by hand, or try again"
    ))
}

/// The hub has it, and does not say any more what comes of it.
fn nothing_known(error: CliError) -> CliError {
    CliError::Failed(format!(
        "the hub has taken the stop, and what comes of it is not known: {error}. Go there, and look whether the printer has stopped"
    ))
}

/// Says that printers are in order again.
pub(crate) async fn clear(client: &Client, which: Which, sure: bool) -> Result<(), CliError> {
    let stops: Vec<StopToClear> = match which {
        Which::Named(words) => {
            let mut stops = Vec::new();
            for word in &words {
                let printer = choose::printer(client, word).await?;
                stops.push(StopToClear { printer, name: word.clone(), seen: None });
            }
            stops
        }
        Which::All => {
            let all = client.list("api/v1/printers", &[], usize::MAX).await?;
            let mut stopped: Vec<Printer> = client.parse_all(&all)?;
            stopped.retain(|printer| printer.emergency_stop.is_some());
            if stopped.is_empty() {
                return output::line("No printer is stopped.");
            }
            let names: Vec<&str> = stopped.iter().map(|printer| printer.name.as_str()).collect();
            let question = format!(
                "Are these in order again, so that jobs may start on them: {}? Type yes:",
                printable(&names.join(", "))
            );
            if !sure && !confirmed("clearing every stop", &question)? {
                return Err(CliError::Failed("nothing was cleared".into()));
            }
            stopped.into_iter().map(StopToClear::of).collect()
        }
    };
    // Each of them is tried: what keeps one from being cleared must not keep those behind it stopped.
    let mut refused = Vec::new();
    for stop in &stops {
        match clear_one(client, stop).await {
            Ok(printer) => output::line(&printable(&cleared(&printer)))?,
            Err(error) if stops.len() == 1 => return Err(error),
            Err(error) => refused.push(format!("{}: {error}", stop.name)),
        }
    }
    match refused.as_slice() {
        [] => Ok(()),
        refused => Err(CliError::Failed(printable(&format!("not cleared: {}", refused.join("; "))))),
    }
}

/// A stop that a person says is over.
struct StopToClear {
    printer: String,
    name: String,
    /// The one that this person was shown here: one that was asked for since is not cleared.
    seen: Option<String>,
}

impl StopToClear {
    fn of(printer: Printer) -> Self {
        let seen = printer.emergency_stop.and_then(|stop| stop.id);
        Self { printer: printer.id, name: printer.name, seen }
    }
}

async fn clear_one(client: &Client, stop: &StopToClear) -> Result<Printer, CliError> {
    let path = format!("api/v1/printers/{}/emergency-stop/clear", stop.printer);
    let body = stop.seen.as_ref().map_or_else(|| json!({}), |seen| json!({ "stop_id": seen }));
    client.parse(client.post(&path, &body).await?)
}

/// What a printer waits for once its stop is cleared.
fn cleared(printer: &Printer) -> String {
    let name = &printer.name;
    let is_halted = printer.status.as_ref().is_some_and(|status| status.halted);
    if printer.contact.waits {
        return format!(
            "{name}: its stop is cleared. Its agent is in reach, but shows nothing live here, so look at the printer: jobs may start \
             on it when the agent finds it ready and its bed is clear."
        );
    }
    let waits = if !printer.contact.is_online() {
        if printer.current_job_id.is_some() {
            return format!(
                "{name}: its stop is cleared, but its agent is out of reach. If the stop had not reached the printer, its print goes on: to \
                 end it: stardust cancel {name}"
            );
        }
        "its agent is out of reach. If the stop had not reached the printer, that may be hot: look at it, and switch it off. Jobs may start on it \
         when the agent is back and the printer is ready."
    } else if is_halted {
        "its board has halted: switch the printer off and on again. Jobs may start on it when it answers."
    } else {
        match printer.state.as_str() {
            "idle" => return format!("{name}: jobs may start on it again."),
            "awaiting_removal" => {
                return format!(
                    "{name}: its stop is cleared, but not its bed. When the bed is clear: stardust cleared {name}"
                );
            }
            "error" => "it reports an error. Jobs may start on it when that is over; see: stardust printers",
            _ => "it is not ready yet. Jobs may start on it when it is; see: stardust printers",
        }
    };
    format!("{name}: its stop is cleared, but {waits}")
}

/// Something is to be done to all printers: that is asked once more, at a terminal; a program says --yes.
fn confirmed(what: &str, question: &str) -> Result<bool, CliError> {
    let input = std::io::stdin();
    if !input.is_terminal() {
        return Err(CliError::Failed(format!("{what} needs --yes where nobody can be asked")));
    }
    output::line(question)?;
    let mut word = String::new();
    input.lock().read_line(&mut word).map_err(|error| CliError::Failed(error.to_string()))?;
    Ok(word.trim() == "yes")
}

/// No agent of these has answered yet.
fn unanswered(names: &[&str]) -> String {
    format!(
        "{}: no answer from its agent yet: it may be down or cut off. The stop is sent again and again; until it is answered, the \
         printer goes on. If you can, go there now, and switch it off by hand.",
        names.join(", ")
    )
}

/// What came of it, or that nothing has come of it yet.
pub(super) fn sentence(name: &str, stop: &EmergencyStop) -> String {
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
            "{name}: its agent has it, but the printer's port is closed. Switch the printer off by hand. M112 is sent if \
             the port is open again within 10 minutes, also to a printer that was only just switched on."
        ),
        "not_delivered" => {
            format!(
                "{name}: its agent does not answer: it may be down or cut off. As far as is known the stop has not reached the \
                 printer, which goes on: switch it off by hand. The stop is sent for 10 minutes, in case the agent comes back."
            )
        }
        "failed" => format!("{name}: {}", stop.reason.as_deref().unwrap_or("it could not be stopped.")),
        "sending" => format!(
            "{name}: it is to be stopped at once, and its agent has not answered yet. Until it does, the printer goes on: switch it \
             off by hand."
        ),
        other => format!("{name}: {}.", other.replace('_', " ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::ready("idle", "online", false, "Ada: jobs may start on it again.")]
    #[case::halted("error", "online", true, "its board has halted: switch the printer off and on again.")]
    #[case::away("offline", "lost", true, "its agent is out of reach.")]
    #[case::waits(
        "offline",
        r#"lost","waits":true,"since":"x"#,
        true,
        "Its agent is in reach, but shows nothing live"
    )]
    #[case::bed(
        "awaiting_removal",
        "online",
        false,
        "but not its bed. When the bed is clear: stardust cleared Ada"
    )]
    #[case::fault("error", "online", false, "it reports an error.")]
    #[case::starting("connecting", "online", false, "it is not ready yet.")]
    fn jobs_are_promised_only_where_they_may_start(
        #[case] state: &str,
        #[case] contact: &str,
        #[case] halted: bool,
        #[case] expected: &str,
    ) {
        let printer = format!(
            r#"{{"id":"p","name":"Ada","state":"{state}","contact":{{"state":"{contact}"}},"status":{{"halted":{halted}}}}}"#
        );
        let told = cleared(&serde_json::from_str(&printer).unwrap());
        assert!(told.contains(expected), "{told}");
        assert_eq!(told.contains("jobs may start on it again"), state == "idle", "{told}");
    }

    #[test]
    fn an_agent_that_does_not_answer_is_not_called_a_connection_that_failed() {
        let stop: EmergencyStop = serde_json::from_str(r#"{"state":"not_delivered"}"#).unwrap();
        let told = sentence("Ada", &stop);
        for part in ["its agent does not answer", "down or cut off", "goes on: switch it off by hand"] {
            assert!(told.contains(part), "{told}");
        }
        assert!(unanswered(&["Ada"]).contains("the printer goes on"));
    }
}
