//! An agent whose disk is slow, and a large file: whether it still tells everybody that it is there.
//!
//! From when the agent downloads the file until it has printed for a while. What it has read is dropped from memory at once, so
//! that it is read from the disk again: as where memory is small. Owns: what a run must be to count. Must not know: what makes
//! the disk slow, and what the agent does with the file.

use std::io::Write;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{Advice, fadvise};
use serde_json::{Value, json};
use stardust_demo::binaries::Binaries;
use stardust_demo::simulator::{SimOptions, SimProcess};

use crate::BenchError;
use crate::heard::Heard;
use crate::host::{Host, pause};
use crate::installed::{Home, Installed, failed};
use crate::process;
use crate::run::{Bench, Part};
use crate::signs_of_life::{Watcher, gaps};
use crate::targets::{self, Bound};
use crate::uploads::{self, Target};

/// Where it says after what time a silent agent is ended.
const UNIT: &str = include_str!("../../systemd/stardust-agent.service");
/// Moves only, of a printer that need not be warm.
const HEAD: &str = "M302 P1\nG90\nM82\nG92 E0\nG1 X11.11 Y22.22 F6000\n";
const FIRST_MOVE: &str = "X11.11";
/// The nozzle is warm and cools when it begins: there is something to tell each second.
const WARM_C: u16 = 180;
const WARM_ENOUGH_C: f64 = 170.0;
const LOOK_EVERY: Duration = Duration::from_millis(50);
const FORGET_EVERY: Duration = Duration::from_millis(500);
/// Files of this size are the print file, bytes.
const LARGE: u64 = 16 << 20;
/// A job that does not print by then never will.
const PATIENCE: Duration = Duration::from_secs(600);

impl<W: Write> Bench<W> {
    pub(crate) fn slow_disk(&mut self) -> Result<(), BenchError> {
        let Host::Agent(agent) = self.agent.clone() else { return Ok(()) };
        let Some(disk) = self.plan.slow_dir.clone() else {
            let why = "it needs --slow-dir, a folder on a disk of 20 MB/s; `make slow-disk` makes one";
            if self.plan.only == Some(Part::SlowDisk) {
                return Err(failed(format!("nothing was measured: {why}")));
            }
            return Ok(self.table.left_out("an agent on a slow disk", why)?);
        };
        let folder = self.folder.join("slow-disk");
        std::fs::create_dir_all(&folder)?;
        let home = tempfile::tempdir_in(disk)?;
        let data = home.path().join("agent");
        let manager = folder.join("notify");
        let watchdog = watchdog()?;
        let env = [
            ("NOTIFY_SOCKET", manager.display().to_string()),
            ("WATCHDOG_USEC", watchdog.as_micros().to_string()),
        ];
        let fed = Watcher::of_watchdog(UnixDatagram::bind(&manager)?, self.clock.clone())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let binaries = Binaries::in_directory(&self.programs);
        let wire = folder.join("wire");
        let simulator = SimOptions {
            name: "the bench's printer".to_owned(),
            link: folder.join("port"),
            speed: 1.0,
            journal: None,
            log: folder.join("logs/simulator.log"),
            args: ["--pace", "--wire", &wire.display().to_string()].map(str::to_owned).into(),
        };
        let simulator = runtime.block_on(SimProcess::start(&binaries, simulator))?;
        let mut heard = Heard::in_record(&wire, &self.clock)?;
        let home_of_agent =
            Home { data: data.clone(), env: env.map(|(name, value)| (name.to_owned(), value)).into() };
        let mut installed = Installed::start_at(&binaries, &agent, &folder, simulator.link(), home_of_agent)?;
        let target = Target {
            hub: installed.address(),
            token: installed.new_token()?,
            bytes: self.plan.slow_disk_file,
        };
        uploads::whole(&target, "large", HEAD)?;
        let file = installed.uploaded()?;
        warm_and_cooling(&installed)?;

        let asked = Watcher::of_status(data.join("status.sock"), self.clock.clone())?;
        let told = Watcher::of_stream(target.hub, &target.token, self.clock.clone())?;
        let before = process::written(installed.pid())?;
        let job = installed.order(&file)?;
        installed.until(&job, "transferring")?;
        let from = self.clock.elapsed();
        let mut come = None;
        let mut forgotten = from;
        while heard.count(FIRST_MOVE)? == 0 {
            pause(LOOK_EVERY)?;
            let now = self.clock.elapsed();
            if now > from + PATIENCE || installed.has_ended()? {
                return Err(failed("the print has not begun; or the agent has ended"));
            }
            if come.is_none() && process::written(installed.pid())? - before >= target.bytes {
                come = Some(now);
            }
            if come.is_some() && now > forgotten + FORGET_EVERY {
                forget(&data)?;
                forgotten = now;
            }
        }
        let begun = self.clock.elapsed();
        pause(self.plan.printing)?;
        let to = self.clock.elapsed();
        let (fed, asked, told) = (fed.finish()?, asked.finish()?, told.finish()?);
        let is_whole = !installed.has_ended()?;
        installed.cancel(&job)?;

        #[allow(clippy::cast_precision_loss, reason = "a figure for people")]
        let rate = |took: Duration| target.bytes as f64 / 1e6 / took.as_secs_f64();
        let come = come.unwrap_or(begun);
        let mb_s = |rate: f64| format!("{rate:.1} MB/s");
        let ours = (Bound::AtMost, targets::SLOW_DISK_MB_S);
        let size = target.bytes >> 20;
        let what = format!("{size} MiB on a slow disk: download");
        self.table.judge(&what, &mut [rate(come.saturating_sub(from))], ours, mb_s)?;
        let s = |time: Duration| time.as_secs_f64();
        self.table.note(&format!(
            "  claim to download {:.0} s, then to the first move {:.0} s; printed for {:.0} s",
            s(come.saturating_sub(from)),
            s(begun.saturating_sub(come)),
            s(to.saturating_sub(begun))
        ))?;
        let show = |s: f64| format!("{s:.2} s");
        let half = watchdog.as_secs_f64() / 2.0;
        self.table.slowest("  between two WATCHDOG=1", &mut gaps(from, to, &fed), half, show)?;
        let mut asked: Vec<f64> = asked.into_iter().map(s).collect();
        self.table.slowest("  answer to stardust-agent status", &mut asked, targets::STATUS_S, show)?;
        self.table.slowest(
            "  between two statuses on the hub's stream",
            &mut gaps(from, to, &told),
            targets::STATUS_S,
            show,
        )?;
        Ok(self.table.must("  the same process all the time", is_whole)?)
    }
}

/// The nozzle is heated, and begins to cool.
fn warm_and_cooling(installed: &Installed) -> Result<(), BenchError> {
    let id = installed.printer()?["id"].as_str().unwrap_or_default().to_owned();
    let ask = |what: &str, body| {
        let path = format!("/api/v1/printers/{id}/{what}");
        installed.runtime.block_on(installed.client.post(&path, &body)).map(drop)
    };
    ask("preheat", json!({"nozzles_c": [WARM_C]}))?;
    let nozzle = |printer: &Value, field: &str| printer["status"]["tools"][0][field].as_f64();
    installed.until_printer("the nozzle to be warm", |printer| {
        nozzle(printer, "actual").is_some_and(|actual| actual >= WARM_ENOUGH_C)
    })?;
    ask("cool-down", json!({}))?;
    installed.until_printer("the nozzle to be off", |printer| {
        printer["state"] == "idle" && nozzle(printer, "target") == Some(0.0)
    })
}

/// As the unit says it.
fn watchdog() -> Result<Duration, BenchError> {
    let seconds = UNIT.lines().find_map(|line| line.strip_prefix("WatchdogSec=")?.trim().parse().ok());
    seconds.map(Duration::from_secs).ok_or_else(|| failed("the agent's unit has no WatchdogSec in seconds"))
}

/// What of large files is in memory and on the disk, too, is dropped from memory.
fn forget(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        // What has gone meanwhile is in no memory.
        let Ok(metadata) = entry.metadata() else { continue };
        if metadata.is_dir() {
            forget(&entry.path())?;
        } else if metadata.is_file() && metadata.len() >= LARGE {
            let file = std::fs::File::open(entry.path())?;
            fadvise(&file, 0, None, Advice::DontNeed)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_tells_the_watchdogs_time() {
        assert!(watchdog().unwrap() >= Duration::from_secs(1));
    }
}
