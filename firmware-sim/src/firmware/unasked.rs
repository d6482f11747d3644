//! What the firmware says by itself: reports, `wait`, `busy`.
//!
//! Owns: when each is said. Must not know: what the reports hold.

use super::config::KeepAlive;
use super::stage::Stage;
use super::{Firmware, REPORT_BACKLOG};

impl Firmware {
    /// Sends the lines nobody asked for at this moment: auto-reports and `busy`.
    pub(super) fn report(&mut self) {
        if self.machine.halted {
            return;
        }
        let roomy = self.machine.out.len() + self.backlog < REPORT_BACKLOG;
        self.machine.auto_report(self.now, roomy);
        if self.next_wait().is_some_and(|at| self.now >= at) {
            self.waited = self.now;
            if roomy {
                self.machine.line("wait");
            }
        }
        let (Some(mark), Some(keepalive)) = (self.busy_mark(), self.machine.keepalive) else { return };
        let Some(stage) = &self.running else { return };
        if self.now >= self.busy_at {
            let state = stage.busy_state();
            self.busy_at = self.now + keepalive;
            if roomy {
                self.machine.line(&format!("{mark}{state}"));
            }
        }
    }

    /// What stands before the state in a busy line, if one may be said now.
    pub(super) fn busy_mark(&self) -> Option<&'static str> {
        let says = match (self.machine.config.keep_alive, self.running.as_ref()?) {
            (KeepAlive::Never, _) | (KeepAlive::NotInMoves, Stage::Room(_) | Stage::Arc(_)) => false,
            (KeepAlive::Always | KeepAlive::NotInMoves, _) => true,
        };
        self.machine.speech().busy.filter(|_| says)
    }
}
