//! Getting to know the firmware: line number, identity, reports.
//!
//! Owns: the steps and how long each may take. Must not know: jobs.

use std::time::Duration;

use super::firmware::Firmware;

/// A board that was reset by opening its port says `start` after its boot loader; another one is greeted at once.
const FIRST_HELLO: Duration = Duration::from_millis(300);
/// Unanswered steps are tried again.
const STEP: Duration = Duration::from_secs(3);
/// So often; then that step is left out.
const TRIES: u32 = 3;

/// A firmware that lives and answers no greeting for so long waits for something: homing and probing are over before that on most.
const WAITS: Duration = Duration::from_secs(60);

/// Where the handshake is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Waiting for a sign of life.
    Life,
    /// `M110 N0`
    Hello,
    /// `M115`
    Identity,
    /// `M155 S1`
    Reports,
    /// `M113 S2`
    KeepAlive,
    /// `M27`: a print that was started at the panel must be known of before one of ours is.
    Card,
    Done,
}

/// What to send next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Numbers start anew.
    Hello,
    /// A command without a number.
    Send(&'static str),
    /// The handshake is over.
    Done,
}

/// A handshake under way.
#[derive(Debug)]
pub(super) struct Handshake {
    step: Step,
    deadline: Duration,
    tries: u32,
    identified: bool,
    since: Duration,
    /// It has said that it is at work, or how hot it is.
    lives: bool,
}

impl Handshake {
    pub(super) fn new(now: Duration) -> Self {
        Self {
            step: Step::Life,
            deadline: now + FIRST_HELLO,
            tries: 0,
            identified: false,
            since: now,
            lives: false,
        }
    }

    /// Whether the firmware was silent so far.
    pub(super) fn is_unanswered(&self) -> bool {
        matches!(self.step, Step::Life | Step::Hello)
    }

    /// The firmware was heard, or has started: it is greeted at once.
    pub(super) fn on_life(&mut self, now: Duration) {
        if self.step == Step::Life {
            self.deadline = now;
        }
    }

    /// The firmware has said something that answers nothing.
    pub(super) fn on_sign(&mut self) {
        self.lives = true;
    }

    /// Whether it lives and has not answered for long: it waits for a temperature or a person, perhaps without end.
    pub(super) fn is_kept_waiting(&self, now: Duration) -> bool {
        self.is_unanswered() && self.lives && now >= self.since + WAITS
    }

    pub(super) fn on_identity(&mut self) {
        self.identified = true;
    }

    /// What is to be sent now, if anything. `answered`: the line is empty, all was answered by `ok`.
    pub(super) fn poll(&mut self, now: Duration, answered: bool, firmware: &Firmware) -> Option<Action> {
        let overdue = now >= self.deadline;
        let next = match self.step {
            Step::Life if overdue => Step::Hello,
            // Not before it has answered: without that there is nobody to talk to.
            Step::Hello if answered => Step::Identity,
            Step::Hello if overdue => Step::Hello,
            // An `ok` of an earlier hello may come late: the identity itself is awaited.
            Step::Identity if answered && self.identified => self.after_identity(firmware),
            Step::Identity if overdue && self.tries >= TRIES => self.after_identity(firmware),
            Step::Reports if answered || overdue => Self::after_reports(firmware),
            Step::KeepAlive if answered || overdue => Self::after_keep_alive(firmware),
            Step::Card if answered || overdue => Step::Done,
            step if overdue => step,
            _ => return None,
        };
        self.tries = if next == self.step { self.tries + 1 } else { 1 };
        self.step = next;
        self.deadline = now + STEP;
        Some(match next {
            Step::Life | Step::Hello => Action::Hello,
            Step::Identity => Action::Send("M115"),
            Step::Reports => Action::Send("M155 S1"),
            Step::KeepAlive => Action::Send("M113 S2"),
            Step::Card => Action::Send("M27"),
            Step::Done => Action::Done,
        })
    }

    fn after_identity(&self, firmware: &Firmware) -> Step {
        if firmware.can("AUTOREPORT_TEMP") { Step::Reports } else { Self::after_reports(firmware) }
    }

    fn after_reports(firmware: &Firmware) -> Step {
        if firmware.dialect.has_keep_alive() { Step::KeepAlive } else { Self::after_keep_alive(firmware) }
    }

    fn after_keep_alive(firmware: &Firmware) -> Step {
        if firmware.can("SDCARD") { Step::Card } else { Step::Done }
    }

    pub(super) fn deadline(&self) -> Duration {
        self.deadline
    }
}
