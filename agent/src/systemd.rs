//! What the service manager is told: that the agent is ready, that it is alive, and what its printers do.
//!
//! Owns: the words of `systemctl status`. Without systemd nothing happens here. Must not know: how a printer is
//! driven, or who looks at its reports.

use std::fmt::Write as _;
use std::time::Duration;

use sd_notify::NotifyState;
use stardust_outlet::manager;
use stardust_protocol::{JobProgress, PrinterState};

use crate::printer::report::PrinterReport;

/// A line of a terminal; systemd itself would take much more.
const LONGEST_STATUS: usize = 240;

/// The service manager that has started this process, if one has.
#[derive(Debug, Default)]
pub struct ServiceManager {
    told: Option<String>,
    /// A test hears what it is told.
    #[cfg(test)]
    overheard: Option<Overheard>,
}

/// What was sent, message by message.
#[cfg(test)]
pub(crate) type Overheard = std::sync::Arc<std::sync::Mutex<Vec<String>>>;

impl ServiceManager {
    /// Feeds the watchdog, and tells readiness and status when they are new.
    ///
    /// To be called from the agent's own loop and from nowhere else: a timer of its own would go on when nothing
    /// else does.
    pub fn tell_alive(&mut self, printers: &[PrinterReport]) {
        let status = status(printers);
        self.tell(status);
    }

    /// The agent can't do its work, and does what it must all the same: `status` says what. It counts as started: who waits
    /// for that has waited long enough.
    pub fn tell_unable(&mut self, status: &str) {
        self.tell(one_line(status));
    }

    fn tell(&mut self, status: String) {
        let sent = if self.told.as_ref() == Some(&status) {
            self.send(&[NotifyState::Watchdog])
        } else {
            self.send(&[NotifyState::Ready, NotifyState::Watchdog, NotifyState::Status(&status)])
        };
        match sent {
            Ok(()) => self.told = Some(status),
            Err(error) => tracing::warn!(error = %error, "the service manager could not be told how it goes"),
        }
    }

    #[allow(clippy::unused_self, reason = "a test's manager is another one")]
    fn send(&self, states: &[NotifyState<'_>]) -> std::io::Result<()> {
        #[cfg(test)]
        if let Some(overheard) = &self.overheard {
            let text = states.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
            overheard.lock().map_err(|_| std::io::ErrorKind::Other)?.push(text);
            return Ok(());
        }
        manager::tell(states)
    }

    /// One whose messages a test reads.
    #[cfg(test)]
    pub(crate) fn overheard() -> (Self, Overheard) {
        let overheard = Overheard::default();
        (Self { told: None, overheard: Some(std::sync::Arc::clone(&overheard)) }, overheard)
    }

    /// Tells that the agent is about to end as it was asked to.
    pub fn tell_stopping(&self) {
        // It is also told by the end itself.
        let _ = manager::tell(&[NotifyState::Stopping, NotifyState::Status("leaving the printers safe")]);
    }
}

/// The agent is stopping and needs so much longer to leave a printer safe; without a service manager nobody is asked.
pub fn ask_for_time(time: Duration) {
    let micros = u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
    let _ = manager::tell(&[NotifyState::ExtendTimeoutUsec(micros)]);
}

/// All printers in a line: `printing bracket.gcode 42 %, 1h03m left`. With a name before each when there are several.
#[must_use]
pub fn status(printers: &[PrinterReport]) -> String {
    let line = match printers {
        [] => "no printer is at work here".to_owned(),
        [only] => doing(only),
        several => {
            let each: Vec<_> =
                several.iter().map(|printer| format!("{}: {}", printer.name, doing(printer))).collect();
            each.join("; ")
        }
    };
    one_line(&line)
}

fn doing(printer: &PrinterReport) -> String {
    let mut text = printer.status.state.to_string();
    let at_work = matches!(
        printer.status.state,
        PrinterState::Preparing | PrinterState::Printing | PrinterState::Paused
    );
    // Writing to a string does not fail.
    if let (true, Some(job), Some(file)) = (at_work, &printer.status.job, &printer.file_name) {
        let _ = write!(text, " {file} {:.0} %", (job.fraction * 100.0).floor());
        if let Some(left) = left(job) {
            let _ = write!(text, ", {left} left");
        }
    }
    if let Some(preheat) = printer.preheat() {
        let _ = write!(text, ", {preheat}");
    }
    if let Some(message) = &printer.status.message {
        let _ = write!(text, " ({message})");
    }
    text
}

fn left(job: &JobProgress) -> Option<String> {
    let minutes = job.left_s? / 60;
    Some(match (minutes / 60, minutes % 60) {
        (0, 0) => "less than 1m".into(),
        (0, minutes) => format!("{minutes}m"),
        (hours, minutes) => format!("{hours}h{minutes:02}m"),
    })
}

/// The protocol has a line for each thing that is told: a file's name must not begin another one.
fn one_line(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.chars().count() <= LONGEST_STATUS {
        return line;
    }
    line.chars().take(LONGEST_STATUS - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use stardust_protocol::{JobState, PrinterStatus};

    fn printer(name: &str, state: PrinterState) -> PrinterReport {
        PrinterReport {
            name: name.into(),
            hub: "https://hub.example/".into(),
            link: "Connected to the hub.".into(),
            undelivered_events: 0,
            status: PrinterStatus::new(state),
            file_name: None,
            preheat_minutes: None,
            may_be_hot: false,
            driven: true,
            driven_at: None,
        }
    }

    fn printing(file: &str, fraction: f64, left_s: Option<u64>) -> PrinterReport {
        let mut report = printer("Ender left", PrinterState::Printing);
        report.file_name = Some(file.into());
        report.status.job = Some(JobProgress {
            job_id: "0190a7c2-6f00-7000-8000-000000000003".parse().unwrap(),
            state: JobState::Printing,
            fraction,
            acknowledged_bytes: 0,
            total_bytes: 100,
            elapsed_s: 0,
            left_s,
            layer: None,
        });
        report
    }

    #[rstest]
    #[case(0.42, Some(63 * 60), "printing bracket.gcode 42 %, 1h03m left")]
    #[case(0.999, Some(59), "printing bracket.gcode 99 %, less than 1m left")]
    #[case(0.0, Some(600), "printing bracket.gcode 0 %, 10m left")]
    #[case(0.5, None, "printing bracket.gcode 50 %")]
    fn one_printer_at_work(#[case] fraction: f64, #[case] left_s: Option<u64>, #[case] expected: &str) {
        assert_eq!(status(&[printing("bracket.gcode", fraction, left_s)]), expected);
    }

    #[test]
    fn several_printers_and_none() {
        let mut offline = printer("Prusa", PrinterState::Offline);
        offline.status.message = Some("There is no port /dev/ttyACM0.".into());
        let report = [printing("bracket.gcode", 0.42, Some(3780)), offline];
        assert_eq!(
            status(&report),
            "Ender left: printing bracket.gcode 42 %, 1h03m left; Prusa: offline (There is no port /dev/ttyACM0.)"
        );
        assert_eq!(status(&[]), "no printer is at work here");
    }

    #[test]
    fn a_files_name_is_no_message_of_its_own() {
        let report = [printing("a\nMAINPID=1\r", 0.1, None)];
        assert_eq!(status(&report), "printing a MAINPID=1  10 %");
        let long = [printing(&"ä".repeat(500), 0.1, None)];
        assert_eq!(status(&long).chars().count(), LONGEST_STATUS);
    }
}
