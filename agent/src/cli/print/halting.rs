//! `print`, told to stop at once: `M112`, and then until it is known what came of that.
//!
//! Owns: that the process does not leave while the printer may go on, how long it waits for that, and the words. Must not know:
//! how it is found out ([`crate::serial`]).

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::Signals;
use crate::cli::{Failure, say};
use crate::port::{PortEvent, PortHandle, Reach, STOP_KEPT};
use crate::serial::{Connection, HostEvent};

/// An open port has sent a few bytes, and reset its board, by then.
const KILL_PATIENCE: Duration = Duration::from_secs(2);
/// How long a printer that does not answer is waited for. Silent ones are told again and asked for 14 s.
const PATIENCE: Duration = Duration::from_secs(30);
/// And one that does: it may heat, and get to it when that is over.
const PATIENCE_ALIVE: Duration = Duration::from_secs(30 * 60);
/// Its state is looked at this often.
const LOOK_EVERY: Duration = Duration::from_millis(250);

const LOOK: &str = "Look whether the heaters are off; else switch the printer off.";

/// Past everything: `M112`, and what a person is told of it. A port that is closed is waited for, and a printer that goes on,
/// until there is one more signal.
pub(super) async fn stop_at_once(port: &mut PortHandle, stop: &mut Signals) -> Failure {
    let by = "at the keyboard";
    let mut reach = port.kill(by, KILL_PATIENCE).await;
    if reach == Some(Reach::Waits) {
        say(
            "The port is closed, so the printer can't be told to halt (M112). Switch it off by hand. M112 is sent as soon as \
             the port is open again; Ctrl-C once more gives that up.",
        );
        reach = tokio::select! {
            reach = port.kill(by, STOP_KEPT) => reach,
            () = stop.asked() => reach,
        };
    }
    let told = match reach {
        Some(Reach::Sent { on_wire: true, dtr_pulsed: false }) => {
            "Stopped at once: the printer was told to halt (M112), and it listens to that at once."
        }
        Some(Reach::Sent { on_wire: true, dtr_pulsed: true }) => {
            "Stopped at once: the printer was told to halt (M112). It may not listen in time, so its board was reset by its \
             DTR line too; not every board is wired so."
        }
        Some(Reach::Sent { on_wire: false, .. }) => {
            return "The printer's port takes nothing, so it could NOT be told to halt (M112); its board was reset by its DTR \
                    line, but not every board is wired so. Switch the printer off by hand."
                .into();
        }
        Some(Reach::Waits | Reach::GaveUp) => {
            return "The port stayed closed, so the printer was NOT told to halt (M112). Switch it off by hand.".into();
        }
        None => {
            return "The printer could NOT be told to halt (M112): its port is stuck. Switch it off by hand."
                .into();
        }
    };
    tokio::select! {
        end = what_comes_of_it(port) => format!("{told} {end}"),
        () = stop.asked() => format!("{told} {LOOK}"),
    }
}

/// Until it has stopped or all is off; what a person has to know in the end.
async fn what_comes_of_it(port: &mut PortHandle) -> String {
    let began = Instant::now();
    let mut said = String::new();
    loop {
        let (answers, connection, ignored) = {
            let view = port.view.borrow();
            (view.answers(), view.connection.clone(), view.stop_ignored.clone())
        };
        let sentence = match connection {
            Connection::ToldToStop { sentence, is_over: true } => return sentence,
            Connection::ToldToStop { sentence, is_over: false } => Some(sentence),
            _ => ignored,
        };
        if began.elapsed() >= if answers { PATIENCE_ALIVE } else { PATIENCE } {
            return sentence.unwrap_or_else(|| LOOK.into());
        }
        // What is known in the first seconds is not worth a line.
        if let Some(sentence) = sentence.filter(|new| *new != said && began.elapsed() >= PATIENCE / 10) {
            say(&format!("{sentence} Waiting for it; Ctrl-C once more leaves."));
            said = sentence;
        }
        match timeout_at(Instant::now() + LOOK_EVERY, port.events.recv()).await {
            Ok(Some(PortEvent::Host(HostEvent::HeatSettled, _))) => {
                let ignored = port.view.borrow().stop_ignored.clone();
                return ignored.unwrap_or_else(|| "The heaters are off, read back.".into());
            }
            Ok(None) => return LOOK.into(),
            Ok(Some(_)) | Err(_) => {}
        }
    }
}
