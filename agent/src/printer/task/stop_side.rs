//! A stop at once that the hub asks for.
//!
//! Owns: that the printer's port gets it before anything else is done, and that the hub learns what came of it: live at once,
//! and as an outcome that is not lost. Must not know: how a port stops a machine.

use stardust_protocol::{CommandId, Timestamp};

use super::Printer;
use crate::port::{Order, Reach};
use crate::printer::stops::BY;

impl Printer {
    pub(super) fn stop_at_once(&mut self, id: CommandId, at: Timestamp) {
        if !self.stops.ask(id, at) {
            return;
        }
        // Before anything is written down or told.
        self.port.order(Order::Kill(BY.into()));
        tracing::warn!(command.id = %id, "stop at once");
        // Whoever has heated it: a printer may not take the stop, and this process may end before that is known.
        self.owe_for_stop();
        self.call_off_preheat("The printer was stopped at once.");
        if let Some(interrupted) = &mut self.interrupted {
            interrupted.call_off();
        }
        // What is on the line ends there. What a slow disk has kept from it must not start behind that.
        let actions =
            if self.start_nothing() { self.life.not_started() } else { self.life.stopped_at_once(BY) };
        self.perform(actions);
    }

    /// It goes on. The debt stands, and the view tells.
    pub(super) fn on_stop_ignored(&mut self) {
        self.owe_for_stop();
        self.feed.start_over();
        self.send_status();
    }

    pub(super) fn on_killed(&mut self, reach: Reach) {
        let answered = self.stops.reached(reach, self.hub_now());
        // The hub is told at once, not when a status is due.
        self.feed.start_over();
        self.send_status();
        if reach == Reach::GaveUp && self.owes_heat() {
            // Nobody at the port knows of that debt; it is settled when the port is there.
            self.port.order(Order::FollowStopUp);
        }
        let Some((ids, outcome)) = answered else { return };
        tracing::warn!(?reach, ?outcome, "the stop at once was carried out, or can't be");
        for id in ids {
            self.answer(id, outcome.clone());
        }
    }
}
