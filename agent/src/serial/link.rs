//! The reliable line: every numbered command reaches the firmware once, in order, whatever the wire does.
//!
//! Owns: flow control, resends, and finding out about lost `ok`s. The firmware's number check makes it exact:
//! it takes line N only after N−1, so what is sent twice is taken once. Credits (`ok`) only tell how much
//! may be in flight; a wrong one costs time, never a command.
//! Must not know: what the commands are for.

mod begun_anew;
mod probing;
mod record;

use std::collections::VecDeque;
use std::time::Duration;

use stardust_gcode::command::Command;

use super::caution::Caution;
use super::dialect::Dialect;
use super::history::History;
use super::link_fault::LinkFault;
use super::moves_ahead::MovesAhead;
use super::numbered::plain_line;
use super::numbering::Numbering;
use super::pace::Pace;
use super::patience::{self, Due, Patience};
use super::recovery::{Asked, Recovery};
use super::reply;
use super::window::{InFlight, Origin, Window};
pub(super) use record::{KeptLine, LinkRecord};

/// So many more advanced `ok`s than odd bare ones make the firmware one with ADVANCED_OK.
const ADVANCED_FROM: u8 = 3;
const ADVANCED_AT_MOST: u8 = 20;

/// The line to the firmware.
#[derive(Debug)]
pub(super) struct Link {
    window: Window,
    history: History,
    numbering: Numbering,
    /// The number of the line that is transmitted next; below the history's next number: lines are owed again.
    cursor: u32,
    /// The highest number whose acceptance has been told.
    told: u32,
    recovery: Recovery,
    caution: Caution,
    patience: Patience,
    /// How sure it is that this firmware has `ADVANCED_OK`.
    advanced_ok: u8,
    dialect: Dialect,
    output: Vec<u8>,
    accepted: VecDeque<Origin>,
    fault: Option<LinkFault>,
    /// An `ok` without temperatures has come since the last question that is to prove something.
    plain_ok: bool,
    /// How many questions were followed by such an `ok`, and by no Resend.
    plain_proofs: u8,
    /// This firmware was found to answer every question by a plain `ok`.
    answers_plainly: bool,
    /// The moves that were sent.
    moves: MovesAhead,
    /// The last probe was a question of its own, not a line that was owed anyway.
    probed_by_question: bool,
    /// The numbers have to be set once more before anything else.
    renumber: bool,
    /// Lines of the host's own so far: of the numbering, scripts, probes.
    own_lines: u64,
}

impl Link {
    pub(super) fn new() -> Self {
        Self {
            window: Window::default(),
            history: History::new(),
            numbering: Numbering::default(),
            cursor: 1,
            told: 0,
            recovery: Recovery::default(),
            caution: Caution::default(),
            patience: Patience::default(),
            advanced_ok: 0,
            dialect: Dialect::default(),
            output: Vec::new(),
            accepted: VecDeque::new(),
            fault: None,
            plain_ok: false,
            plain_proofs: 0,
            answers_plainly: false,
            moves: MovesAhead::default(),
            probed_by_question: false,
            renumber: false,
            own_lines: 0,
        }
    }

    /// The same anew, for a firmware of which nothing is known.
    pub(super) fn anew(&self) -> Self {
        Self { numbering: self.numbering.anew(), ..Self::new() }
    }

    /// No number up to this one is used.
    pub(super) fn leave_out(&mut self, last: u32) {
        self.numbering.leave_out(last);
    }

    /// Whether the line is empty and nothing is owed.
    pub(super) fn is_idle(&self) -> bool {
        self.window.is_empty() && !self.owes()
    }

    /// Whether lines have to be sent again before anything new.
    fn owes(&self) -> bool {
        self.renumber || self.recovery.is_on() || self.cursor < self.history.next_number()
    }

    /// Whether numbered lines have to be sent again.
    pub(super) fn owes_lines(&self) -> bool {
        self.cursor < self.history.next_number()
    }

    /// Whether what is in flight is the host's own, and nothing of a job.
    pub(super) fn awaits_only_its_own(&self) -> bool {
        self.window.is_own()
    }

    /// Whether a command in flight waits for a temperature or a person.
    pub(super) fn is_waiting(&self) -> bool {
        self.window.is_waiting()
    }

    /// Whether this firmware says what it is at while it is at work.
    pub(super) fn says_busy(&self) -> bool {
        self.patience.says_busy()
    }

    /// Whether this command may be sent now.
    pub(super) fn has_room(&self, command: &Command<'_>) -> bool {
        // `N4294967295 ` and `*255\n` at most, without the digits that the number does not have.
        let digits = self.history.next_number().checked_ilog10().unwrap_or(0) as usize + 1;
        let bytes = command.text().len() + digits + 7;
        !self.owes() && self.window.has_room(bytes, Pace::of(command), self.max_lines())
    }

    fn max_lines(&self) -> usize {
        self.caution.max_lines().min(self.dialect.max_lines())
    }

    /// The firmware has said what it is.
    pub(super) fn set_dialect(&mut self, dialect: Dialect) {
        self.dialect = dialect;
        self.patience.set_hasty(dialect.counts_lines() && !dialect.reports_apart());
    }

    /// Whose firmware it is.
    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The number that the next new line gets.
    pub(super) fn next_number(&self) -> u32 {
        self.history.next_number()
    }

    /// Sends a numbered command: there must be room.
    pub(super) fn send(&mut self, now: Duration, command: &Command<'_>, origin: Origin) {
        self.own_lines += u64::from(!matches!(origin, Origin::File { .. }));
        self.history.add(command.text(), Pace::of(command), origin);
        self.transmit_next(now);
    }

    /// Sends a command alone: there must be nothing in flight. It has a number as all have: a line without one
    /// can't be asked for again, and damage makes another command of it that nobody notices (`M113` is `M112` but
    /// for one bit).
    pub(super) fn send_alone(&mut self, now: Duration, command: &Command<'_>) {
        let pace = Pace { alone: true, ..Pace::of(command) };
        self.own_lines += 1;
        self.history.add(command.text(), pace, Origin::Host);
        self.transmit_next(now);
    }

    /// Asks for a proof that everything sent before has been taken: no stray `ok` can stand for its answer, and
    /// its number brings to light that the line before was lost. There must be nothing in flight.
    pub(super) fn send_proof(&mut self, now: Duration) {
        self.own_lines += 1;
        self.history.add(patience::PROBE, Pace::PROOF, Origin::Host);
        self.transmit_next(now);
    }

    /// Sends a command at once, past everything. Its `ok` comes in its turn.
    pub(super) fn send_urgent(&mut self, now: Duration, command: &str) {
        let line = plain_line(command);
        self.output.extend_from_slice(&line);
        self.put_in_flight(
            now,
            InFlight {
                number: None,
                bytes: line.len(),
                pace: Pace::ORDINARY,
                origin: Origin::Host,
                sets_number: false,
                asks: false,
            },
        );
    }

    /// Forgets what has not been answered. The firmware may have taken it: it goes on counting.
    pub(super) fn give_up_waiting(&mut self) {
        self.window.clear();
        self.cursor = self.history.next_number();
    }

    /// The commands accepted since the last call, oldest first.
    pub(super) fn take_accepted(&mut self) -> Option<Origin> {
        self.accepted.pop_front()
    }

    pub(super) fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    pub(super) fn move_output(&mut self, output: &mut Vec<u8>) {
        output.append(&mut self.output);
    }

    pub(super) fn fault(&self) -> Option<&LinkFault> {
        self.fault.as_ref()
    }

    /// The firmware is alive and at work.
    pub(super) fn on_busy(&mut self, now: Duration, by_busy_line: bool) {
        self.patience.on_busy(now, by_busy_line);
    }

    /// Something came: the printer lives. `by_itself`: nobody asked for it, so more will come.
    pub(super) fn on_life(&mut self, now: Duration, by_itself: bool) {
        self.patience.on_life(now, by_itself);
    }

    /// What was just sent is a move that takes at least this long.
    pub(super) fn moves(&mut self, now: Duration, takes: Duration) {
        self.moves.sent(now, takes);
    }

    /// The firmware says that it has nothing to do: if something is in flight, its `ok` was lost.
    pub(super) fn on_wait(&mut self, now: Duration) {
        if !self.window.is_empty() && !self.recovery.is_on() {
            self.patience.on_wait(now);
        }
    }

    pub(super) fn on_ok(&mut self, now: Duration, ok: &reply::Ok) {
        self.patience.on_sign(now);
        self.advanced_ok = (self.advanced_ok + u8::from(ok.advanced)).min(ADVANCED_AT_MOST);
        // The bare `ok` behind a Resend accepts nothing; and firmware with ADVANCED_OK has no other bare ones.
        if ok.bare && (self.recovery.take_bare_ok(now) || self.is_bare_ok_odd()) {
            return;
        }
        // The probe is answered by temperatures: a bare `ok` may belong to a Resend that was damaged on its way.
        let reports_apart = self.answers_plainly || self.dialect.reports_apart();
        let answers = ok.temperatures.is_some() || ok.line.is_some() || reports_apart;
        if self.window.front_proves() && !answers {
            self.plain_ok = true;
            // It was heard: a question behind it whose own answer is lost is put again like a first one.
            self.patience.answered();
            self.patience.ask_soon(now);
            return;
        }
        let probed = (answers || !self.probed_by_question) && self.patience.answered();
        match ok.line {
            Some(number) if self.window.contains(number) => {
                while !self.window.is_empty()
                    && self.window.front_number().is_none_or(|front| front <= number)
                    && self.credit()
                {}
            }
            // The answer to a numbered M110 carries a number of its own.
            Some(_) if self.window.front_number().is_none() => {
                self.credit();
            }
            Some(_) => {}
            None if probed => self.credit_up_to_question(),
            None => {
                self.credit();
            }
        }
    }

    /// Whether a bare `ok` is no answer of this firmware. Damage can make an `ok` look advanced that is not: where
    /// bare ones keep coming they are believed again.
    fn is_bare_ok_odd(&mut self) -> bool {
        let odd = self.advanced_ok >= ADVANCED_FROM;
        self.advanced_ok = self.advanced_ok.saturating_sub(2);
        odd
    }

    /// The oldest line in flight was accepted. An `ok` too many credits nothing.
    pub(super) fn credit(&mut self) -> bool {
        let Some(line) = self.window.pop() else {
            // Others may have been too many, too, and then more was sent than there is room for.
            self.caution.resend_asked();
            return false;
        };
        match line.number {
            Some(number) if number > self.told => {
                self.told = number;
                self.recovery.accepted(number);
                self.accepted.push_back(line.origin);
            }
            _ => {}
        }
        true
    }

    pub(super) fn on_resend(&mut self, now: Duration, number: u32) {
        self.plain_ok = false;
        self.plain_proofs = 0;
        self.patience.on_sign(now);
        self.patience.answered();
        if self.window.take_numbering() {
            self.renumber = true;
            self.recovery.begin(now, 0);
        }
        if self.history.is_empty() {
            // Numbers of an earlier life.
            return;
        }
        let known = self.cursor.max(self.history.next_number());
        let kept = self.history.get(number).is_some();
        let fault = match self.recovery.asked(now, number, known, self.told, kept) {
            Asked::Nothing => None,
            Asked::Again => {
                let dead = self.window.drop_from(number);
                self.recovery.begin(now, dead.saturating_sub(1));
                self.caution.resend_asked();
                self.cursor = number;
                None
            }
            Asked::TooOften => {
                let text = self.history.text(number).unwrap_or_default().to_owned();
                Some(LinkFault::SameLine { number, text })
            }
            Asked::Odd(times) => {
                let base = self.numbering.base();
                let unproved = self.told == base && (number <= base || number > known);
                // Twice: one request may be damaged, or be a late one of before, and setting the numbers in vain would double what was
                // sent behind them.
                let at_once = self.cursor == base + 1 || self.dialect.skips_with_ok();
                let is_certain = times > 1 && (unproved || self.numbering.is_stale(number, self.told));
                if unproved && at_once || is_certain {
                    // The line that sets the number was damaged into one that does nothing.
                    self.window.clear();
                    self.told = base;
                    self.cursor = base + 1;
                    self.renumber = true;
                } else {
                    self.patience.lose();
                }
                self.recovery.begin(now, 0);
                None
            }
            Asked::Past => Some(LinkFault::Restarted(number)),
            Asked::Future => Some(LinkFault::Future(number)),
        };
        self.fault = self.fault.take().or(fault);
    }

    /// Sends what is owed and finds out what was lost, as far as it is time for it.
    pub(super) fn poll(&mut self, now: Duration) {
        if !self.recovery.is_over(now) || self.fault.is_some() {
            return;
        }
        if std::mem::take(&mut self.renumber) {
            self.set_number(now);
        }
        while self.cursor < self.history.next_number() {
            let Some(line) = self.history.get(self.cursor) else { break };
            if !self.window.has_room(line.bytes.len(), line.pace, self.max_lines()) {
                break;
            }
            self.transmit_next(now);
        }
        self.moves.pass(now);
        if self.window.is_empty() {
            return;
        }
        match self.patience.due(now, &self.awaited()) {
            None => {}
            Some(Due::Probe) => self.probe(now),
            Some(Due::GiveUp) => self.fault = Some(LinkFault::Silent),
        }
    }

    /// When [`Self::poll`] has something to do at the latest.
    pub(super) fn deadline(&self) -> Option<Duration> {
        if self.fault.is_some() {
            return None;
        }
        if self.recovery.is_on() {
            return self.recovery.deadline();
        }
        (!self.window.is_empty()).then(|| self.patience.deadline(&self.awaited()))
    }

    /// Transmits the line at the cursor.
    fn transmit_next(&mut self, now: Duration) {
        let Some(line) = self.history.get(self.cursor) else { return };
        self.output.extend_from_slice(&line.bytes);
        let (bytes, pace, origin) = (line.bytes.len(), line.pace, line.origin);
        self.put_in_flight(
            now,
            InFlight { number: Some(self.cursor), bytes, pace, origin, sets_number: false, asks: false },
        );
        self.cursor += 1;
        self.caution.line_sent();
    }

    fn put_in_flight(&mut self, now: Duration, line: InFlight) {
        if self.window.is_empty() {
            self.patience.on_sign(now);
        }
        self.window.push(line);
    }
}
