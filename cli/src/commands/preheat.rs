//! `stardust preheat` and `stardust cool-down`: heat without a job.
//!
//! Owns: that a person is told how long it lasts, and how it is ended before. Must not know: how a printer is heated.

use serde_json::json;

use super::choose;
use crate::api::{Client, Preheat, Printer};
use crate::error::CliError;
use crate::output::{self, printable};

/// What is to be heated.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) nozzles: Vec<u16>,
    pub(crate) bed: Option<u16>,
    pub(crate) minutes: u16,
}

/// Heats an idle printer for a time.
pub(crate) async fn run(client: &Client, word: &str, wanted: &Wanted) -> Result<(), CliError> {
    let id = choose::printer(client, word).await?;
    let Wanted { nozzles, bed, minutes } = wanted;
    let body = json!({ "nozzles_c": nozzles, "bed_c": bed, "minutes": minutes });
    let (printer, is_done) = client.ask(&format!("api/v1/printers/{id}/preheat"), &body).await?;
    let printer: Printer = client.parse(printer)?;
    if !is_done {
        return Err(not_known(&printer, "it may still heat up"));
    }
    output::line(&printable(&format!(
        "{}: preheating. Its heaters are turned off in {minutes} min; before that: stardust cool-down {}",
        printer.name, printer.name
    )))
}

/// Turns off what is hot without a job.
pub(crate) async fn cool_down(client: &Client, words: &[String]) -> Result<(), CliError> {
    for word in words {
        let id = choose::printer(client, word).await?;
        let path = format!("api/v1/printers/{id}/cool-down");
        let (printer, is_done) = client.ask(&path, &json!({})).await?;
        let printer: Printer = client.parse(printer)?;
        if !is_done {
            return Err(not_known(&printer, "it may still be hot; if it is, switch it off by hand"));
        }
        output::line(&printable(&format!("{}: its heaters are being turned off.", printer.name)))?;
    }
    Ok(())
}

/// Its agent has not answered within the hub's patience.
fn not_known(printer: &Printer, what: &str) -> CliError {
    CliError::Failed(format!("{} has not answered yet: {what}. Look at it.", printer.name))
}

/// `Preheated until 06:25 UTC`; none where nothing stays on without a job.
pub(crate) fn sentence(printer: &Printer) -> Option<String> {
    let status = printer.status.as_ref().filter(|_| printer.contact.is_online())?;
    let Preheat { until, reason } = status.preheat.as_ref()?;
    // Hours and minutes of RFC 3339, as the hub writes it.
    let until = until.get(11..16)?;
    Some(match reason.as_str() {
        "interrupted" => format!("Its bed is kept warm until {until} UTC"),
        _ => format!("Preheated until {until} UTC"),
    })
}
