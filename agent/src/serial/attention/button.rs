//! What the buttons of a firmware's question do, by their names.
//!
//! Owns: which button goes on. Must not know: who presses it, or how.
//!
//! Marlin (feature/host_actions.cpp, feature/pause.cpp): a change of filament asks with `Continue` alone, with `Reheat`
//! alone after its nozzle has timed out, and at its end with `PurgeMore` and `Continue`, or `DisableRunout` in its place
//! where a sensor has seen the filament end. `Resume` answers a pause made at the panel. `Dismiss` only closes what it
//! stands under. A button's number is its place, from 0. Other firmware has words of its own.

/// What pressing it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Press {
    /// The print goes on.
    GoesOn,
    /// More filament is pushed through, and it asks again.
    PurgesMore,
    /// Nothing: it was a notice.
    Dismisses,
    /// Nobody knows.
    Unknown,
}

impl Press {
    fn of(label: &str) -> Self {
        let letters = label.chars().filter(char::is_ascii_alphanumeric);
        let word: String = letters.map(|letter| letter.to_ascii_lowercase()).collect();
        match word.as_str() {
            "continue" | "resume" | "disablerunout" => Self::GoesOn,
            "purgemore" => Self::PurgesMore,
            "dismiss" => Self::Dismisses,
            _ => Self::Unknown,
        }
    }
}

/// The button that goes on: the only one there is, or the only one of several whose name says so. None: a person has to
/// choose.
pub(super) fn that_goes_on(buttons: &[String]) -> Option<u8> {
    if buttons.len() <= 1 {
        return Some(0);
    }
    let mut that_go_on =
        buttons.iter().enumerate().filter(|(_, label)| Press::of(label) == Press::GoesOn).map(|(at, _)| at);
    let (first, second) = (that_go_on.next(), that_go_on.next());
    first.filter(|_| second.is_none()).and_then(|at| u8::try_from(at).ok())
}

/// Whether nothing hangs on any of them: what they stand under is a notice, not a question.
pub(super) fn only_dismiss(buttons: &[String]) -> bool {
    buttons.iter().all(|label| Press::of(label) == Press::Dismisses)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(&[], Some(0))]
    #[case(&["Reheat"], Some(0))]
    #[case(&["PurgeMore", "Continue"], Some(1))]
    #[case(&["PurgeMore", "DisableRunout"], Some(1))]
    #[case(&["Purge More", "CONTINUE"], Some(1))]
    #[case(&["Continue", "PurgeMore"], Some(0))]
    #[case::nobody_can_know(&["Red", "Blue"], None)]
    #[case::two_of_them(&["Continue", "Resume"], None)]
    fn the_button_that_goes_on(#[case] buttons: &[&str], #[case] expected: Option<u8>) {
        let buttons: Vec<String> = buttons.iter().map(|label| (*label).to_owned()).collect();
        assert_eq!(that_goes_on(&buttons), expected);
    }

    #[rstest]
    #[case("PurgeMore", Press::PurgesMore)]
    #[case("Dismiss", Press::Dismisses)]
    #[case("Weiter", Press::Unknown)]
    fn names(#[case] label: &str, #[case] expected: Press) {
        assert_eq!(Press::of(label), expected);
    }
}
