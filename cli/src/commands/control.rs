//! `stardust pause`, `resume`, `cancel` and `cleared`.

use serde_json::{Value, json};

use super::choose;
use crate::api::{Client, PrintJob, Printer};
use crate::error::CliError;
use crate::output;

/// What a person asks of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Pause,
    Resume { from_layer: Option<u32> },
    Cancel,
    ConfirmRemoval,
}

impl Action {
    const fn path(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume { .. } => "resume",
            Self::Cancel => "cancel",
            Self::ConfirmRemoval => "confirm-removal",
        }
    }
}

impl Action {
    /// Whether it could be carried out on this job as it is.
    fn may_mean(self, job: &PrintJob) -> bool {
        match self {
            Self::Pause => matches!(job.state.as_str(), "preparing" | "printing"),
            Self::Resume { .. } => matches!(job.state.as_str(), "paused" | "interrupted"),
            // Whichever is cancelled: what was meant can't be guessed.
            Self::Cancel => false,
            Self::ConfirmRemoval => job.needs_removal || job.state == "awaiting_removal",
        }
    }

    fn body(self) -> Value {
        match self {
            Self::Resume { from_layer: Some(layer) } => json!({ "from_layer": layer }),
            _ => json!({}),
        }
    }
}

/// Asks it.
pub(crate) async fn run(client: &Client, word: &str, action: Action) -> Result<(), CliError> {
    let id = choose::job(client, word, |job| action.may_mean(job)).await?;
    let answer = client.post(&format!("api/v1/jobs/{id}/{}", action.path()), &action.body()).await?;
    let job: PrintJob = client.parse(answer)?;
    let asked = job.printer_id.as_deref().filter(|_| job.requested.is_some());
    let printer = match asked {
        Some(id) => asked_printer(client, id).await.ok(),
        None => None,
    };
    output::line(&output::printable(&sentence(&job, action, printer.as_ref())))
}

/// The printer that a wish is for. The hub has taken the wish by then: that this fails must not sound as if it had not.
async fn asked_printer(client: &Client, id: &str) -> Result<Printer, CliError> {
    client.parse(client.get(&format!("api/v1/printers/{id}")).await?)
}

/// What has come of it. `printer`: the one that has been asked, where that is known.
fn sentence(job: &PrintJob, action: Action, printer: Option<&Printer>) -> String {
    let name = &job.file_name;
    let on = job.printer_name.as_deref().unwrap_or("the printer");
    match &job.requested {
        Some(requested) if printer.is_some_and(|it| !it.contact.is_in_reach()) => format!(
            "{name}: the agent of {on} is out of reach: it may be down or cut off. {}",
            kept(action, requested)
        ),
        Some(requested) => format!("{name}: {on} has been asked to {requested}."),
        // How it ended was said before.
        None if action == Action::ConfirmRemoval => format!("{name}: the bed of {on} is cleared."),
        None => format!("{name}: {}.", job.state.replace('_', " ")),
    }
}

/// What becomes of a wish that no agent is there to hear. How long it counts is the hub's rule
/// (`limits::COMMAND_EXPIRY_MS`, `RESUME_FROM_EXPIRY_MS`).
fn kept(action: Action, requested: &str) -> String {
    let (how_long, then) = match action {
        Action::Cancel | Action::ConfirmRemoval => {
            return format!(
                "The wish to {requested} is kept until it is back. Until then the printer may go on: switch it off by hand \
                 if it must not."
            );
        }
        Action::Pause => ("a minute", "the printer may print on"),
        Action::Resume { from_layer: None } => ("a minute", "the print waits on"),
        Action::Resume { from_layer: Some(_) } => ("20 seconds", "the print waits on"),
    };
    format!(
        "The wish to {requested} is kept for {how_long}. If the agent is not back by then, it is dropped, and {then}: ask \
         again when the agent is back."
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const OUT_OF_REACH: &str = "a: the agent of Ada is out of reach: it may be down or cut off.";

    fn job(rest: &str) -> PrintJob {
        serde_json::from_str(&format!(r#"{{"id":"1","file_name":"a","printer_name":"Ada",{rest}}}"#)).unwrap()
    }

    fn ada(contact: &str) -> Printer {
        let printer = format!(r#"{{"id":"p","name":"Ada","state":"x","contact":{contact}}}"#);
        serde_json::from_str(&printer).unwrap()
    }

    const ONLINE: &str = r#"{"state":"online"}"#;
    const WAITS: &str = r#"{"state":"lost","waits":true}"#;

    #[rstest]
    #[case(r#""state":"printing","requested":"pause""#, Action::Pause, "a: Ada has been asked to pause.")]
    #[case(r#""state":"cancelled""#, Action::Cancel, "a: cancelled.")]
    #[case(r#""state":"finished""#, Action::ConfirmRemoval, "a: the bed of Ada is cleared.")]
    #[case(r#""state":"failed""#, Action::ConfirmRemoval, "a: the bed of Ada is cleared.")]
    fn sentences(#[case] told: &str, #[case] action: Action, #[case] expected: &str) {
        for contact in [ONLINE, WAITS] {
            assert_eq!(sentence(&job(told), action, Some(&ada(contact))), expected, "{contact}");
        }
    }

    #[rstest]
    #[case(
        "pause",
        Action::Pause,
        "is kept for a minute. If the agent is not back by then, it is dropped, and the printer may print on"
    )]
    #[case("resume", Action::Resume { from_layer: None }, "is kept for a minute.")]
    #[case("resume", Action::Resume { from_layer: Some(3) }, "is kept for 20 seconds.")]
    #[case(
        "cancel",
        Action::Cancel,
        "is kept until it is back. Until then the printer may go on: switch it off by hand"
    )]
    fn nobody_is_told_that_a_printer_was_asked_whose_agent_is_out_of_reach(
        #[case] requested: &str,
        #[case] action: Action,
        #[case] expected: &str,
    ) {
        let job = job(&format!(r#""state":"printing","requested":"{requested}""#));
        let told = sentence(&job, action, Some(&ada(r#"{"state":"lost"}"#)));
        assert!(told.starts_with(OUT_OF_REACH) && !told.contains("has been asked"), "{told}");
        assert!(told.contains(&format!("The wish to {requested} {expected}")), "{told}");
    }
}
