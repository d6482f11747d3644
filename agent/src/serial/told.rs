//! A printer that was told to stop at once (`M112`), until it is known what came of that.
//!
//! Sent is not stopped. A line may be damaged or lost on its way; some firmware takes no line without a checksum
//! (Repetier with FEATURE_CHECKSUM_FORCED, Malyan); and firmware without EMERGENCY_PARSER carries it out at the end of the
//! command that it is at, minutes later. So `M112` goes bare and with number and checksum, and goes again, some times, until the
//! firmware says that it has stopped or says nothing at all. One that goes on is not stopped: that is told, and it is made
//! safe by commands. A port that is lost meanwhile ends none of that: it is the first thing that is said when it is back.
//! Owns: what is sent, when again and how often, and what the firmware's lines mean meanwhile; what a print from the memory card is
//! told to end by that has gone on. Pure. Must not know: the job, the port, how a printer is made safe.

use std::time::Duration;

use super::dialect::Dialect;
use super::reply::{ErrorKind, Reply};

/// The newline ends whatever line was cut by this. `M110` first, because its number is never out of order: which one the firmware
/// waits for nobody knows now.
const BARE_FIRST: &[u8] = b"\nM112\nN0 M110 N0*125\nN1 M112*32\n";
/// Where a line without a checksum is refused, and what has come behind it thrown away with it (`requestResend` in Repetier's
/// gcode.cpp).
const NUMBERED_FIRST: &[u8] = b"\nN0 M110 N0*125\nN1 M112*32\nM112\n";
/// Gets a word out of any firmware that still reads, and changes nothing.
const QUESTION: &[u8] = b"\nM105\nN0 M110 N0*125\nN1 M105*38\n";
/// So often it is sent.
pub(super) const TIMES: u32 = 4;
/// Firmware that was silent all the time is asked so often whether it is there.
const QUESTIONS: u32 = 3;
/// Between two of them: reports come every second or two.
const PACE: Duration = Duration::from_secs(2);
/// What was said before it took the stop arrives by then.
const ON_ITS_WAY: Duration = Duration::from_secs(1);
/// Firmware at work says so every two seconds at the latest.
const AT_WORK: Duration = Duration::from_millis(3500);
/// Longer than any command takes that is waited for.
const AT_WORK_AT_MOST: Duration = Duration::from_secs(20 * 60);
/// A board that was reset says something by then.
const STARTED_WITHIN: Duration = Duration::from_secs(8);
/// So long a stop waits for a port that is closed. Whoever puts a cable in later has been at the printer.
pub const STOP_KEPT: Duration = Duration::from_secs(600);

/// A print from the memory card is told to end no more often than this: whether it has ended is asked as often.
const CARD_PACE: Duration = Duration::from_secs(5);

/// What is given to the port for a stop at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StopLines {
    /// All of it.
    pub bytes: &'static [u8],
    /// The next time. Another order where nobody knows which one this firmware takes.
    in_turn: &'static [u8],
    /// The firmware has said what it is.
    is_known: bool,
    /// This firmware carries it out when it is received, whatever it is at.
    pub acts_at_once: bool,
}

impl StopLines {
    /// For a firmware of which nothing is known.
    pub const ANY: Self =
        Self { bytes: BARE_FIRST, in_turn: NUMBERED_FIRST, is_known: false, acts_at_once: false };

    pub(super) fn of(wants_checksums: bool, acts_at_once: bool) -> Self {
        let bytes = if wants_checksums { NUMBERED_FIRST } else { BARE_FIRST };
        Self { bytes, in_turn: bytes, is_known: true, acts_at_once }
    }

    /// All that may be sent, in this order, where it is sent only once.
    pub(crate) fn each(self) -> [&'static [u8]; 2] {
        [self.bytes, self.in_turn]
    }

    /// What is sent when it was sent so often before.
    fn after(self, times: u32) -> &'static [u8] {
        if times % 2 == 0 { self.bytes } else { self.in_turn }
    }
}

/// What has to be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Nothing,
    Send(&'static [u8]),
    /// It goes on in spite of all of them.
    Ignored,
}

/// What a port means that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Back {
    /// It was not gone.
    WasThere,
    /// This goes out before anything else.
    Send(&'static [u8]),
    /// Somebody was at the printer since: has put the cable in, or has switched on what was silent at every speed.
    TooLate,
}

/// What is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Course {
    Sent,
    /// It is at a command, and gets to it behind that.
    AtWork,
    /// It goes on; to be sent again.
    Answers,
    /// It says nothing any more.
    Silent,
    /// It says that it has stopped.
    Halted(String),
}

/// A stop under way.
#[derive(Debug)]
pub(super) struct Told {
    by: String,
    lines: StopLines,
    began: Duration,
    sent: u32,
    /// So often it is sent again before it is given up.
    left: u32,
    sent_at: Duration,
    asked: u32,
    /// Nothing more is sent by itself: none.
    look_at: Option<Duration>,
    /// Something came since it was sent last that it would not say if it had stopped.
    is_alive: bool,
    at_work_at: Option<Duration>,
    /// Lines before it that are not answered yet.
    before: usize,
    /// Its port is gone since then.
    lost_at: Option<Duration>,
    /// It said nothing any more behind a stop before this one, and has said nothing since: it has that one, whoever wanted another.
    was_silent: bool,
    course: Course,
}

impl Told {
    /// It was sent just now, for the first time. `by` ends "told to stop at once …"; `before`: so many lines were not
    /// answered.
    pub(super) fn new(now: Duration, by: &str, lines: StopLines, before: usize) -> Self {
        Self {
            by: by.to_owned(),
            lines,
            began: now,
            sent: 1,
            left: TIMES - 1,
            sent_at: now,
            asked: 0,
            look_at: Some(now + PACE),
            is_alive: false,
            at_work_at: None,
            before,
            lost_at: None,
            was_silent: false,
            course: Course::Sent,
        }
    }

    /// It was sent once more, by another wish, before it was known what came of this one. What shows that it is at a command shows
    /// that still.
    pub(super) fn once_more(&self, now: Duration, by: &str, lines: StopLines) -> Self {
        let was_silent = self.was_silent || self.course == Course::Silent;
        Self { at_work_at: self.at_work_at, was_silent, ..Self::new(now, by, lines, self.before) }
    }

    /// A stop that was given up as not taken was carried out after all.
    pub(super) fn late(now: Duration, by: &str, words: &str) -> Self {
        let mut told = Self::new(now, by, StopLines::ANY, 0);
        told.halt(words);
        told
    }

    /// The firmware's own words that it has stopped.
    pub(super) fn halt(&mut self, words: &str) {
        if !self.has_halted() {
            self.course = Course::Halted(words.to_owned());
            self.look_at = None;
        }
    }

    pub(super) fn has_halted(&self) -> bool {
        matches!(self.course, Course::Halted(_))
    }

    /// Whether nothing more happens by itself.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.course, Course::Halted(_) | Course::Silent)
    }

    /// Whether a port that goes now is the printer's, switched off as people are asked to: it is not stopped once more when it
    /// is switched on.
    pub(super) fn may_be_switched_off(&self) -> bool {
        self.is_over() || self.was_silent
    }

    pub(super) fn sent(&self) -> u32 {
        self.sent
    }

    /// What came of it is not to be known any more.
    pub(super) fn doubted(&self) -> Ignored {
        Ignored::in_doubt(&self.by, self.lines)
    }

    /// What the firmware has said of itself meanwhile counts.
    pub(super) fn set_lines(&mut self, lines: StopLines) {
        self.lines = lines;
    }

    /// Its speed is sought, and it was asked at all of them in vain.
    pub(super) fn nobody_answers(&mut self, now: Duration) {
        if !self.has_halted() && now >= self.sent_at + STARTED_WITHIN {
            self.course = Course::Silent;
            self.look_at = None;
        }
    }

    /// Its port is gone: nothing can be sent, and what it says is not heard.
    pub(super) fn port_is_lost(&mut self, now: Duration) {
        self.lost_at.get_or_insert(now);
        self.look_at = None;
    }

    /// Its port is there again. What was sent before may have gone with it, and so may what was said since.
    pub(super) fn port_is_back(&mut self, now: Duration) -> Back {
        let Some(lost_at) = self.lost_at.take() else {
            return if self.course == Course::Silent { Back::TooLate } else { Back::WasThere };
        };
        if now >= lost_at + STOP_KEPT {
            return Back::TooLate;
        }
        let bytes = self.lines.after(self.sent);
        (self.sent, self.left, self.asked) = (self.sent + 1, TIMES - 1, 0);
        (self.sent_at, self.look_at) = (now, Some(now + PACE));
        (self.is_alive, self.at_work_at, self.course) = (false, None, Course::Sent);
        Back::Send(bytes)
    }

    /// A line that does not say that it has stopped. `waits`: a report that firmware makes only while it waits for a temperature.
    pub(super) fn hear(&mut self, now: Duration, reply: &Reply, waits: bool) {
        let is_before = match reply {
            Reply::Ok(_) => self.before > 0,
            Reply::Busy(_) => true,
            Reply::Temperatures(_) => waits,
            Reply::Resend(_) | Reply::Wait | Reply::Echo(_) => false,
            Reply::Error(kind, _) if *kind != ErrorKind::Fatal => false,
            _ => return,
        };
        self.was_silent = false;
        if matches!(reply, Reply::Ok(_)) {
            self.before = self.before.saturating_sub(1);
        }
        if self.has_halted() {
            return;
        }
        if is_before && !self.lines.acts_at_once && now < self.began + AT_WORK_AT_MOST {
            self.at_work_at = Some(now);
        } else if now >= self.sent_at + ON_ITS_WAY {
            self.is_alive = true;
        }
        if self.course == Course::Silent {
            self.look_at = Some(now);
        }
    }

    /// What is due now.
    pub(super) fn poll(&mut self, now: Duration) -> Next {
        if self.look_at.is_none_or(|at| now < at) {
            return Next::Nothing;
        }
        self.look_at = Some(now + PACE);
        // Each order once, whatever it is at: it may act at once.
        let was_told = self.lines.is_known || self.left < TIMES - 1;
        if self.is_at_work(now) && was_told {
            self.course = Course::AtWork;
            return Next::Nothing;
        }
        if self.is_alive {
            self.course = Course::Answers;
        }
        if self.left > 0 {
            let bytes = self.lines.after(self.sent);
            (self.sent, self.left) = (self.sent + 1, self.left - 1);
            (self.sent_at, self.is_alive) = (now, false);
            return Next::Send(bytes);
        }
        if self.is_alive {
            return Next::Ignored;
        }
        if self.asked < QUESTIONS {
            self.asked += 1;
            return Next::Send(QUESTION);
        }
        self.course = Course::Silent;
        self.look_at = None;
        Next::Nothing
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        self.look_at
    }

    fn is_at_work(&self, now: Duration) -> bool {
        self.at_work_at.is_some_and(|at| now < at + AT_WORK)
    }

    /// What a person is told. `target`: the highest that the printer has told, °C.
    pub(super) fn sentence(&self, target: Option<f64>) -> String {
        let told = format!("The printer was told to stop at once {} (M112)", self.by);
        match &self.course {
            Course::Sent => format!(
                "{told}. What comes of it is not known yet: look whether its heaters are off, else switch it off."
            ),
            Course::AtWork => format!(
                "{told}. It carries that out when it gets to it: until then it goes on and {}. Switch it off if you can't \
                 wait.",
                heats(target, "still ")
            ),
            Course::Answers => still_answers(&self.by, self.sent, target),
            Course::Silent => format!(
                "{told} and says nothing any more. Look whether its heaters are off, else switch it off; then switch it off \
                 and on again."
            ),
            Course::Halted(words) => format!(
                "{told} and says that it has stopped: {words} Look whether its heaters are off; then switch it off and on \
                 again.",
                words = ended(words)
            ),
        }
    }
}

/// A stop that the printer has not taken, until something else is done with it.
#[derive(Debug, Clone)]
pub(super) struct Ignored {
    pub(super) by: String,
    /// How often; 0: nobody knows whether it was not taken.
    pub(super) sent: u32,
    /// All was turned off by commands, and read back as off.
    pub(super) is_off: bool,
    /// It may end a wait for a temperature or a person when it is told to, whatever it is at.
    ends_waits: bool,
    /// What its print from the memory card was told to end by, how often, and when last.
    card: Option<(&'static str, u32, Duration)>,
}

impl Ignored {
    pub(super) fn new(told: &Told) -> Self {
        Self { sent: told.sent, ..Self::in_doubt(&told.by, told.lines) }
    }

    /// A process before this one has sent it.
    pub(super) fn unknown() -> Self {
        Self::in_doubt("before the agent was started", StopLines::ANY)
    }

    /// What came of it will not be known any more.
    pub(super) fn in_doubt(by: &str, lines: StopLines) -> Self {
        let ends_waits = lines.acts_at_once || !lines.is_known;
        Self { by: by.to_owned(), sent: 0, is_off: false, ends_waits, card: None }
    }

    /// What comes before everything else on a new connection: a long wait would hold up all that makes it safe.
    pub(super) fn first(&self) -> &'static [u8] {
        if self.ends_waits && !self.is_off { b"\nM108\n" } else { b"" }
    }

    /// It prints from its memory card: what it is told now, if it was not just told.
    pub(super) fn end_card_print(&mut self, now: Duration, dialect: Dialect) -> Option<&'static str> {
        let times = self.card.map_or(0, |(_, times, _)| times);
        if self.card.is_some_and(|(.., at)| now < at + CARD_PACE) {
            return None;
        }
        let command = dialect.ends_card_print(times);
        self.card = Some((command, times + 1, now));
        Some(command)
    }

    /// What a person is told.
    pub(super) fn sentence(&self, target: Option<f64>) -> String {
        let card = match self.card {
            Some((command, ..)) => {
                format!(
                    " It may have been printing from its memory card, and was told to end that ({command})."
                )
            }
            None => String::new(),
        };
        if self.sent == 0 {
            let off = if self.is_off {
                " and that was read back"
            } else {
                " again and again until that is read back"
            };
            return format!(
                "The printer was told to stop at once (M112) {}, and it is not known whether it did.{card} Its heaters are turned \
                 off by commands,{off}. Look at it before you use it again.",
                self.by
            );
        }
        if self.is_off {
            return format!(
                "The stop {} (M112) was sent {} times, and the printer did not take it.{card} Its heaters were turned off by \
                 commands instead, and that was read back. Look at the printer before you use it again.",
                self.by, self.sent
            );
        }
        let words = still_answers(&self.by, self.sent, target);
        format!("{words}{card} Meanwhile its heaters are turned off by commands.")
    }
}

fn still_answers(by: &str, sent: u32, target: Option<f64>) -> String {
    let times = if sent == 1 { "once".to_owned() } else { format!("{sent} times") };
    let heats = heats(target, "");
    format!(
        "The stop {by} (M112) was sent {times}, and the printer still answers and {heats}. Switch it off."
    )
}

fn heats(target: Option<f64>, still: &str) -> String {
    match target {
        Some(target) if target > 0.0 => format!("{still}heats to {target:.0} °C"),
        _ => format!("may {still}heat"),
    }
}

/// With a full stop, however the firmware has ended it.
fn ended(words: &str) -> String {
    format!("{}.", words.trim_end_matches(['.', '!']))
}

#[cfg(test)]
mod tests;
