//! A host and a printer on a perfect line, on a virtual clock; what is hot is read at the printer.

use std::collections::VecDeque;
use std::time::Duration;

use firmware_sim::firmware::{Config, Firmware};
use stardust_agent::serial::{Checkpoint, Fed, Host, HostEvent, JobEvent, NotSet, Parking, Stage};
use stardust_gcode::command::parse;

/// Both, and what has happened.
pub(crate) struct Rig {
    pub(crate) host: Host,
    pub(crate) printer: Firmware,
    pub(crate) now: Duration,
    /// All that the printer has said.
    pub(crate) said: String,
    /// What it has carried out, with what its nozzle was set to then.
    pub(crate) accepted: Vec<(String, f64)>,
    pub(crate) events: Vec<JobEvent>,
    /// What came of preheats.
    pub(crate) words: Vec<Result<(), NotSet>>,
    parking: Parking,
    file: Vec<String>,
    /// What the agent has written down last, JSON.
    kept: Option<String>,
    /// The firmware can be told while it waits for somebody (`EMERGENCY_PARSER`).
    hears_in_a_wait: bool,
    /// It has been hot for nobody since then: nothing moved, and no person was there.
    hot_since: Option<Duration>,
    /// The longest that was.
    pub(crate) longest_hot: Duration,
}

impl Rig {
    pub(crate) fn ready(config: Config, parking: Parking) -> Self {
        let mut rig = Self {
            host: Host::new(Duration::ZERO, parking.clone()),
            hears_in_a_wait: config.emergency_parser,
            printer: Firmware::new(config),
            now: Duration::ZERO,
            said: String::new(),
            accepted: Vec::new(),
            events: Vec::new(),
            words: Vec::new(),
            parking,
            file: Vec::new(),
            kept: None,
            hot_since: None,
            longest_hot: Duration::ZERO,
        };
        rig.until("ready", |rig| rig.host.is_ready());
        rig
    }

    pub(crate) fn start(&mut self, file: &[String]) {
        self.file = file.to_vec();
        assert!(self.host.start(self.now, Box::new(self.from(0))));
    }

    /// The rest of the file, from this byte on.
    fn from(&self, read_to: u64) -> VecDeque<Fed> {
        let mut end = 0;
        let fed = self.file.iter().map(|text| {
            end += text.len() as u64 + 1;
            Fed { command: parse(text.as_bytes()).unwrap().into_owned(), end, layer: None }
        });
        fed.filter(|fed| fed.end > read_to).collect()
    }

    /// The agent is killed, and another process goes on with the job, if there is one.
    pub(crate) fn restart(&mut self) {
        let Some(kept) = self.kept.as_ref().filter(|_| self.stage().is_some()) else { return };
        let checkpoint: Checkpoint = serde_json::from_str(kept).unwrap();
        let source = Box::new(self.from(checkpoint.read_to()));
        self.host = Host::attach(self.now, self.parking.clone(), checkpoint, source, false);
    }

    /// The same, and somebody has changed the printer's settings meanwhile.
    pub(crate) fn restart_with(&mut self, parking: Parking) {
        self.parking = parking;
        self.restart();
    }

    /// What both say now; then on to what happens next, at most to `end`.
    fn exchange(&mut self, end: Duration) {
        if let Some(checkpoint) = self.host.take_checkpoint(self.now) {
            self.kept = Some(serde_json::to_string(&checkpoint).unwrap());
        }
        let output = self.host.take_output();
        self.printer.receive(self.now, &output);
        let answers = self.listen();
        if output.is_empty() && answers.is_empty() {
            let due = [self.printer.next_deadline(), self.host.deadline()].into_iter().flatten().min();
            self.now = due.unwrap_or(end).clamp(self.now, end);
            self.printer.advance(self.now);
        }
        if answers.is_empty() {
            self.host.tick(self.now);
        } else {
            self.host.receive(self.now, &answers);
        }
        while let Some(event) = self.host.next_event() {
            match event {
                HostEvent::Job(event) => self.events.push(event),
                HostEvent::Preheated(word) => self.words.push(word),
                HostEvent::Ready
                | HostEvent::HeatSettled
                | HostEvent::HeatLeftToCard
                | HostEvent::StopIgnored { .. }
                | HostEvent::Halted(_) => {}
            }
        }
        self.feel();
    }

    fn listen(&mut self) -> Vec<u8> {
        let answers = std::mem::take(self.printer.output());
        self.said.push_str(&String::from_utf8_lossy(&answers));
        let target = self.nozzle();
        let accepted = self.printer.take_accepted();
        if accepted.iter().any(|accepted| moves(&accepted.text)) {
            self.hot_since = None;
        }
        self.accepted.extend(accepted.into_iter().map(|accepted| (accepted.text, target)));
        answers
    }

    /// How long the nozzle is hot for nobody, by the printer alone: nothing asks the host what it believes. Left out is what
    /// nothing could end, a wait of firmware that hears nothing in it.
    fn feel(&mut self) {
        let is_out_of_reach = self.printer.waits_for_a_person() && !self.hears_in_a_wait;
        if is_out_of_reach || self.nozzle() == 0.0 {
            self.hot_since = None;
        } else {
            let since = *self.hot_since.get_or_insert(self.now);
            self.longest_hot = self.longest_hot.max(self.now - since);
        }
    }

    /// Somebody is there, and what they do begins another wait.
    pub(crate) fn somebody_is_there(&mut self) {
        self.hot_since = None;
    }

    /// What the hottest nozzle is set to, at the printer.
    pub(crate) fn nozzle(&self) -> f64 {
        self.printer.targets().nozzles.into_iter().fold(0.0, f64::max)
    }

    /// The end of what it has said.
    pub(crate) fn tail(&self) -> &str {
        let from = self.said.len().saturating_sub(4000);
        self.said.get(from..).unwrap_or(&self.said)
    }

    pub(crate) fn stage(&self) -> Option<Stage> {
        self.host.progress().map(|(stage, ..)| stage)
    }

    pub(crate) fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let end = self.now + Duration::from_secs(100 * 3600);
        while !done(self) {
            assert!(self.now < end, "never {what}: {:?}\n{:?}\n{}", self.host, self.events, self.tail());
            self.exchange(end);
        }
    }

    /// Until it is carrying out this command.
    pub(crate) fn until_carries_out(&mut self, command: &str) {
        self.until(command, |rig| rig.accepted.iter().any(|(text, _)| text == command));
    }

    pub(crate) fn until_asked(&mut self, text: &str) {
        self.until(text, |rig| rig.host.attention().is_some_and(|asked| asked == text));
    }

    pub(crate) fn stay(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.exchange(end);
        }
    }

    pub(crate) fn stay_s(&mut self, seconds: u64) {
        self.stay(Duration::from_secs(seconds));
    }

    pub(crate) fn pause(&mut self) {
        self.host.pause(self.now);
        self.until("paused", |rig| rig.stage() == Some(Stage::Paused));
    }

    pub(crate) fn resume(&mut self) {
        self.host.resume(self.now);
    }

    /// The job is printed to its end: every command of the file once and in order, none of them cold.
    pub(crate) fn finish(&mut self, file: &[String]) {
        self.until("the end", |rig| rig.stage().is_none());
        assert_eq!(self.events.last(), Some(&JobEvent::Completed), "{:?} {}", self.events, self.tail());
        assert!(!self.said.contains("cold extrusion"), "{}", self.tail());
        let mut accepted = self.accepted.iter();
        for line in file {
            let (text, target) = accepted.find(|(text, _)| text == line).expect(line);
            assert!(!text.contains(" E") || *target > 0.0, "{text} with a nozzle that is off");
        }
    }
}

/// Whether it moves something.
fn moves(text: &str) -> bool {
    ["G0 ", "G1 ", "G28"].iter().any(|code| text.starts_with(code))
}

/// Squares, hot.
pub(crate) fn file() -> Vec<String> {
    let mut file: Vec<String> =
        ["M140 S60", "M104 S200", "G28", "M109 S200", "M83"].map(String::from).to_vec();
    file.extend((0..400).map(|at| format!("G1 X{} Y{} Z0.2 E0.1 F3000", 50 + at % 100, 50 + at % 97)));
    file.extend(["M104 S0", "M140 S0", "M84"].map(String::from));
    file
}

/// The same with another command in its midst.
pub(crate) fn file_with(command: &str) -> Vec<String> {
    let mut file = file();
    file.insert(100, command.to_owned());
    file
}
