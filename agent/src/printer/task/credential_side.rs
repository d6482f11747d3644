//! A new credential for the same printer: its old one counts for nothing from that moment on, whatever is being printed.
//!
//! Until the new one is taken the hub can neither see nor stop the printer. So this task ends and leaves everything as it is, also
//! its port, and the next one goes on with it. Owns: when. Must not know: where a later pairing is kept.

use std::time::Duration;

use super::disk_wait::FromDisk;
use super::{DISK_AGAIN, Printer};

/// What is known of one.
#[derive(Debug, Default)]
pub(super) struct NewCredential {
    pub(super) is_there: bool,
    look_at: Duration,
}

impl Printer {
    /// Finds out, now and then, whether there is one. Only who is not let in any more has to know.
    pub(super) fn look_for_new_credential(&mut self) {
        let now = self.clock.elapsed();
        if !self.revoked || self.new_credential.is_there || now < self.new_credential.look_at {
            return;
        }
        self.new_credential.look_at = now + DISK_AGAIN;
        let folder = self.folder.clone();
        self.calls.ask_disk(move || folder.is_renewed().then_some(FromDisk::Renewed));
    }

    /// Whether this task has to end for it. What is just being written down, or begun, is waited for, and a stop that waits for
    /// the port.
    pub(super) fn has_to_give_way(&self) -> bool {
        let is_in_between =
            self.disk_wait.is_some() || !self.deferred.is_empty() || self.stops.is_on_its_way();
        self.new_credential.is_there && !is_in_between
    }

    /// Nothing is stopped or turned off: the next task of this process goes on with what the journal and the trail say.
    pub(super) async fn give_way(mut self) {
        tracing::info!("there is a new credential: going on with it");
        self.port.leave_open();
        while let Some(event) = self.port.events.recv().await {
            // What has come of a job until then must not be lost.
            self.on_port(event);
        }
        self.come_to_rest().await;
    }

    /// What is known is on disk: the next task begins with that.
    pub(super) async fn come_to_rest(&mut self) {
        self.telemetry.write_last().await;
        self.disk_at_rest().await;
    }
}
