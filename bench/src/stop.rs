//! A stop at once, from who asks for it to `M112` at the printer, in each state of the driver: by the hub's API, and by a key.
//!
//! Owns: how a printer is brought into a state, and what a try must be to count. Must not know: how a stop travels.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use stardust_clock::SharedClock;
use stardust_demo::binaries::Binaries;
use stardust_demo::simulator::{SimOptions, SimProcess};

use crate::BenchError;
use crate::heard::Heard;
use crate::host::{Host, pause};
use crate::installed::{Installed, PATIENCE, failed};
use crate::pty::Pty;
use crate::run::Bench;
use crate::stop_states::State;
use crate::targets;

/// So long after the first Ctrl-C the next one is another one.
const BETWEEN_KEYS: Duration = Duration::from_millis(400);
/// By then a print that is told to pause has come to a halt, and one whose port is gone knows that.
const SETTLED: Duration = Duration::from_secs(2);
/// What the printer asks when it waits for filament, and `print` tells.
const ASKS: &str = "Nozzle Parked";
/// How often it is looked whether a printer was greeted.
const LOOK_EVERY: Duration = Duration::from_millis(50);

impl<W: Write> Bench<W> {
    pub(crate) fn stop(&mut self) -> Result<(), BenchError> {
        let Host::Agent(agent) = self.agent.clone() else { return Ok(()) };
        let show = |ms: f64| format!("{ms:.0} ms");
        let mut rig = Rig::start(self, &agent)?;
        for state in State::ALL {
            let tries: Result<Vec<f64>, _> = (0..self.plan.stops).map(|_| rig.by_api(state)).collect();
            let what = format!("API to M112: {}", state.name());
            self.table.slowest(&what, &mut tries?, targets::STOP_MS, show)?;
        }
        drop(rig.installed.take());
        for state in State::STOPPED_BY_KEY {
            let tries: Result<Vec<f64>, _> = (0..self.plan.stops).map(|_| rig.by_key(state)).collect();
            let what = format!("Ctrl-C to M112: {}", state.name());
            self.table.slowest(&what, &mut tries?, targets::STOP_MS, show)?;
        }
        Ok(())
    }
}

/// A printer of which everything can be taken away, and its agent with a hub.
pub(crate) struct Rig {
    pub(crate) installed: Option<Installed>,
    simulator: Option<SimProcess>,
    runtime: tokio::runtime::Runtime,
    binaries: Binaries,
    program: PathBuf,
    folder: PathBuf,
    clock: SharedClock,
}

impl Rig {
    pub(crate) fn start<W>(bench: &Bench<W>, agent: &std::path::Path) -> Result<Self, BenchError> {
        let folder = bench.folder.join("stop");
        std::fs::create_dir_all(&folder)?;
        let mut rig = Self {
            installed: None,
            simulator: None,
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build()?,
            binaries: Binaries::in_directory(&bench.programs),
            program: agent.to_owned(),
            folder,
            clock: bench.clock.clone(),
        };
        rig.switch_on(&[])?;
        rig.installed = Some(Installed::start(&rig.binaries, agent, &rig.folder, &rig.port())?);
        Ok(rig)
    }

    fn port(&self) -> PathBuf {
        self.folder.join("port")
    }

    pub(crate) fn installed(&mut self) -> Result<&mut Installed, BenchError> {
        self.installed.as_mut().ok_or_else(|| failed("the agent is gone"))
    }

    /// The printer is gone, and its port.
    fn switch_off(&mut self) -> Result<(), BenchError> {
        if let Some(mut simulator) = self.simulator.take() {
            self.runtime.block_on(simulator.process().kill())?;
        }
        let _ = std::fs::remove_file(self.port());
        Ok(())
    }

    /// Another printer, and what it hears.
    fn switch_on(&mut self, args: &[&str]) -> Result<Heard, BenchError> {
        self.switch_off()?;
        let wire = self.folder.join("wire");
        let _ = std::fs::remove_file(&wire);
        let mut args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        args.extend(["--wire".to_owned(), wire.display().to_string()]);
        let options = SimOptions {
            name: "the bench's printer".to_owned(),
            link: self.port(),
            speed: 1.0,
            journal: None,
            log: self.folder.join("simulator.log"),
            args,
        };
        self.simulator = Some(self.runtime.block_on(SimProcess::start(&self.binaries, options))?);
        Ok(Heard::in_record(&wire, &self.clock)?)
    }

    /// A printer that is ready for a job, after whatever was before.
    pub(crate) fn ready(&mut self, args: &[&str]) -> Result<Heard, BenchError> {
        self.ready_as(args, "idle")
    }

    /// Switched on, and greeted. One that was switched off before it had said that it has stopped may be stopped once more.
    fn greeted(&mut self, args: &[&str]) -> Result<Heard, BenchError> {
        let deadline = self.clock.elapsed() + PATIENCE;
        let mut heard = self.switch_on(args)?;
        loop {
            let (is_greeted, is_halted) = heard.is_greeted_or_halted()?;
            if is_greeted {
                return Ok(heard);
            }
            // The first one has nobody yet who could stop it.
            if is_halted && self.installed()?.printer()?["status"]["halted"] == true {
                heard = self.switch_on(args)?;
            }
            if self.clock.elapsed() > deadline {
                return Err(failed("the printer was not greeted"));
            }
            pause(LOOK_EVERY)?;
        }
    }

    /// One that is shown like this.
    fn ready_as(&mut self, args: &[&str], shown: &str) -> Result<Heard, BenchError> {
        let heard = self.greeted(args)?;
        let installed = self.installed()?;
        installed.take_up_again()?;
        installed.until_shown_as(shown)?;
        Ok(heard)
    }

    /// A port at which nobody answers, and what is said there.
    fn silent(&mut self) -> Result<Heard, BenchError> {
        let pty = Pty::open()?;
        std::os::unix::fs::symlink(&pty.path, self.port())?;
        Ok(Heard::at_terminal(pty, &self.clock))
    }

    /// Brings the printer into a state, and stops it there; how long that took, ms.
    fn by_api(&mut self, state: State) -> Result<f64, BenchError> {
        let mut heard = self.ready_as(state.printer(), state.shown_as())?;
        if state.is_silent() {
            self.switch_off()?;
            self.installed()?.until_port_is_closed()?;
        }
        match state {
            State::Seeking => {
                heard = self.silent()?;
                heard.until("M105", 1)?;
            }
            State::Greeting => {
                heard = self.silent()?;
                heard.until("M105", 1)?;
                heard.say(b"ok T:20.0 /0.0 B:20.0 /0.0\n")?;
                heard.forget()?;
                // One may be a question of the search.
                heard.until("M110", 2)?;
            }
            State::Closed => return self.port_comes_back(),
            _ => self.at_work(state, &mut heard)?,
        }
        let installed = self.installed.as_mut().ok_or_else(|| failed("the agent is gone"))?;
        stop_by_api(installed, heard, state.times(), &self.clock).map(|(ms, _)| ms)
    }

    /// Has it print what leads into a state.
    fn at_work(&mut self, state: State, heard: &mut Heard) -> Result<(), BenchError> {
        let Some((file, line, count)) = state.file(&self.folder)? else { return Ok(()) };
        let installed = self.installed()?;
        let job = installed.begin(&file)?;
        heard.until(line, count)?;
        match state {
            State::Paused => installed.pause(&job),
            State::FilamentChange => installed.until_shown_as("attention"),
            State::Recovering => heard.until_one_comes_again(),
            State::Attaching => {
                let before = installed.contact_since()?;
                installed.kill()?;
                heard.forget()?;
                installed.run()?;
                installed.until_contact_after(&before)?;
                // It asks where the job is.
                heard.until("M", 1)?;
                if heard.count("G1 ")? > 0 {
                    return Err(failed("the print went on before it was stopped"));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The stop is kept until there is a port: from then on.
    fn port_comes_back(&mut self) -> Result<f64, BenchError> {
        let told = self.installed()?.stop()?;
        if told != "port_closed" {
            return Err(failed(format!("a stop at a closed port was told as {told}")));
        }
        let back = self.clock.elapsed();
        let (at, _) = self.silent()?.halted(State::Closed.times())?;
        Ok(ms(back, at))
    }

    /// `stardust-agent print`, stopped at once while it is in a state.
    fn by_key(&mut self, state: State) -> Result<f64, BenchError> {
        if state.is_silent() {
            return self.by_key_at_a_lost_port(state);
        }
        let (mut print, mut heard) = self.print(state, &["--baud", "115200"])?;
        match state {
            State::Paused => {
                print.signal(Signal::TSTP)?;
                heard.until("M400", 1)?;
                pause(SETTLED)?;
            }
            State::FilamentChange => self.until_said(ASKS)?,
            State::Recovering => heard.until_one_comes_again()?,
            _ => {}
        }
        print.signal(Signal::INT)?;
        pause(BETWEEN_KEYS)?;
        if print.0.try_wait()?.is_some() {
            return Err(failed("the print ended at the first Ctrl-C"));
        }
        self.key_to_halt(&print, heard, state)
    }

    /// The port was gone in mid-print, and with it the print; its process waits until the printer is known to be cold.
    fn by_key_at_a_lost_port(&mut self, state: State) -> Result<f64, BenchError> {
        let (print, _) = self.print(State::Printing, &[])?;
        self.switch_off()?;
        pause(SETTLED)?;
        let mut heard = self.silent()?;
        heard.until("M105", 1)?;
        self.key_to_halt(&print, heard, state)
    }

    /// What `print` has said.
    fn words(&self) -> PathBuf {
        self.folder.join("print.log")
    }

    /// Waits until `print` has said that.
    fn until_said(&self, what: &str) -> Result<(), BenchError> {
        let deadline = self.clock.elapsed() + PATIENCE;
        while !std::fs::read_to_string(self.words())?.contains(what) {
            if self.clock.elapsed() > deadline {
                return Err(failed(format!("print did not say “{what}”")));
            }
            pause(LOOK_EVERY)?;
        }
        Ok(())
    }

    /// `stardust-agent print`, when the printer is where its file leads to.
    fn print(&mut self, state: State, args: &[&str]) -> Result<(Running, Heard), BenchError> {
        let mut heard = self.switch_on(state.printer())?;
        let Some((file, line, count)) = state.file(&self.folder)? else {
            return Err(failed("nothing to print"));
        };
        let mut command = Command::new(&self.program);
        command.arg("print").arg(file).arg("--port").arg(self.port()).args(args);
        // Not what the installed one has.
        command.env("STARDUST_AGENT_DATA", self.folder.join("by-hand"));
        let words = std::fs::File::create(self.words())?;
        command.stdin(Stdio::null()).stdout(words.try_clone()?).stderr(words);
        let print = Running(command.spawn()?);
        heard.until(line, count)?;
        Ok((print, heard))
    }

    /// From a Ctrl-C to `M112`, ms.
    fn key_to_halt(&self, print: &Running, heard: Heard, state: State) -> Result<f64, BenchError> {
        let watch = std::thread::spawn(move || heard.halted(state.times()));
        // So that it looks.
        pause(Duration::from_millis(5))?;
        let asked = self.clock.elapsed();
        print.signal(Signal::INT)?;
        let (at, _) = joined(watch)?;
        Ok(ms(asked, at))
    }
}

/// Asks the hub for a stop; how long it took until the printer had it, ms, and what it hears.
pub(crate) fn stop_by_api(
    installed: &mut Installed,
    heard: Heard,
    times: usize,
    clock: &SharedClock,
) -> Result<(f64, Heard), BenchError> {
    let watch = std::thread::spawn(move || heard.halted(times));
    // So that it looks.
    pause(Duration::from_millis(5))?;
    let asked = clock.elapsed();
    let told = installed.stop()?;
    let (at, heard) = joined(watch)?;
    if !told.starts_with("sent") {
        return Err(failed(format!("M112 was at the printer, and the hub told: {told}")));
    }
    Ok((ms(asked, at), heard))
}

type Halted = Result<(Duration, Heard), BenchError>;

fn joined(watch: std::thread::JoinHandle<Halted>) -> Halted {
    watch.join().unwrap_or_else(|_| Err(failed("who watches the printer has failed")))
}

fn ms(from: Duration, to: Duration) -> f64 {
    to.saturating_sub(from).as_secs_f64() * 1e3
}

/// Ends with its value.
struct Running(Child);

impl Running {
    fn signal(&self, signal: Signal) -> Result<(), BenchError> {
        let pid = Pid::from_child(&self.0);
        Ok(kill_process(pid, signal).map_err(std::io::Error::from)?)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may be gone.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
