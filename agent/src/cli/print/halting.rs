//! `print`, told to stop at once: `M112`, and then until it is known what came of that.
//!
//! Owns: that the process does not leave while the printer may go on, how long it waits for that, and the words. Must not know:
//! how it is found out ([`crate::serial`]).

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::Ending;
use crate::cli::{Failure, say};
use crate::port::{Patience, PortEvent, PortHandle, Reach, STOP_KEPT};
use crate::printer::by_hand::PrintByHand;
use crate::serial::{Connection, HostEvent};

/// An open port has sent a few bytes, and reset its board, by then.
const KILL_PATIENCE: Duration = Duration::from_secs(2);
/// How long a printer that does not answer any more is waited for. Silent ones are told again and asked for 14 s.
const PATIENCE: Duration = Duration::from_secs(30);
/// And one that does: it may heat, and get to it when that is over.
const PATIENCE_ALIVE: Duration = Duration::from_secs(30 * 60);
/// Its state is looked at this often.
const LOOK_EVERY: Duration = Duration::from_millis(250);

const LOOK: &str = "Look whether the heaters are off; else switch the printer off.";

/// Past everything: `M112`, and what a person is told of it. A port that is closed is waited for, and a printer that goes on,
/// until there is one more signal.
///
/// `owed`: what this print has written down that it may leave hot; it stands unless all was read back as off.
pub(super) async fn stop_at_once(
    port: &mut PortHandle,
    stop: &mut Ending,
    owed: Option<PrintByHand>,
) -> Failure {
    let Stopped { sentence, is_off } = stopped_at_once(port, stop).await;
    if let (true, Some(owed)) = (is_off, owed) {
        owed.settled().await;
    }
    sentence
}

/// What came of it.
pub(in crate::cli) struct Stopped {
    /// What a person is told.
    pub(in crate::cli) sentence: String,
    /// All heaters were read back as off.
    pub(in crate::cli) is_off: bool,
}

impl Stopped {
    fn unknown(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), is_off: false }
    }
}

/// The same, whoever has heated it.
pub(in crate::cli) async fn stopped_at_once(port: &mut PortHandle, stop: &mut Ending) -> Stopped {
    let by = "at the keyboard";
    let mut reach = port.kill(by, KILL_PATIENCE).await;
    if reach == Some(Reach::Waits) {
        say(
            "The port is closed, so the printer can't be told to halt (M112). Switch it off by hand. M112 is sent as soon as \
             the port is open again; Ctrl-C once more gives that up.",
        );
        reach = tokio::select! {
            reach = port.kill(by, STOP_KEPT) => reach,
            () = stop.heard(true) => reach,
        };
    }
    let told = match sent_in_words(reach) {
        Ok(told) => told,
        Err(not_sent) => return Stopped::unknown(not_sent),
    };
    say(
        "The printer was told to halt (M112). Looking whether its heaters are off; Ctrl-C once more leaves without that.",
    );
    tokio::select! {
        (end, is_off) = what_comes_of_it(port) => Stopped { sentence: format!("{told} {end}"), is_off },
        () = stop.heard(true) => Stopped::unknown(format!("{told} {LOOK}")),
    }
}

/// What is known by how far it came: that it was sent, or the last word on one that was not.
fn sent_in_words(reach: Option<Reach>) -> Result<&'static str, &'static str> {
    match reach {
        Some(Reach::Sent { on_wire: true, dtr_pulsed: false }) => {
            Ok("Stopped at once: the printer was told to halt (M112); its board was not reset.")
        }
        Some(Reach::Sent { on_wire: true, dtr_pulsed: true }) => Ok(
            "Stopped at once: the printer was told to halt (M112). It may not listen in time, so its board was reset by its DTR \
             line too; not every board is wired so.",
        ),
        Some(Reach::Sent { on_wire: false, dtr_pulsed: true }) => Err(
            "The printer's port takes nothing, so it could NOT be told to halt (M112); its board was reset by its DTR \
             line, but not every board is wired so. Switch the printer off by hand.",
        ),
        Some(Reach::Sent { on_wire: false, dtr_pulsed: false }) => Err(
            "The printer's port takes nothing, so it could NOT be told to halt (M112), and its board could not be reset by its \
             DTR line either. Switch the printer off by hand.",
        ),
        Some(Reach::Waits | Reach::GaveUp) => {
            Err("The port stayed closed, so the printer was NOT told to halt (M112). Switch it off by hand.")
        }
        None => {
            Err("The printer could NOT be told to halt (M112): its port is stuck. Switch it off by hand.")
        }
    }
}

/// Until it has stopped or all is off; what a person has to know in the end, and whether all was read back as off.
async fn what_comes_of_it(port: &mut PortHandle) -> (String, bool) {
    let mut patience = Patience::new(PATIENCE, PATIENCE_ALIVE);
    let mut said = String::new();
    loop {
        let (left, connection, ignored) = {
            let view = port.view.borrow();
            (patience.left(&view), view.connection.clone(), view.stop_ignored.clone())
        };
        let sentence = match connection {
            Connection::ToldToStop { sentence, is_over: true } => return (sentence, false),
            Connection::ToldToStop { sentence, is_over: false } => Some(sentence),
            _ => ignored,
        };
        if left.is_zero() {
            return (sentence.unwrap_or_else(|| LOOK.into()), false);
        }
        // What is known in the first seconds is not worth a line.
        if let Some(sentence) = sentence.filter(|new| *new != said && patience.elapsed() >= PATIENCE / 10) {
            say(&sentence);
            said = sentence;
        }
        match timeout_at(Instant::now() + LOOK_EVERY, port.events.recv()).await {
            Ok(Some(PortEvent::Host(HostEvent::HeatSettled, _))) => {
                let ignored = port.view.borrow().stop_ignored.clone();
                return (ignored.unwrap_or_else(|| "The heaters are off, read back.".into()), true);
            }
            Ok(None) => return (LOOK.into(), false),
            Ok(Some(_)) | Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rig::{Rig, Way};
    use super::*;

    #[test]
    fn a_board_is_called_reset_only_where_its_line_was_pulsed() {
        for on_wire in [true, false] {
            for dtr_pulsed in [true, false] {
                let told = sent_in_words(Some(Reach::Sent { on_wire, dtr_pulsed }));
                assert_eq!(told.is_ok(), on_wire);
                let told = told.unwrap_or_else(|not_sent| not_sent);
                assert_eq!(told.contains("board was reset"), dtr_pulsed, "{told}");
            }
        }
    }

    /// It is at a command for minutes, takes none of the four behind that, and its connection is begun anew: it says nothing for a
    /// moment then, and is as hot as before.
    #[tokio::test(start_paused = true)]
    async fn it_is_not_left_when_its_heaters_are_about_to_be_turned_off() {
        let (mut port, mut rig) = Rig::connected("marlin-no-emergency-parser").await;
        rig.way = Way::Loses("M112");
        rig.print(&["G28", "M104 S200", "M190 S100", "G1 X10 F600"]).await;
        rig.until(|rig| rig.printer.accepted().iter().any(|one| one.text.starts_with("M190"))).await;
        rig.host.kill(rig.now(), "at the keyboard");
        let stopped = rig.now();
        rig.step().await;
        let (told, is_off) = tokio::select! {
            told = what_comes_of_it(&mut port) => told,
            () = rig.until(|_| false) => unreachable!(),
        };
        assert!(rig.now() > stopped + PATIENCE * 2, "it would be no test");
        assert!(rig.printer.targets().are_off(), "{told} {:?}", rig.printer.targets());
        assert!(is_off && told.contains("read back"), "{told}");
    }
}
