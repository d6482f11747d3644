//! What becomes of a stop at once at each firmware, whatever happens to its lines on their way: the heaters' targets are read
//! at the simulator. On a virtual clock, with a board whose DTR line is not wired: the worst case.

use std::collections::VecDeque;
use std::time::Duration;

use firmware_sim::faults::FaultPlan;
use firmware_sim::profile::{LineSettings, Profile};
use firmware_sim::virtual_printer::VirtualPrinter;
use rstest::rstest;
use stardust_agent::serial::{CommandSource, Connection, Fed, Heating, Host, HostEvent, Parking, Preheat};
use stardust_gcode::command::parse;

/// A stop that is carried out, or not taken, has the printer cold by then; on firmware that gets to it at the end of a command,
/// from that end on.
const COLD_WITHIN: Duration = Duration::from_secs(60);
/// The longest of these commands: the bed and then a nozzle.
const LONGEST_COMMAND: Duration = Duration::from_secs(15 * 60);

/// What happens to its lines on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
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
enum At {
    Preheated,
    Printing,
    /// In `M190`, with an `M109` behind it.
    Heating,
    /// Somebody prints from its memory card.
    OnCard,
}

struct Rig {
    host: Host,
    printer: VirtualPrinter,
    now: Duration,
    way: Way,
    events: Vec<HostEvent>,
    log: VecDeque<String>,
}

impl Rig {
    fn connected(profile: &str) -> Self {
        let rig = Self::begin(profile, None);
        rig.ready()
    }

    /// At this firmware, to be brought to that.
    fn at(profile: &str, at: At) -> Self {
        let mut rig =
            if at == At::OnCard { Self::begin(profile, Some(900_000)) } else { Self::connected(profile) };
        rig.bring(at);
        rig
    }

    fn begin(profile: &str, prints_from_card: Option<u64>) -> Self {
        let mut profile = Profile::named(profile).unwrap();
        profile.config.prints_from_card = prints_from_card;
        profile.line = LineSettings { baud: Some(115_200), latency: Duration::from_micros(500) };
        Self {
            host: Host::new(Duration::ZERO, Parking::default()),
            printer: VirtualPrinter::new(profile, &FaultPlan::none(), 1),
            now: Duration::ZERO,
            way: Way::Clean,
            events: Vec::new(),
            log: VecDeque::new(),
        }
    }

    fn ready(mut self) -> Self {
        self.run_until("it is ready", Duration::from_secs(60), |rig| rig.host.is_ready());
        self
    }

    fn bring(&mut self, at: At) {
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
    fn stop_at_once(&mut self) {
        self.host.take_output();
        let stop = self.host.kill(self.now, "by Ada");
        self.send(&passed(self.way, stop.bytes));
        self.way = match self.way {
            Way::DamagedOnce | Way::LostOnce => Way::Clean,
            always => always,
        };
    }

    fn send(&mut self, bytes: &[u8]) {
        self.note(">", bytes);
        self.printer.receive(bytes, self.now);
    }

    fn exchange(&mut self) {
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
        while let Some(event) = self.host.next_event() {
            self.events.push(event);
        }
    }

    fn run_for(&mut self, time: Duration) {
        let until = self.now + time;
        while self.now < until {
            self.exchange();
        }
    }

    fn run_until(&mut self, what: &str, within: Duration, done: impl Fn(&Self) -> bool) {
        let until = self.now + within;
        while !done(self) {
            assert!(self.now < until, "waited in vain: {what}\n{}", self.story());
            self.exchange();
        }
    }

    /// Nothing is hot there, or nothing can be any more.
    fn is_safe(&self) -> bool {
        self.printer.is_halted() || self.printer.targets().are_off()
    }

    /// What a person is told of it.
    fn told(&self) -> String {
        match self.host.connection() {
            Connection::ToldToStop { sentence, .. } => sentence,
            Connection::Halted(reason) => format!("stopped itself: {reason}"),
            Connection::Connecting { .. } | Connection::Ready => self.host.stop_ignored().unwrap_or_default(),
        }
    }

    /// Whether a person is told that the stop may have come to nothing, or that is not known yet.
    fn is_in_doubt(&self) -> bool {
        match self.host.connection() {
            Connection::ToldToStop { is_over, .. } => !is_over,
            Connection::Halted(_) => false,
            Connection::Connecting { .. } | Connection::Ready => {
                self.host.heating() != Heating::Settled && self.told().contains("Switch it off.")
            }
        }
    }

    fn story(&self) -> String {
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

/// Every heater's target is 0 at the printer, or it has halted: whichever firmware, whatever becomes of the lines.
#[rstest]
fn a_stop_leaves_no_heat_behind(
    #[values(Way::Clean, Way::DamagedOnce, Way::LostOnce, Way::Damaged, Way::Lost)] way: Way,
    #[values(At::Preheated, At::Printing, At::Heating, At::OnCard)] at: At,
) {
    let mut wrong = Vec::new();
    for named in Profile::NAMES {
        let mut rig = Rig::at(named.name, at);
        rig.way = way;
        rig.events.clear();
        rig.stop_at_once();
        // Firmware that looks at it at the end of a command has all the time that the command takes.
        let waits = at == At::Heating && !rig.host.firmware().can("EMERGENCY_PARSER");
        let within = COLD_WITHIN + if waits { LONGEST_COMMAND } else { Duration::ZERO };
        let until = rig.now + within;
        while rig.now < until && !rig.is_safe() {
            rig.exchange();
            // The words: what is hot is never called stopped.
            if !rig.is_safe() {
                assert!(rig.is_in_doubt(), "{} {way:?} {at:?}: {}\n{}", named.name, rig.told(), rig.story());
                // Whoever hears that crosses out what is owed.
                let is_settled = rig.events.contains(&HostEvent::HeatSettled);
                assert!(!is_settled, "{} {way:?} {at:?}\n{}", named.name, rig.story());
            }
        }
        rig.run_for(COLD_WITHIN);
        let told = rig.told();
        assert!(!told.contains("itself"), "{} {way:?} {at:?}: {told}", named.name);
        if !rig.printer.is_halted() {
            let ignored = rig.events.iter().position(|event| *event == HostEvent::StopIgnored { sent: 4 });
            let settled = rig.events.iter().rposition(|event| *event == HostEvent::HeatSettled);
            assert!(ignored.is_some() && settled > ignored, "{}: {}", named.name, rig.story());
            assert!(told.contains("sent 4 times") && told.contains("read back"), "{}: {told}", named.name);
            assert!(rig.host.is_ready(), "{}: {}", named.name, rig.story());
            let ends = rig.printer.accepted().iter().any(|one| matches!(one.text.as_str(), "M524" | "M25"));
            assert_eq!(
                (ends, told.contains("memory card")),
                (at == At::OnCard, at == At::OnCard),
                "{}: {told}",
                named.name
            );
        }
        let arrives = matches!(way, Way::Clean | Way::DamagedOnce | Way::LostOnce);
        if !rig.is_safe() || arrives && !rig.printer.is_halted() {
            wrong.push(format!("{}: {:?}", named.name, rig.printer.targets()));
        }
    }
    assert!(wrong.is_empty(), "{way:?} {at:?}: {wrong:#?}");
}

/// It is not stopped before it gets to it, and that is what a person is told: with the temperature that it goes on to.
#[rstest]
#[case("marlin-no-emergency-parser", "still heats to 200 °C")]
#[case("creality", "still heats to 200 °C")]
#[case("prusa", "heat")]
#[case("repetier", "heat")]
#[case("malyan", "heat")]
#[case("ultimaker2", "heat")]
fn in_a_wait_for_heat_it_is_told_that_it_still_heats(#[case] profile: &str, #[case] heats: &str) {
    let mut rig = Rig::at(profile, At::Heating);
    rig.stop_at_once();
    rig.run_for(Duration::from_secs(10));
    assert!(!rig.is_safe(), "it would be no test");
    let told = rig.told();
    assert!(told.contains("when it gets to it") && told.contains(heats), "{told}\n{}", rig.story());
    rig.run_until("it has stopped", LONGEST_COMMAND, Rig::is_safe);
    assert!(rig.printer.is_halted());
    rig.run_for(COLD_WITHIN);
    let told = rig.told();
    assert!(told.contains("says that it has stopped") || told.contains("says nothing any more"), "{told}");
}

/// All of it got lost, and one came after all.
#[rstest]
fn a_stop_that_is_late_is_not_the_printers_own() {
    let mut rig = Rig::at("marlin", At::Preheated);
    rig.way = Way::Lost;
    rig.stop_at_once();
    rig.run_until("it goes on", COLD_WITHIN, |rig| rig.events.contains(&HostEvent::StopIgnored { sent: 4 }));
    rig.send(b"\nM112\n");
    rig.run_until("it has stopped", COLD_WITHIN, |rig| rig.printer.is_halted());
    rig.run_for(Duration::from_secs(2));
    let told = rig.told();
    assert!(told.contains("by Ada") && told.contains("says that it has stopped"), "{told}\n{}", rig.story());
}

/// The agent was started anew before it was known whether the stop was taken, and the port has stayed open. No line of it ever
/// arrives, so what the printer prints from its memory card goes on.
#[test]
fn what_an_agent_before_this_one_has_told_to_stop_is_not_somebodys_print() {
    for named in Profile::NAMES {
        let mut rig = Rig::at(named.name, At::OnCard);
        rig.way = Way::Lost;
        rig.stop_at_once();
        rig.run_for(Duration::from_secs(3));
        assert!(!rig.is_safe(), "it would be no test");
        rig.host = Host::new(rig.now, Parking::default());
        rig.host.port_opened(rig.now);
        rig.host.follow_stop_up(rig.now);
        rig.events.clear();
        let settled = |rig: &Rig| rig.events.contains(&HostEvent::HeatSettled);
        while !settled(&rig) {
            assert!(rig.told().contains("before the agent was started"), "{}: {}", named.name, rig.story());
            rig.exchange();
            assert!(rig.now < COLD_WITHIN * 5, "{}: {}", named.name, rig.story());
        }
        assert!(rig.is_safe(), "{}: {}", named.name, rig.story());
        rig.run_for(COLD_WITHIN);
        assert!(rig.is_safe() && rig.told().contains("read back"), "{}: {}", named.name, rig.story());
    }
}

/// What it prints after it was made safe somebody has started there.
#[rstest]
fn a_print_from_the_card_that_is_begun_after_a_stop_was_made_good_is_left_alone() {
    let mut rig = Rig::at("prusa", At::OnCard);
    rig.way = Way::Lost;
    rig.stop_at_once();
    rig.run_until("it is safe", COLD_WITHIN, |rig| rig.host.is_ready());
    rig.printer.receive(b"M24\nM104 S200\n", rig.now);
    rig.run_for(COLD_WITHIN);
    assert!(!rig.printer.targets().are_off(), "{}", rig.story());
    assert!(rig.host.external().is_some_and(|told| told.contains("memory card")));
}
