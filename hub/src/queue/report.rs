//! What agents report: moves of jobs and outcomes of commands, each applied once, in order.

use std::collections::BTreeSet;

use stardust_protocol::{
    AgentEvent, ClaimId, CommandId, CommandOutcome, EventBody, JobId, JobState, Timestamp,
};

use super::held_back::OVERTAKEN;
use super::job::JobRow;
use super::store::{self, Moved};
use super::sweep::NO_ANSWER;
use crate::api::auth::Device;
use crate::app::App;
use crate::db::{DbError, Tx};
use crate::error::Error;
use crate::events::outbox::{self, Event};
use crate::params;

/// Applies a batch and returns the number up to which everything is applied.
///
/// # Errors
/// The database's; then nothing of the batch is applied.
pub async fn apply(app: &App, device: Device, events: &[AgentEvent]) -> Result<u64, Error> {
    let now = app.clock.now();
    // Before anything is written: whoever has stopped the printer waits for this.
    for event in events {
        if let EventBody::CommandAnswered { command_id, outcome } = &event.body {
            app.fleet.hear_outcome(device.printer_id, *command_id, outcome, now);
        }
    }
    let mut tx = app.db.begin().await?;
    tx.lock(&format!("queue:{}", device.workspace_id)).await?;
    let row = tx
        .query_opt("SELECT name, last_event_seq FROM printers WHERE id = $1", params![device.printer_id])
        .await?
        .ok_or_else(|| Error::no_such("printer"))?;
    let mut last: u64 = row.get("last_event_seq")?;
    let mut batch = Batch { device, now, by: row.get("name")?, changed: BTreeSet::new(), freed: false };
    for event in events {
        if event.seq <= last {
            continue;
        }
        if event.seq != last + 1 {
            // The hub's database was put back from a backup: the agent has forgotten what was acknowledged.
            tracing::warn!(printer.id = %device.printer_id, event.seq, expected = last + 1, "events are missing");
        }
        batch.apply(&mut tx, event).await?;
        last = event.seq;
    }
    tx.execute("UPDATE printers SET last_event_seq = $2 WHERE id = $1", params![device.printer_id, last])
        .await?;
    if batch.freed {
        let printer_id = Some(device.printer_id);
        outbox::add(&mut tx, device.workspace_id, now, &Event::JobWaiting { printer_id }).await?;
    }
    tx.commit().await?;
    app.bell.ring();
    app.command_answers.notify_waiters();
    for job in batch.changed {
        super::publish(app, device.workspace_id, job).await?;
    }
    Ok(last)
}

/// A move as the agent tells of it.
struct Told<'a> {
    job_id: JobId,
    claim_id: ClaimId,
    state: JobState,
    reason: Option<&'a str>,
    fraction: f64,
    elapsed_s: u64,
    at: Timestamp,
}

/// When a job moved, as far as its agent is believed: not in the future, and not before a printer had it. A printer's
/// host may have a clock that is wrong by decades.
fn believed(job: &JobRow, told: Timestamp, now: Timestamp) -> Timestamp {
    let since = job.started_at.or(job.claimed_at).unwrap_or(job.queued_at);
    told.max(since).min(now)
}

struct Batch {
    device: Device,
    now: Timestamp,
    by: String,
    changed: BTreeSet<JobId>,
    /// A job has left the printer without needing its bed cleared.
    freed: bool,
}

impl Batch {
    async fn apply(&mut self, tx: &mut Tx, event: &AgentEvent) -> Result<(), DbError> {
        match &event.body {
            EventBody::JobMoved { job_id, claim_id, state, reason, fraction, elapsed_s } => {
                let told = Told {
                    job_id: *job_id,
                    claim_id: *claim_id,
                    state: *state,
                    reason: reason.as_deref(),
                    fraction: if fraction.is_finite() { fraction.clamp(0.0, 1.0) } else { 0.0 },
                    elapsed_s: *elapsed_s,
                    at: event.at,
                };
                self.job_moved(tx, told).await
            }
            EventBody::CommandAnswered { command_id, outcome } => {
                self.command_answered(tx, *command_id, outcome).await
            }
            EventBody::Unknown => Ok(()),
        }
    }

    async fn job_moved(&mut self, tx: &mut Tx, told: Told<'_>) -> Result<(), DbError> {
        let job = store::find(tx, self.device.workspace_id, told.job_id).await?;
        let ours = |job: &JobRow| {
            job.printer_id == Some(self.device.printer_id) && job.claim_id == Some(told.claim_id)
        };
        let Some(mut job) = job.filter(ours) else {
            // Cancelled or given to another before it started: what the agent says of it changes nothing.
            tracing::info!(job.id = %told.job_id, printer.id = %self.device.printer_id, "event of a lost claim ignored");
            return Ok(());
        };
        job.renew(self.now);
        let from = job.state;
        // Preparing is entered by leave to start alone.
        if told.state != JobState::Preparing && from.may_become(told.state) {
            (job.fraction, job.elapsed_s) = (told.fraction, told.elapsed_s);
            let at = believed(&job, told.at, self.now);
            job.move_to(told.state, at, told.reason.map(str::to_owned));
            let moved =
                Moved { from: Some(from), at, now: self.now, reason: told.reason, by: Some(&self.by) };
            store::record(tx, &job, moved).await?;
            tracing::info!(job.id = %job.id, %from, to = %job.state, reason = told.reason, "job moved");
        } else if from == told.state && !from.is_final() {
            // It may be paused for another reason than it was: its printer has lost its power in the pause.
            if let Some(reason) = told.reason {
                tracing::info!(job.id = %job.id, state = %from, reason, "why the job is in its state");
                job.reason = Some(reason.to_owned());
            }
        } else if from != told.state {
            tracing::warn!(job.id = %job.id, %from, to = %told.state, "a move that can't be was ignored");
        }
        self.freed |= !job.open;
        self.changed.insert(job.id);
        store::save(tx, &job).await
    }

    async fn command_answered(
        &mut self,
        tx: &mut Tx,
        id: CommandId,
        outcome: &CommandOutcome,
    ) -> Result<(), DbError> {
        let (name, reason) = match outcome {
            CommandOutcome::Done => ("done", None),
            CommandOutcome::Expired => {
                ("expired", Some("The request reached the printer too late and was not carried out."))
            }
            CommandOutcome::Refused { reason } => ("refused", Some(reason.as_str())),
        };
        let answered = store::answer_command(tx, self.device.printer_id, id, name, reason, self.now).await?;
        let Some(job_id) = answered else { return Ok(()) };
        if let Some(mut job) = store::find(tx, self.device.workspace_id, job_id).await? {
            // Late, it must not answer what was asked since.
            if store::open_commands_of(tx, job_id).await?.is_empty() {
                job.requested = None;
            }
            let was_unanswered = [NO_ANSWER, OVERTAKEN].map(Some).contains(&job.reason.as_deref());
            let is_answered = reason.is_none() && was_unanswered;
            // What came too late for a job that is over is no word on how it went.
            let is_over = job.state.is_final() || job.state == JobState::AwaitingRemoval;
            if is_answered || (reason.is_some() && !is_over) {
                job.reason = reason.map(str::to_owned);
            }
            self.changed.insert(job_id);
            store::save(tx, &job).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::job::Printable;
    use rstest::rstest;

    #[rstest]
    #[case::as_told(150, 150)]
    #[case::from_1970(0, 120)]
    #[case::from_the_future(9_999, 200)]
    fn an_agents_clock_is_believed_within_reason(#[case] told: i64, #[case] expected: i64) {
        let at = |seconds| Timestamp::from_millis(seconds * 1000);
        let what = Printable {
            file_id: stardust_protocol::FileId::generate(at(0)),
            file_version_id: stardust_protocol::FileVersionId::generate(at(0)),
            file_name: "a".into(),
        };
        let (workspace, owner) =
            (stardust_protocol::WorkspaceId::generate(at(0)), stardust_protocol::UserId::generate(at(0)));
        let mut job = JobRow::queued(workspace, owner, what, None, at(100));
        job.started_at = Some(at(120));
        assert_eq!(believed(&job, at(told), at(200)), at(expected));
    }
}
