//! `stardust print`.

use std::path::Path;

use serde_json::{Map, Value};

use super::{choose, upload, watch};
use crate::api::{Client, PrintFile, PrintJob};
use crate::error::CliError;
use crate::output;

/// The hub's word for a file whose end is missing.
const CUT_OFF: &str = "file_cut_off";

/// Makes a job of a file.
pub(crate) async fn run(
    client: &Client,
    file: &str,
    printer: Option<&str>,
    even_if_cut_off: bool,
    watch: bool,
    json: bool,
) -> Result<(), CliError> {
    // The printer first: a wrong name should not cost an upload.
    let printer_id = match printer {
        Some(word) => Some(choose::printer(client, word).await?),
        None => None,
    };
    let file_id = if Path::new(file).exists() {
        let found = upload::upload(client, Path::new(file)).await?;
        let file: PrintFile = client.parse(found)?;
        if !json {
            upload::summary(&file).iter().try_for_each(|line| output::line(line))?;
        }
        file.id
    } else {
        choose::file(client, file).await?
    };
    let mut request = Map::from_iter([("file_id".to_owned(), Value::from(file_id))]);
    if let Some(printer_id) = printer_id {
        request.insert("printer_id".into(), printer_id.into());
    }
    if even_if_cut_off {
        request.insert("even_if_cut_off".into(), true.into());
    }
    let answer = client.post("api/v1/jobs", &Value::Object(request)).await.map_err(|error| match error {
        CliError::Problem(problem) if problem.code.as_deref() == Some(CUT_OFF) => {
            CliError::CutOff(file.to_owned())
        }
        error => error,
    })?;
    let job: PrintJob = client.parse(answer.clone())?;
    if json {
        output::json(&answer)?;
    } else {
        output::line(&output::printable(&format!("Queued {} as job {}", job.file_name, job.id)))?;
    }
    if watch { watch::follow(client, &job.id).await } else { Ok(()) }
}
