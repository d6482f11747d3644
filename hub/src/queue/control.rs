//! A person pauses, resumes or cancels a job, or says that its bed is clear.

use stardust_protocol::{Command, CommandId, JobId, PrinterId};

use super::held_back;
use super::job::{JobRow, PrintJob};
use super::printer_command::{self, PATIENCE, Word};
use super::rules::Answer;
use super::store::{self, Moved};
use super::wanted::{self, Wanted};
use crate::accounts::Person;
use crate::app::App;
use crate::db::Tx;
use crate::error::Error;
use crate::events::outbox::{self, Event};

/// What became of a request.
pub struct Outcome {
    /// The job now.
    pub job: PrintJob,
    /// Whether the agent still has to answer.
    pub waits_for_agent: bool,
}

/// Pauses, resumes or cancels.
///
/// # Errors
/// No such job, not possible now, or the database's.
pub async fn request(app: &App, person: &Person, id: JobId, wanted: Wanted) -> Result<Outcome, Error> {
    let (now, workspace) = (app.clock.now(), person.workspace_id);
    let mut tx = app.db.begin().await?;
    tx.lock(&format!("queue:{workspace}")).await?;
    let mut job = store::find(&mut tx, workspace, id).await?.ok_or_else(|| Error::no_such("print job"))?;
    let (from, claimed_by) = (job.state, job.printer_id);
    may_ask(app, &mut tx, &job, wanted).await?;
    let answer = match job.request(wanted, now) {
        // Not the job is paused, but the printer waits for an answer: its agent knows which one goes on.
        Answer::Nothing if job.requested.is_none() && wanted == Wanted::Resume && asks(app, &job) => {
            Answer::AskAgent
        }
        answer => answer,
    };
    let mut to_question = None;
    match &answer {
        Answer::No(why) => return Err(Error::conflict("not_possible_now", why)),
        Answer::Nothing => {}
        Answer::Moved => {
            store::save(&mut tx, &job).await?;
            let moved = Moved { from: Some(from), at: now, now, reason: None, by: Some(&person.name) };
            store::record(&mut tx, &job, moved).await?;
            // A printer that was about to take it is free for another.
            outbox::add(&mut tx, workspace, now, &Event::JobWaiting { printer_id: claimed_by }).await?;
        }
        Answer::AskAgent => {
            let printer =
                job.printer_id.ok_or_else(|| Error::Internal("a running job has no printer".into()))?;
            let command_id = CommandId::generate(now);
            let message = wanted.message(id, command_id, now);
            store::save(&mut tx, &job).await?;
            store::add_command(&mut tx, workspace, Some(id), (printer, person.user_id), &message).await?;
            outbox::add(&mut tx, workspace, now, &Event::CommandCreated { command_id }).await?;
            if job.requested.is_none() {
                to_question = Some((printer, command_id, message.command));
            }
        }
    }
    tx.commit().await?;
    app.bell.ring();
    tracing::info!(job.id = %id, ?wanted, ?answer, "job request");
    let is_silent = match to_question {
        Some((printer, id, command)) => !is_answered(app, printer, (id, &command)).await?,
        None => false,
    };
    let job = super::publish(app, workspace, id).await?;
    Ok(Outcome { waits_for_agent: is_silent || job.requested.is_some(), job })
}

/// Whether the printer's agent has answered its question. Nothing at the job shows that it was asked to: whoever asks learns it here.
async fn is_answered(app: &App, printer: PrinterId, command: (CommandId, &Command)) -> Result<bool, Error> {
    match printer_command::word_on(app, printer, command, PATIENCE).await? {
        Word::Done => Ok(true),
        Word::None => Ok(false),
        Word::Stopped => Err(held_back::stopped()),
        Word::Refused(reason) => {
            let why = reason.unwrap_or_else(|| "The printer's agent did not go on with what it asks.".into());
            Err(Error::conflict("not_possible_now", why))
        }
    }
}

/// Whether the job's printer asks something of a person.
fn asks(app: &App, job: &JobRow) -> bool {
    let status = job.printer_id.and_then(|printer| app.fleet.status_in_reach(printer));
    status.is_some_and(|status| status.attention.is_some())
}

/// What neither the printer nor a command under way speaks against.
async fn may_ask(app: &App, tx: &mut Tx, job: &JobRow, wanted: Wanted) -> Result<(), Error> {
    if !wanted.goes_on() || !job.state.is_running() {
        return Ok(());
    }
    if let Some(printer) = job.printer_id {
        held_back::may_start(app, printer)?;
    }
    if job.requested == Some(wanted.requested()) {
        let asked = store::open_commands_of(tx, job.id).await?;
        if asked.iter().any(|asked| wanted.contradicts(asked)) {
            return Err(Error::conflict(
                "not_possible_now",
                "The printer has been asked to go on already, but in another way. Wait for its answer.",
            ));
        }
    }
    let status = job.printer_id.and_then(|printer| app.fleet.status_in_reach(printer));
    status.map_or(Ok(()), |status| wanted::check(wanted, job.id, &status))
}

/// The bed is clear: the printer may start its next job.
///
/// # Errors
/// No such job, nothing to clear, or the database's.
pub async fn confirm_removal(app: &App, person: &Person, id: JobId) -> Result<PrintJob, Error> {
    let (now, workspace) = (app.clock.now(), person.workspace_id);
    let mut tx = app.db.begin().await?;
    tx.lock(&format!("queue:{workspace}")).await?;
    let mut job = store::find(&mut tx, workspace, id).await?.ok_or_else(|| Error::no_such("print job"))?;
    let from = job.state;
    if !job.confirm_removal(now) {
        return Err(Error::conflict(
            "nothing_to_remove",
            "There is nothing to remove: the job is still at work, never started, or its bed was cleared already.",
        ));
    }
    store::save(&mut tx, &job).await?;
    let reason = Some("The bed was cleared.");
    store::record(&mut tx, &job, Moved { from: Some(from), at: now, now, reason, by: Some(&person.name) })
        .await?;
    outbox::add(&mut tx, workspace, now, &Event::JobWaiting { printer_id: job.printer_id }).await?;
    tx.commit().await?;
    app.bell.ring();
    tracing::info!(job.id = %id, "bed cleared");
    super::publish(app, workspace, id).await
}
