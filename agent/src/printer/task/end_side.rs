//! The end of a printer's task: its printer may keep it for a quarter of an hour, and it can be stopped at once all the while.
//!
//! Owns: what of the hub's and of the printer's still counts then. Must not know: what is waited for.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::Printer;
use crate::printer::calls::Inbound;

/// So long at most until it is looked at again.
const MOMENT: Duration = Duration::from_millis(20);

impl Printer {
    /// Takes in one thing more, or waits until then. False: the thread of its port has ended.
    pub(super) async fn attend(&mut self, until: Instant) -> bool {
        let status_at = Instant::now() + self.feed.due_at().saturating_sub(self.clock.elapsed());
        tokio::select! {
            biased;
            event = self.port.events.recv() => match event {
                Some(event) => self.on_port(event),
                None => return false,
            },
            Some(event) = self.mqtt.events.recv() => self.on_mqtt(event),
            Some(inbound) = self.inbox.recv() => self.on_inbound_at_the_end(inbound),
            Ok(()) = self.port.view.changed() => {}
            () = sleep_until(status_at), if self.connected && self.status_is_waiting() => {}
            () = sleep_until(until) => {}
        }
        self.follow_view();
        self.send_status();
        true
    }

    /// The same, for a moment: what is waited for says nothing when it comes. Where only this task ends, the next one hears the hub.
    pub(super) async fn attend_a_moment(&mut self) {
        let until = Instant::now() + MOMENT;
        if !self.is_ending || !self.attend(until).await {
            sleep_until(until).await;
        }
    }

    /// What the hub wants is looked at: a stop at once may be there. What would begin something, or go on with it, has come too late:
    /// the next process finds it.
    fn on_inbound_at_the_end(&mut self, inbound: Inbound) {
        match inbound {
            Inbound::Commands(_) | Inbound::Looked(_) | Inbound::Undelivered(_) | Inbound::Revoked => {
                self.on_inbound(inbound);
            }
            _ => {}
        }
    }
}
