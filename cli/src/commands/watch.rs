//! `stardust watch`: the stream, and the bar that shows it.
//!
//! Owns: connecting, connecting again, and showing. Must not know: what changes mean (`follow`).

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use futures::StreamExt as _;
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::header::ACCEPT;
use reqwest::{Method, Response};
use tokio::time::{sleep, timeout};

use super::choose;
use super::follow::{Effect, End, Followed, end, progress};
use crate::api::{Client, PrintJob};
use crate::error::CliError;
use crate::stream::Parser;
use crate::{output, quantity};

/// The hub sends a comment every 15 s; after three of them missing the connection is dead.
const SILENCE: Duration = Duration::from_secs(45);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Watches the job that is meant.
pub(crate) async fn run(client: &Client, word: Option<&str>) -> Result<(), CliError> {
    let id = match word {
        Some(word) => choose::job(client, word, PrintJob::is_at_work).await?,
        None => choose::only_job(client).await?,
    };
    follow(client, &id).await
}

/// Watches a job until it is printed, or is not going to be.
pub(crate) async fn follow(client: &Client, id: &str) -> Result<(), CliError> {
    let followed = Followed::new(id.to_owned());
    let mut watching = Watching { client, followed, shown: Shown::new(), connected: false };
    let mut last_id = None;
    let mut pause = FIRST_PAUSE;
    loop {
        let mut parser = Parser::resume(last_id.take());
        watching.connected = false;
        match watching.connection(&mut parser).await {
            Ok(Some(end)) => return watching.ended(end),
            Ok(None) => {}
            // A hub that was there before comes back; one that never answered is a mistake to be told.
            Err(error) if watching.followed.job().is_some() && passes(&error) => {}
            Err(error) => return Err(error),
        }
        if watching.connected {
            pause = FIRST_PAUSE;
        }
        last_id = parser.last_id().map(str::to_owned);
        watching.shown.note("no contact with the hub; trying again (the print goes on without it)");
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Whether an error may be gone when it is tried again.
const fn passes(error: &CliError) -> bool {
    match error {
        CliError::Unreachable { .. } => true,
        CliError::Problem(problem) => problem.status >= 500,
        _ => false,
    }
}

struct Watching<'a> {
    client: &'a Client,
    followed: Followed,
    shown: Shown,
    /// The present connection has been of use.
    connected: bool,
}

impl Watching<'_> {
    /// One connection, until it breaks (none) or there is nothing more to watch.
    async fn connection(&mut self, parser: &mut Parser) -> Result<Option<End>, CliError> {
        // The stream first, then the job, so that nothing falls between.
        let mut body = self.open(parser.last_id()).await?.bytes_stream();
        if let Some(end) = self.fetch().await? {
            return Ok(Some(end));
        }
        self.connected = true;
        while let Ok(Some(Ok(bytes))) = timeout(SILENCE, body.next()).await {
            let events = parser.feed(&bytes).map_err(|error| CliError::Failed(error.to_string()))?;
            for event in events {
                let ended = match self.followed.event(&event) {
                    Effect::None => None,
                    Effect::Changed => self.show(),
                    Effect::Fetch => self.fetch().await?,
                    Effect::Removed => return Err(CliError::Failed("the job has been deleted".into())),
                };
                if ended.is_some() {
                    return Ok(ended);
                }
            }
        }
        Ok(None)
    }

    async fn open(&self, last_id: Option<&str>) -> Result<Response, CliError> {
        let request = self.client.request(Method::GET, "api/v1/stream")?.header(ACCEPT, "text/event-stream");
        let request = match last_id {
            Some(id) => request.header("Last-Event-ID", id),
            None => request,
        };
        match timeout(SILENCE, self.client.send(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(CliError::Unreachable {
                hub: self.client.hub().to_string(),
                reason: "it took too long".into(),
            }),
        }
    }

    async fn fetch(&mut self) -> Result<Option<End>, CliError> {
        let job = self.client.get(&format!("api/v1/jobs/{}", self.followed.id())).await?;
        let _: PrintJob = self.client.parse(job.clone())?;
        self.followed.fetched(job);
        Ok(self.show())
    }

    fn show(&mut self) -> Option<End> {
        let job = self.followed.job()?;
        self.shown.job(&job);
        end(&job)
    }

    fn ended(&self, end: End) -> Result<(), CliError> {
        self.shown.bar.finish_and_clear();
        match end {
            End::NotPrinted(why) => Err(CliError::Failed(output::printable(&why))),
            End::Printed => {
                let job = self.followed.job();
                let line = job.as_ref().map(printed).unwrap_or_default();
                output::line(&output::printable(&line))
            }
        }
    }
}

/// What is shown: a bar at a terminal, else a line for each new state.
struct Shown {
    bar: ProgressBar,
    at_terminal: bool,
    last: String,
}

/// The bar's resolution.
const STEPS: u64 = 1000;

impl Shown {
    fn new() -> Self {
        let bar = ProgressBar::new(STEPS);
        let bar = match ProgressStyle::with_template("{wide_bar}  {msg}") {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        };
        Self { bar, at_terminal: io::stderr().is_terminal(), last: String::new() }
    }

    fn job(&mut self, job: &PrintJob) {
        if self.at_terminal {
            self.bar.set_position((progress(job).fraction * STEPS as f64) as u64);
            self.bar.set_message(output::printable(&message(job)));
        } else {
            self.line(&state(job));
        }
    }

    fn note(&mut self, text: &str) {
        if self.at_terminal {
            self.bar.set_message(text.to_owned());
        } else {
            self.line(text);
        }
    }

    fn line(&mut self, text: &str) {
        if self.last != text {
            output::note(&output::printable(text));
            text.clone_into(&mut self.last);
        }
    }
}

/// `printing on Ada`, with what has been asked for.
fn state(job: &PrintJob) -> String {
    let on = job.printer_name.as_deref().map(|name| format!(" on {name}")).unwrap_or_default();
    let asked = job.requested.as_deref().map(|what| format!(", {what} asked for")).unwrap_or_default();
    let reason = job.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{}{on}{asked}{reason}", job.state.replace('_', " "))
}

/// The state with how far it is.
fn message(job: &PrintJob) -> String {
    let progress = progress(job);
    let mut parts = vec![quantity::percent(progress.fraction)];
    parts.extend(progress.layer.map(|layer| format!("layer {layer}")));
    parts.extend(progress.left_s.map(|left| format!("{} left", quantity::duration(left))));
    parts.push(state(job));
    parts.join("  ")
}

fn printed(job: &PrintJob) -> String {
    let took = progress(job).elapsed_s.filter(|elapsed| *elapsed > 0).map(quantity::duration);
    let took = took.map(|took| format!(" in {took}")).unwrap_or_default();
    let on = job.printer_name.as_deref().map(|name| format!(" on {name}")).unwrap_or_default();
    let next = if job.needs_removal {
        format!(" Clear the bed, then confirm it: stardust cleared {}", job.id)
    } else {
        String::new()
    };
    format!("{} is printed{on}{took}.{next}", job.file_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown() {
        let job: PrintJob = serde_json::from_str(
            r#"{"id":"j1","file_name":"a.gcode","state":"printing","printer_name":"Ada","requested":"pause",
                "needs_removal":true,"progress":{"fraction":0.421,"elapsed_s":65,"left_s":3750,"layer":7}}"#,
        )
        .unwrap();
        assert_eq!(state(&job), "printing on Ada, pause asked for");
        assert_eq!(message(&job), "42 %  layer 7  1h 2m left  printing on Ada, pause asked for");
        assert_eq!(
            printed(&job),
            "a.gcode is printed on Ada in 1m 5s. Clear the bed, then confirm it: stardust cleared j1"
        );
    }
}
