//! What a key means: the job's pause, or an answer to what the printer asks.
//!
//! Owns: which order it becomes, and the words for the answers that there are. Pure. Must not know: terminals, ports.

use crate::cli::keys::Wish;
use crate::port::{Asked, Order};

/// What becomes of a key.
#[derive(Debug)]
pub(super) enum Choice {
    Give(Order),
    /// It has to be another key: what a person is told.
    Say(String),
    Nothing,
}

/// `paused`: the job is, or is about to be.
pub(super) fn of(wish: Wish, paused: bool, asked: Option<&Asked>) -> Choice {
    match (wish, asked) {
        (Wish::Button(_) | Wish::GoOn, Some(asked)) if asked.only_at_printer => {
            Choice::Say("Nothing that is sent answers that: press the button at the printer.".into())
        }
        (Wish::Button(button), Some(asked)) if usize::from(button) < asked.buttons.len().max(1) => {
            Choice::Give(Order::Answer(asked.question, button))
        }
        (Wish::Button(_), _) => Choice::Nothing,
        (Wish::GoOn, Some(asked)) if asked.goes_on.is_none() => Choice::Say(question(asked)),
        // What goes on is the host's to know: a button, or the job.
        (Wish::GoOn, Some(_)) => Choice::Give(Order::Resume),
        (Wish::Toggle | Wish::GoOn, _) if paused => Choice::Give(Order::Resume),
        (Wish::Toggle, _) => Choice::Give(Order::Pause),
        (Wish::GoOn, None) => Choice::Nothing,
    }
}

/// The question with its answers, by their keys.
pub(super) fn question(asked: &Asked) -> String {
    let text = &asked.text;
    if asked.only_at_printer {
        return text.clone();
    }
    if asked.buttons.is_empty() {
        return format!("{text} (Enter: go on)");
    }
    let answers: Vec<String> = asked
        .buttons
        .iter()
        .enumerate()
        .map(|(at, button)| {
            let enter = asked.goes_on.is_some_and(|goes_on| usize::from(goes_on) == at);
            format!("{}{}: {button}", at + 1, if enter { " or Enter" } else { "" })
        })
        .collect();
    format!("{text} ({})", answers.join("  "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn asked(buttons: &[&str], goes_on: Option<u8>) -> Asked {
        let buttons = buttons.iter().map(|label| (*label).to_owned()).collect();
        Asked { question: 7, text: "Paused".into(), buttons, goes_on, only_at_printer: false }
    }

    #[test]
    fn a_question_names_its_keys() {
        let purge = asked(&["PurgeMore", "Continue"], Some(1));
        assert_eq!(question(&purge), "Paused (1: PurgeMore  2 or Enter: Continue)");
        assert_eq!(question(&asked(&["Red", "Blue"], None)), "Paused (1: Red  2: Blue)");
        assert_eq!(question(&asked(&[], Some(0))), "Paused (Enter: go on)");
        let out_of_reach = Asked { only_at_printer: true, ..purge };
        assert_eq!(question(&out_of_reach), "Paused", "no key answers it");
        for wish in [Wish::GoOn, Wish::Button(0)] {
            assert!(matches!(of(wish, true, Some(&out_of_reach)), Choice::Say(_)));
        }
    }

    #[rstest]
    #[case(Wish::Toggle, false, None, "Give(Pause)")]
    #[case(Wish::Toggle, true, None, "Give(Resume)")]
    #[case(Wish::GoOn, true, None, "Give(Resume)")]
    #[case(Wish::GoOn, false, None, "Nothing")]
    #[case::never_purges(Wish::GoOn, false, Some(&["PurgeMore", "Continue"][..]), "Give(Resume)")]
    #[case::by_its_key(Wish::Button(0), false, Some(&["PurgeMore", "Continue"][..]), "Give(Answer(7, 0))")]
    #[case::there_is_no_such(Wish::Button(2), false, Some(&["PurgeMore", "Continue"][..]), "Nothing")]
    #[case::without_a_question(Wish::Button(0), true, None, "Nothing")]
    #[case::no_guess(Wish::GoOn, true, Some(&["Red", "Blue"][..]), "Say(\"Paused (1: Red  2: Blue)\")")]
    fn a_key_becomes_an_order(
        #[case] wish: Wish,
        #[case] paused: bool,
        #[case] buttons: Option<&[&str]>,
        #[case] expected: &str,
    ) {
        let asked = buttons.map(|buttons| asked(buttons, buttons.contains(&"Continue").then_some(1)));
        assert_eq!(format!("{:?}", of(wish, paused, asked.as_ref())), expected);
    }
}
