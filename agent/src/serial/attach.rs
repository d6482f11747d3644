//! Going on with a job that another host has begun: finding out which line the firmware took last.
//!
//! Nothing of a handshake is sent: `M110` would forget the number. A line with a number far out of order changes nothing,
//! and the firmware answers with the number that it wants next (`Resend`). What it said before to the other host may
//! still be on the way, so it is asked twice, and once more by a line with just that number; its answer also comes
//! behind every `ok` that is still owed to lines of the other host.
//! Owns: the questions, their order, and how long an answer may take. Must not know: what is done with the number.

use std::time::Duration;

use super::numbered::numbered_line;
use super::patience::{MAX_PROBES, PROBE};
use super::reply;

/// As far apart as can be where only the low 16 bits of a number are compared (Repetier), too.
const FAR: u32 = (1 << 20) + (1 << 15);
/// So long nothing comes: what was on the way has arrived.
const QUIET: Duration = Duration::from_millis(60);
/// Firmware that speaks without end is not waited for longer than this.
const QUIET_AT_MOST: Duration = Duration::from_millis(400);
/// An answer that takes longer may have been lost.
const ASK_AGAIN: Duration = Duration::from_secs(2);
/// The same for a question whose own answer can't be known from others: the next question tells whether it was taken.
const ASK_AGAIN_SOON: Duration = Duration::from_millis(200);
/// The same while a long command is at work: the question waits behind it, and there is not much room.
const ASK_AGAIN_BUSY: Duration = Duration::from_secs(10);
/// So many good answers without a number: this firmware does not count. Those to the last questions of the other host may be
/// among them.
const ANSWERS_WITHOUT_NUMBER: u32 = 3 + MAX_PROBES;

/// What is to be done now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// These bytes are sent.
    Send(Vec<u8>),
    /// The firmware wants the line of this number next. If that can be, it is asked for it: [`Attach::question`].
    Wanted(u32),
    /// It has taken the question of this number. `drained`: and carried out everything before it.
    Taken {
        /// The number.
        number: u32,
        /// No more `ok`s come of lines before it.
        drained: bool,
    },
    /// It can't be found out, and why.
    Failed(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Waiting for a Resend.
    Asked,
    /// A Resend came; waiting until it is quiet behind it.
    Heard { since: Duration },
    /// The line that it wants was sent.
    Questioned,
    /// Whoever asked has to decide.
    Over,
}

/// Finding it out.
#[derive(Debug)]
pub(super) struct Attach {
    step: Step,
    far: u32,
    deadline: Duration,
    last_sign: Duration,
    /// Without any sign for so long the printer is given up.
    patience: Duration,
    /// The temperatures are in the `ok` that answers M105.
    answers_in_ok: bool,
    busy: bool,
    answers: u32,
    /// The number that was wanted, and how often in a row.
    wanted: Option<(u32, u32)>,
    questioned: Option<u32>,
    taken: Option<u32>,
}

impl Attach {
    /// `near`: a number that was sent lately. `answers_in_ok`: whether temperatures are in the `ok` of M105.
    pub(super) fn new(now: Duration, near: u32, patience: Duration, answers_in_ok: bool) -> Self {
        Self {
            step: Step::Asked,
            far: near.wrapping_add(FAR) & i32::MAX.unsigned_abs(),
            deadline: now,
            last_sign: now,
            patience,
            answers_in_ok,
            busy: false,
            answers: 0,
            wanted: None,
            questioned: None,
            taken: None,
        }
    }

    /// Something was heard that may be an answer.
    pub(super) fn on_line(&mut self, now: Duration) {
        if let Step::Heard { since } = self.step {
            self.deadline = (now + QUIET).min(since + QUIET_AT_MOST);
        }
    }

    /// It is at work on a long command.
    pub(super) fn on_busy(&mut self, now: Duration) {
        self.busy = true;
        self.last_sign = now;
    }

    pub(super) fn on_ok(&mut self, now: Duration, ok: &reply::Ok) {
        self.last_sign = now;
        self.busy = false;
        if ok.temperatures.is_none() {
            return;
        }
        match (self.step, self.questioned) {
            (Step::Questioned, Some(number)) => self.taken = Some(number),
            (Step::Asked, _) if self.wanted.is_none() => self.answers += 1,
            _ => {}
        }
    }

    pub(super) fn on_resend(&mut self, now: Duration, number: u32) {
        self.last_sign = now;
        self.busy = false;
        let times = match (self.wanted, self.step) {
            (Some((before, times)), Step::Asked) if before == number => times + 1,
            // The same answer once more.
            (Some((before, times)), Step::Heard { .. }) if before == number => times,
            // It was damaged on its way.
            (Some((before, _)), Step::Questioned) if before == number => 2,
            _ => 1,
        };
        self.wanted = Some((number, times));
        if !matches!(self.step, Step::Heard { .. }) {
            self.step = Step::Heard { since: now };
        }
        self.deadline = now + QUIET;
    }

    /// What is to be done now, if anything.
    pub(super) fn poll(&mut self, now: Duration) -> Option<Action> {
        if let Some(number) = self.taken.take() {
            self.step = Step::Over;
            return Some(Action::Taken { number, drained: true });
        }
        if self.step == Step::Over || now < self.deadline {
            return None;
        }
        if let (Step::Heard { .. }, Some((number, 2..))) = (self.step, self.wanted) {
            self.step = Step::Over;
            // The line after the question is wanted: the question itself was taken.
            let taken = self.questioned.filter(|questioned| questioned.checked_add(1) == Some(number));
            return Some(
                taken.map_or(Action::Wanted(number), |number| Action::Taken { number, drained: false }),
            );
        }
        if self.answers >= ANSWERS_WITHOUT_NUMBER {
            return Some(
                self.fail("this printer's firmware does not count lines, so nobody knows which came last"),
            );
        }
        if now >= self.last_sign + self.patience {
            return Some(self.fail("the printer does not answer any more"));
        }
        self.step = Step::Asked;
        self.deadline = now + if self.busy { ASK_AGAIN_BUSY } else { ASK_AGAIN };
        // The empty line ends one that was cut in the middle.
        let mut bytes = b"\n".to_vec();
        bytes.extend(numbered_line(self.far, PROBE));
        Some(Action::Send(bytes))
    }

    fn fail(&mut self, reason: &'static str) -> Action {
        self.step = Step::Over;
        Action::Failed(reason)
    }

    /// Sends the line of that number: one that changes nothing.
    pub(super) fn question(&mut self, now: Duration, number: u32) -> Vec<u8> {
        self.step = Step::Questioned;
        self.questioned = Some(number);
        self.deadline = now + if self.answers_in_ok { ASK_AGAIN } else { ASK_AGAIN_SOON };
        numbered_line(number, PROBE)
    }

    /// The question that may have been taken.
    pub(super) fn questioned(&self) -> Option<u32> {
        self.questioned
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        (self.step != Step::Over).then_some(self.deadline)
    }
}
