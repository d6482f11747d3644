//! A person asks something of a printer's agent that is no matter of a job, and learns what it says to it.
//!
//! Owns: that the request is written down, sent, and waited for. Must not know: what is asked, or when it may be.

use std::time::Duration;

use stardust_protocol::{Command, CommandId, CommandMessage, PrinterId, ProtocolVersion, limits};

use super::{held_back, store};
use crate::accounts::Person;
use crate::app::App;
use crate::db::DbError;
use crate::events::outbox::{self, Event};

/// A printer at hand answers within some hundred milliseconds.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// What the agent says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// It has done it.
    Done,
    /// It has not, and perhaps why, a sentence.
    Refused(Option<String>),
    /// The printer was stopped in an emergency before it was done: it is not done any more.
    Stopped,
    /// Nothing yet.
    None,
}

/// Asks a printer's agent, and waits for its word no longer than `patience`.
///
/// # Errors
/// The database's.
pub async fn ask(
    app: &App,
    person: &Person,
    printer: PrinterId,
    command: Command,
    patience: Duration,
) -> Result<Word, DbError> {
    let (now, workspace) = (app.clock.now(), person.workspace_id);
    let id = CommandId::generate(now);
    tracing::info!(printer.id = %printer, command.id = %id, ?command, "asking a printer's agent");
    let message = CommandMessage {
        protocol: ProtocolVersion::CURRENT,
        id: Some(id),
        at: now,
        expires_at: Some(now.plus_millis(limits::COMMAND_EXPIRY_MS)),
        command,
    };
    let mut tx = app.db.begin().await?;
    // What turns heat off waits for nobody.
    if message.command.starts_something() {
        held_back::lock(&mut tx, workspace).await?;
    }
    // Stopped since this was let through.
    if !held_back::may_pass(app, printer, &message.command) {
        return Ok(Word::Stopped);
    }
    store::add_command(&mut tx, workspace, None, (printer, person.user_id), &message).await?;
    outbox::add(&mut tx, workspace, now, &Event::CommandCreated { command_id: id }).await?;
    tx.commit().await?;
    app.bell.ring();
    word_on(app, printer, (id, &message.command), patience).await
}

/// What a printer's agent says to what it has been asked, if it says it within `patience`.
///
/// # Errors
/// The database's.
pub async fn word_on(
    app: &App,
    printer: PrinterId,
    (id, command): (CommandId, &Command),
    patience: Duration,
) -> Result<Word, DbError> {
    let word = tokio::time::timeout(patience, word(app, id)).await.unwrap_or(Ok(Word::None))?;
    Ok(match word {
        Word::Refused(_) if !held_back::may_pass(app, printer, command) => Word::Stopped,
        word => word,
    })
}

async fn word(app: &App, id: CommandId) -> Result<Word, DbError> {
    loop {
        let mut told = std::pin::pin!(app.command_answers.notified());
        // Listening before looking: an answer in between is heard.
        told.as_mut().enable();
        match store::outcome_of(&app.db, id).await? {
            Some((outcome, _)) if outcome == "done" => return Ok(Word::Done),
            Some((_, reason)) => return Ok(Word::Refused(reason)),
            None => told.await,
        }
    }
}
