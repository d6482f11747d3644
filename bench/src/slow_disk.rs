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
use crate::run::Bench;
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

/// What was seen: until when it took the job, had the file, moved, was looked at; and all signs of life.
struct Seen {
    claimed: Duration,
    downloaded: Duration,
    begun: Duration,
    ended: Duration,
    fed: Vec<Duration>,
    answers: Vec<Duration>,
    told: Vec<Duration>,
    is_whole: bool,
}

impl<W: Write> Bench<W> {
    pub(crate) fn slow_disk(&mut self) -> Result<(), BenchError> {
        let Host::Agent(agent) = self.agent.clone() else { return Ok(()) };
        let Some(disk) = self.plan.slow_dir.clone() else {
            let why = "it needs --slow-dir, a folder on a disk of 20 MB/s; `make slow-disk` makes one";
            return Ok(self.table.left_out("an agent on a slow disk", why)?);
        };
        let watchdog = watchdog()?;
        let seen = self.on_disk(&agent, &disk, watchdog)?;
        let s = |time: Duration| time.as_secs_f64();
        let [download, reading, printing] =
            [(seen.claimed, seen.downloaded), (seen.downloaded, seen.begun), (seen.begun, seen.ended)]
                .map(|(from, to)| s(to.saturating_sub(from)));
        #[allow(clippy::cast_precision_loss, reason = "a figure for people")]
        let rate = self.plan.slow_disk_file as f64 / 1e6 / download;
        let what = format!("{} MiB on a slow disk: download", self.plan.slow_disk_file >> 20);
        let ours = (Bound::AtMost, targets::SLOW_DISK_MB_S);
        self.table.judge(&what, &mut [rate], ours, |rate| format!("{rate:.1} MB/s"))?;
        self.table.note(&format!(
            "  claim to download {download:.0} s, then to the first move {reading:.0} s; printed for {printing:.0} s"
        ))?;
        let show = |s: f64| format!("{s:.2} s");
        let silent = |signs: &[Duration]| gaps(seen.claimed, seen.ended, signs);
        self.table.slowest("  between two WATCHDOG=1", &mut silent(&seen.fed), s(watchdog) / 2.0, show)?;
        let mut answers: Vec<f64> = seen.answers.iter().copied().map(s).collect();
        self.table.slowest("  answer to stardust-agent status", &mut answers, targets::STATUS_S, show)?;
        let what = "  between two statuses on the hub's stream";
        self.table.slowest(what, &mut silent(&seen.told), targets::STATUS_S, show)?;
        Ok(self.table.must("  the same process all the time", seen.is_whole)?)
    }

    /// Prints a large file with an agent whose data are in `disk`, and watches it.
    fn on_disk(&self, agent: &Path, disk: &Path, watchdog: Duration) -> Result<Seen, BenchError> {
        let folder = self.folder.join("slow-disk");
        std::fs::create_dir_all(&folder)?;
        let (manager, wire) = (folder.join("notify"), folder.join("wire"));
        let fed = Watcher::of_watchdog(UnixDatagram::bind(&manager)?, self.clock.clone())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let binaries = Binaries::in_directory(&self.programs);
        let simulator = SimOptions {
            name: "the bench's printer".to_owned(),
            link: folder.join("port"),
            speed: 1.0,
            journal: None,
            log: folder.join("logs/simulator.log"),
            args: ["--pace", "--wire", &wire.display().to_string()].map(str::to_owned).into(),
        };
        let simulator = runtime.block_on(SimProcess::start(&binaries, simulator))?;
        let heard = Heard::in_record(&wire, &self.clock)?;
        let on_disk = tempfile::tempdir_in(disk)?;
        let data = on_disk.path().join("agent");
        let env = [
            ("NOTIFY_SOCKET", manager.display().to_string()),
            ("WATCHDOG_USEC", watchdog.as_micros().to_string()),
        ];
        let home = Home { data: data.clone(), env: env.map(|(name, value)| (name.to_owned(), value)).into() };
        let mut installed = Installed::start_at(&binaries, agent, &folder, simulator.link(), home)?;
        let (hub, token) = (installed.address(), installed.new_token()?);
        let target = Target { hub, token, bytes: self.plan.slow_disk_file };
        uploads::whole(&target, "large", HEAD)?;
        let file = installed.uploaded()?;
        warm_and_cooling(&installed)?;

        let answers = Watcher::of_status(data.join("status.sock"), self.clock.clone())?;
        let told = Watcher::of_stream(hub, &target.token, self.clock.clone())?;
        let before = process::written(installed.pid())?;
        let job = installed.order(&file)?;
        installed.until(&job, "transferring")?;
        let claimed = self.clock.elapsed();
        let whole = before + target.bytes;
        let downloaded = self.until_printing(&mut installed, heard, &data, whole)?;
        let begun = self.clock.elapsed();
        pause(self.plan.printing)?;
        let ended = self.clock.elapsed();
        let (fed, answers, told) = (fed.finish()?, answers.finish()?, told.finish()?);
        let is_whole = !installed.has_ended()?;
        installed.cancel(&job)?;
        Ok(Seen { claimed, downloaded, begun, ended, fed, answers, told, is_whole })
    }

    /// Waits until the printer moves; when the agent had written so much. From then on it has to read from the disk.
    fn until_printing(
        &self,
        installed: &mut Installed,
        mut heard: Heard,
        data: &Path,
        whole: u64,
    ) -> Result<Duration, BenchError> {
        let deadline = self.clock.elapsed() + PATIENCE;
        let (mut downloaded, mut forgotten) = (None, Duration::ZERO);
        while heard.count(FIRST_MOVE)? == 0 {
            pause(LOOK_EVERY)?;
            let now = self.clock.elapsed();
            if installed.has_ended()? {
                return Err(failed("the agent has ended before the print began"));
            }
            if now > deadline {
                return Err(failed("the print has not begun"));
            }
            if downloaded.is_none() && process::written(installed.pid())? >= whole {
                downloaded = Some(now);
            }
            if downloaded.is_some() && now > forgotten + FORGET_EVERY {
                forget(data)?;
                forgotten = now;
            }
        }
        downloaded.ok_or_else(|| failed("the agent printed what it had not written to the disk"))
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
