//! The printer turns itself off when its host has died in mid-job, and never otherwise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

use std::collections::VecDeque;
use std::time::Duration;

use firmware_sim::firmware::{Config, Firmware};
use rstest::rstest;
use stardust_agent::serial::{End, Fed, Heating, Host, HostEvent, JobEvent, Parking, Safety, Templates};
use stardust_gcode::command::parse;

const HOUR: Duration = Duration::from_secs(3600);

/// A host and a printer on a perfect line.
struct Rig {
    host: Host,
    printer: Firmware,
    now: Duration,
    said: String,
    accepted: Vec<String>,
    events: Vec<JobEvent>,
}

impl Rig {
    fn ready(parking: Parking) -> Self {
        let mut rig = Self {
            host: Host::new(Duration::ZERO, parking),
            printer: Firmware::new(Config::default()),
            now: Duration::ZERO,
            said: String::new(),
            accepted: Vec::new(),
            events: Vec::new(),
        };
        rig.until(|rig| rig.host.is_ready());
        rig
    }

    fn printing(parking: Parking) -> Self {
        let mut rig = Self::ready(parking);
        rig.start(&file());
        rig.until(|rig| rig.accepted.iter().filter(|line| line.starts_with("G1")).count() > 50);
        rig
    }

    fn start(&mut self, file: &[String]) {
        let fed = |text: &String| Fed {
            command: parse(text.as_bytes()).unwrap().into_owned(),
            end: 0,
            layer: None,
        };
        assert!(self.host.start(self.now, Box::new(file.iter().map(fed).collect::<VecDeque<_>>())));
    }

    /// What both say now; then on to what happens next, at most to `end`.
    fn exchange(&mut self, end: Duration) {
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
            if let HostEvent::Job(event) = event {
                self.events.push(event);
            }
        }
    }

    fn listen(&mut self) -> Vec<u8> {
        let answers = std::mem::take(self.printer.output());
        self.said.push_str(&String::from_utf8_lossy(&answers));
        self.accepted.extend(self.printer.take_accepted().into_iter().map(|accepted| accepted.text));
        answers
    }

    fn until(&mut self, done: impl Fn(&Self) -> bool) {
        while !done(self) {
            assert!(self.now < 100 * HOUR, "never: {:?}\n{}", self.host, self.said);
            self.exchange(200 * HOUR);
        }
    }

    fn stay(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.exchange(end);
        }
    }

    /// The host has died: the printer is alone.
    fn leave_alone(&mut self, time: Duration) {
        self.now += time;
        self.printer.advance(self.now);
        self.listen();
    }
}

fn file() -> Vec<String> {
    let mut file: Vec<String> =
        ["M140 S60", "M104 S200", "G28", "M109 S200", "M83"].map(String::from).to_vec();
    file.extend((0..2000).map(|at| format!("G1 X{} Y{} Z0.2 E0.1 F3000", 50 + at % 100, 50 + at % 7)));
    file.extend(["M104 S0", "M140 S0", "M84"].map(String::from));
    file
}

#[test]
fn a_printer_whose_host_has_died_turns_its_heaters_off() {
    let mut rig = Rig::printing(Parking::default());
    rig.leave_alone(Duration::from_secs(590));
    assert!(!rig.printer.is_halted(), "a host may be slow");
    rig.leave_alone(Duration::from_secs(60));
    // The simulator's kill turns all heaters off, as Marlin's does.
    assert!(rig.printer.is_halted());
    assert!(rig.said.contains("too much inactive time"), "{}", rig.said);
}

#[test]
fn also_while_it_heats_up() {
    let mut rig = Rig::ready(Parking::default());
    rig.start(&file());
    rig.until(|rig| rig.accepted.iter().any(|line| line == "M109 S200"));
    rig.leave_alone(2 * HOUR);
    assert!(rig.printer.is_halted());
}

#[test]
fn a_printers_settings_say_how_long_or_never() {
    let settings = |dead_man_s| Parking {
        templates: Templates { dead_man_s: Some(dead_man_s), ..Templates::default() },
        ..Parking::default()
    };
    let mut soon = Rig::printing(settings(60));
    soon.leave_alone(Duration::from_secs(90));
    assert!(soon.printer.is_halted());
    let mut never = Rig::printing(settings(0));
    never.leave_alone(5 * HOUR);
    assert!(!never.printer.is_halted() && !never.accepted.iter().any(|line| line.starts_with("M85")));
}

#[test]
fn a_person_may_pause_for_hours() {
    let mut rig = Rig::printing(Parking::default());
    rig.host.pause(rig.now);
    rig.until(|rig| rig.events.contains(&JobEvent::Paused));
    rig.stay(9 * HOUR);
    assert!(!rig.printer.is_halted());
    rig.host.resume(rig.now);
    rig.until(|rig| rig.events.contains(&JobEvent::Resumed));
    rig.stay(Duration::from_secs(2));
    assert!(rig.host.progress().is_some(), "still printing");
    rig.leave_alone(HOUR);
    assert!(rig.printer.is_halted(), "and is watched over again");
}

#[test]
fn a_pause_at_the_panel_may_last_for_hours() {
    let mut rig = Rig::printing(Parking::default());
    rig.host.receive(rig.now, b"//action:paused\n");
    rig.until(|rig| rig.events.contains(&JobEvent::Paused));
    rig.stay(9 * HOUR);
    assert!(!rig.printer.is_halted());
    rig.host.receive(rig.now, b"//action:resumed\n");
    rig.until(|rig| rig.events.last() == Some(&JobEvent::Completed));
}

/// What takes longer than the usual time, and how long M85 is set to meanwhile.
fn in_a_wait(command: &str) -> (Rig, Duration) {
    let mut rig = Rig::ready(Parking::default());
    let mut file = file();
    file.insert(10, command.to_owned());
    rig.start(&file);
    rig.until(|rig| rig.accepted.iter().any(|line| line == command));
    let before = rig.accepted.iter().rfind(|line| line.starts_with("M85")).unwrap();
    let seconds: u64 = before.strip_prefix("M85 S").unwrap().parse().unwrap();
    assert!(!rig.printer.targets().are_off(), "it is hot");
    (rig, Duration::from_secs(seconds))
}

#[rstest]
#[case::waiting_for_a_pin("M226 P3", 6900)]
#[case::a_long_dwell("G4 S7200", 7300)]
#[case::a_long_dwell_in_ms("G4 P7200000", 7300)]
#[case::a_long_stop_of_the_files_own("M0 S7200", 7300)]
fn what_takes_its_time_may_do_so(#[case] command: &str, #[case] takes_s: u64) {
    let sent = parse(command.as_bytes()).unwrap().text().to_owned();
    let mut rig = Rig::ready(Parking::default());
    let mut file = file();
    file.insert(10, sent.clone());
    rig.start(&file);
    rig.until(|rig| rig.accepted.contains(&sent));
    rig.stay(Duration::from_secs(takes_s));
    assert!(!rig.printer.is_halted(), "{}", rig.said);
    rig.printer.switch_pin(rig.now);
    rig.until(|rig| rig.events.last() == Some(&JobEvent::Completed));
    rig.until(|rig| rig.accepted.last().is_some_and(|line| line == "M85 S0"));
    let own = |line: &&String| line.starts_with("M85");
    assert_eq!(rig.accepted.iter().filter(own).count(), 4, "on, longer, as usual, off");
    assert_eq!(rig.accepted.iter().rfind(own).unwrap(), "M85 S0");
    let printed: Vec<&String> = rig.accepted.iter().filter(|line| line.starts_with("G1")).collect();
    assert_eq!(printed, file.iter().filter(|line| line.starts_with("G1")).collect::<Vec<_>>());
    assert!(!rig.printer.is_halted());
}

/// Pauses between moves, as of a file that waits for the part to cool: each short, and long together.
#[test]
fn short_dwells_after_each_other_may_take_long_too() {
    let mut rig = Rig::ready(Parking::default());
    let mut file = file();
    file.splice(10..10, std::iter::repeat_n("G4 S250".to_owned(), 20));
    rig.start(&file);
    rig.until(|rig| rig.events.last() == Some(&JobEvent::Completed) || rig.printer.is_halted());
    assert!(!rig.printer.is_halted(), "{}", rig.said);
}

#[rstest]
#[case::waiting_for_a_pin("M226 P3")]
#[case::a_long_dwell("G4 S7200")]
fn a_host_that_dies_meanwhile_leaves_nothing_hot_in_the_end(#[case] command: &str) {
    let (mut rig, longer) = in_a_wait(command);
    assert!(longer >= 2 * HOUR && longer < 3 * HOUR, "{longer:?}");
    rig.leave_alone(longer - Duration::from_secs(60));
    assert!(!rig.printer.is_halted(), "a host may come back");
    // What the firmware had taken is carried out yet; the usual time begins behind it.
    rig.leave_alone(Duration::from_secs(60 + 660));
    assert!(rig.printer.is_halted() && rig.printer.targets().are_off(), "{}", rig.said);
    assert!(rig.said.contains("too much inactive time"), "{}", rig.said);
}

/// Nobody switches the pin, and the host lives: nothing is hot without end.
#[test]
fn a_pin_that_never_comes_leaves_nothing_hot_either() {
    let (mut rig, longer) = in_a_wait("M226 P3");
    rig.stay(longer + Duration::from_secs(60));
    assert!(rig.printer.is_halted() && rig.printer.targets().are_off());
}

#[test]
fn a_change_of_filament_may_take_hours_and_a_host_that_dies_meanwhile_leaves_nothing_hot() {
    let mut rig = Rig::ready(Parking::default());
    let mut file = file();
    file.insert(10, "M600".to_owned());
    rig.start(&file);
    rig.until(|rig| rig.accepted.iter().any(|line| line == "M600"));
    rig.leave_alone(9 * HOUR);
    assert!(!rig.printer.is_halted(), "the firmware counts nothing while it waits");
    rig.printer.click(rig.now);
    rig.leave_alone(Duration::from_secs(660));
    assert!(rig.printer.is_halted() && rig.printer.targets().are_off());
}

#[test]
fn a_host_that_dies_in_a_pause_leaves_nothing_hot() {
    let mut rig = Rig::printing(Parking::default());
    rig.host.pause(rig.now);
    rig.until(|rig| rig.events.contains(&JobEvent::Paused));
    rig.stay(Duration::from_secs(500));
    assert!(!rig.printer.targets().are_off(), "a person may come soon");
    rig.leave_alone(Duration::from_secs(530));
    assert!(!rig.printer.is_halted(), "the host has told in the last minute that it lives");
    rig.leave_alone(Duration::from_secs(80));
    assert!(rig.printer.is_halted() && rig.printer.targets().are_off());
}

/// The moves are carried out yet when the file's last line is taken, and nothing in it turns anything off.
#[test]
fn a_host_that_dies_behind_the_end_of_a_file_leaves_nothing_hot() {
    let mut without_end = file();
    without_end.truncate(100);
    let finished = |died_behind: usize| {
        let mut rig = Rig::ready(Parking::default());
        rig.start(&without_end);
        rig.until(|rig| {
            let is_over = rig.events.contains(&JobEvent::Completed) && rig.host.is_ready();
            rig.accepted.len() >= died_behind || is_over
        });
        rig
    };
    let whole = finished(usize::MAX);
    let last = whole.accepted.iter().rposition(|line| line.starts_with("G1")).unwrap();
    assert!(whole.accepted.len() > last + 4 && whole.printer.targets().are_off(), "{:?}", whole.accepted);
    for died_behind in last..=whole.accepted.len() {
        let mut rig = finished(died_behind);
        rig.leave_alone(3 * HOUR);
        let said = rig.accepted.last();
        assert!(rig.printer.targets().are_off(), "died behind line {died_behind}, {said:?}");
    }
}

/// The order to turn everything off is no proof that it is.
#[rstest]
fn it_is_taken_off_when_it_was_read_back_that_all_is_off(
    #[values("without an end", "cancelled", "left hot by another host")] how: &str,
) {
    let mut rig = Rig::printing(Parking::default());
    match how {
        "without an end" => {
            rig = Rig::ready(Parking::default());
            let mut without_end = file();
            without_end.truncate(100);
            rig.start(&without_end);
        }
        "cancelled" => rig.host.stop(rig.now, End::Cancelled),
        _ => {
            rig.host = Host::new(rig.now, Parking::default());
            rig.host.make_safe(rig.now, Safety::AllOff);
        }
    }
    let is_off = |rig: &Rig| rig.accepted.iter().any(|line| line == "M85 S0");
    rig.until(|rig| {
        let heating = rig.host.heating();
        assert!(!is_off(rig) || heating == Heating::Settled, "{heating:?}: {:?}", rig.accepted);
        is_off(rig)
    });
    assert!(rig.printer.targets().are_off());
}

#[rstest]
#[case::done(false)]
#[case::cancelled(true)]
fn an_idle_printer_stays_on(#[case] cancelled: bool) {
    let mut rig = Rig::printing(Parking::default());
    if cancelled {
        rig.host.stop(rig.now, End::Cancelled);
    }
    rig.until(|rig| rig.host.is_ready());
    // Until it was read back that all is off.
    rig.stay(Duration::from_secs(10));
    rig.leave_alone(9 * HOUR);
    assert!(!rig.printer.is_halted(), "{:?}", rig.accepted.iter().rev().take(9).collect::<Vec<_>>());
}

#[test]
fn a_printer_that_was_unplugged_in_mid_job_stays_on_once_its_host_is_back() {
    let mut rig = Rig::printing(Parking::default());
    rig.host.port_lost(rig.now);
    rig.leave_alone(Duration::from_secs(120));
    rig.host.port_opened(rig.now);
    rig.until(|rig| rig.host.is_ready());
    // Behind the last report that all is off.
    rig.stay(Duration::from_secs(10));
    rig.leave_alone(9 * HOUR);
    assert!(!rig.printer.is_halted());
}
