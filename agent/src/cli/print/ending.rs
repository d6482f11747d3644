//! The end of `print`: the process leaves the printer alone when its heaters were read back as off, and says whether they
//! were.
//!
//! A port that is gone is waited for: it may be back with a printer that is as hot as before, and nobody else may be there to see
//! to it. Owns: how long that is waited for, and the words. Must not know: how the heaters are turned off
//! ([`crate::serial::heat`]).

use std::process::ExitCode;
use std::time::Duration;

use tokio::time::Instant;

use super::{CANCELLED, Ending};
use crate::cli::{Failure, say};
use crate::port::{END_SILENT, Patience, PortEvent, PortHandle};
use crate::printer::by_hand::PrintByHand;
use crate::serial::{End, HostEvent, JobEvent};

/// How long a printer that does not answer any more is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// And one that does: it may heat, and hear nothing else until that is over.
const PATIENCE_ALIVE: Duration = Duration::from_secs(15 * 60);
/// Its state is looked at this often.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What is known of the heaters in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heat {
    /// All were read back as off.
    Off,
    /// The printer prints from its memory card now, and heats for that.
    OnTheCard,
    /// They could not be read back as off.
    NotKnown,
    /// Its port is not there, and is not waited for any more.
    NotThere,
    /// Its port was not there, and an agent with the same data sees to it.
    SeenTo,
}

impl Heat {
    /// Whether nothing is hot that nobody wants.
    pub(super) fn is_safe(self) -> bool {
        matches!(self, Self::Off | Self::OnTheCard)
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::Off => "The heaters are off.",
            Self::OnTheCard => {
                "The printer prints from its memory card by now, so its heaters were left to that."
            }
            Self::NotKnown => {
                "The heaters could not be read back as off: they may be ON. Look at the printer, and switch it off."
            }
            Self::NotThere => {
                "The printer's port is not there, so its heaters could not be turned off: they may be ON. Switch the printer off."
            }
            Self::SeenTo => {
                "The printer's port is not there, and the printer may be hot: the agent that runs here waits for it now, and turns \
                 the heaters off. Until then they may be ON."
            }
        }
    }
}

/// Waits until all heaters were read back as off, or that can't be had. A port that is not there is waited for until it is back or
/// an agent has taken it over; a signal ends that, soon, and another one at once. None: a signal came while the port was there, so
/// the printer is to be stopped at once.
pub(super) async fn heat(
    port: &mut PortHandle,
    stop: &mut Ending,
    mut owed: Option<&mut PrintByHand>,
    over: &JobEvent,
) -> Option<Heat> {
    let mut patience = Patience::new(PATIENCE, PATIENCE_ALIVE);
    let (mut was_gone, mut until) = (false, None);
    loop {
        let (left, gone) = {
            let view = port.view.borrow();
            (patience.left(&view), view.port_error.clone())
        };
        if let Some(error) = &gone {
            // It begins when there is something to wait for.
            patience = Patience::new(PATIENCE, PATIENCE_ALIVE);
            if !std::mem::replace(&mut was_gone, true) {
                let why = if let JobEvent::Stopped(End::Failed(reason)) = over { reason } else { error };
                let wait = END_SILENT.as_secs();
                say(&format!(
                    "{why} The printer may be hot. This program waits until its port is back, and turns the heaters off then. \
                     Ctrl-C ends the waiting {wait} s later."
                ));
                owed.iter_mut().for_each(|owed| owed.offer());
            }
            if until.is_some_and(|until| Instant::now() >= until) {
                return Some(Heat::NotThere);
            }
        } else if left.is_zero() {
            return Some(Heat::NotKnown);
        }
        let look = async {
            tokio::time::sleep(LOOK_EVERY).await;
            match &owed {
                Some(owed) if gone.is_some() => owed.is_taken_over().await,
                _ => false,
            }
        };
        tokio::select! {
            event = port.events.recv() => match event {
                Some(PortEvent::Host(HostEvent::HeatSettled, _)) => return Some(Heat::Off),
                Some(PortEvent::Host(HostEvent::HeatLeftToCard, _)) => return Some(Heat::OnTheCard),
                None => return Some(Heat::NotKnown),
                Some(_) => {}
            },
            is_taken_over = look => if is_taken_over {
                return Some(Heat::SeenTo);
            },
            // While the port is there all is done that a closed terminal asks for.
            () = stop.heard(gone.is_none() || until.is_some()) => {
                // As it is now: it may be back since the last look, and then the printer is stopped at once.
                let is_gone = port.view.borrow().port_error.is_some();
                if !is_gone {
                    return None;
                }
                // Whoever has closed the terminal has not looked at the cable.
                if until.replace(Instant::now() + END_SILENT).is_some() {
                    return Some(Heat::NotThere);
                }
                say("Its port is still waited for, a few seconds. Once more ends that at once.");
            }
        }
    }
}

/// Everything was printed; `what` was.
pub(super) fn printed(what: &str, heat: Heat) -> Result<ExitCode, Failure> {
    if heat.is_safe() {
        say(&format!("{what} {}", heat.sentence()));
        return Ok(ExitCode::SUCCESS);
    }
    say(what);
    Err(heat.sentence().into())
}

/// It was not.
pub(super) fn stopped(end: End, heat: Heat) -> Result<ExitCode, Failure> {
    let heaters = heat.sentence();
    match end {
        End::Cancelled if heat.is_safe() => {
            say(&format!("Cancelled. {heaters}"));
            Ok(ExitCode::from(CANCELLED))
        }
        End::Cancelled => Err(format!("Cancelled. {heaters}")),
        End::Failed(reason) => Err(format!("{reason} {heaters}")),
        End::CutOff(place) => Err(format!("{} {heaters}", place.reason)),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use rustix::process::{Signal, getpid, kill_process};
    use tokio::time::timeout;

    use super::super::rig::{Rig, Way};
    use super::*;
    use crate::port::{PortView, SpeedView, handle};
    use crate::serial::{Heaters, Host, Parking};
    use crate::settings::Settings;

    /// Longer than a printer that is there and silent is waited for, and not so long that the firmware turns itself off.
    const LONG: Duration = Duration::from_secs(120);

    /// What goes wrong in mid-print, and what is known then.
    #[rstest]
    #[case::silent_for_ever("marlin", Way::Nothing, Heat::NotKnown, "stopped answering")]
    #[case::one_line_is_spoilt_for_ever("marlin", Way::Spoils("X77"), Heat::Off, "G1 X77")]
    #[case::spoilt_where_every_line_wants_a_checksum("repetier", Way::Spoils("X77"), Heat::Off, "G1 X77")]
    #[case::its_cable_is_out_for_long("marlin", Way::Unplugged(LONG), Heat::Off, "port vanished")]
    #[tokio::test(start_paused = true)]
    async fn what_is_said_of_the_heaters_is_true(
        #[case] profile: &str,
        #[case] way: Way,
        #[case] expected: Heat,
        #[case] reason: &str,
    ) {
        let (mut port, mut rig) = Rig::connected(profile).await;
        if let Way::Spoils(_) = way {
            rig.way = way;
        }
        let moves: Vec<String> = (0..60).map(|at| format!("G1 X{at} F600")).collect();
        let mut file = vec!["G28", "M104 S200", "M140 S60"];
        file.extend(moves.iter().map(String::as_str).chain(["G1 X77", "G1 X20"]));
        rig.print(&file).await;
        rig.until(|rig| rig.printer.targets().bed > 0.0).await;
        rig.way = way;
        let mut stop = Ending::watch_but(None).unwrap();
        let over = tokio::select! {
            over = rig_is_over(&mut port) => over,
            () = rig.until(|_| false) => unreachable!(),
        };
        let JobEvent::Stopped(End::Failed(why)) = &over else { panic!("{over:?}") };
        assert!(why.contains(reason), "{why}");
        let began = Instant::now();
        let heat = tokio::select! {
            heat = heat(&mut port, &mut stop, None, &over) => heat.unwrap(),
            () = rig.until(|_| false) => unreachable!(),
        };
        let (targets, waited) = (rig.printer.targets(), began.elapsed());
        assert_eq!((heat, targets.are_off()), (expected, expected == Heat::Off), "{targets:?}");
        assert_eq!(waited > LONG / 2, matches!(way, Way::Unplugged(_)), "{waited:?}");
        let said = stopped(End::Failed(why.clone()), heat).unwrap_err();
        assert!(said.starts_with(why.as_str()), "the reason first: {said}");
        assert_eq!(said.contains("may be ON"), !targets.are_off(), "{said}");
    }

    async fn rig_is_over(port: &mut PortHandle) -> JobEvent {
        loop {
            if let PortEvent::Host(HostEvent::Job(over @ (JobEvent::Completed | JobEvent::Stopped(_))), _) =
                port.events.recv().await.unwrap()
            {
                return over;
            }
        }
    }

    /// Its port never comes back.
    #[tokio::test(start_paused = true)]
    async fn an_agent_with_the_same_data_takes_a_port_that_is_gone_over() {
        let data = tempfile::tempdir().unwrap();
        let settings = Settings::of_data(data.path().to_owned());
        let plan = crate::port::PortPlan::new("/dev/ttyNone".into(), None);
        let begun = PrintByHand::begin(&settings, &plan, Heaters::default(), std::future::pending()).await;
        let mut print = begun.unwrap().unwrap();
        let folder = data.path().join("print/%2Fdev%2FttyNone");
        let (mut port, mut rig) = Rig::connected("marlin").await;
        rig.way = Way::Unplugged(LONG * 1000);
        rig.step().await;
        let mut stop = Ending::watch_but(None).unwrap();
        let over = JobEvent::Completed;
        let began = Instant::now();
        let agent = async {
            tokio::time::sleep(LONG).await;
            let held = crate::folder_lock::FolderLock::take_if_free(&folder);
            assert!(held.is_some(), "it may");
            std::future::pending::<()>().await;
            drop(held);
        };
        let heat = tokio::select! {
            heat = heat(&mut port, &mut stop, Some(&mut print), &over) => heat,
            () = agent => unreachable!(),
        };
        assert_eq!(heat, Some(Heat::SeenTo));
        assert!(began.elapsed() >= LONG, "nobody was there before");
        assert!(stopped(End::Cancelled, Heat::SeenTo).is_err() && printed("Printed.", Heat::SeenTo).is_err());
    }

    /// Nobody has looked since: a signal goes by how it is, and not by how it was. What is there is stopped at once.
    #[tokio::test]
    async fn a_signal_just_as_its_port_is_back_does_not_wait_for_a_port() {
        let (mut port, place) = handle(SpeedView::Known(115_200)).unwrap();
        let host = Host::new(Duration::ZERO, Parking::default());
        let is_there = |error| drop(place.view.send_replace(PortView::of(&host, error, None)));
        is_there(Some("The port vanished."));
        let mut stop = Ending::watch_but(None).unwrap();
        let over = JobEvent::Stopped(End::Cancelled);
        let mut ends = std::pin::pin!(heat(&mut port, &mut stop, None, &over));
        tokio::select! {
            biased;
            heat = &mut ends => panic!("{heat:?}"),
            () = std::future::ready(()) => {}
        }
        is_there(None);
        // Each test is a process of its own: no other one hears of it.
        kill_process(getpid(), Signal::TERM).unwrap();
        assert_eq!(timeout(END_SILENT, ends).await, Ok(None));
    }
}
