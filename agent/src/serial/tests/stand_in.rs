//! The stand-in: a printer of a few dozen lines, and a wire between it and the host.

use std::collections::VecDeque;
use std::time::Duration;

use crate::serial::{CommandSource, Fed, Host, HostEvent, Parking};
use stardust_gcode::command::parse;

pub(super) const MS: Duration = Duration::from_millis(1);

/// What the firmware does.
#[derive(Debug)]
pub(super) struct StandIn {
    pub(super) line: Vec<u8>,
    pub(super) last: u32,
    /// Commands accepted with their numbers, in order of execution.
    pub(super) journal: Vec<(Option<u32>, String)>,
    pub(super) advanced_ok: bool,
    pub(super) bare_ok_after_resend: bool,
    pub(super) capabilities: bool,
    /// It asks through its host.
    pub(super) prompts: bool,
    /// Lines without number and checksum are refused, as Repetier and Malyan do.
    pub(super) numbered_only: bool,
    /// What it answers to M114.
    pub(super) place: Option<&'static str>,
    /// Commands that are not answered until released.
    pub(super) hold: Option<&'static str>,
    pub(super) held: Vec<String>,
    pub(super) dead: bool,
    pub(super) out: VecDeque<String>,
}

impl StandIn {
    pub(super) fn new() -> Self {
        Self {
            line: Vec::new(),
            last: 0,
            journal: Vec::new(),
            advanced_ok: false,
            bare_ok_after_resend: true,
            capabilities: true,
            prompts: false,
            numbered_only: false,
            place: None,
            hold: None,
            held: Vec::new(),
            dead: false,
            out: VecDeque::new(),
        }
    }

    pub(super) fn say(&mut self, line: &str) {
        self.out.push_back(line.to_owned());
    }

    fn receive(&mut self, bytes: &[u8]) {
        if self.dead {
            return;
        }
        for (at, &byte) in bytes.iter().enumerate() {
            if byte != b'\n' {
                self.line.push(byte);
                continue;
            }
            let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
            if !line.trim().is_empty() && !self.take(&line) {
                // The rest of what arrived with it is flushed, up to a point that depends on timing.
                if at % 2 == 0 {
                    return;
                }
            }
        }
    }

    /// False when the line was refused.
    fn take(&mut self, line: &str) -> bool {
        let Some(rest) = line.strip_prefix('N') else {
            if line.contains('*') {
                self.say("Error:No Line Number with checksum, Last Line: 0");
                return false;
            }
            if self.numbered_only && !line.starts_with("M108") {
                return self.refuse("Missing checksum");
            }
            self.execute(None, line);
            return true;
        };
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let number: u32 = digits.parse().unwrap_or(u32::MAX);
        let Some((body, sum)) = line.rsplit_once('*') else {
            return self.refuse("No Checksum with line number");
        };
        let expected = body.bytes().fold(0, |sum, byte| sum ^ byte);
        if sum.trim().parse() != Ok(expected) {
            return self.refuse("checksum mismatch");
        }
        let command = rest[digits.len()..].rsplit_once('*').unwrap().0.trim();
        if let Some(new) = command.strip_prefix("M110 N") {
            self.last = new.parse().unwrap();
        } else if number == self.last || number + 1 == self.last {
            return true; // Passed over in silence.
        } else if number != self.last + 1 {
            return self.refuse("Line Number is not Last Line Number+1");
        } else {
            self.last = number;
        }
        self.execute(Some(number), command);
        true
    }

    fn refuse(&mut self, why: &str) -> bool {
        let last = self.last;
        self.say(&format!("Error:{why}, Last Line: {last}"));
        self.say(&format!("Resend: {}", last + 1));
        if self.bare_ok_after_resend {
            self.say("ok");
        }
        false
    }

    fn execute(&mut self, number: Option<u32>, command: &str) {
        self.journal.push((number, command.to_owned()));
        if command == "M115" {
            self.say("FIRMWARE_NAME:Stand-in 1.0 MACHINE_TYPE:None");
            let there = u8::from(self.capabilities);
            self.say(&format!("Cap:AUTOREPORT_TEMP:{there}"));
            self.say(&format!("Cap:EMERGENCY_PARSER:{there}"));
            self.say(&format!("Cap:PROMPT_SUPPORT:{}", u8::from(self.prompts)));
        }
        if let Some(place) = self.place.filter(|_| command == "M114") {
            self.say(place);
        }
        let ok = match number {
            _ if command == "M105" => "ok T:20.0 /0.0 B:20.0 /0.0 @:0 B@:0".to_owned(),
            Some(number) if self.advanced_ok => format!("ok N{number} P15 B3"),
            None if self.advanced_ok => "ok P15 B3".to_owned(),
            _ => "ok".to_owned(),
        };
        match self.hold {
            _ if command == "M108" || command.starts_with("M876 S") => {
                self.hold = None;
                self.out.extend(std::mem::take(&mut self.held));
                self.say(&ok);
            }
            Some(hold) if command.starts_with(hold) || !self.held.is_empty() => self.held.push(ok),
            _ => self.say(&ok),
        }
    }

    /// The numbered commands since numbers last started, without the two by which the host makes sure of the end.
    pub(super) fn job(&self) -> Vec<&str> {
        let start = self.journal.iter().rposition(|(_, command)| command.starts_with("M110")).unwrap_or(0);
        let job = self.journal.iter().skip(start + 1).filter(|(number, _)| number.is_some());
        let mut job: Vec<_> = job.map(|(_, command)| command.as_str()).collect();
        if job.ends_with(&["M400", "M105"]) {
            job.truncate(job.len() - 2);
        }
        job
    }
}

/// A host, a stand-in, and the time.
pub(super) struct Bench {
    pub(super) host: Host,
    pub(super) printer: StandIn,
    pub(super) now: Duration,
    pub(super) events: Vec<HostEvent>,
    /// Everything the host has sent.
    pub(super) sent: Vec<u8>,
}

impl Bench {
    /// A host that has not greeted yet.
    pub(super) fn new() -> Self {
        let now = Duration::from_secs(1);
        let host = Host::new(now, Parking::default());
        Self { host, printer: StandIn::new(), now, events: Vec::new(), sent: Vec::new() }
    }

    /// A host that is ready for a job.
    pub(super) fn ready(printer: StandIn) -> Self {
        let mut bench = Self { printer, ..Self::new() };
        bench.run_until(|bench| bench.host.is_ready());
        bench.events.clear();
        bench
    }

    pub(super) fn start(&mut self, commands: &[&str]) {
        assert!(self.host.start(self.now, source(commands)));
    }

    /// One exchange over a perfect wire, or to the next deadline when nothing is said.
    pub(super) fn step(&mut self) {
        self.step_over(|bytes| bytes, Some);
    }

    /// One exchange over this wire: what it does to bytes and to lines of answers.
    pub(super) fn step_over(
        &mut self,
        mut down: impl FnMut(Vec<u8>) -> Vec<u8>,
        mut up: impl FnMut(String) -> Option<String>,
    ) {
        let output = self.host.take_output();
        let quiet = output.is_empty() && self.printer.out.is_empty();
        self.sent.extend_from_slice(&output);
        self.printer.receive(&down(output));
        for line in std::mem::take(&mut self.printer.out) {
            if let Some(line) = up(line) {
                self.host.receive(self.now, format!("{line}\n").as_bytes());
            }
        }
        self.now = match self.host.deadline() {
            Some(deadline) if quiet => deadline.max(self.now + MS),
            _ => self.now + MS,
        };
        self.host.tick(self.now);
        while let Some(event) = self.host.next_event() {
            self.events.push(event);
        }
    }

    pub(super) fn run_until(&mut self, done: impl Fn(&Self) -> bool) {
        for _ in 0..100_000 {
            if done(self) {
                return;
            }
            self.step();
        }
        panic!("never: {:?}\n{:?}\n{:?}", self.host, self.events, self.printer.journal.last());
    }

    pub(super) fn run_to_end(&mut self) {
        self.run_until(|bench| bench.host.progress().is_none());
    }
}

pub(super) fn source(commands: &[&str]) -> Box<dyn CommandSource> {
    let mut end = 0;
    let fed = commands.iter().map(|text| {
        end += text.len() as u64 + 1;
        Fed { command: parse(text.as_bytes()).unwrap().into_owned(), end, layer: None }
    });
    Box::new(fed.collect::<VecDeque<_>>())
}
