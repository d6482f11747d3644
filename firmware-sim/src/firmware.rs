//! The printer: Marlin's serial protocol and its kin's, the queue, a planner, heaters. Sans-IO.
//!
//! Owns: everything between the received byte and the answered byte. Must not know: terminals, files, real time.
//! Time is a [`Duration`] since power-up on the simulated clock; the caller says how far it has come.
//!
//! # What is modelled
//!
//! Source: Marlin bugfix-2.1.x (September 2024) as observed on a serial line, and its documented configuration
//! defaults. The names in brackets are Marlin's options.
//!
//! | behaviour | module |
//! |---|---|
//! | bytes to lines: `\n` or `\r` end a line, `;` starts a comment, a line is cut after 95 bytes \[MAX_CMD_SIZE\], blank lines get no answer; what other firmwares do: `dialect/reading` | `assembler` |
//! | the command that a line is taken for | `meaning` |
//! | 127 bytes received and not yet read; what comes more is lost \[RX_BUFFER_SIZE 128\] | here |
//! | `N<n> …*<xor>`: order, checksum, `Error:…` + `Resend:` + bare `ok`; silence for the last line or the one before; M110 | `numbering` |
//! | M108, M112, M410, M876 act when they are received \[EMERGENCY_PARSER\] and run again from the queue | `emergency` |
//! | four commands wait \[BUFSIZE\]; a command's `ok` comes when it has been executed; `ok N P B` \[ADVANCED_OK\] | here |
//! | a move's `ok` comes when it fits among the 15 usable blocks \[BLOCK_BUFFER_SIZE 16\] of the planner | `planner` |
//! | look-ahead, trapezoids, corners by junction deviation or classic jerk, M201 and M203 to M205 | `planner`, `limits` |
//! | `echo:busy: …` every 2 s \[HOST_KEEPALIVE_FEATURE\], M113 | here |
//! | M104/M109/M140/M190/M141/M191/M105/M155, first-order heaters, residency of 10 s \[TEMP_RESIDENCY_TIME\] | `thermal`, `heat_wait` |
//! | positions, G90/G91/M82/M83/G92, soft end stops, cold extrusion | `motion` |
//! | M0/M1 with host prompts \[HOST_PROMPT_SUPPORT\] | `gcode` |
//! | M85 counts from moves, waits for heat and itself; in a dwell and in M226 it counts on | `machine` |
//! | kill: three lines, then silence until the power is cycled | `machine` |
//!
//! | arcs in pieces of 1 mm at most \[MAX_ARC_SEGMENT_MM\] | `arc` |
//! | M20 to M25, M27 and M524, a print started at the panel | `card` |
//! | M600 and M0 wait for a person, who answers at the printer by M108 or M876 | `gcode` |
//! | M600 of a printer with a menu: nozzle timeout, reheating, purge more | `filament_change` |
//! | what other firmwares say otherwise | `dialect` |
//! | what was extruded where, and moves of the nozzle through it \[no firmware: seen from outside\] | `plate` |
//!
//! Known simplifications: reports nobody asked for at the moment (temperatures, `busy`, `wait`) are left out while
//! more than 4 KiB wait for a host that does not read; G29 only takes its time; a print from the memory card is a
//! length and a speed, its commands move nothing; stored settings, pressure advance and the like are accepted and
//! kept, and change nothing. A host that toggles DTR resets most boards; a pty has no such line, so that can't be simulated
//! on one: the fault `reset` and `VirtualPrinter::reset` are what comes of it.

mod arc;
mod assembler;
mod card;
mod command;
mod config;
mod dialect;
mod emergency;
mod filament_change;
mod gcode;
mod heat_wait;
mod identity;
mod kept;
mod limits;
mod machine;
mod meaning;
mod motion;
mod numbering;
mod panel;
mod planner;
mod plate;
mod stage;
mod thermal;
mod unasked;
mod watched;

use std::collections::VecDeque;
use std::time::Duration;

use assembler::LineAssembler;
use dialect::{Complaint, Speech};
use emergency::{Emergency, EmergencyParser};
use filament_change::Answer;
use machine::Machine;
use numbering::{LineCounter, QueuedLine, Verdict};
use stage::Stage;

pub use config::{Config, KeepAlive};
pub use dialect::Dialect;
pub use kept::SetTo;
pub use limits::Corner;
pub use machine::Failure;
pub use plate::{Contact, ContactKind, Plate};
pub use thermal::Targets;

/// Bytes a board with native USB takes before it makes the host wait.
const USB_BUFFER: usize = 16 * 1024;
/// Reports that nobody asked for right now are dropped while more than this waits to be sent.
const REPORT_BACKLOG: usize = 4096;

/// A command the printer took from its queue to execute: what it really did, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Which start of the controller: 0 is power-up, every reset one more.
    pub boot: u32,
    /// Simulated time since that start.
    pub at: Duration,
    /// The line number it came with, if any.
    pub number: Option<i64>,
    /// The command without line number and checksum, trimmed, as this firmware reads it: Marlin's ends at a star.
    pub text: String,
}

/// A printer's firmware as a state machine.
///
/// Call [`receive`](Self::receive) with bytes from the host and [`advance`](Self::advance) at the latest when
/// [`next_deadline`](Self::next_deadline) has come; then take the output and the accepted commands.
#[derive(Debug)]
pub struct Firmware {
    boot: u32,
    now: Duration,
    /// Output taken by the caller and not yet with the host, bytes.
    backlog: usize,
    received: VecDeque<u8>,
    assembler: LineAssembler,
    emergency: EmergencyParser,
    counter: LineCounter,
    queue: VecDeque<QueuedLine>,
    /// What the command at the head of the queue waits for, once it has been started.
    running: Option<Stage>,
    /// When the next `busy` line is due, while a command is running.
    busy_at: Duration,
    /// When it last said `wait`.
    waited: Duration,
    /// When the last byte came, or the last request was repeated.
    heard: Duration,
    /// The firmware's loop stands still until then.
    stalled_until: Option<Duration>,
    /// Bytes that came when the receive buffer was full.
    overrun: u64,
    machine: Machine,
    accepted: Vec<Accepted>,
}

impl Firmware {
    /// Powers the printer up at simulated time zero; the boot banner is the first output.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self::restarted(config, 0)
    }

    /// The controller after a reset; nothing of what it knew is left but how often that has happened.
    #[must_use]
    pub fn restarted(mut config: Config, boot: u32) -> Self {
        if boot > 0 {
            // Nobody is at the panel again.
            config.card |= config.prints_from_card.take().is_some();
        }
        Self {
            boot,
            backlog: 0,
            now: Duration::ZERO,
            received: VecDeque::new(),
            assembler: LineAssembler::default(),
            emergency: EmergencyParser::default(),
            counter: LineCounter::default(),
            queue: VecDeque::with_capacity(config.dialect.speech().queue),
            running: None,
            busy_at: Duration::ZERO,
            waited: Duration::ZERO,
            heard: Duration::ZERO,
            stalled_until: None,
            overrun: 0,
            machine: Machine::boot(config, boot > 0),
            accepted: Vec::new(),
        }
    }

    /// Takes bytes from the host at `now` and returns how many. A board with a receive buffer takes all and loses
    /// those it has no room for; one with native USB takes what it has room for, and the caller offers the rest
    /// again.
    pub fn receive(&mut self, now: Duration, bytes: &[u8]) -> usize {
        self.advance(now);
        if self.machine.halted {
            return bytes.len();
        }
        let taken = bytes.len().min(self.room());
        if taken > 0 {
            self.heard = self.now;
        }
        for &byte in bytes.iter().take(taken) {
            if let Some(emergency) =
                self.emergency.take(byte).filter(|_| self.machine.config.emergency_parser)
            {
                // What came before it has been looked at by then, as on a board whose loop outruns its line.
                self.settle();
                self.act_on(emergency);
            }
            self.keep(byte);
        }
        self.settle();
        taken
    }

    fn keep(&mut self, byte: u8) {
        let capacity = self.machine.config.receive_buffer.unwrap_or(USB_BUFFER);
        if self.received.len() >= capacity {
            // The loop empties the buffer between two bytes, unless the queue is full.
            self.settle();
        }
        if self.received.len() < capacity {
            self.received.push_back(byte);
        } else {
            self.overrun += 1;
        }
    }

    /// How many bytes [`receive`](Self::receive) takes now.
    #[must_use]
    pub fn room(&self) -> usize {
        match self.machine.config.receive_buffer {
            Some(_) => usize::MAX,
            None => USB_BUFFER.saturating_sub(self.received.len()),
        }
    }

    /// How many bytes were lost because the host sent more than the receive buffer holds.
    #[must_use]
    pub fn overrun(&self) -> u64 {
        self.overrun
    }

    /// Lets the firmware's loop stand still from `now` for a time: bytes still arrive in the receive buffer,
    /// nothing is done with them and nothing said. Motion goes on by itself.
    pub fn stall(&mut self, now: Duration, time: Duration) {
        self.advance(now);
        self.stalled_until = Some(now + time);
    }

    /// Stops the firmware for good at `now`: it says why and is silent until the power is cycled.
    pub fn fail(&mut self, now: Duration, failure: Failure) {
        self.advance(now);
        self.stalled_until = None;
        if !self.machine.dead {
            self.machine.fail(failure);
            self.end_dead();
        }
    }

    /// Lets simulated time pass until `now`. Everything due on the way happens in its order and at its time.
    pub fn advance(&mut self, now: Duration) {
        while let Some(due) = self.next_deadline() {
            if due > now {
                break;
            }
            self.now = self.now.max(due);
            self.settle();
        }
        self.now = self.now.max(now);
    }

    /// When [`advance`](Self::advance) must be called next if no bytes come; `None`: the printer waits for the host.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Duration> {
        if self.machine.halted {
            return None;
        }
        if self.stalled_until.is_some() {
            return self.stalled_until;
        }
        let stage = self.running.as_ref().and_then(|stage| stage.deadline(&self.machine));
        let busy = self.machine.keepalive.and(self.busy_mark()).map(|_| self.busy_at);
        let kill = self.machine.inactivity_kill_at(self.running.as_ref());
        let card = self.machine.card.ends_at();
        [stage, busy, self.machine.next_report(), kill, self.next_wait(), self.next_asking(), card]
            .into_iter()
            .flatten()
            .min()
    }

    /// When an idle printer says `wait` next.
    fn next_wait(&self) -> Option<Duration> {
        let idle = self.running.is_none() && self.machine.config.says_wait;
        idle.then(|| self.waited.max(self.machine.last_activity) + dialect::WAIT_EVERY)
    }

    /// When it asks again for what it waits for.
    fn next_asking(&self) -> Option<Duration> {
        let patience = self.machine.speech().asks_again?;
        let lacks = self.counter.is_waiting() || self.assembler.is_within_line();
        // What has come is read before anything is asked for (readFromSerial in Repetier's gcode.cpp).
        let waits = !self.machine.dead && lacks && self.received.is_empty();
        waits.then(|| self.heard + patience)
    }

    /// Bytes for the host, not yet taken. The driver drains what it could send.
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.machine.out
    }

    /// Says how many bytes of the output taken are still on their way to the host.
    pub fn set_backlog(&mut self, bytes: usize) {
        self.backlog = bytes;
    }

    /// The commands accepted since the last call, in order.
    pub fn take_accepted(&mut self) -> Vec<Accepted> {
        std::mem::take(&mut self.accepted)
    }

    /// What the heaters are set to now.
    #[must_use]
    pub fn targets(&self) -> Targets {
        self.machine.thermal.targets()
    }

    /// What the commands so far have set for good.
    #[must_use]
    pub fn set_to(&self) -> SetTo {
        self.machine.set_to()
    }

    /// Whether the firmware was killed: it does nothing until the power is cycled, and most say nothing.
    #[must_use]
    pub fn is_halted(&self) -> bool {
        self.machine.dead
    }

    /// Does everything that is due at `self.now`.
    fn settle(&mut self) {
        if self.stalled_until.is_some_and(|until| self.now < until) {
            return;
        }
        self.stalled_until = None;
        self.machine.check_inactivity(self.now, self.running.as_ref());
        self.machine.advance_card(self.now);
        self.ask_again();
        while !self.machine.halted {
            self.read_lines();
            let Some(stage) = self.running.take() else {
                if !self.start_next() {
                    break;
                }
                continue;
            };
            match self.machine.proceed(stage, self.now) {
                Stage::Done => self.finish(true),
                Stage::Answered => self.finish(false),
                waiting => {
                    self.running = Some(waiting);
                    break;
                }
            }
        }
        self.report();
    }

    fn start_next(&mut self) -> bool {
        let Some(line) = self.queue.front() else { return false };
        let text = meaning::of(self.machine.config.dialect, &line.text).into_owned();
        self.accepted.push(Accepted {
            boot: self.boot,
            at: self.now,
            number: line.number,
            text: text.clone(),
        });
        self.machine.last_activity = self.now;
        // Marlin from 2.0.7 on counts from moves and waits, and from M85 itself (`reset_stepper_timeout`); others from
        // any command (`previous_millis_cmd`).
        if self.machine.config.dialect != Dialect::Marlin {
            self.machine.last_motion = self.now;
        }
        if let Some(keepalive) = self.machine.keepalive {
            self.busy_at = self.now + keepalive;
        }
        let stage = gcode::execute(&mut self.machine, &mut self.counter, &text, self.now);
        self.running = Some(stage);
        true
    }

    /// The running command is done: its `ok` counts it as still in the queue, as Marlin's does.
    fn finish(&mut self, say_ok: bool) {
        let Speech { queue, ok_on_reception, .. } = self.machine.speech();
        if say_ok && !ok_on_reception {
            let number = self.queue.front().and_then(|line| line.number);
            self.machine.ok(number, queue - self.queue.len().min(*queue));
        }
        self.queue.pop_front();
    }

    fn read_lines(&mut self) {
        let speech = self.machine.speech();
        while self.queue.len() < speech.queue {
            let Some(byte) = self.received.pop_front() else { break };
            let Some(line) = self.assembler.take(byte, &speech.reading) else { continue };
            match self.counter.check(&line, speech.counting, &speech.reading) {
                Verdict::Queue(line) => {
                    // Repetier's M112 comes to its end before the `ok` (gcode.cpp, checkAndPushCommand).
                    if speech.ok_on_reception && line.text != "M112" {
                        // Its M110 has no number of its own.
                        let number =
                            if line.text.starts_with("M110") { None } else { line.number.or(Some(0)) };
                        self.machine.ok(number, 0);
                    }
                    self.queue.push_back(line);
                }
                Verdict::AlreadyAccepted => {}
                Verdict::Skip(number) => {
                    self.machine.line(&format!("skip {number}"));
                    self.machine.line("ok");
                }
                Verdict::Reject(complaint) => {
                    for line in complaint.lines(self.machine.config.dialect, self.counter.last()) {
                        self.machine.line(&line);
                    }
                    if self.machine.config.reject_empties_buffer {
                        self.received.clear();
                    }
                }
            }
        }
    }

    /// The rest of a line does not come, or a line that was asked for.
    fn ask_again(&mut self) {
        if self.next_asking().is_none_or(|at| self.now < at) {
            return;
        }
        self.heard = self.now;
        self.received.clear();
        self.assembler.clear();
        self.counter.wait(self.machine.speech().counting);
        for line in Complaint::asking_again(self.machine.config.dialect, self.counter.last()) {
            self.machine.line(&line);
        }
    }

    /// Firmware that still answers when it is dead waits for nothing any more.
    fn end_dead(&mut self) {
        self.running = self.running.take().map(|_| Stage::Done);
        self.settle();
    }

    fn act_on(&mut self, emergency: Emergency) {
        match emergency {
            Emergency::Kill => {
                self.machine.kill_by_host();
                self.end_dead();
            }
            Emergency::QuickStop => self.machine.quick_stop(self.now),
            Emergency::EndWait => self.answer(Answer::EndWait),
            Emergency::PromptAnswer(button) => self.answer(Answer::Button(button)),
        }
    }
}
