//! A second stop at once, while the first is followed up.

use std::collections::VecDeque;
use std::time::Duration;

use rstest::rstest;
use stardust_agent::serial::{Fed, Host, Parking};
use stardust_gcode::command::parse;

/// Firmware of a few words: it answers what it is asked in a greeting, and of a job nothing by itself.
struct Printer {
    host: Host,
    now: Duration,
    sent: String,
}

impl Printer {
    fn at_work() -> Self {
        let mut printer = Self {
            host: Host::new(Duration::ZERO, Parking::default()),
            now: Duration::ZERO,
            sent: String::new(),
        };
        while !printer.host.is_ready() {
            printer.answer();
            assert!(printer.now < Duration::from_secs(60), "{:?}", printer.host);
        }
        let job = ["G1 X100 F60", "G1 X0", "G1 X100", "G1 X0", "G1 X100", "G1 X0"];
        let fed = job.map(|text| Fed {
            command: parse(text.as_bytes()).unwrap().into_owned(),
            end: 1,
            layer: None,
        });
        assert!(printer.host.start(printer.now, Box::new(VecDeque::from(fed))));
        printer.sent.clear();
        while !printer.sent.contains("G1 ") {
            printer.answer();
            assert!(printer.now < Duration::from_secs(60), "{:?}", printer.host);
        }
        printer
    }

    /// What is sent before the first move is answered at once.
    fn answer(&mut self) {
        let sent = self.pass(Duration::from_millis(100));
        for line in sent.lines().filter(|line| !line.is_empty() && !line.contains("G1 ")) {
            let words = if line.contains("M115") { "FIRMWARE_NAME:Marlin 1.1.9\n" } else { "" };
            let answer = if line.contains("M105") { "ok T:20.0 /0.0 B:20.0 /0.0\n" } else { "ok\n" };
            self.host.receive(self.now, format!("{words}{answer}").as_bytes());
        }
    }

    /// What is sent within that time.
    fn pass(&mut self, time: Duration) -> String {
        let mut sent = String::new();
        let until = self.now + time;
        while self.now < until {
            self.now += Duration::from_millis(10);
            self.host.tick(self.now);
            sent += &String::from_utf8(self.host.take_output()).unwrap();
        }
        self.sent += &sent;
        sent
    }
}

/// The lines before the first one are answered one after the other, as their moves end: it gets to the stop behind them.
#[rstest]
fn what_is_answered_before_the_first_is_before_the_second(#[values(1, 2, 3)] stops: u32) {
    let mut printer = Printer::at_work();
    printer.pass(Duration::from_millis(500));
    let in_flight = printer.sent.matches("G1 ").count();
    assert!(in_flight >= 3, "it would be no test: {}", printer.sent);
    for _ in 0..stops {
        let stop = printer.host.kill(printer.now, "by Ada");
        assert!(stop.bytes.starts_with(b"\nM112\n"));
        assert_eq!(printer.pass(Duration::from_millis(300)), "");
    }
    for answered in 0..in_flight {
        printer.pass(Duration::from_millis(1200));
        printer.host.receive(printer.now, b"ok\n");
        assert!(!printer.sent.contains("M112"), "{answered}: it gets to it: {}", printer.sent);
    }
    // None of them is left: it goes on.
    printer.pass(Duration::from_secs(2));
    printer.host.receive(printer.now, b"ok\n");
    printer.pass(Duration::from_secs(4));
    assert!(printer.sent.contains("M112"), "{}", printer.sent);
}
