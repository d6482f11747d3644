//! A job as the stream tells of it.
//!
//! Owns: how changes of the stream are applied to the one job that is watched, and when watching ends. Must
//! not know: the network, the terminal.

use serde_json::Value;
use stardust_protocol::{JobState, patch};

use crate::api::{Change, Op, PrintJob, Progress};
use crate::stream::Event;

/// What an event means for the one who watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing: it is about something else.
    None,
    /// The job has changed.
    Changed,
    /// What is known may be wrong: fetch the job.
    Fetch,
    /// The job does not exist any more.
    Removed,
}

/// The watched job.
#[derive(Debug)]
pub(crate) struct Followed {
    id: String,
    job: Option<Value>,
}

/// How watching ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// It is printed.
    Printed,
    /// It was cancelled or failed; with the reason.
    NotPrinted(String),
}

impl Followed {
    /// Nothing is known of the job yet.
    pub(crate) const fn new(id: String) -> Self {
        Self { id, job: None }
    }

    /// The job's id.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The job as it was fetched.
    pub(crate) fn fetched(&mut self, job: Value) {
        self.job = Some(job);
    }

    /// Takes in an event.
    pub(crate) fn event(&mut self, event: &Event) -> Effect {
        match event.kind.as_str() {
            "reset" => Effect::Fetch,
            "change" => match serde_json::from_str::<Change>(&event.data) {
                Ok(change) => self.change(change),
                Err(_) => Effect::None,
            },
            _ => Effect::None,
        }
    }

    fn change(&mut self, change: Change) -> Effect {
        if change.resource != "job" || change.id != self.id {
            return Effect::None;
        }
        match (change.op, &mut self.job) {
            (Op::Upsert, _) if change.data.is_object() => {
                self.job = Some(change.data);
                Effect::Changed
            }
            (Op::Patch, Some(job)) => {
                patch::apply(job, &change.data);
                Effect::Changed
            }
            (Op::Remove, _) => Effect::Removed,
            _ => Effect::Fetch,
        }
    }

    /// The job as it is known.
    pub(crate) fn job(&self) -> Option<PrintJob> {
        self.job.clone().and_then(|job| serde_json::from_value(job).ok())
    }
}

/// Whether there is anything more to watch.
pub(crate) fn end(job: &PrintJob) -> Option<End> {
    match job.state.parse().ok()? {
        JobState::AwaitingRemoval | JobState::Finished => Some(End::Printed),
        JobState::Cancelled | JobState::Failed => {
            let reason = job.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
            Some(End::NotPrinted(format!("{} was not printed: {}{reason}", job.file_name, job.state)))
        }
        _ => None,
    }
}

/// The job's progress; before it starts there is none.
pub(crate) fn progress(job: &PrintJob) -> Progress {
    job.progress.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn change(change: Value) -> Event {
        Event { kind: "change".into(), data: change.to_string() }
    }

    fn followed() -> Followed {
        let mut followed = Followed::new("j1".into());
        followed.fetched(json!({"id": "j1", "file_name": "a", "state": "printing", "requested": "pause"}));
        followed
    }

    #[test]
    fn a_patch_changes_what_it_names() {
        let mut followed = followed();
        let event = change(json!({"resource": "job", "op": "patch", "id": "j1",
            "data": {"state": "paused", "requested": null, "progress": {"fraction": 0.5}}}));
        assert_eq!(followed.event(&event), Effect::Changed);
        let job = followed.job().unwrap();
        assert_eq!((job.state.as_str(), job.requested, job.file_name.as_str()), ("paused", None, "a"));
        assert_eq!(job.progress.unwrap().fraction, 0.5);
    }

    #[rstest]
    #[case::another_job(json!({"resource": "job", "op": "remove", "id": "j2"}), Effect::None)]
    #[case::another_kind(json!({"resource": "printer", "op": "remove", "id": "j1"}), Effect::None)]
    #[case::upsert(json!({"resource": "job", "op": "upsert", "id": "j1", "data": {"id": "j1"}}), Effect::Changed)]
    #[case::removed(json!({"resource": "job", "op": "remove", "id": "j1"}), Effect::Removed)]
    #[case::newer_hub(json!({"resource": "job", "op": "dance", "id": "j1"}), Effect::Fetch)]
    #[case::nonsense(json!([1]), Effect::None)]
    fn effects(#[case] data: Value, #[case] expected: Effect) {
        assert_eq!(followed().event(&change(data)), expected);
    }

    #[test]
    fn without_a_job_a_patch_asks_for_it_and_so_does_a_reset() {
        let patch = change(json!({"resource": "job", "op": "patch", "id": "j1", "data": {}}));
        assert_eq!(Followed::new("j1".into()).event(&patch), Effect::Fetch);
        assert_eq!(followed().event(&Event { kind: "reset".into(), data: "{}".into() }), Effect::Fetch);
        assert_eq!(followed().event(&Event { kind: "new".into(), data: String::new() }), Effect::None);
    }

    #[rstest]
    #[case("queued", None)]
    #[case("printing", None)]
    #[case("cancelling", None)]
    #[case("dancing", None)]
    #[case("awaiting_removal", Some(End::Printed))]
    #[case("finished", Some(End::Printed))]
    #[case("failed", Some(End::NotPrinted("a was not printed: failed: Reset.".into())))]
    #[case("cancelled", Some(End::NotPrinted("a was not printed: cancelled: Reset.".into())))]
    fn ends(#[case] state: &str, #[case] expected: Option<End>) {
        let job = json!({"id": "j1", "file_name": "a", "state": state, "reason": "Reset."});
        assert_eq!(end(&serde_json::from_value(job).unwrap()), expected);
    }
}
