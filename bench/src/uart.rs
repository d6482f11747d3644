//! The fake printer: a pty with a wire of given speed and a firmware behind it, and what it sees of a host.
//!
//! Owns: the loop between them and the figures taken there. The same for every host that is measured.
//! Must not know: hosts, targets.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;
use stardust_clock::SharedClock;

use crate::firmware::{Firmware, Heard, Heater, REPORT};
use crate::pacing::{Direction, Pace};
use crate::pty::Pty;

/// The receive buffer of an AVR: what a host sends beyond it without an answer would be lost.
const RECEIVE_BUFFER: usize = 127;
/// Marlin's command queue.
const QUEUE: usize = 4;

/// What was seen of a host.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    /// Moves of the job that were accepted.
    pub(crate) moves: u64,
    /// Their bytes on the wire.
    pub(crate) bytes: u64,
    /// When the first byte of the first move was on the wire.
    pub(crate) first: Option<Duration>,
    /// When the last `ok` to a move was back at the host.
    pub(crate) last_ok: Duration,
    /// When the host had written the last move.
    pub(crate) last_written: Duration,
    /// When the last move had arrived.
    pub(crate) last_arrived: Duration,
    /// Hot end and bed were turned off behind the last move.
    pub(crate) hot_end_off: bool,
    pub(crate) bed_off: bool,
    /// Lines that had to be asked for again.
    pub(crate) refused: u64,
    /// Hosts that went on after one that was killed.
    pub(crate) revivals: Vec<Revival>,
    /// Times that more was under way than a real printer's buffers hold.
    pub(crate) overruns: u64,
}

/// A host that goes on with the job of one that is no more.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Revival {
    /// When the last move of the one before had arrived.
    pub(crate) last_move: Duration,
    /// When this one had written its first line: a question, which the firmware refuses.
    pub(crate) asked: Duration,
    /// When it had written its first move.
    pub(crate) went_on: Option<Duration>,
}

/// A line under way to the firmware.
struct Line {
    text: Vec<u8>,
    written: Duration,
    begun: Duration,
    arrives: Duration,
}

/// An answer under way to the host.
struct Answer {
    text: Vec<u8>,
    arrives: Duration,
    /// Of the line that it answers; 0 for a report.
    frees: usize,
    to_move: bool,
}

/// A fake printer that runs on a thread of its own.
pub(crate) struct Uart {
    stop: Arc<OwnedFd>,
    moves: Arc<AtomicU64>,
    revivals: Arc<AtomicU64>,
    thread: std::thread::JoinHandle<Result<Seen, Errno>>,
}

impl Uart {
    pub(crate) fn start(pty: Pty, pace: Pace, clock: SharedClock) -> std::io::Result<Self> {
        let stop = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        let (moves, revivals) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let mut run = Run {
            pty,
            pace,
            clock,
            stop: stop.clone(),
            moves: moves.clone(),
            revivals: revivals.clone(),
            firmware: Firmware::default(),
            to_firmware: Direction::new(pace),
            to_host: Direction::new(pace),
            partial: Vec::new(),
            lines: VecDeque::new(),
            answers: VecDeque::new(),
            spare: Vec::new(),
            unanswered: (0, 0),
            report_at: Duration::ZERO,
            output: Vec::new(),
            seen: Seen::default(),
        };
        let thread = std::thread::Builder::new().name("uart".into()).spawn(move || run.serve())?;
        Ok(Self { stop, moves, revivals, thread })
    }

    /// How many moves have arrived so far.
    pub(crate) fn moves(&self) -> u64 {
        self.moves.load(Ordering::Relaxed)
    }

    /// How many hosts have gone on with the job of another.
    pub(crate) fn revivals(&self) -> u64 {
        self.revivals.load(Ordering::Relaxed)
    }

    /// Ends it; tells what it saw.
    pub(crate) fn finish(self) -> std::io::Result<Seen> {
        rustix::io::write(&*self.stop, &1_u64.to_ne_bytes())?;
        match self.thread.join() {
            Ok(seen) => Ok(seen?),
            Err(_) => Err(std::io::Error::other("the fake printer's thread has failed")),
        }
    }
}

struct Run {
    pty: Pty,
    pace: Pace,
    clock: SharedClock,
    stop: Arc<OwnedFd>,
    moves: Arc<AtomicU64>,
    revivals: Arc<AtomicU64>,
    firmware: Firmware,
    to_firmware: Direction,
    to_host: Direction,
    partial: Vec<u8>,
    lines: VecDeque<Line>,
    answers: VecDeque<Answer>,
    spare: Vec<Vec<u8>>,
    /// Bytes and lines that the host has written and that no answer has come back for.
    unanswered: (usize, usize),
    report_at: Duration,
    output: Vec<u8>,
    seen: Seen,
}

impl Run {
    fn serve(&mut self) -> Result<Seen, Errno> {
        // Timers come up to 50 µs late by default: a byte takes 40.
        rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1))?;
        let mut buffer = [0_u8; 4096];
        loop {
            let now = self.clock.elapsed();
            self.arrive(now);
            self.deliver(now)?;
            let next = self.next();
            let timeout = next.map(|at| at.saturating_sub(self.clock.elapsed()));
            let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
            let stop = Arc::clone(&self.stop);
            let mut waits = [PollFd::new(&self.pty.master, PollFlags::IN), PollFd::new(&stop, PollFlags::IN)];
            match poll(&mut waits, timeout.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
            let [readable, stopped] = waits.map(|wait| !wait.revents().is_empty());
            if readable {
                match rustix::io::read(&self.pty.master, &mut buffer) {
                    Ok(count) => self.receive(buffer.get(..count).unwrap_or_default()),
                    Err(Errno::AGAIN | Errno::INTR | Errno::IO) => {}
                    Err(error) => return Err(error),
                }
            } else if stopped {
                return Ok(self.seen.clone());
            }
        }
    }

    fn next(&self) -> Option<Duration> {
        let line = self.lines.front().map(|line| line.arrives);
        let answer = self.answers.front().map(|answer| answer.arrives);
        let report = self.firmware.reports.then_some(self.report_at);
        [line, answer, report].into_iter().flatten().min()
    }

    /// The host has written.
    fn receive(&mut self, bytes: &[u8]) {
        let now = self.clock.elapsed();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let arrives = self.to_firmware.pass(now, part.len());
            self.partial.extend_from_slice(part);
            self.unanswered.0 += part.len();
            if self.partial.last() == Some(&b'\n') {
                let text = std::mem::replace(&mut self.partial, self.spare.pop().unwrap_or_default());
                let begun = arrives.saturating_sub(self.pace.time_of(text.len()));
                self.unanswered.1 += 1;
                self.lines.push_back(Line { text, written: now, begun, arrives });
            }
        }
        if self.unanswered.0 > RECEIVE_BUFFER || self.unanswered.1 > QUEUE {
            self.seen.overruns += 1;
        }
    }

    /// Lines that have arrived are answered.
    fn arrive(&mut self, now: Duration) {
        while self.lines.front().is_some_and(|line| line.arrives <= now) {
            let Some(line) = self.lines.pop_front() else { return };
            let mut text = self.spare.pop().unwrap_or_default();
            let heard = self.firmware.line(line.text.trim_ascii_end(), &mut text);
            self.note(heard, &line);
            let arrives = self.to_host.pass(line.arrives, text.len());
            let to_move = heard == Heard::Move;
            self.answers.push_back(Answer { text, arrives, frees: line.text.len(), to_move });
            self.reuse(line.text);
        }
        if self.firmware.reports && now >= self.report_at {
            self.report_at = now + Duration::from_secs(1);
            let arrives = self.to_host.pass(now, REPORT.len());
            self.answers.push_back(Answer { text: REPORT.to_vec(), arrives, frees: 0, to_move: false });
        }
    }

    fn note(&mut self, heard: Heard, line: &Line) {
        let seen = &mut self.seen;
        match heard {
            Heard::Move => {
                seen.moves += 1;
                seen.bytes += line.text.len() as u64;
                seen.first.get_or_insert(line.begun);
                (seen.last_written, seen.last_arrived) = (line.written, line.arrives);
                (seen.hot_end_off, seen.bed_off) = (false, false);
                self.moves.store(seen.moves, Ordering::Relaxed);
                if let Some(revival) = seen.revivals.last_mut().filter(|revival| revival.went_on.is_none()) {
                    revival.went_on = Some(line.written);
                    self.revivals.store(seen.revivals.len() as u64, Ordering::Relaxed);
                }
            }
            Heard::HeaterOff(Heater::HotEnd) => seen.hot_end_off = true,
            Heard::HeaterOff(Heater::Bed) => seen.bed_off = true,
            Heard::Other => {}
            Heard::Refused => {
                seen.refused += 1;
                let is_asked_again = seen.revivals.last().is_some_and(|revival| revival.went_on.is_none());
                if seen.moves > 0 && !is_asked_again {
                    let last_move = seen.last_arrived;
                    seen.revivals.push(Revival { last_move, asked: line.written, went_on: None });
                }
            }
        }
    }

    /// Answers that are back at the host are written.
    fn deliver(&mut self, now: Duration) -> Result<(), Errno> {
        self.output.clear();
        while self.answers.front().is_some_and(|answer| answer.arrives <= now) {
            let Some(answer) = self.answers.pop_front() else { break };
            self.output.extend_from_slice(&answer.text);
            if answer.frees > 0 {
                self.unanswered.0 -= answer.frees;
                self.unanswered.1 -= 1;
            }
            if answer.to_move {
                self.seen.last_ok = answer.arrives;
            }
            self.reuse(answer.text);
        }
        let mut rest = self.output.as_slice();
        while !rest.is_empty() {
            match rustix::io::write(&self.pty.master, rest) {
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                // The host does not read: a real wire would lose it too.
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn reuse(&mut self, mut text: Vec<u8>) {
        text.clear();
        self.spare.push(text);
    }
}
