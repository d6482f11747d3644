//! `stardust-agent status`

use std::fmt::Write as _;
use std::process::ExitCode;

use super::{Failure, say};
use crate::port::PortPlan;
use crate::printer::by_hand;
use crate::printer::folder::PrinterFolder;
use crate::printer::report::{AgentReport, PrinterEntry};
use crate::settings::Settings;
use crate::status_socket::{self, AskError};

/// Shows what the running agent says.
pub(super) fn run(settings: &Settings, json: bool) -> Result<ExitCode, Failure> {
    let text = status_socket::ask(settings).map_err(|error| {
        let nobody_runs = matches!(error, AskError::NotRunning);
        let said = if nobody_runs && PrinterFolder::all(settings).is_empty() {
            "No printer is paired, and the agent is not running. Make a code on the dashboard (Add printer), then \
             run `stardust-agent pair`."
                .to_owned()
        } else {
            error.to_string()
        };
        let hot = nobody_runs.then(|| all_left_hot(settings));
        std::iter::once(said).chain(hot.into_iter().flatten()).collect::<Vec<_>>().join("\n")
    })?;
    let report: AgentReport = serde_json::from_str(&text).map_err(|error| {
        format!("The running agent's answer can't be understood ({error}). Is it another version?")
    })?;
    if json {
        say(text.trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    if report.printers.is_empty() {
        say("No printer is paired yet.");
    }
    by_hand_left_hot(settings).iter().for_each(|sentence| say(sentence));
    for printer in &report.printers {
        say(lines(printer).trim_end());
    }
    if let Some(page) = &report.status_page {
        say(&format!("Status page for a browser on this machine: {page}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Of each printer that may be hot, where no agent runs that could be asked.
pub(super) fn hot_with_nobody_there(settings: &Settings) -> Vec<String> {
    match status_socket::ask(settings) {
        Err(AskError::NotRunning) => all_left_hot(settings),
        _ => Vec::new(),
    }
}

fn all_left_hot(settings: &Settings) -> Vec<String> {
    [left_hot(settings), by_hand_left_hot(settings)].concat()
}

/// Of each printer that an agent which does not run has left so.
fn left_hot(settings: &Settings) -> Vec<String> {
    let hot = PrinterFolder::all(settings).into_iter().filter(PrinterFolder::may_be_hot);
    let sentence = |folder: PrinterFolder| {
        let name = folder.config().map_or_else(|_| folder.name(), |config| config.name);
        format!(
            "{name} may be HOT: an agent that is started goes on with its print, or turns its heaters off. Else switch it off."
        )
    };
    hot.map(sentence).collect()
}

/// Of each print without a hub that is over and has left its printer so.
fn by_hand_left_hot(settings: &Settings) -> Vec<String> {
    let sentence = |plan: PortPlan| {
        format!(
            "The printer at {} may be HOT: a print there has not seen its heaters off. A running agent turns them off as soon as it \
             reaches it. Else switch it off.",
            plan.path.display()
        )
    };
    by_hand::plans_left_hot(settings).into_iter().map(sentence).collect()
}

fn lines(entry: &PrinterEntry) -> String {
    let printer = &entry.report;
    let mut text = format!("{}: {}", printer.name, printer.status.state);
    // Writing to a string does not fail.
    if let (Some(job), Some(file)) = (&printer.status.job, &printer.file_name) {
        let _ = write!(text, ", {file} {:.0} %", job.fraction * 100.0);
        if let Some(left) = job.left_s {
            let _ = write!(text, ", {} h {} min left", left / 3600, left / 60 % 60);
        }
    }
    if let Some(preheat) = printer.preheat() {
        let _ = write!(text, ", {preheat}");
    }
    if let Some(pin) = &entry.pin {
        let _ = write!(text, "\n  PIN {pin}: type it into the dashboard (Add printer, I have a PIN).");
    }
    if let Some(message) = &printer.status.message {
        let _ = write!(text, "\n  {message}");
    }
    if printer.may_be_hot {
        text.push_str(
            "\n  It may be HOT: its heaters stay as they were set until the agent reaches it again. Switch it off if nobody \
             watches it.",
        );
    }
    let last =
        entry.last_error.as_ref().filter(|last| printer.status.message.as_ref() != Some(&last.message));
    if let Some(last) = last {
        let _ = write!(text, "\n  Last error, {}: {}", last.at, last.message);
    }
    if let Some(port) = &entry.port {
        let firmware = printer.status.firmware.as_deref().unwrap_or("firmware not known yet");
        let _ = write!(text, "\n  {} ({firmware})", port.display());
    }
    let _ = write!(text, "\n  {}", printer.link);
    if !printer.hub.is_empty() {
        let _ = write!(text, " ({})", printer.hub);
    }
    if printer.undelivered_events > 0 {
        let waiting = match printer.undelivered_events {
            1 => "1 event waits".into(),
            count => format!("{count} events wait"),
        };
        let _ = write!(text, "\n  {waiting} for the hub.");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::printer::report::{LastError, PrinterReport};
    use stardust_protocol::{PrinterState, PrinterStatus, Timestamp};

    #[test]
    fn a_printer_in_words() {
        let report = PrinterReport {
            name: "Ender left".into(),
            hub: "https://hub.example/".into(),
            link: "Connected to the hub.".into(),
            undelivered_events: 2,
            status: PrinterStatus {
                message: Some("No port.".into()),
                ..PrinterStatus::new(PrinterState::Offline)
            },
            file_name: None,
            preheat_minutes: None,
            may_be_hot: true,
            driven: true,
            driven_at: None,
        };
        let at = Timestamp::from_millis(1_800_000_000_000);
        let last_error = Some(LastError { at, message: "It was unplugged.".into() });
        let (port, pin) = (Some("/dev/ttyUSB0".into()), Some("K7QM-4TXP".into()));
        insta::assert_snapshot!(lines(&PrinterEntry { report, port, last_error, pin, pin_withheld: false }), @r"
        Ender left: offline
          PIN K7QM-4TXP: type it into the dashboard (Add printer, I have a PIN).
          No port.
          It may be HOT: its heaters stay as they were set until the agent reaches it again. Switch it off if nobody watches it.
          Last error, 2027-01-15T08:00:00.000Z: It was unplugged.
          /dev/ttyUSB0 (firmware not known yet)
          Connected to the hub. (https://hub.example/)
          2 events wait for the hub.
        ");
    }
}
