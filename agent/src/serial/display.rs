//! The progress on the printer's own display.
//!
//! Owns: what is shown (M73, or M117 where M73 is not there), and how often. Must not know: how it is sent.
//!
//! `Cap:BUILD_PERCENT` of M115 is Marlin's word for M73 (`Cap:PROGRESS` is Repetier's M530 to M532); Prusa's 8-bit
//! firmware has M73 and does not say so. A file that shows something by itself is left alone.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use stardust_gcode::command::{Command, parse};

use super::brief::Brief;
use super::dialect::Dialect;
use super::firmware::Firmware;

/// At most so often: it must not cost the line's rate.
const EVERY: Duration = Duration::from_secs(1);

/// What the display is told by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Way {
    /// M73
    Percent,
    /// M117
    Message,
}

/// The printer's display during one job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Display {
    /// None: nothing is shown.
    shows: Option<(Way, Brief)>,
    /// Bytes acknowledged at which the next percent begins.
    next_bytes: u64,
    /// By the clock of this process: of no use to another one.
    #[serde(skip)]
    not_before: Duration,
}

impl Display {
    /// Nothing is known of the file: nothing is shown.
    pub(super) fn new(firmware: &Firmware, brief: Option<Brief>) -> Self {
        let shows = brief.and_then(|brief| Some((way(firmware, &brief)?, brief)));
        Self { shows, next_bytes: 0, not_before: Duration::ZERO }
    }

    /// What is to be sent now, if anything: at most once for each whole percent.
    pub(super) fn due(&mut self, now: Duration, acknowledged: u64) -> Option<Command<'static>> {
        if acknowledged < self.next_bytes {
            return None;
        }
        let (way, brief) = self.shows.as_ref().filter(|_| now >= self.not_before)?;
        let size = u128::from(brief.size_bytes.max(1));
        let percent = (u128::from(acknowledged) * 100 / size).min(99);
        self.next_bytes = match percent {
            // The whole is shown at the end, not before the last moves are made.
            99 => u64::MAX,
            percent => u64::try_from(((percent + 1) * size).div_ceil(100)).unwrap_or(u64::MAX),
        };
        self.not_before = now + EVERY;
        #[allow(clippy::cast_possible_truncation, reason = "below a hundred")]
        line(*way, percent as u32, brief.estimated)
    }

    /// What shows that all is done.
    pub(super) fn done(&mut self) -> Option<Command<'static>> {
        let (way, brief) = self.shows.take()?;
        line(way, 100, brief.estimated)
    }
}

fn way(firmware: &Firmware, brief: &Brief) -> Option<Way> {
    if brief.brings_progress {
        return None;
    }
    let has_percent = firmware.can("BUILD_PERCENT") || firmware.dialect == Dialect::Prusa;
    match firmware.dialect {
        _ if has_percent => Some(Way::Percent),
        // Displays of other firmwares take M117 for a box that has to be closed, or have none.
        Dialect::Marlin1 | Dialect::Repetier if !brief.brings_messages => Some(Way::Message),
        _ => None,
    }
}

/// The minutes left, by the slicer's estimate: the firmware counts them down itself.
fn line(way: Way, percent: u32, estimated: Option<Duration>) -> Option<Command<'static>> {
    let minutes =
        estimated.map(|all| all.as_secs().saturating_mul(100 - u64::from(percent.min(100))).div_ceil(6000));
    let text = match (way, minutes) {
        (Way::Percent, Some(minutes)) => format!("M73 P{percent} R{minutes}"),
        (Way::Percent, None) => format!("M73 P{percent}"),
        (Way::Message, Some(minutes)) => format!("M117 {percent} % {minutes} min left"),
        (Way::Message, None) => format!("M117 {percent} %"),
    };
    parse(text.as_bytes()).map(Command::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serial::reply::Reply;
    use rstest::rstest;

    fn firmware(said: &[&str]) -> Firmware {
        let mut firmware = Firmware::default();
        said.iter().for_each(|line| firmware.learn(&Reply::parse(line)));
        firmware
    }

    fn neither() -> Brief {
        Brief { size_bytes: 1000, ..Brief::default() }
    }

    fn progress() -> Brief {
        Brief { brings_progress: true, ..neither() }
    }

    fn messages() -> Brief {
        Brief { brings_messages: true, ..neither() }
    }

    const NEW: &[&str] = &["FIRMWARE_NAME:Marlin 2.1", "Cap:BUILD_PERCENT:1"];
    const BARE: &[&str] = &["FIRMWARE_NAME:Marlin 2.1", "Cap:BUILD_PERCENT:0", "Cap:PROGRESS:1"];
    const OLD: &[&str] = &["FIRMWARE_NAME:Marlin 1.1.9"];
    const PRUSA: &[&str] = &["FIRMWARE_NAME:Prusa-Firmware 3.13.2 based on Marlin"];

    #[rstest]
    #[case(NEW, Some(neither()), Some("M73 P0"))]
    #[case(NEW, Some(messages()), Some("M73 P0"))]
    #[case(NEW, Some(progress()), None)]
    #[case(NEW, None, None)]
    #[case(PRUSA, Some(neither()), Some("M73 P0"))]
    #[case(BARE, Some(neither()), None)]
    #[case(OLD, Some(neither()), Some("M117 0 %"))]
    #[case(OLD, Some(messages()), None)]
    #[case(OLD, Some(progress()), None)]
    #[case(&["FIRMWARE_NAME:Klipper"], Some(neither()), None)]
    fn only_what_the_firmware_has_and_the_file_has_not(
        #[case] said: &[&str],
        #[case] brief: Option<Brief>,
        #[case] first: Option<&str>,
    ) {
        let line = Display::new(&firmware(said), brief).due(Duration::ZERO, 0);
        assert_eq!(line.as_ref().map(Command::text), first);
    }

    #[test]
    fn each_whole_percent_once_and_not_more_than_one_a_second() {
        let brief = Brief { size_bytes: 1001, estimated: Some(Duration::from_secs(3600)), ..neither() };
        let mut display = Display::new(&firmware(NEW), Some(brief.clone()));
        let mut shown = Vec::new();
        for byte in 0..=1001 {
            let line = display.due(Duration::from_secs(byte), byte);
            shown.extend(line.map(|line| line.text().to_owned()));
        }
        shown.extend(display.done().map(|line| line.text().to_owned()));
        assert_eq!(shown.len(), 101);
        assert_eq!((shown[0].as_str(), shown[50].as_str()), ("M73 P0 R60", "M73 P50 R30"));
        assert_eq!((shown[99].as_str(), shown[100].as_str()), ("M73 P99 R1", "M73 P100 R0"));
        let mut hurried = Display::new(&firmware(NEW), Some(brief));
        let at_once = (0..=1001).filter_map(|byte| hurried.due(Duration::ZERO, byte)).count();
        assert_eq!(at_once, 1);
    }

    #[test]
    fn a_file_of_nothing_is_survived() {
        let brief = Brief { size_bytes: 0, ..neither() };
        let mut display = Display::new(&firmware(NEW), Some(brief));
        assert!(display.due(Duration::ZERO, u64::MAX).is_some());
        assert!(display.due(Duration::MAX / 2, 5).is_none() && display.done().is_some());
    }
}
