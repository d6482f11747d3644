//! What a person does at the machine, and what comes the same way from a host.
//!
//! Owns: locks, the button, pins. Must not know: lines.

use std::time::Duration;

use super::Firmware;
use super::filament_change::Answer;
use super::stage::Stage;

impl Firmware {
    /// Somebody locks or unlocks it at its panel.
    pub fn lock(&mut self, locked: bool) {
        self.machine.config.locked = locked;
    }

    /// Somebody presses the button at the printer.
    pub fn click(&mut self, now: Duration) {
        self.advance(now);
        self.answer(Answer::Click);
        self.settle();
    }

    /// Whether it waits for somebody.
    #[must_use]
    pub fn waits_for_a_person(&self) -> bool {
        matches!(self.running, Some(Stage::Person(_) | Stage::Change(_)))
    }

    /// The pin that M226 waits for takes its state.
    pub fn switch_pin(&mut self, now: Duration) {
        self.advance(now);
        if self.running == Some(Stage::Pin) {
            self.running = Some(Stage::Done);
        }
        self.settle();
    }

    pub(super) fn answer(&mut self, answer: Answer) {
        self.running = self.running.take().map(|stage| match stage {
            Stage::Change(change) => Stage::Change(self.machine.answer_change(change, answer, self.now)),
            mut stage => {
                stage.end_wait(answer == Answer::EndWait);
                stage
            }
        });
    }
}
