//! The same check with the simulator's own line and faults: reset, thermal runaway, unplugging and all.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use firmware_sim::faults::{FaultKind, FaultPlan, Trigger};
use firmware_sim::firmware::Config;
use firmware_sim::profile::{LineSettings, Profile};
use firmware_sim::virtual_printer::VirtualPrinter;
use stardust_agent::serial::{End, Host, HostEvent, JobEvent, Parking};

use crate::dice::Dice;
use crate::run::{Outcome, commands, source};

/// Lines of all kinds of faults together.
const MAX_RATE: f64 = 0.01;

/// One print against a virtual printer.
pub(crate) struct VirtualBench {
    host: Host,
    printer: VirtualPrinter,
    now: Duration,
    plugged_in: u32,
    is_open: bool,
    /// Commands that the host has sent.
    sent: HashSet<String>,
    events: Vec<HostEvent>,
    file: Vec<String>,
    /// How much was accepted before the job.
    job_at: usize,
    plan: String,
    log: VecDeque<String>,
}

impl VirtualBench {
    pub(crate) fn new(seed: u64, file: Vec<String>) -> Self {
        let mut dice = Dice::new(seed ^ 0x51);
        let mut plan = FaultPlan::none();
        let turn = usize::try_from(seed).unwrap() % (2 * FaultKind::ALL.len());
        let chosen: Vec<FaultKind> = match FaultKind::ALL.get(turn) {
            Some(kind) => vec![*kind],
            None => FaultKind::ALL.into_iter().filter(|kind| !ends(*kind) && dice.coin()).collect(),
        };
        let rate = if seed % 3 == 0 { 1.0 } else { dice.below(1000) as f64 / 1000.0 } * MAX_RATE;
        for kind in &chosen {
            // What ends a job strikes once, somewhere in it.
            let trigger = if ends(*kind) {
                Trigger::AtLine(10 + dice.below(file.len()) as u64)
            } else {
                Trigger::Rate(rate / chosen.len() as f64)
            };
            plan = plan.with(*kind, trigger);
        }
        let config = Config {
            advanced_ok: dice.coin(),
            emergency_parser: dice.coin(),
            receive_buffer: if dice.below(4) == 0 { None } else { Some(127) },
            reject_empties_buffer: dice.coin(),
            ..Config::default()
        };
        let baud = [None, Some(115_200), Some(250_000)][dice.below(3)];
        let latency = Duration::from_micros([0, 500, 8_000][dice.below(3)]);
        let profile = Profile { config, line: LineSettings { baud, latency }, speed: 1.0 };
        let plan_text = format!("{plan:?}\n{profile:?}");
        Self {
            host: Host::new(Duration::ZERO, Parking::default()),
            printer: VirtualPrinter::new(profile, &plan, seed),
            now: Duration::ZERO,
            plugged_in: 1,
            is_open: true,
            sent: HashSet::new(),
            events: Vec::new(),
            file,
            job_at: 0,
            plan: plan_text,
            log: VecDeque::new(),
        }
    }

    pub(crate) fn print(&mut self) -> Result<Outcome, String> {
        self.run_until(|bench| bench.host.is_ready() || bench.is_ended_by_printer())?;
        self.job_at = self.printer.accepted().len();
        self.host.start(self.now, source(&self.file));
        match self.run_until(|bench| bench.host.progress().is_none()) {
            Err(_) if matches!(self.judge(), Ok(Outcome::NobodyCouldTell)) => Ok(Outcome::NobodyCouldTell),
            Err(story) => Err(story),
            Ok(()) => self.judge(),
        }
    }

    /// Whether a strike has ended what could be ended, maybe before the job began.
    fn is_ended_by_printer(&self) -> bool {
        self.printer.is_halted()
    }

    fn run_until(&mut self, done: impl Fn(&Self) -> bool) -> Result<(), String> {
        for _ in 0..2_000_000 {
            if done(self) {
                return Ok(());
            }
            self.exchange();
        }
        Err(self.story("it never ends"))
    }

    fn exchange(&mut self) {
        let is_plugged = self.printer.is_plugged() && self.printer.plugged_in() == self.plugged_in;
        if self.is_open && !is_plugged {
            self.is_open = false;
            self.host.port_lost(self.now);
        } else if !self.is_open && self.printer.is_plugged() {
            self.plugged_in = self.printer.plugged_in();
            self.is_open = true;
            self.host.port_opened(self.now);
        }
        let output = self.host.take_output();
        self.note(">", &output);
        for line in String::from_utf8_lossy(&output).lines() {
            let command =
                line.split_once(' ').filter(|_| line.starts_with('N')).map_or(line, |(_, rest)| rest);
            self.sent.insert(command.rsplit_once('*').map_or(command, |(command, _)| command).to_owned());
        }
        if self.is_open {
            self.printer.receive(&output, self.now);
        }
        let due = [self.printer.next_deadline(), self.host.deadline()].into_iter().flatten().min();
        // A microsecond: a deadline that is not met yet must not stop the clock.
        self.now = due.unwrap_or(self.now + Duration::from_secs(1)).max(self.now + Duration::from_micros(1));
        self.printer.advance(self.now);
        let heard = self.printer.output(self.now);
        self.note("<", &heard);
        if heard.is_empty() || !self.is_open {
            self.host.tick(self.now);
        } else {
            self.host.receive(self.now, &heard);
        }
        while let Some(event) = self.host.next_event() {
            self.events.push(event);
        }
    }

    fn judge(&self) -> Result<Outcome, String> {
        let all: Vec<(Option<i64>, String)> =
            self.printer.accepted().iter().map(|one| (one.number, one.text.clone())).collect();
        // A numbered command that was never sent has passed a checksum that fitted by chance.
        if all.iter().any(|(number, text)| number.is_some() && !self.sent.contains(text)) {
            return Ok(Outcome::NobodyCouldTell);
        }
        let job = &all[self.job_at.min(all.len())..];
        let end = self.events.iter().rev().find_map(|event| match event {
            HostEvent::Job(JobEvent::Completed) => Some(None),
            HostEvent::Job(JobEvent::Stopped(End::Failed(reason))) => Some(Some(reason.clone())),
            _ => None,
        });
        let forced = self.printer.strikes().iter().any(|strike| ends(strike.kind));
        match end {
            Some(None) if commands(job) == self.file => Ok(Outcome::Exact),
            Some(Some(_)) | None if forced && self.is_beginning(job) => Ok(Outcome::Failed),
            Some(Some(_)) | None if forced => Err(self.story("what was printed is not the file's beginning")),
            Some(Some(reason)) => Err(self.story(&format!("ended without need: {reason}"))),
            _ => Err(self.story(&format!("not the file, or no end: {end:?}"))),
        }
    }

    /// Whether the moves are the file's first ones: also after a reset nothing of the file may come any more.
    fn is_beginning(&self, job: &[(Option<i64>, String)]) -> bool {
        let is_move = |text: &&str| text.starts_with("G1 X") || text.starts_with("G2 X");
        let mut printed = commands(job).into_iter().filter(is_move);
        let mut file = self.file.iter().map(String::as_str).filter(is_move);
        printed.all(|text| file.next() == Some(text))
    }

    fn story(&self, what: &str) -> String {
        let log: Vec<&str> = self.log.iter().map(String::as_str).collect();
        let strikes: Vec<_> = self.printer.strikes().iter().rev().take(5).collect();
        format!("{what}\n{}\n{strikes:?}\n{:?}\n{:?}\n{}", self.plan, self.host, self.events, log.join("\n"))
    }

    fn note(&mut self, direction: &str, bytes: &[u8]) {
        for line in String::from_utf8_lossy(bytes).lines() {
            self.log.push_back(format!("{:10.4} {direction} {line}", self.now.as_secs_f64()));
            if self.log.len() > 60 {
                self.log.pop_front();
            }
        }
    }
}

/// After these the print can't be finished: with the cable out, nobody knows what was lost.
fn ends(kind: FaultKind) -> bool {
    kind.ends_a_job() || kind == FaultKind::Unplug
}
