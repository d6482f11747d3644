//! A print that is none of ours: started at the printer's own panel, from its memory card.
//!
//! Owns: how it is recognised. Must not know: jobs of ours; while there is one, nothing here is asked.

use std::time::Duration;

/// After this long without a sign of it, it is over.
const FORGOTTEN: Duration = Duration::from_secs(15);

/// What is known of a print of the printer's own.
#[derive(Debug, Default)]
pub(super) struct External {
    /// Bytes done and bytes in all, as M27 tells.
    progress: Option<(u64, u64)>,
    /// It is as far as it was the last time: Marlin 1 tells that of a print that is over, too.
    stands: bool,
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
            let progress = numbers.filter(|(_, all)| *all > 0);
            self.stands = progress.is_some() && progress == self.progress;
            self.progress = progress;
            self.busy_until = Some(now + FORGOTTEN);
        } else if line.contains("Not SD printing") || line.contains("Done printing file") {
            *self = Self::default();
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
            *self = Self::default();
        }
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        self.busy_until
    }

    pub(super) fn is_on(&self) -> bool {
        self.busy_until.is_some() || self.offers_to_go_on
    }

    /// Somebody has started a print from the memory card.
    pub(super) fn prints_from_card(&self) -> bool {
        self.progress.is_some()
    }

    /// The same, and it has gone on since it was asked about before.
    pub(super) fn goes_on_from_card(&self) -> bool {
        self.prints_from_card() && !self.stands
    }

    /// What a person is told, while it is on.
    pub(super) fn message(&self) -> Option<String> {
        if self.offers_to_go_on {
            return Some(
                "It lost its power in mid-print and offers at its panel to go on: decide there.".into(),
            );
        }
        self.busy_until?;
        Some(match self.progress {
            #[allow(clippy::cast_precision_loss, reason = "a percentage")]
            Some((done, all)) => {
                let percent = done as f64 / all as f64 * 100.0;
                format!("Prints from its own memory card ({percent:.0} %).")
            }
            None => "At work on something that was started at its panel.".to_owned(),
        })
    }
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
        for (second, done, goes_on) in [(1, 21, true), (6, 22, true), (11, 22, false), (16, 23, true)] {
            external.read(S(second), &format!("SD printing byte {done}/100"));
            assert!(external.prints_from_card());
            assert_eq!(external.goes_on_from_card(), goes_on, "{done}");
        }
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
