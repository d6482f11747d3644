//! What the firmware wants of a person: prompts, and waits at its panel.
//!
//! Owns: the text and buttons of the prompt (`//action:prompt_…`), and when it is over. Must not know: who answers.

/// A question of the firmware.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prompt {
    /// The question.
    pub text: String,
    /// The answers, by the number that `M876 S` wants.
    pub buttons: Vec<String>,
}

/// Whether a person is wanted.
#[derive(Debug, Default)]
pub(super) struct Attention {
    prompt: Option<Prompt>,
    /// `busy: paused for user`.
    waits: bool,
}

impl Attention {
    /// Takes a prompt's action; false when it is none.
    pub(super) fn on_action(&mut self, verb: &str, text: &str) -> bool {
        match verb {
            "prompt_begin" => {
                self.prompt = Some(Prompt { text: text.trim().to_owned(), buttons: Vec::new() })
            }
            "prompt_choice" | "prompt_button" => {
                if let Some(prompt) = &mut self.prompt {
                    prompt.buttons.push(text.trim().to_owned());
                }
            }
            "prompt_end" => self.prompt = None,
            "prompt_show" => {}
            _ => return false,
        }
        true
    }

    /// `busy: paused for user`: it stands until something is carried out again.
    pub(super) fn waits(&mut self) {
        self.waits = true;
    }

    /// It is at work again. A prompt stays until the firmware takes it back.
    pub(super) fn works(&mut self) {
        self.waits = false;
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The prompt was answered.
    pub(super) fn answered(&mut self) {
        self.prompt = None;
        self.waits = false;
    }

    pub(super) fn prompt(&self) -> Option<&Prompt> {
        self.prompt.as_ref()
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.waits
    }

    /// What a person is told.
    pub(super) fn message(&self) -> Option<&str> {
        let waits = self.waits.then_some("The printer waits for someone at its panel.");
        self.prompt.as_ref().map(|prompt| prompt.text.as_str()).or(waits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_stands_with_its_buttons_until_it_is_taken_back() {
        let mut attention = Attention::default();
        for (verb, text) in
            [("prompt_begin", "Nozzle parked"), ("prompt_button", "Purge"), ("prompt_button", "Go on")]
        {
            assert!(attention.on_action(verb, text));
        }
        attention.waits();
        assert_eq!(attention.message(), Some("Nozzle parked"));
        assert_eq!(attention.prompt().unwrap().buttons, ["Purge", "Go on"]);
        assert!(attention.on_action("prompt_end", ""));
        assert_eq!(attention.message(), Some("The printer waits for someone at its panel."));
        attention.works();
        assert_eq!(attention.message(), None);
        assert!(!attention.on_action("paused", ""));
    }
}
