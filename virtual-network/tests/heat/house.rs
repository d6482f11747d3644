//! Printers, their host, and a run of what happens to them.

mod boot;
mod happening;

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use firmware_sim::faults::FaultPlan;
use firmware_sim::firmware::{Dialect, Targets};
use firmware_sim::virtual_printer::VirtualPrinter;
use stardust_agent::hub_link::client::Credential;
use stardust_agent::printer::folder::{PrinterConfig, PrinterFolder};
use stardust_agent::settings::Settings;
use stardust_protocol::agent_api::PairResponse;
use stardust_protocol::{Command, JobState};
use tokio::time::Instant;

use crate::eye::{COLD_WITHIN, Eye};
use crate::hub::{Books, PRINTER, WORKSPACE};
use crate::plan::{Broken, Plan, Trouble};
use crate::process::Process;
use happening::{happen, order};

/// Whatever was going on is over by then.
const LONGEST_RUN: Duration = Duration::from_secs(4 * 3600);
const LINES: usize = 400;
/// When nothing happens any more: what waits for a person has been cooled by then.
const SOMEBODY_COMES: Duration = Duration::from_secs(20 * 60);
/// Somebody who has come stays until the printer prints again, and presses its button as long as it asks.
const STAYS: Duration = Duration::from_secs(5 * 60);
const PRESSES_EVERY: Duration = Duration::from_secs(10);
/// A printer that has stopped is switched off and on again then.
const SWITCHED_ON_AFTER: Duration = Duration::from_secs(45);

/// What one run showed.
pub(crate) struct Outcome {
    pub(crate) counts: BTreeMap<&'static str, u64>,
    /// What was hot with nobody there, and when.
    pub(crate) hot: Option<String>,
    pub(crate) story: String,
}

/// Printers that the settings may name.
pub(crate) const PRINTERS: usize = 2;

/// Two printers and their host, which has one of them.
pub(crate) struct House {
    pub(crate) plan: Plan,
    pub(crate) began: Instant,
    pub(crate) folder: PrinterFolder,
    pub(crate) books: Arc<Mutex<Books>>,
    printers: [Mutex<VirtualPrinter>; PRINTERS],
    /// So many times more a stop at once is damaged on its way.
    damages_stops: Mutex<u32>,
    counts: Mutex<BTreeMap<&'static str, u64>>,
    log: Mutex<VecDeque<String>>,
    told: bool,
    data: tempfile::TempDir,
    named: AtomicUsize,
}

fn port_in(data: &tempfile::TempDir, printer: usize) -> PathBuf {
    data.path().join(format!("port-{printer}"))
}

/// `told`: with its story, which costs more than the run.
pub(crate) fn run(plan: &Plan, told: bool) -> Outcome {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let house = Arc::new(House::new(plan.clone(), told));
        house.count("runs");
        let hot = live(&house).await;
        let (counts, log) = (house.counts.lock().unwrap().clone(), house.log.lock().unwrap().clone());
        let plan = Plan { jobs: Vec::new(), ..house.plan.clone() };
        Outcome { counts, hot, story: format!("{plan:?}\n{}", Vec::from(log).join("\n")) }
    })
}

impl House {
    fn new(plan: Plan, told: bool) -> Self {
        // Memory, where there is some: a run writes and flushes its journal all the time.
        let shm = std::path::Path::new("/dev/shm");
        let data = if shm.is_dir() { tempfile::tempdir_in(shm) } else { tempfile::tempdir() }.unwrap();
        let settings = Settings::read(Some(data.path().to_owned()), None).unwrap();
        let folder = PrinterFolder::for_name(&settings, "Ender");
        let paired = PairResponse {
            workspace_id: WORKSPACE.parse().unwrap(),
            printer_id: PRINTER.parse().unwrap(),
            printer_name: "Ender".into(),
            token: "token".into(),
        };
        let hub = "http://hub.test/".parse().unwrap();
        let mut config = PrinterConfig::new(&paired, hub, port_in(&data, 0));
        (0..PRINTERS).for_each(|printer| std::fs::write(port_in(&data, printer), "").unwrap());
        let is_too_long = plan.broken == Some(Broken::KeepsBedWarm);
        config.keep_bed_warm_minutes =
            (if is_too_long { 480 } else { plan.keep_bed_warm }).try_into().unwrap();
        if plan.broken == Some(Broken::WaitsHot) {
            config.scripts.pause_cool_after_s = Some(3600.try_into().unwrap());
        }
        folder.store(&config, &Credential::new("token")).unwrap();
        Self {
            printers: [0, 1].map(|of| {
                Mutex::new(VirtualPrinter::new(plan.profile.clone(), &FaultPlan::none(), plan.seed + of))
            }),
            books: Arc::new(Mutex::new(Books::new(&plan.jobs))),
            began: Instant::now(),
            damages_stops: Mutex::default(),
            counts: Mutex::default(),
            log: Mutex::default(),
            told,
            folder,
            data,
            named: AtomicUsize::new(0),
            plan,
        }
    }

    pub(crate) fn note(&self, line: impl FnOnce() -> String) {
        if !self.told {
            return;
        }
        let mut log = self.log.lock().unwrap();
        log.push_back(format!("{:10.3} {}", self.began.elapsed().as_secs_f64(), line()));
        if log.len() > LINES {
            log.pop_front();
        }
    }

    pub(crate) fn count(&self, what: &'static str) {
        *self.counts.lock().unwrap().entry(what).or_default() += 1;
    }

    /// Something was seen in this run.
    pub(crate) fn saw(&self, what: &'static str) {
        self.counts.lock().unwrap().insert(what, 1);
    }

    /// The printer at this port.
    pub(crate) fn printer_at(&self, port: &Path) -> usize {
        (0..PRINTERS).find(|printer| port_in(&self.data, *printer) == port).unwrap()
    }

    /// The printer whose port the settings name.
    pub(crate) fn named(&self) -> usize {
        self.named.load(Ordering::Relaxed)
    }

    /// The settings name the port of the other one from now on, also where they can't be read just now.
    fn name_the_other(&self) {
        let old = self.named();
        let new = (old + 1) % PRINTERS;
        self.named.store(new, Ordering::Relaxed);
        let config = self.path("printer.toml");
        let aside = config.with_extension("aside");
        let config = if aside.exists() { aside } else { config };
        let text = std::fs::read_to_string(&config).unwrap();
        let [old, new] = [old, new].map(|printer| port_in(&self.data, printer).display().to_string());
        assert!(text.contains(&old), "{text}");
        std::fs::write(config, text.replace(&old, &new)).unwrap();
    }

    /// Which time the cable is in; none: it is out.
    pub(crate) fn plugged(&self, printer: usize) -> Option<u32> {
        let mut printer = self.printers[printer].lock().unwrap();
        printer.advance(self.began.elapsed());
        printer.is_plugged().then(|| printer.plugged_in())
    }

    /// With its cable out a port has no device.
    fn follow_cables(&self) {
        for printer in 0..PRINTERS {
            let (port, is_in) = (port_in(&self.data, printer), self.plugged(printer).is_some());
            match (is_in, port.exists()) {
                (true, false) => std::fs::write(port, "").unwrap(),
                (false, true) => std::fs::remove_file(port).unwrap(),
                _ => {}
            }
        }
    }

    /// One that has stopped is switched off and on again by a person.
    fn switch_on(&self, switched_at: &mut [Option<Instant>; PRINTERS]) {
        let now = Instant::now();
        for (printer, switched_at) in self.printers.iter().zip(switched_at) {
            let mut printer = printer.lock().unwrap();
            let at = printer.is_halted().then(|| *switched_at.get_or_insert(now + SWITCHED_ON_AFTER));
            if at.is_some_and(|at| now >= at) {
                self.note(|| "switched off and on again".into());
                self.saw("stopped at once");
                printer.reset(self.began.elapsed());
                if self.plan.profile.config.dialect == Dialect::RepRapFirmware {
                    // It says no word when it starts; but the port is the controller's own, and goes with its power.
                    printer.unplug_for(self.began.elapsed(), Duration::from_secs(2));
                }
                *switched_at = None;
            }
        }
    }

    /// Somebody presses the buttons of the printers that wait for it.
    fn click(&self) {
        for printer in &self.printers {
            let mut printer = printer.lock().unwrap();
            if printer.waits_for_a_person() {
                self.note(|| "somebody presses the button".into());
                self.saw("somebody came");
                printer.click(self.began.elapsed());
            }
        }
    }

    /// Whether a person is waited for, by the job's pause or by its firmware, in a way that the agent can end.
    pub(crate) fn waits_for_a_person(&self, printer: usize) -> bool {
        // M108 goes past a command that waits where there is a parser for that; a print goes on at the port that it was begun at.
        let has_way = self.plan.profile.config.emergency_parser;
        let is_its_port =
            !self.plan.troubles.iter().any(|(_, trouble)| matches!(trouble, Trouble::PortChanged(_)));
        let is_paused = self.books.lock().unwrap().state == Some(JobState::Paused);
        if self.firmware_waits(printer) { has_way } else { is_paused && is_its_port }
    }

    pub(crate) fn firmware_waits(&self, printer: usize) -> bool {
        self.printers[printer].lock().unwrap().waits_for_a_person()
    }

    pub(crate) fn read(&self, printer: usize) -> Vec<u8> {
        let bytes = self.printers[printer].lock().unwrap().output(self.began.elapsed());
        self.note_lines("<", &bytes);
        bytes
    }

    pub(crate) fn write(&self, printer: usize, bytes: &[u8]) {
        let bytes = self.damaged(bytes);
        self.note_lines(">", &bytes);
        self.printers[printer].lock().unwrap().receive(&bytes, self.began.elapsed());
    }

    /// As it arrives: each line of a stop that is to be damaged has a bit wrong.
    fn damaged(&self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        let places: Vec<usize> =
            bytes.windows(4).enumerate().filter(|(_, text)| *text == b"M112").map(|(at, _)| at + 3).collect();
        let mut left = self.damages_stops.lock().unwrap();
        if !places.is_empty() && *left > 0 {
            *left -= 1;
            // No bit of it makes an `M108` or the like.
            places.iter().for_each(|at| bytes[*at] ^= 4);
        }
        bytes
    }

    fn note_lines(&self, direction: &str, bytes: &[u8]) {
        if !self.told {
            return;
        }
        String::from_utf8_lossy(bytes).lines().for_each(|line| self.note(|| format!("{direction} {line}")));
    }

    pub(crate) fn printer_wait(&self, printer: usize) -> Option<Duration> {
        let deadline = self.printers[printer].lock().unwrap().next_deadline()?;
        Some(deadline.saturating_sub(self.began.elapsed()))
    }

    /// What its heaters are set to.
    pub(crate) fn targets(&self, printer: usize) -> Targets {
        let mut printer = self.printers[printer].lock().unwrap();
        printer.advance(self.began.elapsed());
        printer.targets()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.data.path().join("printers/ender").join(name)
    }

    /// The file can't be read as what it is, until [`Self::mend`].
    fn spoil(&self, name: &str) {
        let path = self.path(name);
        let aside = path.with_extension("aside");
        if !aside.exists() && path.exists() {
            std::fs::rename(&path, &aside).unwrap();
            match name {
                "printer.toml" => std::fs::write(&path, "name = \"Ender\nprot = 1\n").unwrap(),
                // A folder can't be read as a file, by nobody.
                _ => std::fs::create_dir(&path).unwrap(),
            }
        }
    }

    fn mend(&self, name: &str) {
        let path = self.path(name);
        let aside = path.with_extension("aside");
        if aside.exists() {
            if path.is_dir() {
                std::fs::remove_dir(&path).unwrap();
            }
            std::fs::rename(&aside, &path).unwrap();
        }
    }

    /// The rule with a part left out: the journal does not say what is owed.
    fn between_processes(&self) {
        let path = self.path("journal.jsonl");
        if self.plan.broken == Some(Broken::ForgetsTheDebt)
            && let Ok(text) = std::fs::read_to_string(&path)
        {
            std::fs::write(&path, text + "{\"record\":\"heat_settled\"}\n").unwrap();
        }
    }
}

impl House {
    pub(crate) fn is_interrupted(&self) -> bool {
        let journal = stardust_agent::journal::Journal::peek(&self.path("journal.jsonl"));
        let trail = self.path("trail").exists();
        journal.held.is_some_and(|held| held.cut_off.is_some()) && !trail
    }
}

/// A run: trouble after trouble, then nothing more until everything is over.
async fn live(house: &Arc<House>) -> Option<String> {
    let mut process = Some(Process::start(house));
    let mut eye = Eye::default();
    // Several may be spoiled at once.
    let mut mend: Vec<(Instant, &'static str)> = Vec::new();
    let mut start_at: Option<Instant> = None;
    let mut troubles = house.plan.troubles.iter();
    let mut next = troubles.next().map(|(after, trouble)| (Instant::now() + *after, *trouble));
    let mut quiet_since = Instant::now();
    let mut switched_at = [None::<Instant>; PRINTERS];
    let (mut here_until, mut presses_at) = (Instant::now(), Instant::now());
    loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let now = Instant::now();
        house.follow_cables();
        if let Some(hot) = eye.look(house, process.is_some()) {
            return Some(hot);
        }
        if now.duration_since(house.began) > LONGEST_RUN {
            return Some("it never ends".into());
        }
        house.switch_on(&mut switched_at);
        if now < here_until && now >= presses_at {
            presses_at = now + PRESSES_EVERY;
            house.click();
        }
        for (_, file) in mend.extract_if(.., |(at, _)| now >= *at) {
            house.note(|| format!("{file} can be read again"));
            house.mend(file);
        }
        if start_at.take_if(|at| now >= *at).is_some() {
            if let Some(unable) = process.take() {
                unable.kill().await;
            }
            house.between_processes();
            house.books.lock().unwrap().is_revoked = false;
            eye.starts();
            process = Some(Process::start(house));
        }
        if let Some((_, trouble)) = next.take_if(|(at, _)| now >= *at) {
            house.note(|| format!("{trouble:?}"));
            next = troubles.next().map(|(after, trouble)| (now + *after, *trouble));
            eye.happens(trouble);
            if let Trouble::StoppedAtOnce(_) = trouble {
                eye.stopped(house.plan.profile.config.emergency_parser);
            }
            if let Some((away, spoiled)) = happen(house, &mut process, trouble).await {
                start_at = Some(Instant::now() + if spoiled.is_some() { Duration::ZERO } else { away });
                if let Some(file) = spoiled {
                    mend.push((Instant::now() + away, file));
                }
            }
        }
        // In the end a person gives up what was interrupted, and goes on with what is paused or waits.
        if next.is_none() && now.duration_since(quiet_since) > SOMEBODY_COMES {
            quiet_since = now;
            here_until = now + STAYS;
            if house.is_interrupted() {
                order(house, |job_id| Command::Cancel { job_id });
            } else if house.books.lock().unwrap().state == Some(JobState::Paused) {
                order(house, |job_id| Command::Resume { job_id });
            }
        }
        let is_over = next.is_none() && start_at.is_none() && mend.is_empty() && process.is_some();
        if !(is_over && house.books.lock().unwrap().is_done()) {
            if !is_over {
                quiet_since = now;
            }
            continue;
        }
        // And the minute after it, or after what a person has heated.
        let until = eye.allows_until().max(Instant::now()) + COLD_WITHIN + Duration::from_secs(5);
        while Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(500)).await;
            house.follow_cables();
            house.switch_on(&mut switched_at);
            if let Some(hot) = eye.look(house, true) {
                return Some(hot);
            }
        }
        house.counts.lock().unwrap().insert("jobs ended", house.books.lock().unwrap().ended);
        process?.kill().await;
        return None;
    }
}
