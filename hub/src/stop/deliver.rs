//! Brings an emergency stop to its agent.
//!
//! It goes over MQTT at once, from the task of whoever asks: no queue, no worker, no transaction is in between. It is written
//! down after that ([`books`]), so that a hub which is restarted goes on with it; where that can't be done it goes out all the same.
//! Owns: how often it is repeated, and when it counts as not delivered. Must not know: what the agent does with it.

use std::sync::Arc;
use std::time::Duration;

use stardust_protocol::topic::{Channel, Topic};
use stardust_protocol::{CommandId, PrinterId, WorkspaceId, limits};
use tokio::time::Instant;

use super::books;
use crate::accounts::Person;
use crate::app::App;
use crate::fleet::emergency::{EmergencyStop, StopState};
use crate::queue;

/// Whoever asks waits so long until it is in the books; it is written down behind that, too.
const BOOKS_PATIENCE: Duration = Duration::from_secs(1);

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

/// Stops printers at once. One that is being stopped already is told once more. Ends when all of them were sent, and written
/// down if that is soon done.
pub async fn ask(app: &Arc<App>, person: &Person, printers: &[PrinterId], pace: Pace) {
    let (now, workspace) = (app.clock.now(), person.workspace_id);
    let mut asked = Vec::new();
    for printer in printers {
        // One whose time is over is not carried out any more by an agent that asks: then it is another one.
        let standing = app.fleet.stop(*printer).filter(|stop| stop.is_open(now));
        let stop = standing
            .clone()
            .unwrap_or_else(|| EmergencyStop::new(CommandId::generate(now), person.name.clone(), now));
        send(app, workspace, *printer, &stop).await;
        if standing.is_none() {
            app.fleet.set_stop(*printer, Some(stop.clone()));
            asked.push((*printer, stop.id));
            see_through(app, (workspace, *printer), stop, pace);
        }
    }
    // Behind all of them: whatever takes the log may be slow.
    for printer in printers {
        tracing::warn!(printer.id = %printer, "emergency stop");
    }
    if !asked.is_empty() {
        // Not done by then, it goes on by itself.
        let _ = tokio::time::timeout(BOOKS_PATIENCE, books::record(app, person, asked)).await;
    }
}

async fn send(app: &App, workspace: WorkspaceId, printer: PrinterId, stop: &EmergencyStop) {
    let topic = Topic { workspace, printer, channel: Channel::Command };
    app.tell_agent(topic, &stop.message(app.clock.now())).await;
}

/// Repeats a stop until it is answered, withdrawn or expired. Nothing here waits for what has to be written.
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
        // What an agent told a hub that was killed before it could say so stands in the books alone.
        look_at_answer(&app, printer, stop.id, pace.again).await;
        let mut next = began + pace.again;
        loop {
            let mut news = std::pin::pin!(app.fleet.stop_news().notified());
            // Listening before looking: what comes in between is heard.
            news.as_mut().enable();
            if began.elapsed() >= pace.given_up_after {
                settle(&app, printer, stop.id, StopState::NotDelivered, None);
            }
            let Some(now) = app.fleet.stop(printer).filter(|now| now.id == stop.id) else { return };
            if now.state.is_over() || began.elapsed() >= ends {
                return;
            }
            tokio::select! {
                () = news => {}
                () = tokio::time::sleep_until(next) => {
                    send(&app, workspace, printer, &stop).await;
                    let wait = if began.elapsed() < pace.given_up_after { pace.again } else { pace.later };
                    next = Instant::now() + wait;
                }
            }
        }
    });
}

/// Takes over what the agent has answered, if that is in the books.
async fn look_at_answer(app: &App, printer: PrinterId, id: CommandId, patience: Duration) {
    match tokio::time::timeout(patience, queue::store::outcome_of(&app.db, id)).await {
        Ok(Ok(None)) => {}
        Ok(Ok(Some((outcome, _)))) if outcome == "done" => settle(app, printer, id, StopState::Sent, None),
        Ok(Ok(Some((outcome, reason)))) if outcome == "refused" => {
            settle(app, printer, id, StopState::Failed, reason.as_deref());
        }
        Ok(Ok(Some(_))) => settle(app, printer, id, StopState::NotDelivered, None),
        Ok(Err(error)) => {
            tracing::warn!(%error, printer.id = %printer, "whether a stop was answered can't be read");
        }
        Err(_) => tracing::warn!(printer.id = %printer, "whether a stop was answered can't be read in time"),
    }
}

fn settle(app: &App, printer: PrinterId, id: CommandId, state: StopState, reason: Option<&str>) {
    let at = app.clock.now();
    app.fleet.change_stop(printer, |stop| stop.id == id && stop.settle(state, reason, at));
}

/// Waits until all of these are over, but no longer than `patience`. Whether they have reached their printers, as far as is known: one
/// that somebody has cleared meanwhile may not have.
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
    let has_reached =
        |printer: &PrinterId| app.fleet.stop(*printer).is_some_and(|stop| stop.state.has_reached());
    printers.iter().all(has_reached)
}
