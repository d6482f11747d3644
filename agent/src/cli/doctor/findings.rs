//! What the doctor finds, in words: what it is, why it matters, what to do.
//!
//! Owns: sentences and the limits behind them. Must not know: how it was found out.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use crate::cli::left_behind::LeftBehind;
use crate::cli::own_agent::{self, Driven};
use crate::port::connect::ConnectError;
use crate::port::round_trip::{QUESTIONS, RoundTrip};
use crate::printer::at_hand::AtHand;
use crate::printer::folder::FolderError;
use crate::serial::Thermometer;

/// An adapter that holds answers back for longer slows printing down, ms.
const SLOW_TIMER_MS: u32 = 2;
/// A way to the printer and back that takes longer than its bytes need by this.
const SLOW_ANSWER: Duration = Duration::from_millis(5);
/// Firmware holds moves for about as long; what takes longer may be seen in the print.
const HICCUP: Duration = Duration::from_millis(100);
/// Commands that are on their way at a time.
const COMMANDS_IN_FLIGHT: f64 = 4.0;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    Ok,
    /// It prints, but not as well or as safely as it could.
    Warning,
    /// It can't print.
    Fault,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) verdict: Verdict,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

impl Finding {
    pub(super) fn ok(found: impl Into<String>) -> Self {
        Self { verdict: Verdict::Ok, found: found.into(), why: None, remedy: None }
    }

    fn warning(found: impl Into<String>, why: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Warning,
            found: found.into(),
            why: Some(why.into()),
            remedy: Some(remedy.into()),
        }
    }

    /// For the terminal.
    pub(super) fn in_words(&self) -> String {
        let word = match self.verdict {
            Verdict::Ok => "ok",
            Verdict::Warning => "warning",
            Verdict::Fault => "fault",
        };
        let mut text = format!("  {word:<9}{}", self.found);
        for (label, said) in [("why:", &self.why), ("do:", &self.remedy)] {
            if let Some(said) = said {
                text.push_str(&format!("\n           {label:<5}{said}"));
            }
        }
        text
    }
}

/// The error names the cause and what to do itself.
pub(super) fn no_connection(error: &ConnectError) -> Finding {
    Finding { verdict: Verdict::Fault, ..Finding::ok(error.to_string()) }
}

/// Its own files can't be read: which one, and why.
/// `is_driven`: by an agent that has read them before.
pub(super) fn unread(error: &FolderError, is_driven: bool) -> Finding {
    let why = if is_driven {
        "the agent that runs here still drives this printer, with the settings from before; after its next start it does not, and \
         nothing is printed on it"
    } else {
        "the agent does not drive this printer: nothing is printed on it"
    };
    Finding {
        verdict: Verdict::Fault,
        why: Some(why.into()),
        remedy: Some("mend that file, or pair the printer again with `stardust-agent pair`".into()),
        ..Finding::ok(error.to_string())
    }
}

/// Somebody did not want to wait.
pub(super) fn interrupted() -> Finding {
    Finding { verdict: Verdict::Fault, ..Finding::ok("interrupted: the rest was not looked at") }
}

/// Somebody did not want to wait for a printer before this one.
pub(super) fn not_looked_at() -> Finding {
    Finding {
        verdict: Verdict::Fault,
        why: Some("you ended the doctor before; if a print has left this printer hot, it still is".into()),
        remedy: Some("look at the printer, or ask again".into()),
        ..Finding::ok("not looked at")
    }
}

/// The sentence says what to do itself.
pub(super) fn left_behind(left: &LeftBehind) -> Finding {
    let verdict = if left.is_safe() { Verdict::Ok } else { Verdict::Fault };
    Finding { verdict, ..Finding::ok(left.sentence()) }
}

/// Its agent has a print at hand, or has ended in the middle of one: no question is asked.
pub(super) fn at_hand(job: &AtHand) -> Finding {
    if job.has_agent {
        return Finding {
            verdict: Verdict::Warning,
            why: Some("a question could end that print, if the printer is at this port".into()),
            remedy: Some("see `stardust-agent status`; ask again when the print is over".into()),
            ..Finding::ok(format!(
                "its agent runs, at work on “{}” at another port, or waiting for this one: the printer is asked nothing",
                job.file_name
            ))
        };
    }
    Finding {
        verdict: Verdict::Fault,
        why: Some("the printer may be HOT, and nobody looks after its heaters meanwhile".into()),
        remedy: Some(
            "start the agent (it goes on with the print, or turns the heaters off), or switch the printer off".into(),
        ),
        ..Finding::ok(format!(
            "its agent has ended in the middle of “{}”: the printer is asked nothing, so that the agent can go on with it",
            job.file_name
        ))
    }
}

/// What there is at this port, by the data on this machine.
pub(super) fn not_looked_up(error: &std::io::Error) -> Finding {
    Finding {
        verdict: Verdict::Fault,
        why: Some("a question could end a print that the agent would go on with".into()),
        remedy: Some("mend that, and ask again".into()),
        ..Finding::ok(format!(
            "what the agent has at hand here can't be looked up ({error}): the printer is asked nothing"
        ))
    }
}

/// Something is set to heat, and nobody prints, as far as is known here. `is_known`: why it heats, by a print from its memory card
/// or by what is said otherwise.
pub(super) fn heated(thermometer: &Thermometer, is_known: bool) -> Option<Finding> {
    let hottest = thermometer.highest_target().unwrap_or(0.0);
    (hottest > 0.0 && !is_known).then(|| {
        Finding::warning(
            format!("it is set to heat to {hottest:.0} °C, and nobody prints here as far as these data tell"),
            "nothing turns that off by itself",
            "if you have not heated it at its panel: turn it off there, or switch the printer off",
        )
    })
}

pub(super) fn driven_by_the_agent(driven: &Driven, port: &Path) -> Finding {
    let remedy = match driven.is_at_work() {
        true => "wait until its print is over: an agent that is stopped ends the prints of all its printers"
            .into(),
        false => format!(
            "see `stardust-agent status` that no printer of it prints; then stop it, ask again, and start it: {}",
            own_agent::STOP_IT
        ),
    };
    Finding::warning(
        driven.in_words(port),
        "so it is looked after, but its answers can't be measured now",
        remedy,
    )
}

pub(super) fn answers(baud: u32, took: Duration) -> Finding {
    Finding::ok(format!("the printer answers at {baud} baud (after {:.1} s)", took.as_secs_f64()))
}

pub(super) fn adapter(timer_ms: Option<u32>, port: &Path) -> Finding {
    let name = port.file_name().unwrap_or_default().to_string_lossy();
    match timer_ms {
        None => Finding::ok("the port has no latency timer that could hold answers back"),
        Some(ms) if ms <= SLOW_TIMER_MS => {
            Finding::ok(format!("the USB adapter hands answers on within {ms} ms"))
        }
        Some(ms) => Finding::warning(
            format!("the USB adapter holds every answer back for up to {ms} ms"),
            "the printer waits for its next commands meanwhile: small curves stutter",
            format!(
                "echo 1 | sudo tee /sys/bus/usb-serial/devices/{name}/latency_timer; for good, by a udev rule that lets \
                 the agent's user write it: it then does so itself"
            ),
        ),
    }
}

pub(super) fn round_trip(measured: RoundTrip, timer_ms: Option<u32>) -> Finding {
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    let most = COMMANDS_IN_FLIGHT / measured.median.as_secs_f64().max(1e-6);
    let found = format!(
        "an answer takes {:.1} ms, {:.1} ms at worst (of {}), {:.1} ms of it for the bytes themselves",
        ms(measured.median),
        ms(measured.worst),
        QUESTIONS,
        ms(measured.bytes)
    );
    let is_held_back = measured.median.saturating_sub(measured.bytes) > SLOW_ANSWER;
    if is_held_back {
        let remedy = match timer_ms {
            Some(timer) if timer > SLOW_TIMER_MS => "lower the adapter's latency timer, see above",
            _ => {
                "connect the printer without a hub between, or over a better cable; look at what keeps this machine busy"
            }
        };
        let why = format!(
            "no more than about {most:.0} commands a second get through; a fine curve at 60 mm/s needs 300"
        );
        return Finding::warning(found, why, remedy);
    }
    if measured.worst > HICCUP {
        return Finding::warning(
            found,
            "so long a gap can be seen in a print of small curves",
            "look at what keeps this machine busy: another program, its power supply (a Raspberry Pi slows down), its \
             SD card",
        );
    }
    Finding::ok(found)
}

pub(super) fn no_round_trip(reason: &str) -> Finding {
    Finding::warning(
        format!("how long an answer takes could not be measured: {reason}"),
        "answers that get lost slow a print down",
        "check the cable and the printer's power supply, then ask again",
    )
}

pub(super) fn firmware(name: Option<&str>) -> Finding {
    match name {
        Some(name) => Finding::ok(format!("firmware: {name}")),
        None => Finding::warning(
            "the firmware does not say what it is (M115)",
            "it is treated as Marlin; what it can do beyond that is not used",
            "nothing, if it prints well; else update the firmware",
        ),
    }
}

pub(super) fn thermal_protection(warning: Option<&str>, is_known: bool) -> Finding {
    match warning {
        Some(warning) => Finding::warning(
            warning,
            "without it nothing turns a heater off whose sensor has come loose",
            "update the firmware to one with thermal protection; until then don't leave the printer alone",
        ),
        None if is_known => Finding::ok("nothing is known against its thermal protection"),
        None => Finding::warning(
            "whether the firmware has thermal protection is not known",
            "without it nothing turns a heater off whose sensor has come loose",
            "ask its maker, and don't leave the printer alone until you know",
        ),
    }
}

pub(super) fn urgent_commands(can_interrupt: bool) -> Finding {
    if can_interrupt {
        return Finding::ok("a cancel interrupts heating (EMERGENCY_PARSER); homing and moves it waits for");
    }
    Finding::warning(
        "the firmware has no EMERGENCY_PARSER",
        "a cancel waits until heating is over, and homing and moves as with any firmware",
        "switch it on in the firmware's configuration, where you build it yourself; in an emergency cut the power",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn measured(median_ms: u64, worst_ms: u64) -> RoundTrip {
        RoundTrip {
            median: Duration::from_millis(median_ms),
            worst: Duration::from_millis(worst_ms),
            bytes: Duration::from_millis(4),
        }
    }

    #[rstest]
    #[case(5, 7, None, Verdict::Ok, "")]
    #[case(20, 21, Some(16), Verdict::Warning, "latency timer")]
    #[case(20, 21, Some(1), Verdict::Warning, "without a hub")]
    #[case(5, 250, None, Verdict::Warning, "keeps this machine busy")]
    fn what_a_round_trip_means(
        #[case] median: u64,
        #[case] worst: u64,
        #[case] timer: Option<u32>,
        #[case] verdict: Verdict,
        #[case] remedy: &str,
    ) {
        let finding = round_trip(measured(median, worst), timer);
        assert_eq!(finding.verdict, verdict);
        assert!(finding.remedy.unwrap_or_default().contains(remedy));
    }

    #[test]
    fn a_warning_says_why_and_what_to_do() {
        let said = [
            adapter(Some(16), Path::new("/dev/ttyUSB0")).in_words(),
            round_trip(measured(20, 21), Some(16)).in_words(),
            firmware(Some("Marlin 2.1.2")).in_words(),
            urgent_commands(false).in_words(),
        ];
        // The indent of the first line would be cut off.
        insta::assert_snapshot!(format!("port:\n{}", said.join("\n")), @r"
        port:
          warning  the USB adapter holds every answer back for up to 16 ms
                   why: the printer waits for its next commands meanwhile: small curves stutter
                   do:  echo 1 | sudo tee /sys/bus/usb-serial/devices/ttyUSB0/latency_timer; for good, by a udev rule that lets the agent's user write it: it then does so itself
          warning  an answer takes 20.0 ms, 21.0 ms at worst (of 20), 4.0 ms of it for the bytes themselves
                   why: no more than about 200 commands a second get through; a fine curve at 60 mm/s needs 300
                   do:  lower the adapter's latency timer, see above
          ok       firmware: Marlin 2.1.2
          warning  the firmware has no EMERGENCY_PARSER
                   why: a cancel waits until heating is over, and homing and moves as with any firmware
                   do:  switch it on in the firmware's configuration, where you build it yourself; in an emergency cut the power
        ");
        let json = serde_json::to_string(&urgent_commands(true)).unwrap();
        insta::assert_snapshot!(json, @r#"{"verdict":"ok","found":"a cancel interrupts heating (EMERGENCY_PARSER); homing and moves it waits for"}"#);
    }

    #[test]
    fn what_is_not_known_is_not_called_well() {
        assert_eq!(thermal_protection(None, true).verdict, Verdict::Ok);
        assert_eq!(thermal_protection(None, false).verdict, Verdict::Warning);
        assert_eq!(thermal_protection(Some("none"), true).verdict, Verdict::Warning);
    }
}
