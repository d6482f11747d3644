//! A print that is none of ours: started at the printer's own panel, from its memory card.
//!
//! `SD printing byte X/Y` alone is no print: UltiMaker 2 and Marlin before 2.0 (`CardReader::getStatus`), and Repetier before 2.0
//! (`SDCard::printStatus`), say it whenever a card is in, `0/0` before a file was opened and afterwards where the last one was read to;
//! Klipper (`virtual_sdcard.py`) also in a pause. A place that moves is a print: between two answers every firmware reads on.
//! Owns: how it is recognised. Must not know: jobs of ours; while there is one, nothing here is asked.

use std::time::Duration;

/// After this long without a sign of it, it is over.
const FORGOTTEN: Duration = Duration::from_secs(15);

/// What is known of a print of the printer's own.
#[derive(Debug, Default)]
pub(super) struct External {
    /// Bytes read of a file and bytes in all, as M27 told last; kept when that is no print, to see whether it moves.
    place: Option<(u64, u64)>,
    /// It is where it was the last time.
    stands: bool,
    /// It is further in the same file than the last time, and not at its end.
    goes_on: bool,
    busy_until: Option<Duration>,
    /// After a loss of power it offers, at its panel, to go on with what it printed.
    offers_to_go_on: bool,
}

impl External {
    /// `//action:…` of Prusa-Firmware: `uvlo_recovery_ready` after a loss of power; what is decided at the panel ends
    /// it. False when it is none of these.
    pub(super) fn on_action(&mut self, verb: &str) -> bool {
        let offers = matches!(verb, "uvlo_recovery_ready" | "uvlo_auto_recovery_ready");
        if offers || matches!(verb, "ready" | "not_ready" | "cancel" | "resumed") {
            self.offers_to_go_on = offers;
        }
        offers
    }

    /// A line of the firmware: `SD printing byte 123/456`, `Not SD printing`, `Done printing file`.
    pub(super) fn read(&mut self, now: Duration, line: &str) {
        if let Some(rest) = line.trim().strip_prefix("SD printing byte ") {
            let numbers = rest
                .split_once('/')
                .and_then(|(done, all)| Some((done.trim().parse().ok()?, all.trim().parse().ok()?)));
            self.look_at(now, numbers.filter(|(_, all)| *all > 0));
        } else if line.contains("Not SD printing") || line.contains("Done printing file") {
            *self = Self::default();
        }
    }

    /// What M27 tells now; none: of no file.
    fn look_at(&mut self, now: Duration, place: Option<(u64, u64)>) {
        let before = std::mem::replace(&mut self.place, place);
        self.stands = place.is_some() && place == before;
        self.goes_on = false;
        let Some((done, all)) = place else { return };
        let has_moved = before.is_some_and(|(was, of)| of == all && done > was);
        self.goes_on = has_moved && done < all;
        // One that is seen for the first time may move by the next answer; what has moved to its end has its last moves before it.
        if has_moved || done < all && !self.stands {
            self.busy_until = Some(now + FORGOTTEN);
        }
    }

    /// The firmware says that it is at work, and it is not on ours.
    pub(super) fn busy(&mut self, now: Duration) {
        self.busy_until = Some(now + FORGOTTEN);
    }

    /// Ours begins, or the printer has started over.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Lets go of what has not shown for a while.
    pub(super) fn tick(&mut self, now: Duration) {
        if self.busy_until.is_some_and(|until| now >= until) {
            (self.busy_until, self.goes_on, self.offers_to_go_on) = (None, false, false);
        }
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        self.busy_until
    }

    pub(super) fn is_on(&self) -> bool {
        self.busy_until.is_some() || self.offers_to_go_on
    }

    /// Somebody prints from the memory card: it was seen to go on.
    pub(super) fn prints_from_card(&self) -> bool {
        self.goes_on
    }

    /// It may print, or go on with a print: a file is open and not at its end.
    pub(super) fn has_more_to_print(&self) -> bool {
        self.place.is_some_and(|(done, all)| done < all)
    }

    /// The same, and it was not seen to stand since.
    pub(super) fn may_go_on_from_card(&self) -> bool {
        self.has_more_to_print() && !self.stands
    }

    /// A file is open, not at its end, and is not read on: its print is paused, was given up, or has not begun. Only its heat tells
    /// which. What a person is told where it is hot.
    pub(super) fn rests(&self) -> Option<String> {
        let (done, all) = self.place.filter(|_| self.has_more_to_print() && !self.is_on())?;
        Some(format!(
            "A print from its own memory card seems to be paused ({:.0} %): its heaters are on. Go on with it at the printer, or \
             end it there and turn its heaters off.",
            percent(done, all)
        ))
    }

    /// What a person is told, while it is on.
    pub(super) fn message(&self) -> Option<String> {
        if self.offers_to_go_on {
            return Some(
                "It lost its power in mid-print and offers at its panel to go on: decide there.".into(),
            );
        }
        self.busy_until?;
        Some(match self.place {
            Some((done, all)) => format!("Prints from its own memory card ({:.0} %).", percent(done, all)),
            None => "At work on something that was started at its panel.".to_owned(),
        })
    }
}

#[allow(clippy::cast_precision_loss, reason = "a percentage")]
fn percent(done: u64, all: u64) -> f64 {
    done as f64 / all as f64 * 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    #[test]
    fn after_a_loss_of_power_the_panel_decides() {
        let mut external = External::default();
        assert!(external.on_action("uvlo_recovery_ready"));
        assert!(external.is_on() && external.message().unwrap().contains("panel"));
        external.tick(S(1000));
        assert!(external.is_on(), "for as long as that takes");
        assert!(!external.on_action("cancel"));
        assert!(!external.is_on());
    }

    #[test]
    fn one_that_does_not_get_on_any_more_does_not_go_on() {
        let mut external = External::default();
        for (second, done, prints, may) in
            [(1, 21, false, true), (6, 22, true, true), (11, 22, false, false), (16, 23, true, true)]
        {
            external.read(S(second), &format!("SD printing byte {done}/100"));
            assert!(external.is_on(), "{done}");
            assert_eq!(external.prints_from_card(), prints, "{done}");
            assert_eq!(external.may_go_on_from_card(), may, "{done}");
        }
        external.read(S(20), "SD printing byte 23/100");
        external.tick(S(31));
        assert!(!external.is_on() && external.rests().unwrap().contains("23 %"));
        external.read(S(35), "SD printing byte 24/100");
        assert!(external.prints_from_card() && external.is_on() && external.rests().is_none(), "it goes on");
    }

    #[test]
    fn no_file_and_one_that_is_at_its_end_are_no_print() {
        for place in ["0/0", "100/100"] {
            let mut external = External::default();
            for second in 1..9 {
                external.read(S(5 * second), &format!("SD printing byte {place}"));
                assert!(!external.is_on() && !external.prints_from_card(), "{place}");
                assert!(!external.has_more_to_print() && external.rests().is_none(), "{place}");
            }
        }
        let mut external = External::default();
        external.read(S(1), "SD printing byte 90/100");
        external.read(S(6), "SD printing byte 100/100");
        assert!(external.is_on() && !external.prints_from_card(), "its last moves");
        external.tick(S(21));
        external.read(S(21), "SD printing byte 100/100");
        assert!(!external.is_on());
        external.read(S(26), "SD printing byte 0/80");
        assert!(external.is_on() && !external.prints_from_card(), "another file, which may be printed");
    }

    #[test]
    fn a_print_from_the_card_is_shown_until_it_ends() {
        let mut external = External::default();
        external.read(S(1), "SD printing byte 21/100");
        assert_eq!(external.message().as_deref(), Some("Prints from its own memory card (21 %)."));
        external.read(S(5), "Not SD printing");
        assert!(!external.is_on());
        external.busy(S(6));
        assert!(external.is_on());
        external.tick(S(21));
        assert_eq!(external.message(), None, "nothing more was heard of it");
    }
}
