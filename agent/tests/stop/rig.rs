//! A host and a simulated printer on a virtual clock, for stops at once: the heaters' targets are read at the simulator. Its board's
//! DTR line is not wired: the worst case.

use std::collections::VecDeque;
use std::time::Duration;

use firmware_sim::faults::FaultPlan;
use firmware_sim::profile::{LineSettings, Profile};
use firmware_sim::virtual_printer::VirtualPrinter;
use stardust_agent::serial::{CommandSource, Connection, Fed, Heating, Host, HostEvent, Parking, Preheat};
use stardust_gcode::command::parse;

/// A stop that is carried out, or not taken, has the printer cold by then; on firmware that gets to it at the end of a command,
/// from that end on.
pub(crate) const COLD_WITHIN: Duration = Duration::from_secs(60);
/// The longest of these commands: the bed and then a nozzle.
pub(crate) const LONGEST_COMMAND: Duration = Duration::from_secs(15 * 60);

/// What happens to its lines on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Clean,
    /// Each line of the first time has one bit wrong.
    DamagedOnce,
    /// Nothing of the first time arrives.
    LostOnce,
    /// No line of it ever arrives as it was sent.
    Damaged,
    Lost,
}

/// What the printer is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    Preheated,
    Printing,
    /// In `M190`, with an `M109` behind it.
    Heating,
    /// Somebody prints from its memory card.
    OnCard,
}

const LATE: Duration = Duration::from_secs(1);

/// How the printer reads what is sent to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reads {
    AsItComes,
    /// A second later, with all that has come by then, in one gulp.
    Late,
}

pub(crate) struct Rig {
    pub(crate) host: Host,
    pub(crate) printer: VirtualPrinter,
    pub(crate) now: Duration,
    pub(crate) way: Way,
    pub(crate) events: Vec<HostEvent>,
    pub(crate) reads: Reads,
    /// It looks at nothing until then.
    read_at: Duration,
    log: VecDeque<String>,
}

impl Rig {
    /// At this firmware, to be brought to that.
    pub(crate) fn at(profile: &str, at: At) -> Self {
        let mut rig = match at {
            At::OnCard => Self::begin(profile, Some(900_000)),
            _ => Self::begin(profile, None).ready(),
        };
        rig.bring(at);
        rig
    }

    /// The same with a card in it, from which somebody prints so many bytes first; done when it answers, and a short print is over.
    pub(crate) fn with_card(profile: &str, prints: Option<u64>) -> Self {
        let mut named = Profile::named(profile).unwrap();
        (named.config.card, named.config.prints_from_card) = (true, prints);
        let mut rig = Self::of(named);
        rig.run_until("it answers", COLD_WITHIN, |rig| rig.host.connection() == Connection::Ready);
        rig.run_for(Duration::from_secs(5));
        rig
    }

    /// Somebody does this at its panel, or by another cable.
    pub(crate) fn type_at_it(&mut self, lines: &str) {
        self.printer.receive(lines.as_bytes(), self.now);
    }

    /// Another host, which knows nothing of this printer yet.
    pub(crate) fn connect_anew(&mut self) {
        self.host = Host::new(self.now, Parking::default());
        self.events.clear();
    }

    fn begin(profile: &str, prints_from_card: Option<u64>) -> Self {
        let mut profile = Profile::named(profile).unwrap();
        profile.config.prints_from_card = prints_from_card;
        Self::of(profile)
    }

    fn of(mut profile: Profile) -> Self {
        profile.line = LineSettings { baud: Some(115_200), latency: Duration::from_micros(500) };
        Self {
            host: Host::new(Duration::ZERO, Parking::default()),
            printer: VirtualPrinter::new(profile, &FaultPlan::none(), 1),
            now: Duration::ZERO,
            way: Way::Clean,
            events: Vec::new(),
            reads: Reads::AsItComes,
            read_at: Duration::ZERO,
            log: VecDeque::new(),
        }
    }

    fn ready(mut self) -> Self {
        self.run_until("it is ready", Duration::from_secs(60), |rig| rig.host.is_ready());
        self
    }

    pub(crate) fn bring(&mut self, at: At) {
        let hot = |rig: &Self| !rig.printer.targets().are_off();
        match at {
            At::Preheated => {
                let wanted =
                    Preheat { nozzles: vec![(0, 200.0)], bed: Some(60.0), lasts: Duration::from_secs(9999) };
                assert!(self.host.preheat(self.now, &wanted));
                let taken = HostEvent::Preheated(Ok(()));
                self.run_until("it is preheated", COLD_WITHIN, |rig| rig.events.contains(&taken) && hot(rig));
            }
            At::Printing => {
                let mut file = vec!["M104 S200".to_owned(), "M140 S60".into(), "G28".into()];
                file.extend((0..4000).map(|at| format!("G1 X{} Y{} F1800", 20 + at % 90, 20 + at % 70)));
                assert!(self.host.start(self.now, source(&file)));
                let moves =
                    |rig: &Self| rig.printer.accepted().iter().any(|one| one.text.starts_with("G1 X40"));
                self.run_until("it prints", LONGEST_COMMAND, |rig| moves(rig) && hot(rig));
            }
            At::Heating => {
                let file = ["G28", "M104 S200", "M190 S100", "M109 S250", "G1 X10 F600", "G1 X20"];
                assert!(self.host.start(self.now, source(&file.map(str::to_owned))));
                let waits =
                    |rig: &Self| rig.printer.accepted().iter().any(|one| one.text.starts_with("M190"));
                self.run_until("it heats", LONGEST_COMMAND, |rig| waits(rig) && hot(rig));
                self.run_for(Duration::from_secs(5));
            }
            At::OnCard => {
                let is_told = |rig: &Self| rig.host.connection() == Connection::Ready && hot(rig);
                self.run_until("it answers", COLD_WITHIN, is_told);
                self.run_for(Duration::from_secs(5));
            }
        }
    }

    /// As the thread of a port does it.
    pub(crate) fn stop_at_once(&mut self) {
        self.host.take_output();
        let stop = self.host.kill(self.now, "by Ada");
        self.send(&passed(self.way, stop.bytes));
        self.arrives();
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.note(">", bytes);
        if self.reads == Reads::Late && !bytes.is_empty() && self.now >= self.read_at {
            self.read_at = self.now + LATE;
            self.printer.stall(self.now, LATE);
        }
        self.printer.receive(bytes, self.now);
    }

    /// The cable is out for so long, and in again. What goes out before anything else then, as the thread of a port does it.
    pub(crate) fn lose_port(&mut self, time: Duration) -> Vec<u8> {
        self.host.take_output();
        self.printer.unplug_for(self.now, time);
        while !self.printer.is_plugged() {
            // Each time that it can't be opened.
            self.host.port_lost(self.now);
            self.now += Duration::from_millis(500);
            self.printer.advance(self.now);
            self.hear_events();
        }
        self.host.port_opened(self.now);
        let first = self.host.take_output();
        self.send(&passed(self.way, &first));
        self.arrives();
        first
    }

    /// What got lost once got lost.
    fn arrives(&mut self) {
        self.way = match self.way {
            Way::DamagedOnce | Way::LostOnce => Way::Clean,
            always => always,
        };
    }

    fn hear_events(&mut self) {
        while let Some(event) = self.host.next_event() {
            // Whoever hears that crosses out what is owed.
            let is_true = event != HostEvent::HeatSettled || self.is_safe();
            assert!(is_true, "said to be off: {}", self.story());
            self.events.push(event);
        }
    }

    pub(crate) fn exchange(&mut self) {
        let output = self.host.take_output();
        self.send(&passed(self.way, &output));
        let due = [self.printer.next_deadline(), self.host.deadline()].into_iter().flatten().min();
        let next = due.unwrap_or(self.now + Duration::from_secs(1));
        self.now = next.clamp(self.now + Duration::from_micros(1), self.now + Duration::from_secs(1));
        self.printer.advance(self.now);
        let heard = self.printer.output(self.now);
        self.note("<", &heard);
        if heard.is_empty() {
            self.host.tick(self.now);
        } else {
            self.host.receive(self.now, &heard);
        }
        self.hear_events();
    }

    pub(crate) fn run_for(&mut self, time: Duration) {
        let until = self.now + time;
        while self.now < until {
            self.exchange();
        }
    }

    pub(crate) fn run_until(&mut self, what: &str, within: Duration, done: impl Fn(&Self) -> bool) {
        let until = self.now + within;
        while !done(self) {
            assert!(self.now < until, "waited in vain: {what}\n{}", self.story());
            self.exchange();
        }
    }

    /// It has halted, or every heater's target is 0 at the printer and that is told; until then people are told that it is in doubt.
    /// `waits`: it is at a command first.
    pub(crate) fn comes_to_rest(&mut self, case: &str, waits: bool) {
        let until = self.now + COLD_WITHIN + if waits { LONGEST_COMMAND } else { Duration::ZERO };
        while self.now < until && !self.is_safe() {
            self.exchange();
            assert!(self.is_safe() || self.is_in_doubt(), "{case}: {}\n{}", self.told(), self.story());
        }
        self.run_for(COLD_WITHIN);
        assert!(self.is_safe(), "{case}: {}", self.story());
        let settled = self.events.contains(&HostEvent::HeatSettled);
        assert!(settled || self.printer.is_halted(), "{case}: {}", self.story());
    }

    /// Nothing is hot there, or nothing can be any more.
    pub(crate) fn is_safe(&self) -> bool {
        self.printer.is_halted() || self.printer.targets().are_off()
    }

    /// What a person is told of it.
    pub(crate) fn told(&self) -> String {
        match self.host.connection() {
            Connection::ToldToStop { sentence, .. } => sentence,
            Connection::Halted(reason) => format!("stopped itself: {reason}"),
            Connection::Connecting { .. } | Connection::Ready => self.host.stop_ignored().unwrap_or_default(),
        }
    }

    /// Whether a person is told that the stop may have come to nothing, or that is not known yet.
    pub(crate) fn is_in_doubt(&self) -> bool {
        match self.host.connection() {
            Connection::ToldToStop { is_over, .. } => !is_over,
            Connection::Halted(_) => false,
            Connection::Connecting { .. } | Connection::Ready => {
                self.host.heating() != Heating::Settled && self.told().contains("Switch it off.")
            }
        }
    }

    pub(crate) fn story(&self) -> String {
        let log: Vec<&str> = self.log.iter().map(String::as_str).collect();
        format!("{}\n{:?}\n{:?}\n{:?}", log.join("\n"), self.host, self.printer.targets(), self.events)
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

/// What arrives of it.
fn passed(way: Way, bytes: &[u8]) -> Vec<u8> {
    let mut arrives = Vec::new();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let code = line.windows(4).position(|window| window == b"M112");
        match (way, code) {
            (Way::Clean, _) | (_, None) => arrives.extend_from_slice(line),
            (Way::Lost | Way::LostOnce, Some(_)) => {}
            (Way::Damaged | Way::DamagedOnce, Some(at)) => {
                let mut line = line.to_vec();
                line[at + 3] ^= 4;
                arrives.extend(line);
            }
        }
    }
    arrives
}

fn source(file: &[String]) -> Box<dyn CommandSource> {
    let mut end = 0;
    let fed = file.iter().map(|text| {
        end += text.len() as u64 + 1;
        Fed { command: parse(text.as_bytes()).unwrap().into_owned(), end, layer: None }
    });
    Box::new(fed.collect::<VecDeque<_>>())
}
