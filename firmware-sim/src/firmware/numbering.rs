//! Line numbers and checksums: which received line is accepted, ignored or asked for again.
//!
//! Written after Marlin; what other dialects do otherwise is in their [`Counting`].
//! Owns the last accepted number. Knows nothing of what a command does, except that M110 sets the number.

use super::dialect::{Complaint, Counting, Meaning, Reading, Repeats, Star, Stray};

/// A line that passed and waits for its turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QueuedLine {
    pub(crate) number: Option<i64>,
    /// Without number and checksum, trimmed.
    pub(crate) text: String,
}

/// What becomes of a received line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    Queue(QueuedLine),
    /// An accepted line once more: nothing is said at all.
    AlreadyAccepted,
    /// An accepted line once more: said to be skipped, by its number.
    Skip(i64),
    /// A resend of the line after the last accepted one is asked for.
    Reject(Complaint),
}

/// Lines that may still be skipped without a complaint after a rejected one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Skips(u8);

/// Remembers the number of the last accepted line.
#[derive(Debug, Default)]
pub(crate) struct LineCounter {
    last: i64,
    /// A line with checksum has been seen.
    verified: bool,
    /// The line after the last accepted one has been asked for and has not come yet.
    waiting: Option<Skips>,
}

impl LineCounter {
    pub(crate) fn last(&self) -> i64 {
        self.last
    }

    /// M110 executed from the queue.
    pub(crate) fn set_last(&mut self, number: i64) {
        self.last = number;
    }

    /// Whether a line has been asked for that has not come yet.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// A line has been asked for.
    pub(crate) fn wait(&mut self, counting: Counting) {
        self.waiting = Some(Skips(counting.skips));
    }

    pub(crate) fn check(&mut self, line: &[u8], counting: Counting, reading: &Reading) -> Verdict {
        let verdict = self.judge(line, counting, reading);
        match verdict {
            Verdict::Queue(_) => self.waiting = None,
            Verdict::Reject(_) => self.wait(counting),
            Verdict::AlreadyAccepted | Verdict::Skip(_) => {}
        }
        verdict
    }

    fn judge(&mut self, line: &[u8], counting: Counting, reading: &Reading) -> Verdict {
        let line = skip_spaces(line);
        let numbered = line.first() == Some(&b'N');
        if !numbered && counting.checksums_always && self.verified {
            return Verdict::Reject(Complaint::NoChecksum);
        }
        if !numbered && counting.stray_checksum != Stray::Taken && line.contains(&b'*') {
            return Verdict::Reject(Complaint::NoNumber);
        }
        if !numbered {
            let body = without_trailing_checksum(line);
            return Verdict::Queue(QueuedLine { number: None, text: text_of(body) });
        }
        let star = star(line, reading.star);
        if !counting.checksums || star.is_none() && !counting.number_needs_checksum {
            let number = leading_integer(line.get(1..).unwrap_or_default());
            let body =
                without_number(if counting.checksums { line } else { without_trailing_checksum(line) });
            return Verdict::Queue(QueuedLine { number: Some(number), text: text_of(body) });
        }
        if reading.meaning == Meaning::Repetier {
            return self.judge_by_letters(line, counting);
        }

        let sets_number = if reading.finds_m110 {
            contains(line, b"M110")
        } else {
            without_number(line).starts_with(b"M110")
        };
        let mut number = leading_integer(line.get(1..).unwrap_or_default());
        if sets_number {
            // `N0 M110 N5`: the second number counts, if there is one.
            let rest = line.get(4..).unwrap_or_default();
            if let Some(second) = rest.iter().position(|&byte| byte == b'N') {
                number = leading_integer(rest.get(second + 1..).unwrap_or_default());
            }
        } else if let Some(verdict) = self.out_of_order(number, counting) {
            return verdict;
        }

        let Some(star) = star else { return Verdict::Reject(Complaint::NoChecksum) };
        let (body, checksum) = line.split_at(star);
        let sum = body.iter().fold(0_u8, |sum, byte| sum ^ byte);
        if leading_integer(checksum.get(1..).unwrap_or_default()) != i64::from(sum) {
            return Verdict::Reject(Complaint::Mismatch(sum));
        }
        self.last = number;
        self.verified = true;

        let sent = leading_integer(body.get(1..).unwrap_or_default());
        Verdict::Queue(QueuedLine { number: Some(sent), text: text_of(without_number(body)) })
    }

    /// Repetier's: a text ends the looking at letters, and so do `(` and `%`; behind a text nothing is verified.
    fn judge_by_letters(&mut self, line: &[u8], counting: Counting) -> Verdict {
        let parsed = Parsed::of(line);
        if let Some(star) = parsed.star {
            let (body, checksum) = line.split_at(star);
            let sum = body.iter().fold(0_u8, |sum, byte| sum ^ byte);
            if leading_integer(checksum.get(1..).unwrap_or_default()) != i64::from(sum) {
                return Verdict::Reject(Complaint::Mismatch(sum));
            }
        } else if !parsed.is_unverified {
            return Verdict::Reject(Complaint::NoChecksum);
        }
        if parsed.stops {
            let text = text_of(without_number(line.get(..parsed.end).unwrap_or(line)));
            return Verdict::Queue(QueuedLine { number: None, text });
        }
        if !parsed.sets_number {
            if let Some(verdict) = self.out_of_order(parsed.number, counting) {
                return verdict;
            }
        }
        self.last = parsed.number;
        self.verified = true;
        let text = text_of(without_number(line.get(..parsed.end).unwrap_or(line)));
        Verdict::Queue(QueuedLine { number: Some(parsed.number), text })
    }

    fn out_of_order(&mut self, number: i64, counting: Counting) -> Option<Verdict> {
        let ago = self.last - number;
        match (counting.repeats, self.waiting) {
            _ if ago == -1 || !counting.in_order => None,
            (Repeats::Silent, _) if (0..=1).contains(&ago) => Some(Verdict::AlreadyAccepted),
            (Repeats::Skipped, _) if (0..40).contains(&ago) => Some(Verdict::Skip(number)),
            (_, Some(Skips(left @ 1..))) => {
                self.waiting = Some(Skips(left - 1));
                Some(Verdict::Skip(number))
            }
            _ => Some(Verdict::Reject(Complaint::Order(number))),
        }
    }
}

/// What Repetier's parser finds in a numbered line, letter by letter.
struct Parsed {
    number: i64,
    sets_number: bool,
    /// M112 is carried out before the number is looked at (gcode.cpp, checkAndPushCommand).
    stops: bool,
    star: Option<usize>,
    is_unverified: bool,
    /// Where the looking ended.
    end: usize,
}

impl Parsed {
    fn of(line: &[u8]) -> Self {
        let mut parsed = Self {
            number: 0,
            sets_number: false,
            stops: false,
            star: None,
            is_unverified: false,
            end: line.len(),
        };
        for (at, byte) in line.iter().enumerate() {
            let rest = line.get(at + 1..).unwrap_or_default();
            match byte.to_ascii_uppercase() {
                b'N' => parsed.number = leading_integer(rest),
                // The firmware itself looks at no checksum any more then: a bit on the line makes a `%` of a 5, and no
                // host can help. Here it is looked at, so that the others can be held to what a host can do.
                b'(' | b'%' => {
                    parsed.star = rest.iter().position(|byte| *byte == b'*').map(|star| at + 1 + star);
                    parsed.end = at;
                    break;
                }
                b'*' => {
                    parsed.star = Some(at);
                    parsed.end = at;
                    break;
                }
                b'M' => {
                    let code = leading_integer(rest);
                    parsed.sets_number = code == 110;
                    parsed.stops = code == 112;
                    if matches!(code, 20 | 23 | 28..=30 | 32 | 36 | 117 | 118 | 531) {
                        parsed.is_unverified = true;
                        parsed.end = rest
                            .iter()
                            .position(|byte| *byte == b'*')
                            .map_or(line.len(), |star| at + 1 + star);
                        break;
                    }
                }
                _ => {}
            }
        }
        parsed
    }
}

/// Where the checksum begins.
fn star(line: &[u8], which: Star) -> Option<usize> {
    match which {
        Star::First => line.iter().position(|&byte| byte == b'*'),
        Star::Last => line.iter().rposition(|&byte| byte == b'*'),
        Star::Bare => {
            let (mut quoted, mut braces) = (false, 0_u32);
            line.iter().position(|byte| {
                match byte {
                    b'"' => quoted = !quoted,
                    b'{' if !quoted => braces += 1,
                    b'}' if !quoted => braces = braces.saturating_sub(1),
                    _ => {}
                }
                *byte == b'*' && !quoted && braces == 0
            })
        }
    }
}

fn text_of(body: &[u8]) -> String {
    String::from_utf8_lossy(body).trim().to_owned()
}

fn skip_spaces(mut line: &[u8]) -> &[u8] {
    while let [b' ', rest @ ..] = line {
        line = rest;
    }
    line
}

fn without_number(line: &[u8]) -> &[u8] {
    let mut rest = line.get(1..).unwrap_or_default();
    while let [b'0'..=b'9' | b'-' | b'+', tail @ ..] = rest {
        rest = tail;
    }
    skip_spaces(rest)
}

/// A checksum without a number is not looked at, but it is no part of the command.
fn without_trailing_checksum(line: &[u8]) -> &[u8] {
    let Some(star) = line.iter().rposition(|&byte| byte == b'*') else { return line };
    let (body, checksum) = line.split_at(star);
    let digits = checksum.get(1..).unwrap_or_default().trim_ascii();
    let is_checksum = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    if is_checksum { body } else { line }
}

fn contains(line: &[u8], word: &[u8]) -> bool {
    line.windows(word.len()).any(|window| window == word)
}

/// The number a text starts with, 0 if with none: what C's `strtol` makes of it.
fn leading_integer(text: &[u8]) -> i64 {
    let text = text.trim_ascii_start();
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let value = digits
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .fold(0_i64, |value, byte| value.saturating_mul(10).saturating_add(i64::from(byte - b'0')))
        // Marlin's `long` has 32 bits.
        .min(i64::from(i32::MAX));
    if negative { -value } else { value }
}

#[cfg(test)]
mod tests {
    use super::super::dialect::Dialect;
    use super::*;
    use rstest::rstest;

    const MARLIN: Counting = Counting {
        in_order: true,
        checksums: true,
        number_needs_checksum: true,
        stray_checksum: Stray::Taken,
        repeats: Repeats::Silent,
        checksums_always: false,
        skips: 0,
    };

    use super::super::dialect::MARLIN_READING;

    fn after(last: i64) -> LineCounter {
        LineCounter { last, ..LineCounter::default() }
    }

    fn order(number: i64) -> Verdict {
        Verdict::Reject(Complaint::Order(number))
    }

    fn no_checksum() -> Verdict {
        Verdict::Reject(Complaint::NoChecksum)
    }

    fn queued(number: Option<i64>, text: &str) -> Verdict {
        Verdict::Queue(QueuedLine { number, text: text.to_owned() })
    }

    // The lines and verdicts of the observed session, with the last accepted line before each.
    #[rstest]
    #[case::first(0, "N1 G92 E0*70", queued(Some(1), "G92 E0"), 1)]
    #[case::bad_checksum(1, "N2 G92 E0*68", Verdict::Reject(Complaint::Mismatch(69)), 1)]
    #[case::resent(1, "N2 G92 E0*69", queued(Some(2), "G92 E0"), 2)]
    #[case::skipped(2, "N5 G92 E0*66", order(5), 2)]
    #[case::repeated(2, "N2 G92 E0*69", Verdict::AlreadyAccepted, 2)]
    #[case::repeated_before(2, "N1 G92 E0*70", Verdict::AlreadyAccepted, 2)]
    #[case::older(5, "N2 G92 E0*69", order(2), 5)]
    #[case::no_checksum(2, "N3 G92 E0", no_checksum(), 2)]
    #[case::checksum_without_number(2, "G92 E0*12", queued(None, "G92 E0"), 2)]
    #[case::set_by_second_number(7, "N0 M110 N0*125", queued(Some(0), "M110 N0"), 0)]
    #[case::set_by_own_number(7, "N3 M110*0", Verdict::Reject(Complaint::Mismatch(32)), 7)]
    #[case::unnumbered_m110_waits_for_its_turn(7, "M110 N100", queued(None, "M110 N100"), 7)]
    #[case::star_in_text(0, "M117 a*b", queued(None, "M117 a*b"), 0)]
    #[case::spaces_before(0, "  N1 G92 E0*70", queued(Some(1), "G92 E0"), 1)]
    fn a_line_is_judged_as_observed(
        #[case] last: i64,
        #[case] line: &str,
        #[case] verdict: Verdict,
        #[case] last_after: i64,
    ) {
        let mut counter = after(last);
        assert_eq!(counter.check(line.as_bytes(), MARLIN, &MARLIN_READING), verdict);
        assert_eq!(counter.last(), last_after);
    }

    #[test]
    fn a_number_beyond_all_bounds_is_no_panic() {
        let mut counter = LineCounter::default();
        assert_eq!(
            counter.check(b"N99999999999999999999 G28*1", MARLIN, &MARLIN_READING),
            order(i64::from(i32::MAX))
        );
    }

    #[rstest]
    #[case::marlin_before_two(Repeats::Rejected, "N4 G28*23", order(4))]
    #[case::repetier(Repeats::Skipped, "N1 G28*18", Verdict::Skip(1))]
    #[case::marlin(Repeats::Silent, "N4 G28*23", Verdict::AlreadyAccepted)]
    fn an_accepted_line_once_more(#[case] repeats: Repeats, #[case] line: &str, #[case] verdict: Verdict) {
        let mut counter = after(5);
        assert_eq!(counter.check(line.as_bytes(), Counting { repeats, ..MARLIN }, &MARLIN_READING), verdict);
    }

    #[test]
    fn where_checksums_are_needed_one_is_needed_always_after_the_first() {
        let counting = Counting { checksums_always: true, ..MARLIN };
        let mut counter = LineCounter::default();
        assert_eq!(counter.check(b"M115", counting, &MARLIN_READING), queued(None, "M115"));
        assert_eq!(counter.check(b"N1 G28*18", counting, &MARLIN_READING), queued(Some(1), "G28"));
        assert_eq!(counter.check(b"M115", counting, &MARLIN_READING), no_checksum());
    }

    #[rstest]
    #[case::no_checksum_looked_at(Counting { checksums: false, in_order: false, ..MARLIN }, "N7 G28*99", queued(Some(7), "G28"))]
    #[case::any_number(Counting { in_order: false, ..MARLIN }, "N7 G28*20", queued(Some(7), "G28"))]
    #[case::but_a_checksum(Counting { in_order: false, ..MARLIN }, "N7 G28*21", Verdict::Reject(Complaint::Mismatch(20)))]
    #[case::or_none(Counting { in_order: false, number_needs_checksum: false, ..MARLIN }, "N7 G28", queued(Some(7), "G28"))]
    #[case::a_number_for_a_checksum(Counting { stray_checksum: Stray::Rejected, ..MARLIN }, "G28*18", Verdict::Reject(Complaint::NoNumber))]
    fn what_is_verified_differs(#[case] counting: Counting, #[case] line: &str, #[case] verdict: Verdict) {
        assert_eq!(LineCounter::default().check(line.as_bytes(), counting, &MARLIN_READING), verdict);
    }

    #[test]
    fn after_a_rejected_line_some_are_skipped_until_the_one_that_is_awaited() {
        let counting = Counting { skips: 2, repeats: Repeats::Skipped, ..MARLIN };
        let mut counter = LineCounter::default();
        let mut check = |line: &str| counter.check(line.as_bytes(), counting, &MARLIN_READING);
        assert_eq!(check("N1 G28*19"), Verdict::Reject(Complaint::Mismatch(18)));
        assert_eq!(check("N2 G28*17"), Verdict::Skip(2));
        assert_eq!(check("N3 G28*16"), Verdict::Skip(3));
        assert_eq!(check("N4 G28*23"), order(4));
        assert_eq!(check("N1 G28*18"), queued(Some(1), "G28"));
        assert_eq!(check("N3 G28*16"), order(3));
    }

    #[rstest]
    #[case::marlin(Dialect::Marlin, "N1 M117 2*3 copies", queued(Some(1), "M117 2*3 copies"))]
    #[case::prusa(Dialect::Prusa, "N1 M117 2*3 copies", Verdict::Reject(Complaint::Mismatch(55)))]
    #[case::marlin_sets_the_number(Dialect::Marlin, "N1 M117 M110 N7", queued(Some(1), "M117 M110 N7"))]
    #[case::prusa_does_not(Dialect::Prusa, "N1 M117 M110 N7", queued(Some(1), "M117 M110 N7"))]
    #[case::reprap(Dialect::RepRapFirmware, "N1 M117 2*3", Verdict::Reject(Complaint::Mismatch(55)))]
    #[case::reprap_quoted(Dialect::RepRapFirmware, "N1 M117 \"2*3\"", queued(Some(1), "M117 \"2*3\""))]
    #[case::klipper(Dialect::Klipper, "N1 M117 2*3 copies", queued(Some(1), "M117 2*3 copies"))]
    #[case::repetier_text(Dialect::Repetier, "N1 M117 2*3 Nine", queued(Some(1), "M117 2"))]
    #[case::repetier_number_in_words(Dialect::Repetier, "N1 PRINT_START", Verdict::Skip(0))]
    #[case::repetier_parentheses(Dialect::Repetier, "N1 G1 X1 (fast) Y1", queued(Some(1), "G1 X1"))]
    fn texts_are_read_as_the_sources_say(
        #[case] dialect: Dialect,
        #[case] line: &str,
        #[case] verdict: Verdict,
    ) {
        let sum = line.bytes().fold(0, |sum, byte| sum ^ byte);
        let speech = dialect.speech();
        let mut counter = LineCounter::default();
        let line = format!("{line}*{sum}");
        assert_eq!(counter.check(line.as_bytes(), speech.counting, &speech.reading), verdict);
    }
}
