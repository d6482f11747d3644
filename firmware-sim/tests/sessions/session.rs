//! Plays a conversation: `>` is sent, `<` must come back, and nothing else may; `+2.5` lets simulated time pass. A `…`
//! at the end of an expected line stands for any rest. Lines joined by ` | ` are sent in one piece.

use std::time::Duration;

use firmware_sim::firmware::{Config, Firmware};

/// A printer and what it has said since the last check.
pub(crate) struct Session {
    pub(crate) firmware: Firmware,
    now: Duration,
    pub(crate) received: Vec<String>,
}

impl Session {
    pub(crate) fn boot(advanced_ok: bool) -> Self {
        let config = Config {
            advanced_ok,
            ambient_c: 19.38,
            travel_mm: [200.0; 3],
            receive_buffer: None,
            ..Config::default()
        };
        Self::with(config)
    }

    /// Any build, its banner behind it.
    pub(crate) fn with(config: Config) -> Self {
        let mut session = Self { firmware: Firmware::new(config), now: Duration::ZERO, received: Vec::new() };
        session.collect();
        session.received.clear();
        session
    }

    fn collect(&mut self) {
        let bytes = std::mem::take(self.firmware.output());
        let text = String::from_utf8(bytes).unwrap();
        self.received.extend(text.lines().map(str::to_owned));
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        assert_eq!(self.firmware.receive(self.now, bytes), bytes.len());
        self.collect();
    }

    pub(crate) fn wait(&mut self, seconds: f64) {
        self.now += Duration::from_secs_f64(seconds);
        self.firmware.advance(self.now);
        self.collect();
    }

    /// Everything received since the last check must be exactly this.
    fn check(&mut self, expected: &mut Vec<&str>, before: &str) {
        let fits = |(got, wanted): (&String, &&str)| match wanted.strip_suffix('…') {
            Some(head) => got.starts_with(head),
            None => got == wanted,
        };
        let same = self.received.len() == expected.len() && self.received.iter().zip(&*expected).all(fits);
        assert!(same, "before `{before}`\n got: {:#?}\nnot: {expected:#?}", self.received);
        self.received.clear();
        expected.clear();
    }

    pub(crate) fn play(&mut self, script: &str) {
        let mut expected = Vec::new();
        for step in script.lines().map(str::trim_start).filter(|line| !line.is_empty()) {
            if let Some(line) = step.strip_prefix("< ").or(step.strip_prefix('<')) {
                expected.push(line);
                continue;
            }
            self.check(&mut expected, step);
            if let Some(lines) = step.strip_prefix("> ").or(step.strip_prefix('>')) {
                self.send(format!("{}\n", lines.replace(" | ", "\n")).as_bytes());
            } else if let Some(seconds) = step.strip_prefix('+') {
                self.wait(seconds.parse().unwrap());
            } else {
                panic!("not a step: {step}");
            }
        }
        self.check(&mut expected, "the end");
    }
}
