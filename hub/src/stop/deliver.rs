//! Brings an emergency stop to its agent.
//!
//! It goes over MQTT at once, from the task of whoever asks: no queue, no worker, no transaction is in between. It is written
//! down after that, so that an agent without MQTT finds it when it asks, and so that a hub which is restarted goes on with it.
//! Owns: how often it is repeated, and when it counts as not delivered. Must not know: what the agent does with it.

use std::sync::Arc;
use std::time::Duration;

use stardust_protocol::topic::{Channel, Topic};
use stardust_protocol::{
    Command, CommandId, CommandMessage, PrinterId, ProtocolVersion, Timestamp, WorkspaceId, limits,
};
use tokio::time::Instant;

use super::store;
use crate::accounts::Person;
use crate::app::App;
use crate::db::DbError;
use crate::error::Error;
use crate::fleet::emergency::{EmergencyStop, StopState};
use crate::queue;

/// How often a stop is repeated.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// One that is not answered is sent again after this.
    pub again: Duration,
    /// Not answered for so long it counts as not delivered, and a person has to go there.
    pub given_up_after: Duration,
    /// It is sent on, less often, until its command has expired: an agent may come back.
    pub later: Duration,
}

impl Pace {
    /// What people are promised.
    pub const URGENT: Self = Self {
        again: Duration::from_millis(500),
        given_up_after: Duration::from_secs(60),
        later: Duration::from_secs(5),
    };
}

/// Stops printers at once. One that is being stopped already is told once more.
///
/// # Errors
/// The database's. What could be sent has been sent by then.
pub async fn ask(app: &Arc<App>, person: &Person, printers: &[PrinterId], pace: Pace) -> Result<(), Error> {
    let (now, workspace) = (app.clock.now(), person.workspace_id);
    let mut asked = Vec::new();
    for printer in printers {
        // One whose time is over is not carried out any more by an agent that asks: then it is another one.
        let expired = |stop: &EmergencyStop| now.as_millis() >= expiry(stop).as_millis();
        let standing = app.fleet.stop(*printer).filter(|stop| !stop.state.is_over() && !expired(stop));
        let stop = standing
            .clone()
            .unwrap_or_else(|| EmergencyStop::new(CommandId::generate(now), person.name.clone(), now));
        send(app, workspace, *printer, &stop).await;
        if standing.is_none() {
            app.fleet.set_stop(*printer, Some(stop.clone()));
            asked.push((*printer, stop));
        }
        tracing::warn!(printer.id = %printer, "emergency stop");
    }
    let written = write(app, person, &asked).await;
    for (printer, stop) in asked {
        see_through(app, (workspace, printer), stop, pace);
    }
    Ok(written?)
}

async fn write(app: &App, person: &Person, asked: &[(PrinterId, EmergencyStop)]) -> Result<(), DbError> {
    let mut tx = app.db.begin().await?;
    for (printer, stop) in asked {
        let message = message(app, stop);
        queue::store::add_command(&mut tx, person.workspace_id, None, (*printer, person.user_id), &message)
            .await?;
        store::put(&mut tx, *printer, stop).await?;
        store::withdraw_preheats(&mut tx, *printer, app.clock.now()).await?;
    }
    tx.commit().await?;
    // Whoever waits for a preheat hears of it.
    app.command_answers.notify_waiters();
    Ok(())
}

fn message(app: &App, stop: &EmergencyStop) -> CommandMessage {
    CommandMessage {
        protocol: ProtocolVersion::CURRENT,
        id: Some(stop.id),
        at: app.clock.now(),
        expires_at: Some(expiry(stop)),
        command: Command::EmergencyStop,
    }
}

fn expiry(stop: &EmergencyStop) -> Timestamp {
    stop.asked_at.plus_millis(limits::EMERGENCY_STOP_EXPIRY_MS)
}

async fn send(app: &App, workspace: WorkspaceId, printer: PrinterId, stop: &EmergencyStop) {
    let topic = Topic { workspace, printer, channel: Channel::Command };
    app.tell_agent(topic, &message(app, stop)).await;
}

/// Repeats a stop until it is answered, withdrawn or expired.
pub fn see_through(
    app: &Arc<App>,
    (workspace, printer): (WorkspaceId, PrinterId),
    stop: EmergencyStop,
    pace: Pace,
) {
    let app = Arc::clone(app);
    tokio::spawn(async move {
        let began = Instant::now();
        let ends = Duration::from_millis(limits::EMERGENCY_STOP_EXPIRY_MS.unsigned_abs());
        let mut written = stop.state;
        loop {
            let mut news = std::pin::pin!(app.fleet.stop_news().notified());
            let mut answers = std::pin::pin!(app.command_answers.notified());
            // Listening before looking: what comes in between is heard.
            news.as_mut().enable();
            answers.as_mut().enable();
            look_at_answer(&app, printer, stop.id).await;
            if began.elapsed() >= pace.given_up_after {
                settle(&app, printer, stop.id, StopState::NotDelivered, None);
            }
            let Some(now) = app.fleet.stop(printer).filter(|now| now.id == stop.id) else { return };
            if now.state != written {
                match store::update(&app.db, printer, &now).await {
                    Ok(()) => written = now.state,
                    Err(error) => {
                        tracing::error!(%error, printer.id = %printer, "how far a stop is could not be written");
                    }
                }
                tracing::warn!(printer.id = %printer, stop.state = now.state.as_str(), "emergency stop");
            }
            if now.state.is_over() && written == now.state || began.elapsed() >= ends {
                return;
            }
            let wait = if began.elapsed() < pace.given_up_after { pace.again } else { pace.later };
            tokio::select! {
                () = news => {}
                () = answers => {}
                () = tokio::time::sleep(wait) => send(&app, workspace, printer, &stop).await,
            }
        }
    });
}

/// Takes over what the agent has answered, if it has.
async fn look_at_answer(app: &App, printer: PrinterId, id: CommandId) {
    match queue::store::outcome_of(&app.db, id).await {
        Ok(None) => {}
        Ok(Some((outcome, _))) if outcome == "done" => settle(app, printer, id, StopState::Sent, None),
        Ok(Some((outcome, reason))) if outcome == "refused" => {
            settle(app, printer, id, StopState::Failed, reason.as_deref());
        }
        Ok(Some(_)) => settle(app, printer, id, StopState::NotDelivered, None),
        Err(error) => {
            tracing::warn!(%error, printer.id = %printer, "whether a stop was answered can't be read")
        }
    }
}

fn settle(app: &App, printer: PrinterId, id: CommandId, state: StopState, reason: Option<&str>) {
    // A port that is closed is an answer: the agent has it.
    let is_known =
        |stop: &EmergencyStop| state == StopState::NotDelivered && stop.state == StopState::PortClosed;
    let at = app.clock.now();
    app.fleet
        .change_stop(printer, |stop| stop.id == id && !is_known(stop) && stop.move_to(state, reason, at));
}

/// Waits until all of these are over, but no longer than `patience`. Whether they are.
pub async fn settled(app: &App, printers: &[PrinterId], patience: Duration) -> bool {
    let is_settled =
        |printer: &PrinterId| app.fleet.stop(*printer).is_none_or(|stop| stop.state != StopState::Sending);
    let all = async {
        loop {
            let mut news = std::pin::pin!(app.fleet.stop_news().notified());
            news.as_mut().enable();
            if printers.iter().all(is_settled) {
                return;
            }
            news.await;
        }
    };
    let _ = tokio::time::timeout(patience, all).await;
    let is_over = |printer: &PrinterId| app.fleet.stop(*printer).is_none_or(|stop| stop.state.has_reached());
    printers.iter().all(is_over)
}
