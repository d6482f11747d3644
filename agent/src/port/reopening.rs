//! How long a port that can't be opened is left alone before it is tried again.
//!
//! Owns: that the waits get longer where nothing depends on it, and stay short where the printer is to be stopped, or may be hot:
//! who comes back into the room puts the cable in, and the process may be about to end. Must not know: why it can't be opened.

use std::time::Duration;

/// Between the first attempts, and all of them while something may be hot.
const FIRST: Duration = Duration::from_millis(500);
const LAST: Duration = Duration::from_secs(5);
/// The port of a job that is to be gone on with, whose heaters are on, or of a machine that is to be stopped at once.
pub(super) const URGENT: Duration = Duration::from_millis(50);
/// A printer that has asked its host to go is left alone for so long. For `LAST` only where it may be hot: nobody else turns that off,
/// and a process that is asked to end meanwhile waits no longer than `END_SILENT`.
const LEFT_ALONE: Duration = Duration::from_secs(30);

/// What depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Nothing,
    /// The printer may be hot.
    Heat,
    /// It is to be stopped at once.
    Stop,
}

/// The attempts since it was open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reopening {
    wait: Duration,
    /// The printer itself wants it so.
    is_left_alone: bool,
}

impl Reopening {
    /// From now on.
    pub(super) const fn new() -> Self {
        Self { wait: FIRST, is_left_alone: false }
    }

    /// The printer has asked its host to go.
    pub(super) const fn left_alone() -> Self {
        Self { wait: LEFT_ALONE, is_left_alone: true }
    }

    /// How long the next attempt waits, from the one before.
    pub(super) fn wait(self, need: Need) -> Duration {
        match need {
            Need::Stop => self.wait.min(URGENT),
            Need::Heat => self.wait.min(if self.is_left_alone { LAST } else { FIRST }),
            Need::Nothing => self.wait,
        }
    }

    /// One more was in vain.
    pub(super) fn failed(&mut self) {
        *self = Self { wait: (self.wait * 2).min(LAST), is_left_alone: false };
    }
}

#[cfg(test)]
mod tests {
    use super::super::END_SILENT;
    use super::*;

    #[test]
    fn the_waits_get_longer_where_nothing_depends_on_it() {
        let ms = |need| {
            let mut reopening = Reopening::new();
            [(); 6].map(|()| {
                let wait = reopening.wait(need).as_millis();
                reopening.failed();
                wait
            })
        };
        assert_eq!(ms(Need::Nothing), [500, 1000, 2000, 4000, 5000, 5000]);
        assert_eq!(ms(Need::Heat), [500; 6], "whoever is ended waits for it a few seconds");
        assert_eq!(ms(Need::Stop), [50; 6]);
    }

    #[test]
    fn a_printer_that_wants_to_be_left_alone_is_once() {
        let mut reopening = Reopening::left_alone();
        let needs = [Need::Nothing, Need::Heat, Need::Stop];
        assert_eq!(needs.map(|need| reopening.wait(need).as_millis()), [30_000, 5000, 50]);
        assert!(reopening.wait(Need::Heat) < END_SILENT, "who ends sees it open again");
        reopening.failed();
        assert_eq!(needs.map(|need| reopening.wait(need).as_millis()), [5000, 500, 50]);
    }
}
