//! One print on a virtual clock: hosts one after the other, what they leave, two wires and the simulated printer.

use std::collections::VecDeque;
use std::time::Duration;

use firmware_sim::firmware::{Config, Firmware};
use firmware_sim::profile::Profile;
use stardust_agent::print_job::briefed::Briefed;
use stardust_agent::serial::{
    Brief, Checkpoint, CommandSource, End, Fed, Host, HostEvent, JobEvent, Parking, Stage,
};
use stardust_gcode::command::parse;
use stardust_gcode::modal::Modal;

use crate::dice::Dice;
use crate::faults;
use crate::oracle::Oracle;
use crate::plan::{Plan, Turn, is_of_file};
use crate::wire::Wire;

/// How it went.
#[derive(Debug)]
pub(crate) enum Outcome {
    Exact,
    /// What was printed is the file's beginning, and why it ended.
    Failed(String),
    /// A damaged line looked like a good one.
    NobodyCouldTell,
}

pub(crate) struct Bench {
    plan: Plan,
    dice: Dice,
    host: Option<Host>,
    /// What a host that is killed leaves: JSON, as on the disk.
    kept: Option<String>,
    /// Nothing of the job was sent: it begins at its beginning.
    begin_wanted: bool,
    printer: Firmware,
    powered_at: Duration,
    now: Duration,
    down: Wire,
    up: Wire,
    /// What has come while no host was there.
    unread: Vec<u8>,
    oracle: Oracle,
    accepted: Vec<(Option<i64>, String)>,
    job_at: usize,
    events: Vec<JobEvent>,
    log: VecDeque<String>,
    pub(crate) kills: u64,
}

impl Bench {
    pub(crate) fn new(plan: Plan) -> Self {
        let now = Duration::from_secs(1);
        Self {
            dice: Dice::new(plan.seed ^ 0x0dea),
            host: Some(Host::new(now, Parking::default())),
            kept: None,
            begin_wanted: false,
            printer: Firmware::new(config(&plan)),
            powered_at: now,
            now,
            down: Wire::new(plan.baud, plan.latency),
            up: Wire::new(plan.baud, plan.latency),
            unread: Vec::new(),
            oracle: Oracle::default(),
            accepted: Vec::new(),
            job_at: 0,
            events: Vec::new(),
            log: VecDeque::new(),
            kills: 0,
            plan,
        }
    }

    pub(crate) fn print(&mut self) -> Result<Outcome, String> {
        self.run_until(Self::is_ready)?;
        if self.plan.second_job {
            self.start();
            self.run_until(Self::is_over)?;
            self.run_until(Self::is_ready)?;
            self.kept = None;
        }
        self.events.clear();
        self.job_at = self.accepted.len();
        self.start();
        let lines = self.plan.file.len();
        let mut turn_at = (self.plan.turn != Turn::None).then(|| self.dice.below(lines));
        for _ in 0..1 + self.dice.below(5) {
            // Anywhere: in the middle of everything, or right after the last time.
            let steps = if self.dice.below(4) == 0 { self.dice.below(12) } else { self.dice.below(lines) };
            for _ in 0..steps {
                self.exchange();
                self.take_turn(&mut turn_at);
            }
            if self.is_over() {
                break;
            }
            self.kill();
            if self.plan.turn == Turn::Reset && turn_at.take().is_some() {
                self.powered_at = self.now;
                self.printer = Firmware::new(config(&self.plan));
                let banner = std::mem::take(self.printer.output());
                // It was there before the port was opened, or it was lost.
                self.unread = if self.dice.coin() { banner } else { Vec::new() };
                self.down.cut();
                self.up.cut();
            }
            self.come_back();
        }
        for _ in 0..1_000_000 {
            if self.is_over() {
                return self.judge();
            }
            self.exchange();
            self.take_turn(&mut turn_at);
        }
        Err(self.story("it never ends"))
    }

    fn take_turn(&mut self, turn_at: &mut Option<usize>) {
        let taken = self.accepted.len() - self.job_at;
        let Some(host) = &mut self.host else { return };
        let stage = host.progress().map(|progress| progress.0);
        match self.plan.turn {
            Turn::Pause if stage == Some(Stage::Paused) && self.dice.below(20) == 0 => host.resume(self.now),
            Turn::Pause if turn_at.is_some_and(|at| taken >= at) => {
                *turn_at = None;
                host.pause(self.now);
            }
            Turn::Cancel if turn_at.is_some_and(|at| taken >= at) => {
                *turn_at = None;
                host.stop(self.now, End::Cancelled);
            }
            _ => {}
        }
    }

    fn is_ready(&self) -> bool {
        self.host.as_ref().is_some_and(Host::is_ready)
    }

    fn is_over(&self) -> bool {
        self.events.iter().any(|event| matches!(event, JobEvent::Completed | JobEvent::Stopped(_)))
    }

    fn start(&mut self) {
        let source = source(&self.plan.file, 0);
        assert!(self.host.as_mut().unwrap().start(self.now, source));
    }

    /// `kill -9`, somewhere between deciding and having written everything.
    fn kill(&mut self) {
        self.kills += 1;
        let Some(mut host) = self.host.take() else { return };
        let how = self.dice.below(3);
        if how > 0 {
            self.keep(&mut host);
        }
        if how > 1 {
            let output = host.take_output();
            let length = self.dice.below(output.len() + 1);
            self.transmit(&output[..length]);
        }
        self.note("!", b"killed\n");
        let away = Duration::from_millis(self.dice.below(3000) as u64);
        let until = self.now + away;
        while self.now < until {
            self.advance(until);
        }
    }

    /// The next process. Without the port kept open what came meanwhile is lost.
    fn come_back(&mut self) {
        if self.dice.coin() {
            self.unread.clear();
        }
        let checkpoint: Option<Checkpoint> =
            self.kept.as_ref().map(|text| serde_json::from_str(text).unwrap());
        let host = match checkpoint.filter(|checkpoint| !checkpoint.is_untouched()) {
            Some(checkpoint) => {
                let source = source(&self.plan.file, checkpoint.read_to());
                Host::attach(self.now, Parking::default(), checkpoint, source, false)
            }
            None => {
                self.begin_wanted = true;
                Host::new(self.now, Parking::default())
            }
        };
        self.host = Some(host);
    }

    fn keep(&mut self, host: &mut Host) {
        if let Some(checkpoint) = host.take_checkpoint(self.now) {
            self.kept = Some(serde_json::to_string(&checkpoint).unwrap());
        }
    }

    fn transmit(&mut self, bytes: &[u8]) {
        self.note(">", bytes);
        self.oracle.sent(bytes);
        faults::to_printer(&self.plan.rates, &mut self.dice, &mut self.down, self.now, bytes);
    }

    /// The driver's work of one turn, and then what happens next.
    fn exchange(&mut self) {
        let Some(mut host) = self.host.take() else { return };
        self.keep(&mut host);
        let output = host.take_output();
        self.transmit(&output);
        let deadline = host.deadline();
        self.advance(deadline.unwrap_or(self.now + Duration::from_secs(1)));
        let heard = std::mem::take(&mut self.unread);
        if heard.is_empty() {
            host.tick(self.now);
        } else {
            self.note("<", &heard);
            host.receive(self.now, &heard);
        }
        while let Some(event) = host.next_event() {
            match event {
                HostEvent::Job(event) => self.events.push(event),
                // The journal says that it was started, and the trail that nothing was sent.
                HostEvent::Ready if std::mem::take(&mut self.begin_wanted) => {
                    host.start(self.now, source(&self.plan.file, 0));
                }
                HostEvent::Ready
                | HostEvent::HeatSettled
                | HostEvent::HeatLeftToCard
                | HostEvent::Preheated(_)
                | HostEvent::StopIgnored { .. }
                | HostEvent::Halted(_) => {}
            }
        }
        self.host = Some(host);
    }

    /// Printer and wires go on to what happens next, or to `until`.
    fn advance(&mut self, until: Duration) {
        let powered = self.powered_at;
        let printer_due = self.printer.next_deadline().map(|at| at + powered);
        let due = [self.down.next(), self.up.next(), Some(until), printer_due];
        let next = due.into_iter().flatten().min().unwrap_or(until);
        // A microsecond: a deadline that is not met yet must not stop the clock.
        self.now = next.max(self.now + Duration::from_micros(1));
        let arrived = self.down.arrived(self.now);
        self.oracle.arrived(&arrived);
        self.printer.receive(self.now - powered, &arrived);
        self.printer.advance(self.now - powered);
        for accepted in self.printer.take_accepted() {
            self.accepted.push((accepted.number, accepted.text));
        }
        let answers = std::mem::take(self.printer.output());
        faults::to_host(&self.plan.rates, &mut self.dice, &mut self.up, self.now, &answers);
        self.unread.extend(self.up.arrived(self.now));
    }

    fn run_until(&mut self, done: impl Fn(&Self) -> bool) -> Result<(), String> {
        for _ in 0..1_000_000 {
            if done(self) {
                return Ok(());
            }
            self.exchange();
        }
        Err(self.story("it never ends"))
    }

    fn judge(&mut self) -> Result<Outcome, String> {
        // The last lines are still on their way through the printer's queue.
        for _ in 0..50 {
            self.exchange();
        }
        let never_sent = |text: &String| !self.oracle.has_sent_command(text);
        let fooled = self.accepted.iter().any(|(number, text)| number.is_some() && never_sent(text));
        if fooled || self.oracle.fooled.is_some() {
            return Ok(Outcome::NobodyCouldTell);
        }
        let is_whole = match self.compare() {
            Ok(is_whole) => is_whole,
            Err(what) => return Err(self.story(&what)),
        };
        let end =
            self.events.iter().find(|event| matches!(event, JobEvent::Completed | JobEvent::Stopped(_)));
        match (end, self.plan.turn) {
            (Some(JobEvent::Completed), _) if is_whole => Ok(Outcome::Exact),
            (Some(JobEvent::Stopped(End::Cancelled)), Turn::Cancel) => {
                if self.is_made_safe() {
                    Ok(Outcome::Exact)
                } else {
                    Err(self.story("the heaters were not turned off"))
                }
            }
            (Some(JobEvent::Stopped(End::Failed(reason))), Turn::Reset) if reason.contains("reset") => {
                Ok(Outcome::Exact)
            }
            (Some(JobEvent::Stopped(End::Failed(reason))), _) => Ok(Outcome::Failed(reason.clone())),
            other => Err(self.story(&format!("ended so: {other:?}, whole: {is_whole}"))),
        }
    }

    /// Whether all of the file was carried out. An error when something else was, or at another place.
    fn compare(&self) -> Result<bool, String> {
        let numbered = self.accepted[self.job_at..].iter().filter(|(number, _)| number.is_some());
        let (mut printer, mut file) = (Modal::default(), Modal::default());
        let mut expected = self.plan.file.iter();
        // What makes the printer safe is no more of the file.
        let plain = self.plan.turn == Turn::None && self.events.contains(&JobEvent::Completed);
        for (at, (_, text)) in numbered.enumerate() {
            let command = parse(text.as_bytes()).unwrap();
            printer.apply(&command);
            if !(is_of_file(text) || plain && !is_own(text)) {
                continue;
            }
            for next in expected.by_ref() {
                file.apply(&parse(next.as_bytes()).unwrap());
                if is_of_file(next) || plain {
                    if next != text {
                        return Err(format!("line {at} of the job is {text:?}, not {next:?}"));
                    }
                    break;
                }
            }
            let (is, should) = (printer.position(), file.position());
            let off = |axis: usize| match (is[axis], should[axis]) {
                (Some(is), Some(should)) => (is - should).abs() > 0.001,
                _ => false,
            };
            if (0..3).any(off) || (printer.e - file.e).abs() > 0.001 || printer.relative != file.relative {
                return Err(format!(
                    "at {text:?} the printer is at {is:?} E{}, not at {should:?} E{}",
                    printer.e, file.e
                ));
            }
        }
        Ok(expected.all(|text| !is_of_file(text) && !plain))
    }

    /// Goes on until the host takes the next job: whether the heaters are off then, at the printer.
    pub(crate) fn is_made_safe(&mut self) -> bool {
        self.run_until(Self::is_ready).is_ok() && self.printer.targets().are_off()
    }

    pub(crate) fn story(&self, what: &str) -> String {
        let log: Vec<&str> = self.log.iter().map(String::as_str).collect();
        let plan = Plan { file: Vec::new(), ..self.plan.clone() };
        format!("{what}\n{plan:?}\n{:?}\n{:?}\n{}", self.host, self.events, log.join("\n"))
    }

    fn note(&mut self, direction: &str, bytes: &[u8]) {
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let line = String::from_utf8_lossy(line);
            self.log.push_back(format!("{:10.4} {direction} {line}", self.now.as_secs_f64()));
            if self.log.len() > 120 {
                self.log.pop_front();
            }
        }
    }
}

fn config(plan: &Plan) -> Config {
    let mut config = Profile::named(plan.profile).unwrap().config;
    if plan.profile == "marlin" {
        config.advanced_ok = plan.advanced_ok;
        config.emergency_parser = plan.emergency_parser;
        config.reject_empties_buffer = plan.empties_buffer;
    }
    config
}

/// The host's own lines.
fn is_own(text: &str) -> bool {
    ["M110 ", "M73 P", "M85 S"].iter().any(|code| text.starts_with(code))
        || ["M115", "M155 S1", "M113 S2", "M105", "M27", "M400", "M114"].contains(&text)
}

/// The file from a byte offset on.
fn source(file: &[String], from: u64) -> Box<dyn CommandSource> {
    let mut end = 0;
    let fed = file.iter().map(|text| {
        end += text.len() as u64 + 1;
        Fed { command: parse(text.as_bytes()).unwrap().into_owned(), end, layer: None }
    });
    let fed: VecDeque<_> = fed.filter(|fed| fed.end > from).collect();
    Box::new(Briefed::new(fed, Brief { size_bytes: end, brings_messages: true, ..Brief::default() }))
}
