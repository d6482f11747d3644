//! Status messages: the whole at first, then what changed.
//!
//! Owns: sequence, deltas, and how often. Must not know: how they are sent, or what they say.

use std::time::Duration;

use serde_json::Value;
use stardust_protocol::patch::diff;
use stardust_protocol::status::StatusBody;
use stardust_protocol::{PrinterStatus, ProtocolVersion, SessionId, StatusMessage, Timestamp};

/// No more often than this.
const AT_MOST_EVERY: Duration = Duration::from_millis(500);

/// Makes status messages out of what is known now.
#[derive(Debug)]
pub struct StatusFeed {
    session: SessionId,
    seq: u64,
    last: Option<Value>,
    next_at: Duration,
}

impl StatusFeed {
    /// One run of the agent.
    #[must_use]
    pub fn new(session: SessionId) -> Self {
        Self { session, seq: 0, last: None, next_at: Duration::ZERO }
    }

    /// The next message is the whole: the hub has asked for it, or the connection is new.
    pub fn start_over(&mut self) {
        self.last = None;
        self.next_at = Duration::ZERO;
    }

    /// When the next message may be sent.
    #[must_use]
    pub fn due_at(&self) -> Duration {
        self.next_at
    }

    /// The message to send now, if there is anything to say and it is time.
    pub fn next(
        &mut self,
        status: &PrinterStatus,
        elapsed: Duration,
        at: Timestamp,
    ) -> Option<StatusMessage> {
        if elapsed < self.next_at {
            return None;
        }
        let value = serde_json::to_value(status).ok()?;
        let body = match &self.last {
            None => StatusBody::Full(status.clone()),
            Some(last) => StatusBody::Delta(diff(last, &value)?),
        };
        self.last = Some(value);
        self.next_at = elapsed + AT_MOST_EVERY;
        self.seq += 1;
        Some(StatusMessage {
            protocol: ProtocolVersion::CURRENT,
            session: self.session,
            seq: self.seq,
            at,
            body,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use stardust_protocol::{PrinterState, Temperature, patch};

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn the_whole_first_then_only_changes_and_not_too_often() {
        let at = Timestamp::from_millis(0);
        let mut feed = StatusFeed::new(SessionId::generate(at));
        let mut status = PrinterStatus::new(PrinterState::Idle);
        let full = feed.next(&status, MS(0), at).unwrap();
        assert_eq!((full.seq, full.body), (1, StatusBody::Full(status.clone())));
        assert_eq!(feed.next(&status, MS(1000), at), None, "nothing has changed");

        status.bed = Some(Temperature { actual: 21.5, target: 60.0 });
        let delta = feed.next(&status, MS(1000), at).unwrap();
        assert_eq!(delta.seq, 2);
        assert_eq!(delta.body, StatusBody::Delta(json!({"bed": {"actual": 21.5, "target": 60.0}})));
        status.bed = Some(Temperature { actual: 21.6, target: 60.0 });
        assert_eq!(feed.next(&status, MS(1200), at), None, "too soon");
        let delta = feed.next(&status, MS(1500), at).unwrap();
        assert_eq!(delta.body, StatusBody::Delta(json!({"bed": {"actual": 21.6}})));

        feed.start_over();
        assert!(matches!(feed.next(&status, MS(1501), at).unwrap().body, StatusBody::Full(_)));
    }

    #[test]
    fn the_hub_arrives_at_the_same() {
        let at = Timestamp::from_millis(0);
        let mut feed = StatusFeed::new(SessionId::generate(at));
        let mut status = PrinterStatus::new(PrinterState::Printing);
        let mut twin = serde_json::to_value(&status).unwrap();
        feed.next(&status, MS(0), at).unwrap();
        for step in 1..20_u32 {
            status.tools = vec![Temperature { actual: f64::from(step), target: 200.0 }];
            status.message = (step % 3 == 0).then(|| "Look here.".to_owned());
            let message = feed.next(&status, MS(1000) * step, at).unwrap();
            let StatusBody::Delta(delta) = message.body else { panic!() };
            patch::apply(&mut twin, &delta);
            assert_eq!(twin, serde_json::to_value(&status).unwrap());
        }
    }
}
