//! `stardust pause`, `resume`, `cancel` and `cleared`.

use serde_json::{Value, json};

use super::choose;
use crate::api::{Client, PrintJob};
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
    fn body(self) -> Value {
        match self {
            Self::Resume { from_layer: Some(layer) } => json!({ "from_layer": layer }),
            _ => json!({}),
        }
    }
}

/// Asks it.
pub(crate) async fn run(client: &Client, word: &str, action: Action) -> Result<(), CliError> {
    let id = choose::job(client, word).await?;
    let answer = client.post(&format!("api/v1/jobs/{id}/{}", action.path()), &action.body()).await?;
    let job: PrintJob = client.parse(answer)?;
    output::line(&output::printable(&sentence(&job)))
}

/// What has come of it.
fn sentence(job: &PrintJob) -> String {
    let name = &job.file_name;
    match (&job.requested, job.printer_name.as_deref()) {
        (Some(requested), Some(printer)) => format!("{name}: {printer} has been asked to {requested}."),
        (Some(requested), None) => format!("{name}: the printer has been asked to {requested}."),
        (None, _) => format!("{name}: {}.", job.state.replace('_', " ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(
        r#"{"id":"1","file_name":"a","state":"printing","printer_name":"Ada","requested":"pause"}"#,
        "a: Ada has been asked to pause."
    )]
    #[case(r#"{"id":"1","file_name":"a","state":"cancelled"}"#, "a: cancelled.")]
    #[case(r#"{"id":"1","file_name":"a","state":"finished","printer_name":"Ada"}"#, "a: finished.")]
    fn sentences(#[case] job: &str, #[case] expected: &str) {
        assert_eq!(sentence(&serde_json::from_str(job).unwrap()), expected);
    }
}
