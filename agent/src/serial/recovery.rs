//! What follows a `Resend`.
//!
//! One damaged line with k lines behind it brings one to k+1 identical Resends: the firmware throws away what is
//! in its receive buffer, and complains about whatever still arrives. So nothing is sent until the wire is
//! quiet or all the repeats have come. Marlin prints a bare `ok` behind each Resend, others do not.
//!
//! Owns: telling repeats from new requests, and when the line is quiet. Must not know: the lines themselves.

use std::time::Duration;

/// How long the bare `ok` behind a Resend may take.
const BARE_OK: Duration = Duration::from_millis(500);
/// A silence in which everything in flight must have arrived: 127 bytes at 9600 baud.
const QUIET: Duration = Duration::from_millis(150);
/// The same line so often means that it will never come through.
const MAX_TIMES: u32 = 10;
/// Requests for lines never sent may be damaged on their way; so many in a row are not.
const MAX_FUTURE: u32 = 3;
/// After this many Resends without one, the firmware is taken not to send bare `ok`s.
const MISSED_BARE_OKS: u32 = 2;

/// What to make of a Resend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// A repeat, or of no consequence.
    Nothing,
    /// Send again from that line on.
    Again,
    /// The same line too often.
    TooOften,
    /// A line that is no longer kept.
    NotKept,
    /// A line that was never sent.
    Future,
}

/// The state of recovering from a damaged line.
#[derive(Debug)]
pub(super) struct Recovery {
    /// Whether this firmware sends a bare `ok` behind each Resend: taken for granted until it does not.
    expects_bare_ok: bool,
    missed_bare_oks: u32,
    bare_ok_owed: bool,
    quiet_at: Option<Duration>,
    owed: usize,
    number: Option<u32>,
    times: u32,
    future: u32,
}

impl Default for Recovery {
    fn default() -> Self {
        Self {
            expects_bare_ok: true,
            missed_bare_oks: 0,
            bare_ok_owed: false,
            quiet_at: None,
            owed: 0,
            number: None,
            times: 0,
            future: 0,
        }
    }
}

impl Recovery {
    /// Nothing is asked for; what is known about the firmware stays.
    pub(super) fn anew(&self) -> Self {
        Self { expects_bare_ok: self.expects_bare_ok, ..Self::default() }
    }

    /// Whether nothing may be sent.
    pub(super) fn is_on(&self) -> bool {
        self.quiet_at.is_some()
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        self.quiet_at
    }

    /// A Resend came. `next`: the next new line's number; `kept`: whether the line is in the history.
    pub(super) fn asked(&mut self, now: Duration, number: u32, next: u32, kept: bool) -> Asked {
        self.bare_ok_owed = self.expects_bare_ok;
        if number > next {
            self.future += 1;
            return if self.future >= MAX_FUTURE { Asked::Future } else { Asked::Nothing };
        }
        self.future = 0;
        if self.is_on() && self.number == Some(number) && self.times > 0 {
            self.owed = self.owed.saturating_sub(1);
            self.quiet_at = Some(now + self.silence());
            return Asked::Nothing;
        }
        if number == next {
            // All that was sent has been accepted: noise was taken for a line.
            return Asked::Nothing;
        }
        if !kept {
            return Asked::NotKept;
        }
        self.times = if self.number == Some(number) { self.times + 1 } else { 1 };
        self.number = Some(number);
        if self.times >= MAX_TIMES { Asked::TooOften } else { Asked::Again }
    }

    /// Recovering begins; `owed` repeats of the request may follow.
    pub(super) fn begin(&mut self, now: Duration, owed: usize) {
        self.bare_ok_owed = self.expects_bare_ok;
        self.owed = owed;
        self.quiet_at = Some(now + self.silence());
    }

    fn silence(&self) -> Duration {
        if self.bare_ok_owed { BARE_OK } else { QUIET }
    }

    /// A bare `ok` came: whether it is the one that belongs to a Resend.
    pub(super) fn take_bare_ok(&mut self, now: Duration) -> bool {
        if !std::mem::take(&mut self.bare_ok_owed) {
            return false;
        }
        self.expects_bare_ok = true;
        self.missed_bare_oks = 0;
        if self.is_on() {
            self.quiet_at = Some(now + QUIET);
        }
        true
    }

    /// Whether the line may be used (again).
    pub(super) fn is_over(&mut self, now: Duration) -> bool {
        let Some(quiet_at) = self.quiet_at else { return true };
        let all_came = self.owed == 0 && !self.bare_ok_owed;
        if !all_came && now < quiet_at {
            return false;
        }
        if std::mem::take(&mut self.bare_ok_owed) {
            self.missed_bare_oks += 1;
            self.expects_bare_ok = self.missed_bare_oks < MISSED_BARE_OKS;
        }
        self.quiet_at = None;
        true
    }

    /// A new line was accepted.
    pub(super) fn accepted(&mut self, number: u32) {
        if self.number.is_some_and(|asked| asked <= number) {
            self.number = None;
            self.times = 0;
        }
        self.future = 0;
    }
}
