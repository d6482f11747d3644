//! How long to wait for an answer before asking whether it was lost, and before giving the printer up.
//!
//! A lost answer is asked about as soon as it is late: the question changes nothing on the machine, and one too many
//! costs a line of 15 bytes. Given up is only a printer that shows no life any more, or that gives no answer long after
//! its moves must be over: every line that comes is a sign of life.
//! Owns: these times. Must not know: what was sent.

use std::time::Duration;

/// What is sent to find out whether an `ok` was lost: it changes nothing on the machine.
pub(super) const PROBE: &str = "M105";

/// An ordinary line is answered as soon as there is room for it.
const ORDINARY: Duration = Duration::from_secs(1);
/// The same where one question too many may do harm: it can't be told from others by its answer, or the firmware does
/// not count its lines, so one that finds no room is lost for good.
const ORDINARY_CAREFUL: Duration = Duration::from_secs(20);
/// Firmware that says `busy` does so every 2 s.
const BUSY_FIRMWARE: Duration = Duration::from_secs(3);
/// Other firmware is asked once after so long in a command that may take minutes: where the `ok` was lost the answer
/// comes at once, and the printer does not stand idle with its heaters on.
const SLOW_ASKED: Duration = Duration::from_secs(30);
/// What comes behind an answer comes soon.
const BEHIND: Duration = Duration::from_millis(300);
/// Behind a first question: twice as long each time.
const ASK_AGAIN: Duration = Duration::from_secs(2);
const ASK_AGAIN_CAREFUL: Duration = Duration::from_secs(6);
/// After this many questions nothing but an answer is waited for: each takes room in the firmware's buffer.
pub(super) const MAX_PROBES: u32 = 5;

/// A firmware that reports its temperatures is never silent for longer. Nor is any other, but for moves and for commands that take
/// minutes.
const SILENT: Duration = Duration::from_secs(30);
/// The same for firmware of which nothing was heard yet but answers.
const SILENT_MUTE: Duration = Duration::from_secs(60);
/// Heating, homing and levelling, on firmware that says nothing meanwhile.
const SLOW_SILENT: Duration = Duration::from_secs(630);
/// A living printer that gives no answer for so long, its moves being over, never will.
const STUCK: Duration = Duration::from_secs(600);
/// The same in a command that may take its time.
const STUCK_SLOW: Duration = Duration::from_secs(3600);

/// What is awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Awaited {
    /// It may take minutes.
    pub(super) slow: bool,
    /// How long the longest move takes that may be before it.
    pub(super) longest_move: Duration,
    /// How long all of them take.
    pub(super) all_moves: Duration,
}

/// What it is time for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// To ask.
    Probe,
    /// To give the printer up.
    GiveUp,
}

/// Waiting for answers.
#[derive(Debug, Default)]
pub(super) struct Patience {
    /// The last answer, or a line at work; or when the first line was sent.
    last_answer: Duration,
    /// Anything at all.
    last_life: Duration,
    last_probe: Duration,
    sends_busy: bool,
    /// A question too many does no harm.
    hasty: bool,
    /// What came last said that it is at work: it says so again within two seconds.
    at_work: bool,
    /// It says something that is no answer, by itself.
    speaks: bool,
    probes: u32,
    overdue: bool,
    /// It is asked then, whatever else.
    ask_at: Option<Duration>,
}

impl Patience {
    /// Whether a question too many does no harm.
    pub(super) fn set_hasty(&mut self, hasty: bool) {
        self.hasty = hasty;
    }

    /// An answer came, or a first line was sent.
    pub(super) fn on_sign(&mut self, now: Duration) {
        self.at_work = false;
        self.last_answer = now;
        self.last_life = now;
        self.overdue = false;
    }

    /// Something came. `by_itself`: nobody asked for it, so more will come.
    pub(super) fn on_life(&mut self, now: Duration, by_itself: bool) {
        self.last_life = now;
        self.speaks |= by_itself;
    }

    /// The firmware is at work.
    pub(super) fn on_busy(&mut self, now: Duration, by_busy_line: bool) {
        self.sends_busy |= by_busy_line;
        self.at_work = true;
        self.last_answer = now;
        self.last_life = now;
        self.probes = 0;
    }

    /// Whether this firmware says what it is at while it is at work, and so also that it waits for a person.
    pub(super) fn says_busy(&self) -> bool {
        self.sends_busy
    }

    /// The firmware says that it waits for us.
    pub(super) fn on_wait(&mut self, now: Duration) {
        // `wait` may cross with a line that has just been sent: only one that comes later counts.
        let silence = now.saturating_sub(self.last_answer.max(self.last_probe));
        if silence >= Duration::from_secs(1) {
            self.overdue = true;
        }
    }

    /// Something in flight was lost for certain.
    pub(super) fn lose(&mut self) {
        self.overdue = true;
    }

    /// What was answered is asked once more, when whatever belongs to that answer has come.
    pub(super) fn ask_soon(&mut self, now: Duration) {
        self.ask_at = Some(now + BEHIND);
    }

    /// An answer came: whether it answers a probe.
    pub(super) fn answered(&mut self) -> bool {
        std::mem::take(&mut self.probes) > 0
    }

    pub(super) fn due(&self, now: Duration, awaited: &Awaited) -> Option<Due> {
        if now >= self.give_up_at(awaited) {
            return Some(Due::GiveUp);
        }
        let asks = self.probe_at(awaited).is_some_and(|at| now >= at);
        (asks || self.overdue && self.probes < MAX_PROBES).then_some(Due::Probe)
    }

    pub(super) fn deadline(&self, awaited: &Awaited) -> Duration {
        let give_up = self.give_up_at(awaited);
        self.probe_at(awaited).map_or(give_up, |probe| probe.min(give_up))
    }

    fn probe_at(&self, awaited: &Awaited) -> Option<Duration> {
        match self.probes {
            _ if self.ask_at.is_some() => self.ask_at,
            0 => {
                let limit = match (awaited.slow, self.sends_busy, self.hasty) {
                    (false, _, true) => ORDINARY + awaited.longest_move,
                    (false, _, false) => ORDINARY_CAREFUL + awaited.longest_move,
                    (true, true, _) => BUSY_FIRMWARE + awaited.longest_move,
                    (true, false, _) => SLOW_ASKED.max(awaited.all_moves),
                };
                let limit = if self.at_work { limit.max(BUSY_FIRMWARE) } else { limit };
                Some(self.last_answer + limit)
            }
            MAX_PROBES.. => None,
            // 2, 4, 8, 16 s.
            probes if self.hasty => Some(self.last_probe + ASK_AGAIN * (1 << (probes - 1))),
            _ => Some(self.last_probe + ASK_AGAIN_CAREFUL),
        }
    }

    fn give_up_at(&self, awaited: &Awaited) -> Duration {
        let silence = if self.sends_busy || self.speaks { SILENT } else { SILENT_MUTE };
        let by_now = self.last_answer + awaited.all_moves;
        let (silent, stuck) = match (awaited.slow, self.sends_busy) {
            (true, false) => (SLOW_SILENT, STUCK_SLOW),
            (true, true) => (silence, STUCK_SLOW),
            (false, _) => (silence, STUCK),
        };
        // Who reports by itself does so in any move.
        let moved = if self.speaks { self.last_answer } else { by_now };
        // It must have been asked, too.
        let silent = (moved + silent).max(self.last_life + silence).max(self.last_probe + ASK_AGAIN);
        silent.min((by_now + stuck).max(self.last_probe + ASK_AGAIN))
    }

    /// Counts a probe.
    pub(super) fn probe(&mut self, now: Duration) {
        self.probes += 1;
        self.overdue = false;
        self.ask_at = None;
        self.last_probe = now;
    }

    /// What came first will not be answered: what is behind it is waited for from now on.
    pub(super) fn on_urgent_unanswered(&mut self, now: Duration) {
        self.last_answer = now;
        self.overdue = false;
    }

    /// Nothing is awaited any more.
    pub(super) fn relax(&mut self) {
        self.ask_at = None;
        self.probes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const NOTHING: Awaited = Awaited { slow: false, longest_move: Duration::ZERO, all_moves: Duration::ZERO };
    const SLOW: Awaited = Awaited { slow: true, ..NOTHING };
    const MOVES: Awaited =
        Awaited { slow: false, longest_move: Duration::from_secs(60), all_moves: Duration::from_secs(100) };

    /// When it asks and when it gives up, s: with a sign of life every second until `life` s.
    fn course(mut patience: Patience, awaited: Awaited, life: u64) -> Vec<u64> {
        let mut times = Vec::new();
        let mut now = Duration::ZERO;
        loop {
            let beat = Duration::from_secs(now.as_secs() + 1);
            let deadline = patience.deadline(&awaited).max(now);
            now = if beat.as_secs() <= life { deadline.min(beat) } else { deadline };
            match patience.due(now, &awaited) {
                None if now.as_secs() <= life => patience.on_life(now, true),
                None => panic!("woken for nothing"),
                Some(Due::Probe) => {
                    times.push(now.as_secs());
                    patience.probe(now);
                }
                Some(Due::GiveUp) => {
                    times.push(now.as_secs());
                    return times;
                }
            }
        }
    }

    #[test]
    fn who_says_that_it_is_at_work_is_not_asked_before_it_has_said_so_again() {
        let mut patience = Patience { hasty: true, ..Patience::default() };
        patience.on_busy(Duration::from_secs(10), true);
        assert_eq!(patience.deadline(&NOTHING), Duration::from_secs(13));
        patience.on_sign(Duration::from_secs(11));
        assert_eq!(patience.deadline(&NOTHING), Duration::from_secs(12));
    }

    #[test]
    fn where_a_question_too_many_does_harm_it_is_asked_late() {
        assert_eq!(course(Patience::default(), NOTHING, 0), [20, 26, 32, 38, 44, 60]);
    }

    #[rstest]
    #[case::says_busy(true, false, NOTHING, 0, &[1, 3, 7, 15, 30])]
    #[case::mute(false, false, NOTHING, 0, &[1, 3, 7, 15, 31, 60])]
    #[case::reports(true, true, NOTHING, 0, &[1, 3, 7, 15, 30])]
    #[case::lives(true, false, NOTHING, 9000, &[1, 3, 7, 15, 31, 600])]
    #[case::has_lived(true, false, NOTHING, 100, &[1, 3, 7, 15, 31, 130])]
    #[case::moves(true, false, MOVES, 0, &[61, 63, 67, 75, 91, 130])]
    #[case::moves_and_reports(true, true, MOVES, 0, &[30])]
    #[case::moves_and_lives(true, false, MOVES, 9000, &[61, 63, 67, 75, 91, 700])]
    #[case::slow(true, false, SLOW, 0, &[3, 5, 9, 17, 30])]
    #[case::slow_and_mute(false, false, SLOW, 0, &[30, 32, 36, 44, 60, 630])]
    #[case::slow_and_lives(false, true, SLOW, 9000, &[30, 32, 36, 44, 60, 3600])]
    fn asked_as_soon_as_it_is_late_and_given_up_when_it_is_dead(
        #[case] sends_busy: bool,
        #[case] speaks: bool,
        #[case] awaited: Awaited,
        #[case] life: u64,
        #[case] times: &[u64],
    ) {
        let patience = Patience { sends_busy, speaks, hasty: true, ..Patience::default() };
        assert_eq!(course(patience, awaited, life), times);
    }
}
