//! What the firmware wants of a person: prompts, and waits at its panel.
//!
//! Owns: the text and buttons of the prompt (`//action:prompt_…`), when it is over, and which question it is: an
//! answer to one that is over must not answer the next. What the buttons do is [`button`]'s. Must not know: who answers.

mod button;

/// More buttons than any firmware offers; what a garbled line adds beyond is passed over.
const MOST_BUTTONS: usize = 16;

/// A question of the firmware.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prompt {
    /// The question.
    pub text: String,
    /// The answers, by the number that `M876 S` wants.
    pub buttons: Vec<String>,
}

impl Prompt {
    /// The button that goes on; none: a person has to choose.
    #[must_use]
    pub fn goes_on(&self) -> Option<u8> {
        button::that_goes_on(&self.buttons)
    }

    /// It only tells something: Marlin's `Pause` and `Resuming` stand until the next one.
    fn is_notice(&self) -> bool {
        button::only_dismiss(&self.buttons)
    }
}

/// Whether a person is wanted.
#[derive(Debug, Default)]
pub(super) struct Attention {
    prompt: Option<Prompt>,
    /// All of the prompt has come.
    shown: bool,
    /// `busy: paused for user`.
    waits: bool,
    /// It takes no command until somebody unlocks it.
    locked: bool,
    /// Counts the questions.
    number: u64,
}

impl Attention {
    /// Takes a prompt's action; false when it is none.
    pub(super) fn on_action(&mut self, verb: &str, text: &str) -> bool {
        match verb {
            "prompt_begin" => {
                self.number += 1;
                self.shown = false;
                self.prompt = Some(Prompt { text: text.trim().to_owned(), buttons: Vec::new() });
            }
            "prompt_choice" | "prompt_button" => {
                if let Some(prompt) = self.prompt.as_mut().filter(|it| it.buttons.len() < MOST_BUTTONS) {
                    prompt.buttons.push(text.trim().to_owned());
                }
            }
            "prompt_end" => {
                // What it waits for now is something else.
                self.number += u64::from(self.prompt.take().is_some());
            }
            "prompt_show" => self.shown = true,
            _ => return false,
        }
        true
    }

    /// `busy: paused for user`: it stands until something is carried out again.
    pub(super) fn waits(&mut self) {
        if self.prompt.is_none() && !self.waits {
            self.number += 1;
        }
        self.waits = true;
    }

    /// It says that it is locked: whether that is news.
    pub(super) fn lock(&mut self) -> bool {
        self.number += u64::from(!self.locked);
        !std::mem::replace(&mut self.locked, true)
    }

    pub(super) fn is_locked(&self) -> bool {
        self.locked
    }

    /// It is at work again. What it waited for has been answered, at the panel perhaps: firmware does not always
    /// take its prompt back then. A prompt for which it did not wait stays until it does.
    pub(super) fn works(&mut self) {
        if std::mem::take(&mut self.waits) {
            self.prompt = None;
        }
    }

    /// The connection is new.
    pub(super) fn clear(&mut self) {
        *self = Self { number: self.number, ..Self::default() };
    }

    /// The prompt was answered.
    pub(super) fn answered(&mut self) {
        self.prompt = None;
        self.waits = false;
    }

    pub(super) fn prompt(&self) -> Option<&Prompt> {
        self.prompt.as_ref().filter(|_| self.shown || self.waits)
    }

    /// The button that goes on; none: a person has to choose.
    pub(super) fn goes_on(&self) -> Option<u8> {
        self.prompt().map_or(Some(0), Prompt::goes_on)
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.waits
    }

    /// Which question stands: never the same number again.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// What a person is told.
    pub(super) fn message(&self) -> Option<&str> {
        if self.locked {
            return Some("The printer is locked by a password and takes no command: unlock it at its panel.");
        }
        let waits = self.waits.then_some("The printer waits for someone at its panel.");
        let asks = self.prompt().filter(|prompt| self.waits || !prompt.is_notice());
        let asks = asks.map(|prompt| match prompt.text.as_str() {
            "" => "The printer asks for someone.",
            text => text,
        });
        asks.or(waits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(lines: &[(&str, &str)]) -> Attention {
        let mut attention = Attention::default();
        for (verb, text) in lines {
            assert!(attention.on_action(verb, text));
        }
        attention
    }

    const PARKED: [(&str, &str); 4] = [
        ("prompt_begin", "Nozzle parked"),
        ("prompt_button", "Purge"),
        ("prompt_button", "Go on"),
        ("prompt_show", ""),
    ];

    #[test]
    fn a_prompt_stands_with_its_buttons_until_it_is_taken_back() {
        assert_eq!(asked(&PARKED[..3]).message(), None, "not all of it has come yet");
        let mut attention = asked(&PARKED);
        assert_eq!(attention.message(), Some("Nozzle parked"));
        attention.works();
        assert_eq!(attention.message(), Some("Nozzle parked"), "it works on while it asks");
        attention.waits();
        assert_eq!(attention.prompt().unwrap().buttons, ["Purge", "Go on"]);
        assert!(attention.on_action("prompt_end", ""));
        assert_eq!(attention.message(), Some("The printer waits for someone at its panel."));
        attention.works();
        assert_eq!(attention.message(), None);
        assert!(!attention.on_action("paused", ""));
    }

    #[test]
    fn a_prompt_that_it_waited_for_is_over_when_it_works_again() {
        let mut attention = asked(&PARKED);
        attention.waits();
        attention.works();
        assert_eq!((attention.message(), attention.prompt()), (None, None), "answered at the panel");
    }

    #[test]
    fn a_notice_is_no_question_unless_the_printer_waits() {
        let notice = [("prompt_begin", "Resuming"), ("prompt_button", "Dismiss"), ("prompt_show", "")];
        let mut attention = asked(&notice);
        assert_eq!(attention.message(), None, "it would stand to the end of the print");
        attention.waits();
        assert_eq!(attention.message(), Some("Resuming"));
    }

    #[test]
    fn every_question_has_a_number_of_its_own() {
        let mut attention = asked(&PARKED);
        let first = attention.number();
        attention.waits();
        assert_eq!(attention.number(), first, "the wait is for the prompt");
        attention.answered();
        attention.waits();
        let panel = attention.number();
        attention.waits();
        assert!(panel > first && attention.number() == panel, "one wait, however often it is said");
        attention.clear();
        PARKED.iter().for_each(|(verb, text)| assert!(attention.on_action(verb, text)));
        assert!(attention.number() > panel, "also after a reconnect");
    }

    #[test]
    fn endless_buttons_do_not_pile_up() {
        let mut attention = asked(&PARKED);
        (0..1000).for_each(|_| assert!(attention.on_action("prompt_button", "More")));
        assert_eq!(attention.prompt().unwrap().buttons.len(), MOST_BUTTONS);
    }
}
