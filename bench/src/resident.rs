//! The installed agent over time: memory, processor time and what is written to the disk, idle and while it prints.
//!
//! The printer is the simulator: moves take as long as on a real one, over a wire of 115200 bits a second.
//! Owns: what is printed and how long it is watched. Must not know: how a process is looked at.

use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use stardust_clock::SharedClock;
use stardust_demo::binaries::Binaries;
use stardust_demo::simulator::{SimOptions, SimProcess};

use crate::BenchError;
use crate::host::{Host, pause};
use crate::installed::{Installed, failed};
use crate::process::{self, Memory};
use crate::run::Bench;
use crate::targets::{self, Bound};

/// Of a slicer, with layers that take some seconds.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/gcode/cura_teapot_ender3_marlin.gcode");
/// Before the first move: a printer that is warm already.
const WARM: &str = "M302 P1\nG90\nM82\nG92 E0\n";
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// `TMPFS_MAGIC`
const IN_MEMORY: i64 = 0x0102_1994;

/// What was seen in some time.
struct Watched {
    memory: Memory,
    cpu: f64,
    written_kb_s: f64,
}

impl<W: Write> Bench<W> {
    pub(crate) fn resident(&mut self) -> Result<(), BenchError> {
        let Host::Agent(agent) = self.agent.clone() else { return Ok(()) };
        let folder = self.folder.join("resident");
        let binaries = Binaries::in_directory(&self.programs);
        let simulator = SimOptions {
            name: "the bench's printer".to_owned(),
            link: folder.join("port"),
            speed: 1.0,
            journal: None,
            log: folder.join("logs/simulator.log"),
            args: ["--pace", "--baud", "115200"].map(str::to_owned).into(),
        };
        std::fs::create_dir_all(&folder)?;
        let (real, thin) = (real_file(&folder)?, thin_layers(&folder)?);
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build()?;
        let simulator = runtime.block_on(SimProcess::start(&binaries, simulator))?;
        let installed = Installed::start(&binaries, &agent, &folder, simulator.link())?;
        let mb = |mb: f64| format!("{mb:.1} MB");

        let idle = watch(installed.pid(), self.plan.idle, &self.clock)?;
        let what = "installed agent, idle: memory";
        self.table.judge(
            what,
            &mut [idle.memory.now_kib * 1.024e-3],
            (Bound::AtMost, targets::IDLE_MB),
            mb,
        )?;
        self.tell(&idle)?;

        let job = installed.print(&real)?;
        let printing = self.watch_print(&installed, &job)?;
        let what = "printing a real file at its pace: memory";
        let ours = (Bound::AtMost, targets::PRINTING_MB);
        self.table.judge(what, &mut [printing.memory.now_kib * 1.024e-3], ours, mb)?;
        let ours = (Bound::AtMost, targets::PRINTING_CPU);
        self.table.judge("  processor time, of one core", &mut [printing.cpu], ours, hundredths)?;
        self.judge_written("  written to the disk", &printing, &folder)?;
        self.tell(&printing)?;
        installed.cancel(&job)?;

        let job = installed.print(&thin)?;
        let thin = self.watch_print(&installed, &job)?;
        self.judge_written("written with two layers a second", &thin, &folder)?;
        self.tell(&thin)
    }

    /// Looks at the agent while it prints, all of the time.
    fn watch_print(&self, installed: &Installed, job: &str) -> Result<Watched, BenchError> {
        let before = installed.fraction(job)?;
        let watched = watch(installed.pid(), self.plan.printing, &self.clock)?;
        installed.until(job, "printing")?;
        if installed.fraction(job)? <= before {
            return Err(failed("the print stood still while it was looked at"));
        }
        Ok(watched)
    }

    fn judge_written(&mut self, what: &str, watched: &Watched, folder: &Path) -> Result<(), BenchError> {
        #[allow(clippy::useless_conversion, reason = "its type is the machine's")]
        let kind = i64::try_from(rustix::fs::statfs(folder).map_err(std::io::Error::from)?.f_type);
        if kind == Ok(IN_MEMORY) {
            let said =
                format!("{what}: NOT MEASURED, {} is in memory; choose another --data", folder.display());
            return Ok(self.table.note(&said)?);
        }
        let ours = (Bound::AtMost, targets::WRITTEN);
        Ok(self.table.judge(what, &mut [watched.written_kb_s], ours, |rate| format!("{rate:.1} kB/s"))?)
    }

    fn tell(&mut self, watched: &Watched) -> Result<(), BenchError> {
        let Watched { memory, cpu, .. } = watched;
        let [own, peak] = [memory.own_kib, memory.peak_kib].map(|kib| kib * 1.024e-3);
        Ok(self.table.note(&format!(
            "  of it without pages of files {own:.1} MB; at most since its start {peak:.1} MB; {} of a core",
            hundredths(*cpu)
        ))?)
    }
}

/// Looks at a process for some time.
fn watch(pid: u32, time: Duration, clock: &SharedClock) -> Result<Watched, BenchError> {
    let (from, cpu, written) = (clock.elapsed(), process::cpu(pid)?, process::written(pid)?);
    let mut memory = process::memory(pid)?;
    while clock.elapsed() < from + time {
        pause(LOOK_EVERY)?;
        let now = process::memory(pid).map_err(|error| failed(format!("the agent is gone: {error}")))?;
        if now.now_kib > memory.now_kib {
            memory = now;
        }
        memory.peak_kib = now.peak_kib;
    }
    let took = (clock.elapsed() - from).as_secs_f64();
    #[allow(clippy::cast_precision_loss, reason = "a figure for people")]
    let bytes = (process::written(pid)? - written) as f64;
    Ok(Watched {
        memory,
        cpu: (process::cpu(pid)? - cpu).as_secs_f64() / took,
        written_kb_s: bytes / 1e3 / took,
    })
}

fn hundredths(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

/// A slicer's file without its waits for heat and homing.
fn real_file(folder: &Path) -> std::io::Result<PathBuf> {
    let text = std::fs::read_to_string(FILE)?;
    let waits = ["G28", "M104", "M109", "M140", "M190"];
    let moves = text.lines().filter(|line| !waits.iter().any(|wait| line.starts_with(wait)));
    write(folder.join("real.gcode"), moves.collect::<Vec<_>>().join("\n"))
}

/// Layers of ten moves of 3 mm at 60 mm/s, for some minutes.
fn thin_layers(folder: &Path) -> std::io::Result<PathBuf> {
    let mut text = String::new();
    let mut step = 0_u32;
    for layer in 0..600_u32 {
        // Writing to a string does not fail.
        let _ = write!(text, ";LAYER:{layer}\nG1 Z{:.3} F3600\n", 0.2 + f64::from(layer) * 0.1);
        for _ in 0..10 {
            step += 1;
            let (x, y) = (100 + step % 2 * 3, 100 + step / 2 % 2);
            let _ = writeln!(text, "G1 X{x} Y{y} E{:.4} F3600", f64::from(step) * 0.1);
        }
    }
    write(folder.join("thin.gcode"), text)
}

fn write(path: PathBuf, moves: String) -> std::io::Result<PathBuf> {
    std::fs::write(&path, format!("{WARM}{moves}\nM104 S0\nM140 S0\n"))?;
    Ok(path)
}
