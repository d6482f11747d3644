//! The live twin: every printer as it is now, in memory. Lists are answered from here, and every
//! change is published as a delta.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use stardust_gateway::ConnectionId;
use stardust_protocol::status::StatusBody;
use stardust_protocol::{
    JobId, JobProgress, PrinterId, PrinterStatus, SessionId, StatusMessage, Timestamp, WorkspaceId, patch,
};
use tokio::sync::Notify;

use super::emergency::EmergencyStop;
use super::printer::{Contact, ContactState, JobOnPrinter, Printer, shown_state};
use super::second_agent::{self, Refusals};
use super::speaker::{Heard, Instance, Speaker};
use super::store::PrinterRow;
use crate::error::Error;
use crate::events::bus::{Bus, Resource};

/// All printers of this hub.
#[derive(Debug, Clone)]
pub struct Fleet {
    twins: Arc<Mutex<HashMap<PrinterId, Twin>>>,
    bus: Arc<Bus>,
    /// Somebody's emergency stop has come further.
    pub(super) stop_news: Arc<Notify>,
}

#[derive(Debug)]
pub(super) struct Twin {
    pub(super) row: PrinterRow,
    contact: Contact,
    connection: Option<ConnectionId>,
    /// The agent's run and the number of its last status message.
    last: Option<(SessionId, u64)>,
    /// The last whole status, as the agent wrote it: deltas are applied to this.
    raw: Value,
    status: Option<PrinterStatus>,
    job: Option<JobOnPrinter>,
    speaker: Speaker,
    refusals: Refusals,
    pub(super) stop: Option<EmergencyStop>,
}

/// What became of a status message.
#[derive(Debug, Clone, PartialEq)]
pub enum Applied {
    /// The twin shows it; the progress of the job, where there is one.
    Yes(Option<JobProgress>),
    /// Something was missed: ask the agent for the whole.
    NeedsFull,
    /// No printer of this hub.
    Stranger,
}

impl Twin {
    fn new(row: PrinterRow) -> Self {
        let contact = match row.last_seen_at {
            Some(at) => Contact { state: ContactState::Lost, since: Some(at) },
            None => Contact { state: ContactState::Never, since: None },
        };
        Self {
            row,
            contact,
            connection: None,
            last: None,
            raw: Value::Null,
            status: None,
            job: None,
            speaker: Speaker::default(),
            refusals: Refusals::default(),
            stop: None,
        }
    }

    fn was_stopped(&self) -> bool {
        self.stop.as_ref().is_some_and(|stop| stop.state.has_reached())
    }

    fn view(&self) -> Printer {
        let reported = self.status.as_ref().map(|status| status.state);
        Printer {
            id: self.row.id,
            workspace_id: self.row.workspace_id,
            name: self.row.name.clone(),
            model: self.row.model.clone(),
            created_at: self.row.created_at,
            version: self.row.version,
            state: shown_state(self.contact.state, reported, self.job.as_ref(), self.was_stopped()),
            contact: self.contact,
            status: self.status.clone(),
            second_agent: self.refusals.shown(),
            emergency_stop: self.stop.clone(),
            current_job_id: self.job.map(|job| job.id),
        }
    }
}

impl Fleet {
    /// The fleet as the database has it, nobody in reach yet.
    #[must_use]
    pub fn new(rows: Vec<PrinterRow>, bus: Arc<Bus>) -> Self {
        let fleet = Self { twins: Arc::default(), bus, stop_news: Arc::default() };
        {
            let mut twins = fleet.lock();
            for row in rows {
                let twin = Twin::new(row);
                fleet.bus.seed(Resource::Printer, twin.row.id.to_string(), document(&twin.view()));
                twins.insert(twin.row.id, twin);
            }
        }
        fleet
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, HashMap<PrinterId, Twin>> {
        self.twins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes a twin and publishes how it looks then; `None` for a stranger.
    pub(super) fn change<T>(&self, id: PrinterId, change: impl FnOnce(&mut Twin) -> T) -> Option<T> {
        let mut twins = self.lock();
        let twin = twins.get_mut(&id)?;
        let result = change(twin);
        // Under the lock, so that deltas are published in the order of the changes.
        self.bus.publish(twin.row.workspace_id, Resource::Printer, id.to_string(), document(&twin.view()));
        Some(result)
    }

    /// The printers of a workspace, in the order in which they were paired.
    #[must_use]
    pub fn printers(&self, workspace: WorkspaceId) -> Vec<Printer> {
        let twins = self.lock();
        let ours = twins.values().filter(|twin| twin.row.workspace_id == workspace);
        let mut printers: Vec<_> = ours.map(Twin::view).collect();
        printers.sort_by_key(|printer| printer.id);
        printers
    }

    /// One printer of a workspace.
    #[must_use]
    pub fn printer(&self, workspace: WorkspaceId, id: PrinterId) -> Option<Printer> {
        self.lock().get(&id).filter(|twin| twin.row.workspace_id == workspace).map(Twin::view)
    }

    /// The printers of a workspace whose agents could take a job. `waits`: whether an agent that shows nothing live is in reach
    /// all the same.
    #[must_use]
    pub fn ready_for_a_job(
        &self,
        workspace: WorkspaceId,
        waits: impl Fn(PrinterId) -> bool,
    ) -> Vec<PrinterId> {
        let twins = self.lock();
        let ready = |twin: &&Twin| {
            twin.row.workspace_id == workspace
                && twin.job.is_none()
                && twin.stop.is_none()
                && (twin.contact.state == ContactState::Online || waits(twin.row.id))
        };
        twins.values().filter(ready).map(|twin| twin.row.id).collect()
    }

    /// A new or changed row.
    pub fn put_row(&self, row: PrinterRow) {
        let id = row.id;
        self.lock().entry(id).or_insert_with(|| Twin::new(row.clone()));
        self.change(id, |twin| twin.row = row);
    }

    /// A printer was paired anew: whoever has the new credential speaks for it.
    pub fn paired_anew(&self, row: PrinterRow) {
        let id = row.id;
        self.put_row(row);
        self.change(id, |twin| (twin.speaker, twin.refusals) = (Speaker::default(), Refusals::default()));
    }

    /// An agent calls with a printer's credential.
    ///
    /// # Errors
    /// Another one speaks for the printer.
    pub fn hear(
        &self,
        id: PrinterId,
        caller: Option<Instance>,
        from: IpAddr,
        (now, at): (Duration, Timestamp),
    ) -> Result<(), Error> {
        let (heard, is_news) = {
            let mut twins = self.lock();
            let Some(twin) = twins.get_mut(&id) else { return Ok(()) };
            let heard = twin.speaker.hears(caller, now);
            let is_news = match heard {
                Heard::Speaks => twin.refusals.speaker_lives(),
                Heard::TakesOver => std::mem::take(&mut twin.refusals).shown().is_some(),
                Heard::Unnamed => false,
                Heard::Refused => {
                    twin.refusals.add(from, (now, at));
                    false
                }
            };
            (heard, is_news)
        };
        if is_news {
            self.change(id, |_| ());
        }
        if heard != Heard::Refused {
            return Ok(());
        }
        tracing::warn!(printer.id = %id, address = %from, "a second agent with the same credential was refused");
        Err(second_agent::refusal())
    }

    /// Takes away what was said of second agents that have given up.
    pub fn forget_second_agents(&self, now: Duration) {
        let over: Vec<_> = {
            let twins = self.lock();
            twins.values().filter(|twin| twin.refusals.is_over(now)).map(|twin| twin.row.id).collect()
        };
        for id in over {
            self.change(id, |twin| twin.refusals = Refusals::default());
        }
    }

    /// A printer has been removed.
    pub fn remove(&self, id: PrinterId) {
        let mut twins = self.lock();
        if let Some(twin) = twins.remove(&id) {
            self.bus.remove(twin.row.workspace_id, Resource::Printer, id.to_string());
        }
    }

    /// Which job is on a printer now.
    pub fn set_job(&self, id: PrinterId, job: JobOnPrinter) {
        self.change(id, |twin| twin.job = Some(job));
    }

    /// A job has left a printer; another that is on it by now stays.
    pub fn let_go(&self, id: PrinterId, job: JobId) {
        self.change(id, |twin| twin.job = twin.job.filter(|on_it| on_it.id != job));
    }

    /// An agent has connected.
    pub fn connected(&self, id: PrinterId, connection: ConnectionId, (now, at): (Duration, Timestamp)) {
        self.change(id, |twin| {
            twin.speaker.connection(true, now);
            twin.connection = Some(connection);
            twin.contact = Contact { state: ContactState::Online, since: Some(at) };
            // What it said over another connection may be old: it says everything anew now.
            twin.last = None;
        });
    }

    /// A connection has ended; nothing changes if the agent has another one by now.
    pub fn disconnected(&self, id: PrinterId, connection: ConnectionId, (now, at): (Duration, Timestamp)) {
        self.change(id, |twin| {
            if twin.connection == Some(connection) {
                twin.speaker.connection(false, now);
                twin.connection = None;
                twin.contact = Contact { state: ContactState::Lost, since: Some(at) };
            }
        });
    }

    /// As if an agent had connected, or gone, where a test has no connection.
    #[cfg(test)]
    pub(crate) fn set_contact(&self, id: PrinterId, state: ContactState, at: Timestamp) {
        self.change(id, |twin| twin.contact = Contact { state, since: Some(at) });
    }

    /// An agent has said how its printer is.
    pub fn apply(&self, id: PrinterId, message: StatusMessage, now: Timestamp) -> Applied {
        let applied = self.change(id, |twin| {
            twin.refusals.speaker_lives();
            let expected = twin.last.map(|(session, seq)| (session, seq + 1));
            match message.body {
                StatusBody::Full(status) => {
                    twin.raw = serde_json::to_value(&status).unwrap_or(Value::Null);
                    twin.status = Some(status);
                }
                StatusBody::Delta(_) if expected != Some((message.session, message.seq)) => {
                    return Applied::NeedsFull;
                }
                StatusBody::Delta(delta) => {
                    patch::apply(&mut twin.raw, &delta);
                    match serde_json::from_value(twin.raw.clone()) {
                        Ok(status) => twin.status = Some(status),
                        Err(_) => return Applied::NeedsFull,
                    }
                }
            }
            twin.last = Some((message.session, message.seq));
            let told = twin.status.as_ref().and_then(|status| status.emergency_stop);
            if let (Some(stop), Some(told)) = (&mut twin.stop, told)
                && stop.hear(&told, now)
            {
                self.stop_news.notify_waiters();
            }
            Applied::Yes(twin.status.as_ref().and_then(|status| status.job.clone()))
        });
        applied.unwrap_or(Applied::Stranger)
    }

    /// What a printer says of itself; `None` while its agent is out of reach or has not said anything yet.
    #[must_use]
    pub fn status_in_reach(&self, printer: PrinterId) -> Option<PrinterStatus> {
        let twins = self.lock();
        let twin = twins.get(&printer)?;
        twin.status.clone().filter(|_| twin.contact.state == ContactState::Online && twin.last.is_some())
    }

    /// How far a printer is with a job, as far as it said.
    #[must_use]
    pub fn progress(&self, printer: PrinterId, job: JobId) -> Option<JobProgress> {
        let twins = self.lock();
        let progress = twins.get(&printer)?.status.as_ref()?.job.clone()?;
        (progress.job_id == job).then_some(progress)
    }
}

fn document(printer: &Printer) -> Value {
    serde_json::to_value(printer).unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use stardust_protocol::{PrinterState, ProtocolVersion};

    const AT: fn() -> Timestamp = crate::accounts::testing::now;

    fn fleet() -> (Fleet, PrinterId) {
        let row = PrinterRow {
            id: PrinterId::generate(AT()),
            workspace_id: WorkspaceId::generate(AT()),
            name: "Ender".into(),
            model: None,
            created_at: AT(),
            last_seen_at: None,
            version: 1,
        };
        let id = row.id;
        (Fleet::new(vec![row], Arc::new(Bus::new("run".into()))), id)
    }

    fn message(session: SessionId, seq: u64, body: StatusBody) -> StatusMessage {
        StatusMessage { protocol: ProtocolVersion::CURRENT, session, seq, at: AT(), body }
    }

    #[test]
    fn deltas_follow_a_full_status_without_gaps() {
        let (fleet, id) = fleet();
        let session = SessionId::generate(AT());
        let delta = |seq| message(session, seq, StatusBody::Delta(json!({"state": "printing"})));
        assert_eq!(fleet.apply(id, delta(1), AT()), Applied::NeedsFull);
        let full = StatusBody::Full(PrinterStatus::new(PrinterState::Idle));
        assert_eq!(fleet.apply(id, message(session, 2, full), AT()), Applied::Yes(None));
        assert_eq!(fleet.apply(id, delta(4), AT()), Applied::NeedsFull);
        assert_eq!(fleet.apply(id, delta(3), AT()), Applied::Yes(None));
        let other = message(SessionId::generate(AT()), 4, StatusBody::Delta(json!({})));
        assert_eq!(fleet.apply(id, other, AT()), Applied::NeedsFull);
        let stranger = PrinterId::generate(AT());
        assert_eq!(fleet.apply(stranger, delta(5), AT()), Applied::Stranger);
    }

    #[test]
    fn a_print_that_was_cut_off_shows_until_the_agent_takes_it_back_or_is_out_of_reach() {
        let (fleet, id) = fleet();
        let mut live = fleet.bus.subscribe(fleet.lock()[&id].row.workspace_id, None).live;
        fleet.set_contact(id, ContactState::Online, AT());
        let session = SessionId::generate(AT());
        let interruption = stardust_protocol::Interruption {
            job_id: JobId::generate(AT()),
            layer: Some(12),
            height_mm: Some(2.4),
            layers: vec![stardust_protocol::LayerStart { layer: 12, height_mm: 2.4 }],
            refusal: None,
        };
        let cut_off = PrinterStatus {
            interruption: Some(interruption.clone()),
            ..PrinterStatus::new(PrinterState::Paused)
        };
        fleet.apply(id, message(session, 1, StatusBody::Full(cut_off)), AT());
        assert_eq!(fleet.status_in_reach(id).unwrap().interruption, Some(interruption));
        let over = json!({"state": "printing", "interruption": null});
        fleet.apply(id, message(session, 2, StatusBody::Delta(over)), AT());
        assert_eq!(fleet.status_in_reach(id).unwrap().interruption, None);
        let changes: Vec<Value> = std::iter::from_fn(|| live.try_recv().ok())
            .map(|change| serde_json::from_str(&change.json).unwrap())
            .collect();
        assert_eq!(changes[1]["data"]["status"]["interruption"]["layers"][0]["height_mm"], 2.4);
        assert_eq!(changes[2]["data"]["status"], json!({"state": "printing", "interruption": null}));
        fleet.set_contact(id, ContactState::Lost, AT());
        assert_eq!(fleet.status_in_reach(id), None);
    }

    #[test]
    fn a_job_that_leaves_late_does_not_take_the_next_one_with_it() {
        let (fleet, id) = fleet();
        let workspace = fleet.lock()[&id].row.workspace_id;
        let on_printer = |ms| JobOnPrinter {
            id: JobId::generate(AT().plus_millis(ms)),
            state: stardust_protocol::JobState::Claimed,
            needs_removal: false,
        };
        let (first, second) = (on_printer(0), on_printer(1));
        fleet.set_job(id, first);
        fleet.set_job(id, second);
        fleet.let_go(id, first.id);
        assert_eq!(fleet.printer(workspace, id).unwrap().current_job_id, Some(second.id));
        fleet.let_go(id, second.id);
        assert_eq!(fleet.printer(workspace, id).unwrap().current_job_id, None);
    }

    #[test]
    fn a_delta_that_makes_no_sense_asks_for_the_whole() {
        let (fleet, id) = fleet();
        let session = SessionId::generate(AT());
        fleet.apply(id, message(session, 1, StatusBody::Full(PrinterStatus::new(PrinterState::Idle))), AT());
        let nonsense = message(session, 2, StatusBody::Delta(json!({"tools": "warm"})));
        assert_eq!(fleet.apply(id, nonsense, AT()), Applied::NeedsFull);
    }
}
