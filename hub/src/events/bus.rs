//! Changes for those who watch: numbered, kept for a while so that a reconnect misses nothing.
//!
//! Must not know what the resources mean: they are JSON documents here. Deltas are made against the last
//! published document of the same id, so a publisher only ever says how the thing looks now.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde_json::Value;
use stardust_protocol::{WorkspaceId, patch};
use tokio::sync::broadcast;

/// Changes kept for reconnects. At five changes a second that is over a quarter of an hour.
const KEPT: usize = 5_000;

/// Which kind of document changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// A printer.
    Printer,
    /// A print job.
    Job,
    /// A print file.
    File,
}

/// What happened to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// `data` is the whole document.
    Upsert,
    /// `data` is a merge patch of it (RFC 7396).
    Patch,
    /// It is gone.
    Remove,
}

/// The data of an SSE `change` event.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Change {
    /// Which kind of document.
    pub resource: Resource,
    /// What happened to it.
    pub op: Op,
    /// Its id.
    pub id: String,
    /// The whole document or a merge patch; absent when it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

/// A change on its way to the watchers of one workspace.
#[derive(Debug)]
pub struct Published {
    /// Its place in this run's sequence, from 1.
    pub number: u64,
    /// Who may see it.
    pub workspace: WorkspaceId,
    /// The change, serialised once for all watchers.
    pub json: String,
}

/// Where changes are published and watched.
#[derive(Debug)]
pub struct Bus {
    /// This run of the hub: numbers of another run mean nothing here.
    run: String,
    state: Mutex<State>,
    live: broadcast::Sender<Arc<Published>>,
}

#[derive(Debug, Default)]
struct State {
    last_number: u64,
    kept: VecDeque<Arc<Published>>,
    documents: HashMap<(Resource, String), Value>,
}

/// A watcher's start: what it missed, then what comes.
#[derive(Debug)]
pub struct Subscription {
    /// Whether it has to fetch everything anew.
    pub reset: bool,
    /// Number of the last change before the live ones when nothing was missed.
    pub at: u64,
    /// What it missed, oldest first.
    pub missed: Vec<Arc<Published>>,
    /// What comes. A lagging receiver has to reset.
    pub live: broadcast::Receiver<Arc<Published>>,
}

impl Bus {
    /// An empty bus; `run` tells this run of the hub from others.
    #[must_use]
    pub fn new(run: String) -> Self {
        Self { run, state: Mutex::default(), live: broadcast::channel(1024).0 }
    }

    /// The id of an event on the wire.
    #[must_use]
    pub fn event_id(&self, number: u64) -> String {
        format!("{}-{number}", self.run)
    }

    /// Says how a document looks now: whole the first time, a patch after that, nothing if it is the same.
    pub fn publish(&self, workspace: WorkspaceId, resource: Resource, id: String, document: Value) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (resource, id);
        let (op, data) = match state.documents.get(&key) {
            None => (Op::Upsert, document.clone()),
            Some(before) => match patch::diff(before, &document) {
                None => return,
                Some(change) => (Op::Patch, change),
            },
        };
        let id = key.1.clone();
        state.documents.insert(key, document);
        self.send(&mut state, workspace, &Change { resource, op, id, data: Some(data) });
    }

    /// Sets a field of a document that was published before; one that was not is left alone.
    pub fn amend(&self, workspace: WorkspaceId, resource: Resource, id: &str, field: &str, value: Value) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(document) = state.documents.get_mut(&(resource, id.to_owned())) else { return };
        let mut amended = document.clone();
        let Some(fields) = amended.as_object_mut() else { return };
        fields.insert(field.to_owned(), value);
        let Some(data) = patch::diff(document, &amended) else { return };
        *document = amended;
        let change = Change { resource, op: Op::Patch, id: id.to_owned(), data: Some(data) };
        self.send(&mut state, workspace, &change);
    }

    /// Takes a document as published without telling anyone: for what was there before this run.
    pub fn seed(&self, resource: Resource, id: String, document: Value) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.documents.insert((resource, id), document);
    }

    /// Forgets a document that will not change any more; watchers keep it.
    pub fn settle(&self, resource: Resource, id: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.documents.remove(&(resource, id.to_owned()));
    }

    /// Says that a document is gone.
    pub fn remove(&self, workspace: WorkspaceId, resource: Resource, id: String) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.documents.remove(&(resource, id.clone()));
        self.send(&mut state, workspace, &Change { resource, op: Op::Remove, id, data: None });
    }

    fn send(&self, state: &mut State, workspace: WorkspaceId, change: &Change) {
        let json = match serde_json::to_string(change) {
            Ok(json) => json,
            Err(error) => {
                tracing::error!(%error, "a change could not be serialised");
                return;
            }
        };
        state.last_number += 1;
        let published = Arc::new(Published { number: state.last_number, workspace, json });
        if state.kept.len() == KEPT {
            state.kept.pop_front();
        }
        state.kept.push_back(Arc::clone(&published));
        // Nobody watching is no fault.
        let _ = self.live.send(published);
    }

    /// Starts watching a workspace, after the event with this id where that is still known.
    #[must_use]
    pub fn subscribe(&self, workspace: WorkspaceId, last_event_id: Option<&str>) -> Subscription {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let live = self.live.subscribe();
        let at = state.last_number;
        let after = last_event_id
            .and_then(|id| id.strip_prefix(&self.run)?.strip_prefix('-')?.parse::<u64>().ok())
            .filter(|after| *after <= at);
        let oldest = state.kept.front().map_or(at + 1, |oldest| oldest.number);
        match after {
            Some(after) if after + 1 >= oldest => {
                let missed = state.kept.iter().filter(|p| p.number > after && p.workspace == workspace);
                Subscription { reset: false, at, missed: missed.cloned().collect(), live }
            }
            _ => Subscription { reset: true, at, missed: Vec::new(), live },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use stardust_protocol::Timestamp;

    fn numbers(subscription: &Subscription) -> Vec<u64> {
        subscription.missed.iter().map(|published| published.number).collect()
    }

    #[test]
    fn the_first_publication_is_whole_the_next_a_patch_and_the_same_is_silent() {
        let bus = Bus::new("run".into());
        let workspace = WorkspaceId::generate(Timestamp::from_millis(0));
        let mut live = bus.subscribe(workspace, None).live;
        let publish = |document| bus.publish(workspace, Resource::Printer, "p".into(), document);
        publish(json!({"state": "idle", "name": "a"}));
        publish(json!({"state": "idle", "name": "a"}));
        publish(json!({"state": "printing", "name": "a"}));
        let first: Value = serde_json::from_str(&live.try_recv().unwrap().json).unwrap();
        assert_eq!(first["op"], "upsert");
        let second: Value = serde_json::from_str(&live.try_recv().unwrap().json).unwrap();
        assert_eq!(
            second,
            json!({"resource": "printer", "op": "patch", "id": "p", "data": {"state": "printing"}})
        );
        assert!(live.try_recv().is_err());
    }

    #[test]
    fn a_reconnect_gets_what_it_missed_of_its_own_workspace() {
        let bus = Bus::new("run".into());
        let [ours, theirs] = [1, 2].map(|ms| WorkspaceId::generate(Timestamp::from_millis(ms)));
        for n in 0..4 {
            let workspace = if n == 2 { theirs } else { ours };
            bus.publish(workspace, Resource::Job, format!("{n}"), json!({}));
        }
        let resumed = bus.subscribe(ours, Some("run-1"));
        assert!(!resumed.reset);
        assert_eq!(numbers(&resumed), [2, 4]);
        assert_eq!(numbers(&bus.subscribe(ours, Some("run-4"))), [0; 0]);
        for unknown in [None, Some("other-3"), Some("run-99"), Some("run-"), Some("")] {
            assert!(bus.subscribe(ours, unknown).reset, "{unknown:?}");
        }
    }

    #[test]
    fn an_amended_field_is_replaced_with_all_that_it_held() {
        let bus = Bus::new("run".into());
        let workspace = WorkspaceId::generate(Timestamp::from_millis(0));
        bus.seed(Resource::Job, "j".into(), json!({"progress": {"fraction": 0.1, "left_s": 60}}));
        let mut live = bus.subscribe(workspace, None).live;
        bus.amend(workspace, Resource::Job, "j", "progress", json!({"fraction": 0.2}));
        bus.amend(workspace, Resource::Job, "unknown", "progress", json!({}));
        let change: Value = serde_json::from_str(&live.try_recv().unwrap().json).unwrap();
        assert_eq!(change["data"], json!({"progress": {"fraction": 0.2, "left_s": null}}));
        assert!(live.try_recv().is_err());
    }

    #[test]
    fn too_old_an_id_means_fetch_anew() {
        let bus = Bus::new("run".into());
        let workspace = WorkspaceId::generate(Timestamp::from_millis(1));
        for n in 0..KEPT + 2 {
            bus.publish(workspace, Resource::Job, format!("{n}"), json!({}));
        }
        assert!(bus.subscribe(workspace, Some("run-1")).reset);
        assert!(!bus.subscribe(workspace, Some("run-2")).reset);
    }
}
