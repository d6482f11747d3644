//! `stardust upload`.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::TryStreamExt as _;
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Body, Method};
use serde_json::Value;
use tokio::io::AsyncReadExt as _;
use tokio::time::{Instant, sleep};
use tokio_util::io::ReaderStream;

use crate::api::{Client, PrintFile};
use crate::error::CliError;
use crate::{output, quantity};

const CHUNK: usize = 64 * 1024;
/// How long the hub may take to read a file; more is no error, only not waited for.
const EXTRACTED_WITHIN: Duration = Duration::from_secs(30);
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(150);

/// Uploads files one after the other and tells what the hub finds in them.
pub(crate) async fn run(client: &Client, files: &[PathBuf], json: bool) -> Result<(), CliError> {
    let mut failed = None;
    for path in files {
        match upload(client, path).await {
            Ok(found) if json => output::json(&found)?,
            Ok(found) => {
                let file: PrintFile = client.parse(found)?;
                summary(&file).iter().try_for_each(|line| output::line(line))?;
            }
            // The others may still go; the last failure makes the exit status.
            Err(error) if files.len() > 1 => {
                output::complain(&format!("{}: {error}", path.display()));
                failed = Some(());
            }
            Err(error) => return Err(error),
        }
    }
    failed.map_or(Ok(()), |()| Err(CliError::Failed("not all files were uploaded".into())))
}

/// Uploads a file and waits until the hub has read it.
pub(crate) async fn upload(client: &Client, path: &Path) -> Result<Value, CliError> {
    let sent = send(client, path).await?;
    let file: PrintFile = client.parse(sent.clone())?;
    extracted(client, sent, &file.id).await
}

async fn send(client: &Client, path: &Path) -> Result<Value, CliError> {
    let of_file = |source| CliError::File { path: path.to_owned(), source };
    let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(|| {
        CliError::Usage(format!("“{}” has no name that can be sent to the hub: rename it", path.display()))
    })?;
    let file = tokio::fs::File::open(path).await.map_err(of_file)?;
    let about = file.metadata().await.map_err(of_file)?;
    if !about.is_file() {
        return Err(of_file(io::Error::other("this is not a file")));
    }
    let bar = bar(about.len(), name);
    let counted = bar.clone();
    let stream = ReaderStream::with_capacity(file.take(about.len()), CHUNK)
        .inspect_ok(move |chunk| counted.inc(chunk.len() as u64));
    let request = client
        .request(Method::POST, "api/v1/files")?
        .query(&[("name", name)])
        .header(CONTENT_TYPE, "application/octet-stream")
        .header(CONTENT_LENGTH, about.len())
        .body(Body::wrap_stream(stream));
    let answer = client.send(request).await;
    bar.finish_and_clear();
    client.read(answer?).await
}

fn bar(length: u64, name: &str) -> ProgressBar {
    let bar = ProgressBar::new(length).with_message(output::printable(name));
    match ProgressStyle::with_template(
        "{msg}  {wide_bar}  {decimal_bytes}/{decimal_total_bytes}  {decimal_bytes_per_sec}  {eta}",
    ) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Asks until the hub has read the file's comments.
async fn extracted(client: &Client, mut found: Value, id: &str) -> Result<Value, CliError> {
    let deadline = Instant::now() + EXTRACTED_WITHIN;
    loop {
        let file: PrintFile = client.parse(found.clone())?;
        if file.extraction != "pending" || Instant::now() >= deadline {
            return Ok(found);
        }
        sleep(ASK_AGAIN_AFTER).await;
        found = client.get(&format!("api/v1/files/{id}")).await?;
    }
}

/// What is said of a file whose end is missing.
const CUT_OFF: &str = "the end of the file is missing, and so the end of the part will be: export and upload it again, or \
    print it as far as it goes with `stardust print … --even-if-cut-off`";

/// What is known of a file.
pub(crate) fn summary(file: &PrintFile) -> Vec<String> {
    let version =
        if file.version_number > 1 { format!(", version {}", file.version_number) } else { String::new() };
    let mut lines = vec![format!("{}  {}{version}", file.name, quantity::size(file.size_bytes))];
    let mut field = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            lines.push(format!("  {name:<9} {value}"));
        }
    };
    field("id", Some(file.id.clone()));
    match file.extraction.as_str() {
        "pending" => field("metadata", Some("the hub is still reading the file".into())),
        "failed" => {
            let reason = file.extraction_error.clone().unwrap_or_else(|| "no reason given".into());
            field("metadata", Some(format!("the hub could not read the file: {reason}")));
        }
        _ => {}
    }
    if let Some(known) = &file.metadata {
        let slicer = known.slicer.clone().map(|name| match &known.slicer_version {
            Some(version) => format!("{name} {version}"),
            None => name,
        });
        field("slicer", slicer);
        field("for", known.printer_model.clone());
        field("time", known.estimated_time_s.map(|seconds| quantity::duration(seconds.max(0.0) as u64)));
        let amounts = [known.filament_mm.map(quantity::length), known.filament_g.map(quantity::weight)];
        let mut amounts: Vec<String> = amounts.into_iter().flatten().collect();
        // UltiMaker's files tell the volume alone.
        if amounts.is_empty() {
            amounts.extend(known.filament_cm3.map(quantity::volume));
        }
        let filament = [amounts.join(", "), known.material.clone().unwrap_or_default()].join(" ");
        field("filament", Some(filament.trim().to_owned()).filter(|text| !text.is_empty()));
        if known.truncated {
            field("warning", Some(CUT_OFF.into()));
        }
    }
    lines.iter().map(|line| output::printable(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::all(
        r#"{"id":"1","name":"a.gcode","size_bytes":935823,"version_number":2,"extraction":"ready","metadata":
            {"slicer":"PrusaSlicer","slicer_version":"2.5.0","estimated_time_s":3750,"filament_mm":3270.08,
             "filament_g":9.99,"material":"PETG","printer_model":"ENDER3","truncated":true}}"#,
        &["a.gcode  935.8 kB, version 2", "  id        1", "  slicer    PrusaSlicer 2.5.0", "  for       ENDER3",
          "  time      1h 2m", "  filament  3.27 m, 9.99 g PETG",
          "  warning   the end of the file is missing, and so the end of the part will be: export and upload it again, or print \
           it as far as it goes with `stardust print … --even-if-cut-off`"],
    )]
    #[case::volume_alone(
        r#"{"id":"1","name":"a","size_bytes":5,"extraction":"ready","metadata":{"filament_cm3":5.048}}"#,
        &["a  5 B", "  id        1", "  filament  5.05 cm³"],
    )]
    #[case::nothing_known(
        r#"{"id":"1","name":"a","size_bytes":5,"version_number":1,"extraction":"ready","metadata":{"truncated":false}}"#,
        &["a  5 B", "  id        1"],
    )]
    #[case::pending(
        r#"{"id":"1","name":"a","size_bytes":5,"extraction":"pending"}"#,
        &["a  5 B", "  id        1", "  metadata  the hub is still reading the file"],
    )]
    #[case::failed(
        r#"{"id":"1","name":"a","size_bytes":5,"extraction":"failed","extraction_error":"It is gone."}"#,
        &["a  5 B", "  id        1", "  metadata  the hub could not read the file: It is gone."],
    )]
    fn summaries(#[case] file: &str, #[case] expected: &[&str]) {
        assert_eq!(summary(&serde_json::from_str(file).unwrap()), expected);
    }
}
