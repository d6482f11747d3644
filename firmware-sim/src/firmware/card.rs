//! The memory card: what prints from it, and how far it is. Knows nothing of the file's commands.
//!
//! Source of what is said: Prusa-Firmware's and the UltiMaker 2's cardreader.cpp, klippy/extras/virtual_sdcard.py.

use std::time::Duration;

/// How fast a file is read while it is printed, bytes per second: some 30 commands.
const BYTES_PER_S: u64 = 1000;

/// A print from the card.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Print {
    bytes: u64,
    /// Read before it last went on.
    read: u64,
    /// Since when it goes on; `None`: paused.
    since: Option<Duration>,
}

/// A card, or none.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Card {
    pub(crate) inserted: bool,
    print: Option<Print>,
    /// How far the file that was opened last was read, and its bytes; kept when its print is over.
    place: (u64, u64),
}

impl Card {
    pub(crate) fn new(inserted: bool) -> Self {
        Self { inserted, print: None, place: (0, 0) }
    }

    pub(crate) fn start(&mut self, now: Duration, bytes: u64) {
        self.print = Some(Print { bytes, read: 0, since: Some(now) });
        self.place = (0, bytes);
    }

    /// M23, or somebody looks at a file in the menu: it is open, and nothing is printed.
    pub(crate) fn select(&mut self, bytes: u64) {
        self.print = None;
        self.place = (0, bytes);
    }

    /// How far the open file was read, and its bytes, whether it is printed or not; 0 of 0: none was opened yet.
    pub(crate) fn place(&self, now: Duration) -> (u64, u64) {
        self.print.map_or(self.place, |print| (print.done(now), print.bytes))
    }

    /// One was begun and has not ended.
    pub(crate) fn has_print(&self) -> bool {
        self.print.is_some()
    }

    /// M25.
    pub(crate) fn pause(&mut self, now: Duration) {
        if let Some(print) = &mut self.print {
            print.read = print.done(now);
            print.since = None;
        }
    }

    /// M24.
    pub(crate) fn resume(&mut self, now: Duration) {
        if let Some(print) = &mut self.print {
            print.since = print.since.or(Some(now));
        }
    }

    pub(crate) fn stop(&mut self, now: Duration) {
        self.place = self.place(now);
        self.print = None;
    }

    /// Bytes read and bytes in all; `None`: nothing is printed from it now.
    pub(crate) fn progress(&self, now: Duration) -> Option<(u64, u64)> {
        let print = self.print.filter(|print| print.since.is_some())?;
        Some((print.done(now), print.bytes))
    }

    /// When the print ends.
    pub(crate) fn ends_at(&self) -> Option<Duration> {
        let print = self.print?;
        let left = print.bytes.saturating_sub(print.read);
        print.since.map(|since| since + Duration::from_millis(left.saturating_mul(1000) / BYTES_PER_S))
    }

    /// Whether the print has ended just now.
    pub(crate) fn take_end(&mut self, now: Duration) -> bool {
        let ended = self.ends_at().is_some_and(|end| now >= end);
        if ended {
            self.stop(now);
        }
        ended
    }
}

impl Print {
    fn done(&self, now: Duration) -> u64 {
        let since = self.since.map_or(Duration::ZERO, |since| now.saturating_sub(since));
        let read = u64::try_from(since.as_millis()).unwrap_or(u64::MAX).saturating_mul(BYTES_PER_S) / 1000;
        self.read.saturating_add(read).min(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    #[test]
    fn a_print_goes_on_stands_still_and_ends() {
        let mut card = Card::new(true);
        card.start(S(1), 10_000);
        assert_eq!((card.progress(S(4)), card.ends_at()), (Some((3_000, 10_000)), Some(S(11))));
        card.pause(S(5));
        assert_eq!((card.progress(S(9)), card.ends_at()), (None, None));
        card.resume(S(20));
        assert_eq!((card.progress(S(21)), card.ends_at()), (Some((5_000, 10_000)), Some(S(26))));
        assert!(!card.take_end(S(25)));
        assert!(card.take_end(S(26)) && !card.take_end(S(27)));
        assert_eq!(card.place(S(99)), (10_000, 10_000), "where it was read to");
    }
}
