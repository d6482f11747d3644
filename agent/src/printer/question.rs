//! What the printer asks of a person, with the id by which it is answered.
//!
//! Owns: that an answer meets the question it was meant for, and meets it once. Must not know: how the question
//! came, or how the answer is sent.

use stardust_protocol::{Attention, AttentionId, CommandOutcome, Timestamp};

use crate::port::{Asked, Order};

/// Why an answer can't be passed on.
pub(super) const ONLY_AT_PRINTER: &str =
    "Only the printer's own button answers that: its firmware takes no command before. Press it there.";

/// What stands now.
#[derive(Debug, Default)]
pub(super) struct Question {
    asked: Option<(Asked, AttentionId)>,
    answered: Option<AttentionId>,
}

impl Question {
    /// What the printer asks now: the id stays for as long as the question does.
    pub(super) fn follow(&mut self, asked: Option<&Asked>, now: Timestamp) {
        let id = self.asked.take().map(|(before, id)| (before.question, id));
        self.asked = asked.map(|asked| match id {
            Some((question, id)) if question == asked.question => (asked.clone(), id),
            _ => (asked.clone(), AttentionId::generate(now)),
        });
    }

    /// What the hub is told.
    pub(super) fn attention(&self) -> Option<Attention> {
        let (asked, id) = self.asked.as_ref()?;
        let Asked { text, buttons, only_at_printer, .. } = asked.clone();
        Some(Attention { id: *id, text, buttons, only_at_printer })
    }

    /// Takes an answer: the outcome, and what to do.
    pub(super) fn answer(&mut self, to: AttentionId, button: u8) -> (CommandOutcome, Option<Order>) {
        let refused = |reason: &str| (CommandOutcome::Refused { reason: reason.into() }, None);
        match &self.asked {
            Some((asked, id)) if *id == to && self.answered != Some(to) => {
                if asked.only_at_printer {
                    return refused(ONLY_AT_PRINTER);
                }
                if usize::from(button) >= asked.buttons.len().max(1) {
                    return refused("The printer's question has no such answer.");
                }
                self.answered = Some(to);
                (CommandOutcome::Done, Some(Order::Answer(asked.question, button)))
            }
            _ => refused(
                "The printer does not ask that any more: it was answered already, at its own panel or by \
                 someone else.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(question: u64, buttons: &[&str]) -> Asked {
        let buttons = buttons.iter().map(|label| (*label).to_owned()).collect();
        Asked { question, text: "Load filament".into(), buttons, goes_on: Some(0), only_at_printer: false }
    }

    fn now() -> Timestamp {
        Timestamp::from_millis(0)
    }

    #[test]
    fn an_answer_meets_its_question_and_only_once() {
        let mut question = Question::default();
        question.follow(Some(&asked(1, &["Purge", "Continue"])), now());
        let id = question.attention().unwrap().id;
        question.follow(Some(&asked(1, &["Purge", "Continue"])), now());
        assert_eq!(question.attention().unwrap().id, id, "the same question");
        assert!(question.answer(id, 2).1.is_none(), "there are two buttons");
        assert!(matches!(question.answer(id, 1), (CommandOutcome::Done, Some(Order::Answer(1, 1)))));
        let (again, None) = question.answer(id, 1) else { panic!() };
        assert!(matches!(again, CommandOutcome::Refused { reason } if reason.contains("answered already")));
    }

    #[test]
    fn what_is_answered_at_the_printer_alone_takes_no_answer_from_here() {
        let mut question = Question::default();
        question.follow(Some(&Asked { only_at_printer: true, ..asked(1, &["Continue"]) }), now());
        let attention = question.attention().unwrap();
        assert!(attention.only_at_printer);
        let (CommandOutcome::Refused { reason }, None) = question.answer(attention.id, 0) else { panic!() };
        assert_eq!(reason, ONLY_AT_PRINTER);
        // With a way to end it again.
        question.follow(Some(&asked(1, &["Continue"])), now());
        assert!(question.answer(attention.id, 0).1.is_some());
    }

    #[test]
    fn the_next_question_in_the_same_words_is_another() {
        let mut question = Question::default();
        question.follow(Some(&asked(1, &[])), now());
        let first = question.attention().unwrap().id;
        question.follow(Some(&asked(2, &[])), now());
        assert!(question.answer(first, 0).1.is_none());
        let second = question.attention().unwrap().id;
        assert!(matches!(question.answer(second, 0), (_, Some(Order::Answer(2, 0)))), "no buttons: go on");
        question.follow(None, now());
        assert_eq!(question.attention(), None);
        assert!(question.answer(second, 0).1.is_none());
    }
}
