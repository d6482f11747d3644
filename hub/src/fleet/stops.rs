//! The emergency stops of the fleet's printers, as the live twin has them.
//!
//! Owns: that whoever waits for one hears of each step. Must not know: how they travel or are kept.

use stardust_protocol::{CommandId, CommandOutcome, PrinterId, Timestamp, WorkspaceId};
use tokio::sync::Notify;

use super::emergency::EmergencyStop;
use super::twin::Fleet;

impl Fleet {
    /// The stop that stands of a printer.
    #[must_use]
    pub fn stop(&self, id: PrinterId) -> Option<EmergencyStop> {
        self.lock().get(&id)?.stop.clone()
    }

    /// Whose printer it is.
    #[must_use]
    pub fn workspace_of(&self, id: PrinterId) -> Option<WorkspaceId> {
        Some(self.lock().get(&id)?.row.workspace_id)
    }

    /// Another stop, or none.
    pub fn set_stop(&self, id: PrinterId, stop: Option<EmergencyStop>) {
        self.change(id, |twin| (twin.stop_cleared, twin.stop) = (false, stop));
        self.stop_news.notify_waiters();
    }

    /// The stop has come further, if `change` says so.
    pub fn change_stop(&self, id: PrinterId, change: impl FnOnce(&mut EmergencyStop) -> bool) {
        let has_changed = {
            let mut twins = self.lock();
            twins.get_mut(&id).and_then(|twin| twin.stop.as_mut()).is_some_and(change)
        };
        if has_changed {
            self.change(id, |_| ());
            self.stop_news.notify_waiters();
        }
    }

    /// What came of commands, as a printer's agent tells: of its stop, if one of them is that.
    pub fn hear_outcome(&self, id: PrinterId, command: CommandId, outcome: &CommandOutcome, at: Timestamp) {
        self.change_stop(id, |stop| stop.id == command && stop.hear_outcome(outcome, at));
    }

    /// This stop is over and done with; another one that was asked for since stays.
    pub fn clear_stop(&self, id: PrinterId, stop: CommandId) {
        self.change(id, |twin| {
            if twin.stop.take_if(|standing| standing.id == stop).is_some() {
                twin.stop_cleared = true;
            }
        });
        self.stop_news.notify_waiters();
    }

    /// Notified when a stop has come further.
    #[must_use]
    pub fn stop_news(&self) -> &Notify {
        &self.stop_news
    }
}
