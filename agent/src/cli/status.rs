//! `stardust-agent status`

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use super::{Failure, say};
use crate::agent::report_file;
use crate::printer::folder::PrinterFolder;
use crate::printer::report::{AgentReport, PrinterReport};

/// Shows what `run` has written last.
pub(super) fn run(data: &Path, json: bool) -> Result<ExitCode, Failure> {
    let path = report_file(data);
    let text = std::fs::read_to_string(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound if PrinterFolder::all(data).is_empty() => {
            "No printer is paired, and the agent is not running. Make a code on the dashboard (Add printer), then \
             run `stardust-agent pair`."
                .to_owned()
        }
        std::io::ErrorKind::NotFound => "The agent is not running: start `stardust-agent run`.".to_owned(),
        _ => format!("{} can't be read: {error}", path.display()),
    })?;
    let report: AgentReport = serde_json::from_str(&text)
        .map_err(|error| format!("{} can't be understood: {error}", path.display()))?;
    if json {
        say(text.trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    if report.printers.is_empty() {
        say("No printer is paired yet.");
    }
    for printer in &report.printers {
        say(line(printer).trim_end());
    }
    Ok(ExitCode::SUCCESS)
}

fn line(printer: &PrinterReport) -> String {
    let mut text = format!("{}: {}", printer.name, printer.status.state);
    // Writing to a string does not fail.
    if let (Some(job), Some(file)) = (&printer.status.job, &printer.file_name) {
        let _ = write!(text, ", {file} {:.0} %", job.fraction * 100.0);
        if let Some(left) = job.left_s {
            let _ = write!(text, ", {} h {} min left", left / 3600, left / 60 % 60);
        }
    }
    if let Some(message) = &printer.status.message {
        let _ = write!(text, "\n  {message}");
    }
    let _ = write!(text, "\n  {} ({})", printer.link, printer.hub);
    if printer.undelivered_events > 0 {
        let _ = write!(text, "\n  {} events wait for the hub.", printer.undelivered_events);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use stardust_protocol::{PrinterState, PrinterStatus};

    #[test]
    fn a_printer_in_words() {
        let printer = PrinterReport {
            name: "Ender left".into(),
            hub: "https://hub.example/".into(),
            link: "Connected to the hub.".into(),
            undelivered_events: 2,
            status: PrinterStatus {
                message: Some("No port.".into()),
                ..PrinterStatus::new(PrinterState::Offline)
            },
            file_name: None,
        };
        insta::assert_snapshot!(line(&printer), @r"
        Ender left: offline
          No port.
          Connected to the hub. (https://hub.example/)
          2 events wait for the hub.
        ");
    }
}
