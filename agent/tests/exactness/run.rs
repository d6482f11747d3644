//! One print on a virtual clock: the host, two wires with faults, and the simulated printer.

use std::collections::VecDeque;
use std::time::Duration;

use firmware_sim::firmware::{Config, Firmware};
use stardust_agent::print_job::briefed::Briefed;
use stardust_agent::serial::{
    Brief, CommandSource, Connection, End, Fed, Host, HostEvent, JobEvent, Parking,
};
use stardust_gcode::command::parse;

use crate::dice::Dice;
use crate::faults::{self, Rates};
use crate::oracle::Oracle;
use crate::wire::Wire;

/// What the printer itself does in the middle of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blow {
    Reset,
    Kill,
    Unplug,
}

/// What a run is made of.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) rates: Rates,
    pub(crate) blow: Option<Blow>,
    pub(crate) baud: u32,
    pub(crate) latency: Duration,
    pub(crate) advanced_ok: bool,
    pub(crate) emergency_parser: bool,
    /// This firmware prints no `ok` behind a Resend.
    pub(crate) no_ok_after_resend: bool,
    pub(crate) second_job: bool,
    pub(crate) file: Vec<String>,
}

/// How it went.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// All there, in order.
    Exact,
    /// The job ended in a failure, as it had to.
    Failed,
    /// A damaged line looked like a good one.
    NobodyCouldTell,
}

pub(crate) struct Bench {
    plan: Plan,
    dice: Dice,
    host: Host,
    printer: Firmware,
    /// The printer's clock starts when it is switched on.
    powered_at: Duration,
    now: Duration,
    down: Wire,
    up: Wire,
    oracle: Oracle,
    accepted: Vec<(Option<i64>, String)>,
    events: Vec<HostEvent>,
    log: VecDeque<String>,
    last_was_resend: bool,
    /// How much was accepted before the job, and before the blow.
    job_at: usize,
    struck_at: Option<usize>,
}

fn config(plan: &Plan) -> Config {
    Config { advanced_ok: plan.advanced_ok, emergency_parser: plan.emergency_parser, ..Config::default() }
}

impl Bench {
    pub(crate) fn new(plan: Plan) -> Self {
        let now = Duration::from_secs(1);
        Self {
            dice: Dice::new(plan.seed ^ 0x5eed),
            host: Host::new(now, Parking::default()),
            printer: Firmware::new(config(&plan)),
            powered_at: now,
            now,
            down: Wire::new(plan.baud, plan.latency),
            up: Wire::new(plan.baud, plan.latency),
            oracle: Oracle::default(),
            accepted: Vec::new(),
            events: Vec::new(),
            log: VecDeque::new(),
            last_was_resend: false,
            job_at: 0,
            struck_at: None,
            plan,
        }
    }

    /// Prints the file and checks what arrived.
    pub(crate) fn print(&mut self) -> Result<Outcome, String> {
        self.run_until(|bench| bench.host.is_ready())?;
        if self.plan.second_job {
            // The numbers of the first must not get into the way of the second.
            self.host.start(self.now, source(&self.plan.file));
            self.run_until(|bench| bench.host.is_ready())?;
        }
        self.events.clear();
        if self.oracle.fooled.is_none() && !self.host.start(self.now, source(&self.plan.file)) {
            return Err(self.story("the host refused the job"));
        }
        self.job_at = self.accepted.len();
        if let Some(blow) = self.plan.blow {
            let at = self.accepted.len() + 1 + self.dice.below(self.plan.file.len());
            self.run_until(|bench| bench.accepted.len() >= at || bench.host.progress().is_none())?;
            self.struck_at = Some(self.accepted.len());
            if self.host.progress().is_some() {
                self.strike(blow);
            }
        }
        self.run_until(|bench| bench.host.progress().is_none())?;
        self.judge()
    }

    fn strike(&mut self, blow: Blow) {
        match blow {
            Blow::Reset => self.power_up(),
            Blow::Kill => {
                self.printer.receive(self.now - self.powered_at, b"\nM112\n");
            }
            Blow::Unplug => {
                self.down.cut();
                self.up.cut();
                self.host.port_lost(self.now);
            }
        }
    }

    fn power_up(&mut self) {
        self.powered_at = self.now;
        self.printer = Firmware::new(config(&self.plan));
    }

    fn judge(&mut self) -> Result<Outcome, String> {
        // Bytes lost in the printer's full buffer, after a doubled `ok`, can make such a line, too.
        let never_sent = |text: &String| !self.oracle.has_sent_command(text);
        let fooled = self.accepted.iter().any(|(number, text)| number.is_some() && never_sent(text));
        if fooled || self.oracle.fooled.is_some() {
            return Ok(Outcome::NobodyCouldTell);
        }
        let printed = commands(&self.accepted[self.job_at..]);
        let end = self.events.iter().rev().find_map(|event| match event {
            HostEvent::Job(JobEvent::Completed) => Some(None),
            HostEvent::Job(JobEvent::Stopped(End::Failed(reason))) => Some(Some(reason.clone())),
            _ => None,
        });
        match end {
            Some(None) if printed == self.plan.file => Ok(Outcome::Exact),
            Some(Some(reason)) if self.is_forced(&reason) => {
                let until = self.struck_at.unwrap_or(self.accepted.len());
                let start = self.job_at.min(until);
                let printed = commands(&self.accepted[start..until]);
                let beginning = &self.plan.file[..printed.len().min(self.plan.file.len())];
                let moves = |text: &&str| text.starts_with("G1 X") || text.starts_with("G2 X");
                let went_on = self.plan.blow == Some(Blow::Reset)
                    && commands(&self.accepted[until..]).iter().any(moves);
                if went_on {
                    Err(self.story("it went on after the reset"))
                } else if printed == beginning {
                    Ok(Outcome::Failed)
                } else {
                    Err(self.story("not the file's beginning"))
                }
            }
            Some(None) => {
                let at = printed.iter().zip(&self.plan.file).position(|(one, other)| one != other);
                let at = at.unwrap_or(printed.len().min(self.plan.file.len()));
                Err(self.story(&format!(
                    "{} of {} commands; the first difference is line {}: {:?}, not {:?}",
                    printed.len(),
                    self.plan.file.len(),
                    at + 1,
                    printed.get(at),
                    self.plan.file.get(at)
                )))
            }
            other => Err(self.story(&format!("the job ended so: {other:?}"))),
        }
    }

    /// Whether the blow forces just this reason.
    fn is_forced(&self, reason: &str) -> bool {
        match self.plan.blow {
            Some(Blow::Reset) => reason.contains("reset"),
            Some(Blow::Kill) => reason.contains("stopped itself") || reason.contains("stopped answering"),
            Some(Blow::Unplug) => reason.contains("vanished"),
            None => false,
        }
    }

    /// Everything that is needed to see what went wrong.
    fn story(&self, what: &str) -> String {
        let log: Vec<&str> = self.log.iter().map(String::as_str).collect();
        let plan = Plan { file: Vec::new(), ..self.plan.clone() };
        format!("{what}\n{plan:?}\n{:?}\n{:?}\n{}", self.host, self.events, log.join("\n"))
    }

    fn run_until(&mut self, done: impl Fn(&Self) -> bool) -> Result<(), String> {
        for _ in 0..2_000_000 {
            self.exchange();
            let hopeless =
                matches!(self.host.connection(), Connection::Halted(_)) && self.oracle.fooled.is_some();
            if done(self) || hopeless {
                return Ok(());
            }
            if self.now > Duration::from_secs(24 * 3600) {
                return Err(self.story("a day has passed"));
            }
        }
        Err(self.story("it never ends"))
    }

    /// Everything that happens now; then the clock goes on to what happens next.
    fn exchange(&mut self) {
        let output = self.host.take_output();
        self.note(">", &output);
        self.oracle.sent(&output);
        faults::to_printer(&self.plan.rates, &mut self.dice, &mut self.down, self.now, &output);
        let powered = self.powered_at;
        let printer_due = self.printer.next_deadline().map(|at| at + powered);
        let due = [self.down.next(), self.up.next(), self.host.deadline(), printer_due];
        let next = due.into_iter().flatten().min().unwrap_or(self.now + Duration::from_secs(1));
        self.now = next.max(self.now);

        let arrived = self.down.arrived(self.now);
        self.oracle.arrived(&arrived);
        let taken = self.printer.receive(self.now - powered, &arrived);
        assert_eq!(taken, arrived.len(), "the printer's buffer is full");
        self.printer.advance(self.now - powered);
        for accepted in self.printer.take_accepted() {
            self.accepted.push((accepted.number, accepted.text));
        }
        let answers = std::mem::take(self.printer.output());
        let answers = self.without_oks_after_resends(answers);
        self.note("<", &answers);
        faults::to_host(&self.plan.rates, &mut self.dice, &mut self.up, self.now, &answers);
        let heard = self.up.arrived(self.now);
        if heard.is_empty() {
            self.host.tick(self.now);
        } else {
            self.host.receive(self.now, &heard);
        }
        while let Some(event) = self.host.next_event() {
            self.events.push(event);
        }
    }

    fn without_oks_after_resends(&mut self, answers: Vec<u8>) -> Vec<u8> {
        if !self.plan.no_ok_after_resend {
            return answers;
        }
        let mut kept = Vec::with_capacity(answers.len());
        for line in answers.split_inclusive(|byte| *byte == b'\n') {
            if !(self.last_was_resend && line == b"ok\n") {
                kept.extend_from_slice(line);
            }
            self.last_was_resend = line.starts_with(b"Resend");
        }
        kept
    }

    fn note(&mut self, direction: &str, bytes: &[u8]) {
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let line = String::from_utf8_lossy(line);
            self.log.push_back(format!("{:10.4} {direction} {line}", self.now.as_secs_f64()));
            if self.log.len() > 60 {
                self.log.pop_front();
            }
        }
    }
}

/// The numbered commands without those of the host itself: numbering, greeting, reports, probes, the end.
pub(crate) fn commands(accepted: &[(Option<i64>, String)]) -> Vec<&str> {
    // The files made here bring neither M73 nor M85.
    let codes = ["M110 ", "M73 P", "M85 S"];
    let own = |text: &str| {
        codes.iter().any(|code| text.starts_with(code))
            || ["M115", "M155 S1", "M113 S2", "M105", "M27", "M400", "M114"].contains(&text)
    };
    let job = accepted.iter().filter(|(number, text)| number.is_some() && !own(text));
    job.map(|(_, text)| text.as_str()).collect()
}

pub(crate) fn source(file: &[String]) -> Box<dyn CommandSource> {
    let mut end = 0;
    let fed = file.iter().map(|text| {
        end += text.len() as u64 + 1;
        Fed { command: parse(text.as_bytes()).unwrap().into_owned(), end, layer: None }
    });
    let fed: VecDeque<_> = fed.collect();
    // As a file that was looked through: the host puts its progress between.
    Box::new(Briefed::new(fed, Brief { size_bytes: end, brings_messages: true, ..Brief::default() }))
}
