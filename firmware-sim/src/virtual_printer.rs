//! A printer behind its line, with the faults of both, on a clock that only the caller moves.
//!
//! Owns the way of every byte: host, line, faults, firmware, faults, line, host. Must not know: terminals, real
//! time, what a command means. This is what a test of a host talks to, and what the driver puts on a pty.
//!
//! All times are those of the line, since the printer was powered up; the printer's own clock runs
//! [`Profile::speed`] times as fast.
//!
//! ```
//! use std::time::Duration;
//! use firmware_sim::{faults::FaultPlan, profile::Profile, virtual_printer::VirtualPrinter};
//!
//! let mut printer = VirtualPrinter::new(Profile::default(), &FaultPlan::none(), 1);
//! let mut now = Duration::ZERO;
//! assert!(printer.output(now).starts_with(b"start\n"));
//! printer.receive(b"N1 G28*18\n", now);
//! while printer.accepted().is_empty() {
//!     now = printer.next_deadline().unwrap();
//!     printer.advance(now);
//! }
//! assert_eq!((printer.accepted()[0].number, printer.accepted()[0].text.as_str()), (Some(1), "G28"));
//! ```

mod events;
mod line;
mod outlet;

use std::collections::VecDeque;
use std::time::Duration;

use crate::faults::{FaultKind, FaultPlan, Incoming, Rule};
use crate::firmware::{Config, Contact, Firmware, Plate};
use crate::profile::Profile;
use crate::random::Random;
use line::Line;
use outlet::Outlet;

pub use crate::firmware::{Accepted, Targets};

/// From a reset to the banner, line time.
const BOOT_TIME: Duration = Duration::from_secs(1);

/// A fault that has struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Strike {
    /// When, line time.
    pub at: Duration,
    /// What.
    pub kind: FaultKind,
    /// How many lines of the host had ended by then.
    pub after_lines: u64,
}

/// The printer, its line and its faults.
///
/// Bytes go in with [`receive`](Self::receive) and come out with [`output`](Self::output); in between, come back
/// at the latest at [`next_deadline`](Self::next_deadline). Time never goes back.
#[derive(Debug)]
pub struct VirtualPrinter {
    config: Config,
    speed: f64,
    now: Duration,
    from_host: Line,
    to_host: Line,
    incoming: Incoming,
    outlet: Outlet,
    events: Vec<Rule>,
    /// Arrived, but the board makes the line wait.
    held: VecDeque<u8>,
    firmware: Firmware,
    /// Line time at which the firmware's clock stands at zero.
    booted_at: Duration,
    /// Taken by the caller and not yet read by the host.
    unread: usize,
    baud: Option<u32>,
    /// The host sends and reads at another rate: what arrives is noise.
    noise: Option<Random>,
    unplugged: Duration,
    unplugged_until: Option<Duration>,
    plugged_in: u32,
    resets: u32,
    lines: u64,
    accepted: Vec<Accepted>,
    strikes: Vec<Strike>,
}

impl VirtualPrinter {
    /// Powers a printer up at time zero. The same seed, plan and host give the same run.
    #[must_use]
    pub fn new(profile: Profile, plan: &FaultPlan, seed: u64) -> Self {
        let Profile { config, line, speed } = profile;
        let config = Config { pace: speed, ..config };
        let mut printer = Self {
            firmware: Firmware::new(config.clone()),
            config,
            speed,
            now: Duration::ZERO,
            from_host: Line::new(line.baud, line.latency),
            to_host: Line::new(line.baud, line.latency),
            incoming: Incoming::new(plan, seed),
            outlet: Outlet::new(plan, seed),
            events: Rule::events(plan, seed),
            held: VecDeque::new(),
            unread: 0,
            baud: line.baud,
            noise: None,
            booted_at: Duration::ZERO,
            unplugged: events::UNPLUGGED,
            unplugged_until: None,
            plugged_in: 1,
            resets: 0,
            lines: 0,
            accepted: Vec::new(),
            strikes: Vec::new(),
        };
        printer.collect();
        printer
    }

    /// The host writes bytes at `now`. All are taken; they arrive when the line has carried them.
    pub fn receive(&mut self, bytes: &[u8], now: Duration) {
        self.advance(now);
        if self.is_plugged() {
            self.from_host.send(bytes, self.now);
        }
        self.advance(now);
    }

    /// What has arrived at the host by `now` and was not taken yet.
    pub fn output(&mut self, now: Duration) -> Vec<u8> {
        self.advance(now);
        let mut bytes = Vec::new();
        self.to_host.arrived(self.now, &mut bytes);
        self.distort(&mut bytes);
        bytes
    }

    /// Says how much of the output the host has not read yet: reports nobody asked for are left out while much is
    /// waiting.
    pub fn set_unread(&mut self, bytes: usize) {
        self.unread = bytes;
    }

    /// Says at what rate the host sends and reads from now on. If the line has one and it is another, both sides
    /// receive garbage. Without a word of it the host's rate is right.
    pub fn set_host_baud(&mut self, baud: Option<u32>) {
        let right = self.baud.is_none() || baud.is_none() || self.baud == baud;
        self.noise = (!right).then(|| self.noise.take().unwrap_or_else(|| Random::new(0, 0)));
    }

    /// Lets time pass until `now`. Everything due on the way happens in its order and at its time.
    pub fn advance(&mut self, now: Duration) {
        while let Some(due) = self.next_event() {
            if due > now {
                break;
            }
            self.now = self.now.max(due);
            self.step();
        }
        self.now = self.now.max(now);
    }

    /// When something happens next if the host does nothing: output arrives, a timer ends. `None`: never.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Duration> {
        [self.next_event(), self.to_host.next()].into_iter().flatten().min()
    }

    /// Every command the firmware took from its queue to execute since power-up, over all resets, in order.
    #[must_use]
    pub fn accepted(&self) -> &[Accepted] {
        &self.accepted
    }

    /// Takes the accepted commands away, for a caller that keeps them elsewhere.
    pub fn take_accepted(&mut self) -> Vec<Accepted> {
        std::mem::take(&mut self.accepted)
    }

    /// What the heaters are set to, seen from outside: also while nobody can ask the firmware.
    #[must_use]
    pub fn targets(&self) -> Targets {
        self.firmware.targets()
    }

    /// The faults that have struck, in order.
    #[must_use]
    pub fn strikes(&self) -> &[Strike] {
        &self.strikes
    }

    /// Where the nozzle met plastic that stands on the plate, the first ones, over all resets; none where nobody watches
    /// ([`Config::watches_plate`]).
    #[must_use]
    pub fn collisions(&self) -> &[Contact] {
        self.firmware.plate().map(Plate::contacts).unwrap_or_default()
    }

    /// Whether the firmware was killed: silent until [`reset`](Self::reset).
    #[must_use]
    pub fn is_halted(&self) -> bool {
        self.firmware.is_halted()
    }

    /// How often the controller was started again since power-up.
    #[must_use]
    pub fn resets(&self) -> u32 {
        self.resets
    }

    /// Somebody locks or unlocks the printer at its panel.
    pub fn lock(&mut self, locked: bool) {
        self.firmware.lock(locked);
    }

    /// Whether its firmware waits for somebody.
    #[must_use]
    pub fn waits_for_a_person(&self) -> bool {
        self.firmware.waits_for_a_person()
    }

    /// Somebody presses the button at the printer at `now`.
    pub fn click(&mut self, now: Duration) {
        self.advance(now);
        let now = self.printer_time();
        self.firmware.click(now);
        self.collect();
    }

    /// Whether the cable is in.
    #[must_use]
    pub fn is_plugged(&self) -> bool {
        self.unplugged_until.is_none()
    }

    /// How often the cable was put in, from 1: the device has another name each time.
    #[must_use]
    pub fn plugged_in(&self) -> u32 {
        self.plugged_in
    }

    /// Bytes the host has written and the printer has not received: what a host would find in its own buffer.
    #[must_use]
    pub fn backlog(&self) -> usize {
        self.from_host.backlog() + self.held.len()
    }

    /// Bytes on their way to the host, arrived ones included.
    #[must_use]
    pub fn output_backlog(&self) -> usize {
        self.to_host.backlog()
    }

    /// Bytes lost since the last reset because more came than the receive buffer holds.
    #[must_use]
    pub fn overrun(&self) -> u64 {
        self.firmware.overrun()
    }

    fn next_event(&self) -> Option<Duration> {
        let firmware = self.firmware.next_deadline().map(|due| self.line_time(due));
        // A freshly started firmware has its banner to say.
        let boot = (self.booted_at > self.now).then_some(self.booted_at);
        let timed = self.events.iter().filter_map(Rule::due).min();
        let times = [firmware, boot, timed, self.from_host.next(), self.outlet.next(), self.unplugged_until];
        times.into_iter().flatten().min()
    }

    /// Does what is due at `self.now`.
    fn step(&mut self) {
        if self.unplugged_until.is_some_and(|until| self.now >= until) {
            self.unplugged_until = None;
            self.plugged_in += 1;
        }
        self.strike_in_time();
        let mut bytes = Vec::new();
        self.from_host.arrived(self.now, &mut bytes);
        self.distort(&mut bytes);
        let mut arrived = Vec::with_capacity(bytes.len());
        for byte in bytes {
            self.pass(byte, &mut arrived);
        }
        self.feed(&arrived);
        let now = self.printer_time();
        self.firmware.set_backlog(self.to_host.backlog() + self.unread);
        self.firmware.advance(now);
        self.collect();
    }

    /// A byte has come over the line; the firmware gets a line's bytes together, which all arrive by now.
    fn pass(&mut self, byte: u8, arrived: &mut Vec<u8>) {
        let before = arrived.len();
        if let Some(kind) = self.incoming.pass(byte, self.now, arrived) {
            if kind == FaultKind::ResendStorm {
                self.outlet.repeat_next_resend();
            }
            self.note(kind);
        }
        if byte == b'\n' {
            // Before the firmware sees the line's end: a stall holds its answer, a reset forgets it.
            let end = arrived.split_off(before);
            self.feed(arrived);
            self.lines += 1;
            self.strike_at_line();
            *arrived = end;
            self.feed(arrived);
            arrived.clear();
        }
    }

    /// Offers bytes to the firmware, those it could not take before first.
    fn feed(&mut self, bytes: &[u8]) {
        if self.now < self.booted_at {
            return;
        }
        self.held.extend(bytes);
        if self.held.is_empty() {
            return;
        }
        let now = self.printer_time();
        let taken = self.firmware.receive(now, self.held.make_contiguous());
        self.held.drain(..taken);
    }

    /// Carries on what the firmware said and did.
    fn collect(&mut self) {
        if self.now < self.booted_at {
            return;
        }
        self.accepted.append(&mut self.firmware.take_accepted());
        let said = std::mem::take(self.firmware.output());
        let Self { outlet, strikes, lines, now, .. } = self;
        outlet.say(&said, *now, |kind| strikes.push(Strike { at: *now, kind, after_lines: *lines }));
        let bytes = outlet.take(*now);
        if self.is_plugged() {
            self.to_host.send(&bytes, self.now);
        }
    }

    fn note(&mut self, kind: FaultKind) {
        self.strikes.push(Strike { at: self.now, kind, after_lines: self.lines });
    }

    fn printer_time(&self) -> Duration {
        let since = self.now.saturating_sub(self.booted_at);
        if self.speed == 1.0 { since } else { since.mul_f64(self.speed) }
    }

    /// Rounded up, so that the printer's time has surely come.
    fn line_time(&self, printer: Duration) -> Duration {
        if self.speed == 1.0 {
            return self.booted_at + printer;
        }
        let grain = Duration::from_nanos((2.0 / self.speed) as u64).max(Duration::from_micros(1));
        self.booted_at + printer.div_f64(self.speed) + grain
    }
}
