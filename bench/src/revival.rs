//! The installed agent, killed in mid-print and started again: how soon the first line goes, and how long the printer
//! got none; and what sending costs at a full wire.
//!
//! The printer takes no time for anything and the wire is full: moves would go on as long as the firmware has some.
//! Owns: when it is killed, and what a run must be to count. Must not know: how the print is gone on with.

use std::io::Write;
use std::time::Duration;

use stardust_demo::binaries::Binaries;

use crate::BenchError;
use crate::host::{Host, pause, print};
use crate::installed::{Installed, failed};
use crate::pacing::Pace;
use crate::process;
use crate::pty::Pty;
use crate::run::Bench;
use crate::targets::{self, Bound};
use crate::uart::Uart;

/// Moves a second, a little more than the wire passes.
const MOVES_A_SECOND: u64 = 310;
/// At most between two kills.
const LONGEST_STRETCH: Duration = Duration::from_millis(700);
/// A host that does not go on by then never will.
const PATIENCE: Duration = Duration::from_secs(20);

impl<W: Write> Bench<W> {
    /// The share of a core that the least of a host takes there.
    fn ceiling_at_full_wire(&self, time: Duration) -> Result<f64, BenchError> {
        let file = self.file("full.gcode", MOVES_A_SECOND * time.as_secs(), false)?;
        let outcome = print(&self.ceiling, &file, Pace::at(115_200), None, &self.clock)?;
        Ok(outcome.cpu.as_secs_f64() / outcome.took().as_secs_f64())
    }

    pub(crate) fn revival(&mut self) -> Result<(), BenchError> {
        let Host::Agent(agent) = self.agent.clone() else { return Ok(()) };
        let folder = self.folder.join("revival");
        std::fs::create_dir_all(&folder)?;
        let full = self.plan.idle;
        let stretches = full + LONGEST_STRETCH * (self.plan.kills + 2);
        let moves = MOVES_A_SECOND * (stretches.as_secs() + 2);
        let file = self.file("revived.gcode", moves, false)?;
        let least = self.ceiling_at_full_wire(full)?;
        let pty = Pty::open()?;
        let port = pty.path.clone();
        let uart = Uart::start(pty, Pace::at(115_200), self.clock.clone())?;
        let mut installed =
            Installed::start(&Binaries::in_directory(&self.programs), &agent, &folder, &port)?;
        let job = installed.print(&file)?;

        let (from, cpu, before) = (self.clock.elapsed(), process::cpu(installed.pid())?, uart.moves());
        pause(full)?;
        let took = (self.clock.elapsed() - from).as_secs_f64();
        let cpu = (process::cpu(installed.pid())? - cpu).as_secs_f64() / took;
        #[allow(clippy::cast_precision_loss, reason = "a figure for people")]
        let rate = (uart.moves() - before) as f64 / took;
        // No print fills the wire all the time: the target is judged at a real file's pace.
        self.table.note(&format!(
            "at a full wire of 115200, {rate:.0} lines a second: {:.2} % of a core; the ceiling {:.2} %, times {:.2}",
            cpu * 100.0,
            least * 100.0,
            cpu / least
        ))?;

        let mut started = Vec::new();
        for kill in 0..self.plan.kills {
            pause(LONGEST_STRETCH.mul_f64(0.3 + 0.7 * f64::from(kill * 7 % 20) / 20.0))?;
            installed.kill()?;
            started.push(self.clock.elapsed());
            installed.run()?;
            let until = self.clock.elapsed() + PATIENCE;
            while uart.revivals() <= u64::from(kill) {
                if self.clock.elapsed() > until {
                    return Err(failed(format!("the print did not go on after kill {}", kill + 1)));
                }
                pause(Duration::from_millis(2))?;
            }
        }
        installed.until(&job, "awaiting_removal")?;
        drop(installed);
        let seen = uart.finish()?;
        if seen.moves != moves || seen.revivals.len() != started.len() {
            let (came, gone_on) = (seen.moves, seen.revivals.len());
            return Err(failed(format!(
                "{came} of {moves} moves came through, and {gone_on} times of {} the print went on",
                started.len()
            )));
        }
        let ms = |from: Duration, to: Duration| to.saturating_sub(from).as_secs_f64() * 1e3;
        let went_on = |revival: &crate::uart::Revival| revival.went_on.unwrap_or(Duration::MAX);
        let revivals = || started.iter().zip(&seen.revivals);
        let mut first: Vec<f64> = revivals().map(|(start, revival)| ms(*start, revival.asked)).collect();
        let mut on: Vec<f64> = revivals().map(|(start, revival)| ms(*start, went_on(revival))).collect();
        let mut gaps: Vec<f64> =
            seen.revivals.iter().map(|revival| ms(revival.last_move, went_on(revival))).collect();

        let show = |ms: f64| format!("{ms:.0} ms");
        let ours = (Bound::AtMost, targets::START_MS);
        self.table.judge("killed in mid-print: start to its first line", &mut first, ours, show)?;
        self.table.judge("  to the file's next line", &mut on, ours, show)?;
        let slow = targets::share(&mut on, 95);
        self.table.note(&format!("  95 of 100 to the file's next line: {}", show(slow)))?;
        let ours = (Bound::AtMost, targets::GAP_MS);
        self.table.judge("  the last line before to the first after", &mut gaps, ours, show)?;
        let slow = targets::share(&mut gaps, 95);
        Ok(self.table.judge("  95 of 100", &mut [slow], ours, show)?)
    }
}
