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
    JobId, JobProgress, PrinterId, PrinterState, PrinterStatus, SessionId, StatusMessage, Timestamp,
    WorkspaceId, patch,
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
    pub(super) contact: Contact,
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
    /// A stop was cleared, and no other one asked for since.
    pub(super) stop_cleared: bool,
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
            Some(at) => Contact { state: ContactState::Lost, since: Some(at), waits: false },
            None => Contact { state: ContactState::Never, since: None, waits: false },
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
            stop_cleared: false,
        }
    }

    fn was_stopped(&self) -> bool {
        self.stop.as_ref().is_some_and(|stop| stop.state.has_reached())
    }

    /// What the printer has said last, as people are shown it: who has said that it is in order again is not told of the stop any
    /// more once it is at rest. Its agent does not learn of that, and says so until something else is done with it.
    fn shown_status(&self) -> Option<PrinterStatus> {
        let mut status = self.status.clone()?;
        let was_cleared = self.stop_cleared || status.emergency_stop.is_some();
        if self.stop.is_none() && was_cleared && status.about_stop && status.state == PrinterState::Idle {
            status.message = None;
        }
        Some(status)
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
            contact: self.contact.shown(),
            status: self.shown_status(),
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
            twin.contact = Contact { state: ContactState::Online, since: Some(at), waits: false };
            // What it said over another connection may be old: it says everything anew now.
            twin.last = None;
        });
    }

    /// A connection has ended; nothing changes if the agent has another one by now. `at`: when something came over it last.
    pub fn disconnected(&self, id: PrinterId, connection: ConnectionId, (now, at): (Duration, Timestamp)) {
        self.change(id, |twin| {
            if twin.connection == Some(connection) {
                twin.speaker.connection(false, now);
                twin.connection = None;
                let waits = twin.contact.waits;
                twin.contact = Contact { state: ContactState::Lost, since: Some(at), waits };
            }
        });
    }

    /// As if an agent had connected, or gone, where a test has no connection.
    #[cfg(test)]
    pub(crate) fn set_contact(&self, id: PrinterId, state: ContactState, at: Timestamp) {
        self.change(id, |twin| twin.contact = Contact { state, since: Some(at), waits: false });
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
mod tests;
