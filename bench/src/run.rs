//! The benchmark from beginning to end.
//!
//! Owns: what is run, in which order, and how figures come of it. Hosts take turns, so that whatever else the
//! machine does at a time hits both. Must not know: how a printer is faked or a process measured.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum as _;
use stardust_clock::SharedClock;

use crate::BenchError;
use crate::host::{Host, Outcome, print};
use crate::job_file::{self, LINE};
use crate::pacing::Pace;
use crate::targets::{self, Bound, Summary, Table};

/// A part of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Part {
    /// The share of a paced wire that is used
    Paced,
    /// Lines a second and processor time without pacing
    Unpaced,
    /// From Ctrl-C to the last move
    Cancel,
    /// The resident size while a large file is sent
    Memory,
    /// The installed agent, idle and printing at the real pace: memory, processor time, what is written to the disk
    Resident,
    /// The installed agent, killed in mid-print: how soon the print goes on
    Revival,
    /// From the hub's API, or a key, to M112 at the printer, in each state of it
    Stop,
    /// From the hub's API to M112 at the printer while the hub reads many uploads
    StopUnderLoad,
    /// The installed agent on a slow disk (--slow-dir), with a file of 1 GiB: does it tell its status all the time?
    SlowDisk,
}

/// How much is run.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Nothing but this.
    pub(crate) only: Option<Part>,
    /// Paced runs of each kind.
    pub(crate) runs: u32,
    /// Wire time of a paced run.
    pub(crate) paced: Duration,
    /// Runs of both hosts without pacing. Short ones and many: who runs on which processor changes all the time
    /// on a machine that has other work too, and changes everything.
    pub(crate) pairs: u32,
    /// Moves of a run without pacing.
    pub(crate) moves: u64,
    /// Jobs that are cancelled.
    pub(crate) cancels: u32,
    /// Bytes of the file for which memory is measured.
    pub(crate) large: u64,
    /// How long the installed agent is watched doing nothing, and at a full wire.
    pub(crate) idle: Duration,
    /// And printing.
    pub(crate) printing: Duration,
    /// How often it is killed.
    pub(crate) kills: u32,
    /// How often a printer is stopped in each state.
    pub(crate) stops: u32,
    /// And while the hub reads uploads.
    pub(crate) stops_under_load: u32,
    /// Bytes of each of these.
    pub(crate) upload: u64,
    /// A folder on a slow disk.
    pub(crate) slow_dir: Option<PathBuf>,
    /// Bytes of the file that is printed from there.
    pub(crate) slow_disk_file: u64,
}

/// All that a part of the benchmark needs.
pub(crate) struct Bench<W> {
    pub(crate) plan: Plan,
    pub(crate) agent: Host,
    pub(crate) ceiling: Host,
    pub(crate) folder: PathBuf,
    /// Where the hub's and the simulator's programs are.
    pub(crate) programs: PathBuf,
    pub(crate) clock: SharedClock,
    pub(crate) table: Table<W>,
}

impl<W: Write> Bench<W> {
    /// Everything that was asked for.
    pub(crate) fn run(mut self) -> Result<Summary, BenchError> {
        let head = format!("{:<44} {:>10}  {:<10} {:<8} all runs", "", "median", "target", "");
        self.table.note(&head)?;
        for part in Part::value_variants().iter().copied() {
            if self.plan.only.is_some_and(|only| only != part) {
                continue;
            }
            match part {
                Part::Paced => self.at_line_rate()?,
                Part::Unpaced => self.without_pacing()?,
                Part::Cancel => self.cancel()?,
                Part::Memory => self.memory()?,
                Part::Resident => self.resident()?,
                Part::Revival => self.revival()?,
                Part::Stop => self.stop()?,
                Part::StopUnderLoad => self.stop_under_load()?,
                Part::SlowDisk => self.slow_disk()?,
            }
        }
        Ok(self.table.close()?)
    }

    fn at_line_rate(&mut self) -> Result<(), BenchError> {
        let with_usb = Pace { round_trip: Duration::from_millis(1), ..Pace::at(250_000) };
        for (name, pace) in [
            ("115200", Pace::at(115_200)),
            ("250000", Pace::at(250_000)),
            ("250000 + 1 ms round trip", with_usb),
        ] {
            let line_time = pace.time_of(LINE);
            let moves = u64::try_from(self.plan.paced.as_nanos() / line_time.as_nanos()).unwrap_or(u64::MAX);
            let file = self.file("paced.gcode", moves, false)?;
            let (mut agent, mut ceiling) = (Vec::new(), Vec::new());
            for _ in 0..self.plan.runs {
                for (host, shares) in [(&self.agent, &mut agent), (&self.ceiling, &mut ceiling)] {
                    let outcome = whole(print(host, &file, pace, None, &self.clock)?, moves)?;
                    let bytes = usize::try_from(outcome.seen.bytes).unwrap_or(usize::MAX);
                    shares.push(pace.time_of(bytes).as_secs_f64() / outcome.took().as_secs_f64());
                }
            }
            let what = format!("share of the wire, {name}");
            self.table.judge(&what, &mut agent, (Bound::AtLeast, targets::LINE_RATE), percent)?;
            self.table.note(&format!(
                "{:<44} {:>10}",
                "  the ceiling",
                percent(targets::median(&mut ceiling))
            ))?;
        }
        Ok(())
    }

    fn without_pacing(&mut self) -> Result<(), BenchError> {
        let moves = self.plan.moves;
        let file = self.file("unpaced.gcode", moves, false)?;
        let (mut rates, mut costs) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
        #[allow(clippy::cast_precision_loss, reason = "a figure for people")]
        let count = moves as f64;
        for _ in 0..self.plan.pairs {
            for (index, host) in [&self.agent, &self.ceiling].into_iter().enumerate() {
                let outcome = whole(print(host, &file, Pace::NONE, None, &self.clock)?, moves)?;
                rates[index].push(count / outcome.took().as_secs_f64());
                costs[index].push(outcome.cpu.as_secs_f64() * 1e6 / count);
            }
        }
        // Of runs that stood side by side.
        let ratios = |[agent, ceiling]: &[Vec<f64>; 2]| {
            agent.iter().zip(ceiling).map(|(a, c)| a / c).collect::<Vec<_>>()
        };
        let (mut rate_ratios, mut cost_ratios) = (ratios(&rates), ratios(&costs));
        let ours = (Bound::AtLeast, targets::LINES_PER_SECOND);
        self.table.judge("lines/s without pacing, of the ceiling's", &mut rate_ratios, ours, percent)?;
        let [agent, ceiling] = rates.map(|mut runs| (targets::median(&mut runs), highest(&runs)));
        self.table.note(&format!(
            "  lines/s: {:.0}, the ceiling {:.0}; in the quietest runs {:.0} and {:.0}, {}",
            agent.0,
            ceiling.0,
            agent.1,
            ceiling.1,
            percent(agent.1 / ceiling.1)
        ))?;
        let ours = (Bound::AtMost, targets::CPU_PER_LINE);
        self.table.judge("CPU a line, times the ceiling's", &mut cost_ratios, ours, |x| format!("{x:.2}"))?;
        let [agent, ceiling] = costs.map(|mut runs| (targets::median(&mut runs), lowest(&runs)));
        Ok(self.table.note(&format!(
            "  µs a line: {:.2}, the ceiling {:.2}; in the quietest runs {:.2} and {:.2}, times {:.2}",
            agent.0,
            ceiling.0,
            agent.1,
            ceiling.1,
            agent.1 / ceiling.1
        ))?)
    }

    fn cancel(&mut self) -> Result<(), BenchError> {
        let pace = Pace::at(115_200);
        let file = self.file("cancelled.gcode", 10_000, true)?;
        let (mut written, mut arrived, mut safe) = (Vec::new(), Vec::new(), true);
        for index in 0..self.plan.cancels {
            let after = 60 + u64::from(index) * 7;
            let outcome = print(&self.agent, &file, pace, Some(after), &self.clock)?;
            let Some(interrupted) = outcome.interrupted else { continue };
            let ms = |at: Duration| at.saturating_sub(interrupted).as_secs_f64() * 1e3;
            written.push(ms(outcome.seen.last_written));
            arrived.push(ms(outcome.seen.last_arrived));
            safe &= outcome.seen.hot_end_off && outcome.seen.bed_off;
        }
        let show = |ms: f64| format!("{ms:.1} ms");
        let ours = (Bound::AtMost, targets::CANCEL_MS);
        self.table.judge("Ctrl-C to the last move written, 115200", &mut written, ours, show)?;
        let worst = written.iter().copied().fold(0.0, f64::max);
        self.table.judge("  the slowest", &mut [worst], ours, show)?;
        let (middle, worst) = (targets::median(&mut arrived), arrived.last().copied().unwrap_or(f64::NAN));
        self.table.note(&format!(
            "  at the firmware, with what was on the wire: median {}, slowest {}",
            show(middle),
            show(worst)
        ))?;
        Ok(self.table.must("M104 S0 and M140 S0 behind it, each time", safe)?)
    }

    fn memory(&mut self) -> Result<(), BenchError> {
        let moves = self.plan.large / job_file::SHORTEST;
        let file = self.file("large.gcode", moves, false)?;
        let bytes = std::fs::metadata(&file)?.len();
        let outcome = whole(print(&self.agent, &file, Pace::NONE, None, &self.clock)?, moves)?;
        #[allow(clippy::cast_precision_loss, reason = "a figure for people")]
        let (peak, size) = (outcome.peak_kib as f64 * 1024.0 / 1e6, bytes as f64 / 1e6);
        let what = format!("memory while a file of {size:.0} MB is sent");
        self.table
            .judge(&what, &mut [peak], (Bound::AtMost, targets::MEMORY_MB), |mb| format!("{mb:.1} MB"))?;
        let took = outcome.took().as_secs_f64();
        Ok(self.table.note(&format!("  {moves} lines in {took:.0} s"))?)
    }

    pub(crate) fn file(&self, name: &str, moves: u64, heated: bool) -> Result<PathBuf, BenchError> {
        let path = self.folder.join(name);
        write_file(&path, moves, heated)?;
        Ok(path)
    }
}

fn write_file(path: &Path, moves: u64, heated: bool) -> std::io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    job_file::write(&mut out, moves, heated)?;
    out.flush()
}

/// A run counts only when everything came through, and nothing more was sent than a real printer can hold.
fn whole(outcome: Outcome, moves: u64) -> Result<Outcome, BenchError> {
    let seen = &outcome.seen;
    if outcome.succeeded && seen.moves == moves && seen.refused == 0 && seen.overruns == 0 {
        return Ok(outcome);
    }
    Err(BenchError::Faulty {
        moves,
        seen: seen.moves,
        refused: seen.refused,
        overruns: seen.overruns,
        succeeded: outcome.succeeded,
    })
}

fn highest(runs: &[f64]) -> f64 {
    runs.iter().copied().fold(f64::NAN, f64::max)
}

fn lowest(runs: &[f64]) -> f64 {
    runs.iter().copied().fold(f64::NAN, f64::min)
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}
