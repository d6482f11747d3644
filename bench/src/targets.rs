//! What is asked of the agent, and whether a figure reaches it.
//!
//! Owns: the targets and how an outcome is put. Must not know: how anything is measured.

use std::io::{self, Write};

/// Share of baud/10.
pub(crate) const LINE_RATE: f64 = 0.98;
/// Of the ceiling's lines per second, without pacing.
pub(crate) const LINES_PER_SECOND: f64 = 0.80;
/// Times the ceiling's processor time a line.
pub(crate) const CPU_PER_LINE: f64 = 1.5;
/// Resident size, MB.
pub(crate) const MEMORY_MB: f64 = 12.0;
/// Resident size of the installed agent while nothing is printed, MB.
pub(crate) const IDLE_MB: f64 = 12.0;
/// And while something is, MB.
pub(crate) const PRINTING_MB: f64 = 15.0;
/// Its share of one processor while it prints.
pub(crate) const PRINTING_CPU: f64 = 0.01;
/// What it has written to the disk while it prints, kB/s: an SD card must live.
pub(crate) const WRITTEN: f64 = 20.0;
/// From its start to the first line sent in mid-print, ms.
pub(crate) const START_MS: f64 = 300.0;
/// From the last line before a kill to the first one after it, ms.
pub(crate) const GAP_MS: f64 = 1000.0;
/// From who asks for a stop at once to `M112` at the printer, each time, ms.
pub(crate) const STOP_MS: f64 = 100.0;
/// The same while the hub reads many large uploads, ms.
pub(crate) const STOP_UNDER_LOAD_MS: f64 = 500.0;
/// A download that is faster was not held up by the disk, MB/s.
pub(crate) const SLOW_DISK_MB_S: f64 = 25.0;
/// How late a status may be, whatever the disk does, s.
pub(crate) const STATUS_S: f64 = 2.0;
/// From Ctrl-C to the last move written, ms.
pub(crate) const CANCEL_MS: f64 = 10.0;

/// The table of outcomes.
#[derive(Debug)]
pub(crate) struct Table<W> {
    out: W,
    missed: u32,
    measured: u32,
    left_out: Vec<String>,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Summary {
    /// So many targets were missed; of what was measured, where something was left out.
    Missed(u32),
    /// All that was asked for was left out.
    NothingMeasured,
}

/// What a target asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bound {
    AtLeast,
    AtMost,
}

impl<W: Write> Table<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out, missed: 0, measured: 0, left_out: Vec::new() }
    }

    /// A line that is not judged.
    pub(crate) fn note(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}")?;
        self.out.flush()
    }

    /// A figure against its target: the median of several runs, which are shown too.
    pub(crate) fn judge(
        &mut self,
        what: &str,
        runs: &mut [f64],
        (bound, target): (Bound, f64),
        show: impl Fn(f64) -> String,
    ) -> io::Result<()> {
        let middle = median(runs);
        let (reached, word) = match bound {
            Bound::AtLeast => (middle >= target, "≥"),
            Bound::AtMost => (middle <= target, "≤"),
        };
        let verdict = self.verdict(reached);
        let all: Vec<String> = runs.iter().map(|run| show(*run)).collect();
        let (middle, target) = (show(middle), show(target));
        self.note(&format!("{what:<44} {middle:>10}  {word} {target:<8} {verdict:<8} {}", all.join(" ")))
    }

    /// A figure that must not be larger at any time: the median of several runs is shown, and the slowest one counts. Sorts.
    pub(crate) fn slowest(
        &mut self,
        what: &str,
        runs: &mut [f64],
        target: f64,
        show: impl Fn(f64) -> String,
    ) -> io::Result<()> {
        let middle = median(runs);
        let slowest = share(runs, 100);
        let reached = slowest <= target;
        let verdict = self.verdict(reached);
        let (middle, target, slowest) = (show(middle), show(target), show(slowest));
        let count = runs.len();
        self.note(&format!(
            "{what:<44} {middle:>10}  ≤ {target:<8} {verdict:<8} slowest of {count}: {slowest}"
        ))
    }

    /// A fact that must hold.
    pub(crate) fn must(&mut self, what: &str, holds: bool) -> io::Result<()> {
        let verdict = self.verdict(holds);
        self.note(&format!("{what:<44} {:>10}  {:<10} {verdict}", "", ""))
    }

    fn verdict(&mut self, reached: bool) -> &'static str {
        self.measured += 1;
        self.missed += u32::from(!reached);
        if reached { "reached" } else { "MISSED" }
    }

    /// What was not measured, and why.
    pub(crate) fn left_out(&mut self, what: &str, why: &str) -> io::Result<()> {
        self.left_out.push(what.to_owned());
        self.note(&format!("{what:<44} LEFT OUT: {why}"))
    }

    /// The last lines. Where something was left out that is the very last: a run must not look more complete than it is.
    pub(crate) fn close(mut self) -> io::Result<Summary> {
        let missed = self.missed;
        let is_whole = self.left_out.is_empty();
        self.note(&match missed {
            0 if self.measured == 0 => "Nothing was measured.".to_owned(),
            0 if is_whole => "All targets reached.".to_owned(),
            0 => "All targets reached of what was measured.".to_owned(),
            1 => "One target was MISSED; on a busy machine run it again.".to_owned(),
            _ => format!("{missed} targets were MISSED; on a busy machine run it again."),
        })?;
        if !is_whole {
            let (count, which) = (self.left_out.len(), self.left_out.join(", "));
            self.note(&format!("LEFT OUT: {count} part{}: {which}.", if count == 1 { "" } else { "s" }))?;
        }
        Ok(if self.measured == 0 { Summary::NothingMeasured } else { Summary::Missed(missed) })
    }
}

/// The one that so many percent are no larger than. Sorts.
pub(crate) fn share(runs: &mut [f64], percent: usize) -> f64 {
    runs.sort_by(f64::total_cmp);
    let at = (runs.len() * percent).div_ceil(100).saturating_sub(1);
    runs.get(at).copied().unwrap_or(f64::NAN)
}

/// The middle one; of an even number the mean of the middle two. Sorts.
pub(crate) fn median(runs: &mut [f64]) -> f64 {
    runs.sort_by(f64::total_cmp);
    let upper = runs.get(runs.len() / 2).copied().unwrap_or(f64::NAN);
    let lower = runs.get(runs.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN);
    f64::midpoint(lower, upper)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ninety_five_percent_are_no_larger() {
        let mut runs: Vec<f64> = (1..=20).rev().map(f64::from).collect();
        assert!((share(&mut runs, 95) - 19.0).abs() < 1e-9);
        assert!((share(&mut [7.0], 95) - 7.0).abs() < 1e-9);
    }

    #[test]
    fn a_missed_target_is_said_plainly() {
        let mut out = Vec::new();
        let mut table = Table::new(&mut out);
        let percent = |share: f64| format!("{:.1} %", share * 100.0);
        table.judge("rate", &mut [0.99, 0.97, 0.999], (Bound::AtLeast, 0.98), percent).unwrap();
        table.judge("cost", &mut [2.0, 1.0], (Bound::AtMost, 1.25), |times| format!("{times:.2}")).unwrap();
        table.must("heaters off", true).unwrap();
        table.slowest("stop", &mut [9.0, 101.0, 8.0], 100.0, |ms| format!("{ms:.0} ms")).unwrap();
        assert_eq!(table.close().unwrap(), Summary::Missed(2));
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].contains("99.0 %  ≥ 98.0 %   reached"), "{text}");
        assert!(lines[1].contains("1.50  ≤ 1.25     MISSED"), "{text}");
        assert!(lines[3].contains("9 ms  ≤ 100 ms   MISSED   slowest of 3: 101 ms"), "{text}");
        assert!(lines[4].starts_with("2 targets were MISSED"), "{text}");
    }

    #[test]
    fn what_was_left_out_is_said_last_and_alone_it_is_no_run() {
        let close = |measured: &[bool], left_out: &[&str]| {
            let mut out = Vec::new();
            let mut table = Table::new(&mut out);
            for what in left_out {
                table.left_out(what, "it needs a disk").unwrap();
            }
            for holds in measured {
                table.must("heaters off", *holds).unwrap();
            }
            let summary = table.close().unwrap();
            (summary, String::from_utf8(out).unwrap().lines().last().unwrap().to_owned())
        };
        let of = |summary, line: &str| (summary, line.to_owned());
        assert_eq!(close(&[true], &[]), of(Summary::Missed(0), "All targets reached."));
        assert_eq!(close(&[true], &["a disk"]), of(Summary::Missed(0), "LEFT OUT: 1 part: a disk."));
        let two = "LEFT OUT: 2 parts: a disk, a card.";
        assert_eq!(close(&[true, false], &["a disk", "a card"]), of(Summary::Missed(1), two));
        assert_eq!(close(&[], &["a disk", "a card"]), of(Summary::NothingMeasured, two));
    }
}
