//! A machine that stands still for good: it has stopped itself, or was told to.
//!
//! Owns: what becomes of the job then, and that nothing more is asked or sent. Must not know: how it is told.

use std::time::Duration;

use super::super::job::End;
use super::{Host, HostEvent, Phase};

impl Host {
    /// The machine itself is being stopped, at once and past everything, by whoever writes `M112` to its port: the job has
    /// failed and nothing more is sent. Only a reset brings it back. `by` ends "stopped at once …". False: this firmware
    /// carries `M112` out only when it gets to it.
    pub fn kill(&mut self, now: Duration, by: &str) -> bool {
        self.halt_with(
            now,
            &format!("it was told to stop at once {by} (M112); look whether its heaters are off"),
            End::Failed(format!(
                "Stopped at once {by} (M112). Look whether the printer's heaters are off, else switch it off; then \
                 switch it off and on again."
            )),
        );
        // What was to be sent is not sent any more.
        self.link.take_output();
        self.tick(now);
        self.firmware.can("EMERGENCY_PARSER")
    }

    /// The firmware has stopped itself, with its own words.
    pub(super) fn halt(&mut self, now: Duration, message: &str) {
        let end = format!(
            "The printer stopped itself: {message}. Find the cause, then switch it off and on again."
        );
        self.halt_with(now, message, End::Failed(end));
    }

    fn halt_with(&mut self, now: Duration, message: &str, end: End) {
        if matches!(self.phase, Phase::Halted(_)) {
            // The first of several lines names the cause.
            return;
        }
        self.end_job(end);
        self.turned_off = false;
        // Whoever wanted it warm wants it no more.
        self.end_wanted(now);
        self.link.forget();
        self.phase = Phase::Halted(message.to_owned());
        self.poll_at = None;
        self.card_at = None;
        self.events.push_back(HostEvent::Halted(message.to_owned()));
    }
}
