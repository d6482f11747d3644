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
/// Repeats that come without end (Repetier asks again every 200 ms until the line is there) don't hold it back for
/// longer than this.
const QUIET_AT_MOST: Duration = Duration::from_millis(1500);
/// The same line so often means that it will never come through.
const MAX_TIMES: u32 = 10;
/// Odd requests may be damaged on their way; the same one so often, each time asked for anew, is not.
const MAX_ODD: u32 = 3;
/// No `ok` is taken for more lines than that before its time: a request further back is odd.
const DOUBTFUL: u32 = 8;
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
    /// For a line long accepted or never sent: damaged, most likely. To be brought about once more. With how often
    /// the same line was asked for so.
    Odd(u32),
    /// The same odd line over and over, and it was accepted long ago.
    Past,
    /// The same odd line over and over, and it was never sent.
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
    /// However much is still heard, it is over then.
    over_at: Duration,
    owed: usize,
    number: Option<u32>,
    times: u32,
    odd: (u32, u32),
    odd_until: Duration,
}

impl Default for Recovery {
    fn default() -> Self {
        Self {
            expects_bare_ok: true,
            missed_bare_oks: 0,
            bare_ok_owed: false,
            quiet_at: None,
            over_at: Duration::ZERO,
            owed: 0,
            number: None,
            times: 0,
            odd: (0, 0),
            odd_until: Duration::ZERO,
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

    /// A Resend came. `next`: the next new line's number; `told`: the last line taken for accepted; `kept`:
    /// whether the line is in the history.
    pub(super) fn asked(&mut self, now: Duration, number: u32, next: u32, told: u32, kept: bool) -> Asked {
        self.bare_ok_owed = self.expects_bare_ok;
        if number > next || number.saturating_add(DOUBTFUL) < told || !kept && number < next {
            return self.asked_oddly(now, number, next, kept);
        }
        self.odd = (0, 0);
        if self.is_on() && self.number == Some(number) && self.times > 0 {
            self.owed = self.owed.saturating_sub(1);
            self.wait_for_quiet(now, self.silence());
            return Asked::Nothing;
        }
        if number == next {
            // All that was sent has been accepted: noise was taken for a line.
            return Asked::Nothing;
        }
        self.times = if self.number == Some(number) { self.times + 1 } else { 1 };
        self.number = Some(number);
        if self.times >= MAX_TIMES { Asked::TooOften } else { Asked::Again }
    }

    fn asked_oddly(&mut self, now: Duration, number: u32, next: u32, kept: bool) -> Asked {
        if now < self.odd_until {
            return Asked::Nothing;
        }
        self.odd_until = now + BARE_OK;
        let (last, times) = self.odd;
        self.odd = (number, if last == number { times + 1 } else { 1 });
        match self.odd {
            (_, times @ ..MAX_ODD) => Asked::Odd(times),
            _ if number > next => Asked::Future,
            // A printer that was reset asks for line 1, which no job has: this one lags behind stray `ok`s.
            _ if kept => {
                self.odd = (0, 0);
                (self.number, self.times) = (Some(number), 1);
                Asked::Again
            }
            _ => Asked::Past,
        }
    }

    /// Recovering begins; `owed` repeats of the request may follow.
    pub(super) fn begin(&mut self, now: Duration, owed: usize) {
        self.bare_ok_owed = self.expects_bare_ok;
        self.owed = owed;
        self.over_at = now + QUIET_AT_MOST;
        self.wait_for_quiet(now, self.silence());
    }

    fn wait_for_quiet(&mut self, now: Duration, silence: Duration) {
        self.quiet_at = Some((now + silence).min(self.over_at.max(now)));
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
            self.wait_for_quiet(now, QUIET);
        }
        true
    }

    /// Whether the line may be used (again).
    pub(super) fn is_over(&mut self, now: Duration) -> bool {
        let Some(quiet_at) = self.quiet_at else { return true };
        // Where the same line is asked for again, more requests came than were owed: only silence ends that.
        let all_came = self.owed == 0 && !self.bare_ok_owed && self.times <= 1;
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

    /// A new line was accepted, or so it seems: the `ok`s behind repeated Resends may have been taken for its own. Which
    /// line was asked for is forgotten as soon as more lines were taken than such `ok`s can make up for.
    pub(super) fn accepted(&mut self, number: u32) {
        if self.number.is_some_and(|asked| asked.saturating_add(DOUBTFUL) <= number) {
            self.number = None;
            self.times = 0;
        }
        self.odd = (0, 0);
    }
}
