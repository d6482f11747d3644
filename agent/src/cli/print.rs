//! `stardust-agent print FILE --port PATH`: one file, no hub.
//!
//! Owns: Ctrl-C as a clean cancel, and when to pause and go on. Must not know: the protocol.

mod choice;
mod ending;
pub(super) mod halting;
mod milestones;
mod prepared;
#[cfg(test)]
mod rig;
mod screen;
mod telling;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use stardust_clock::SharedClock;

use super::left_behind;
use super::signals::Ending;
use super::{Failure, PrintArguments, say};
use crate::port::{Order, PortEvent, PortPlan, SpeedMemory};
use crate::print_job::briefed::Briefed;
use crate::printer::by_hand::PrintByHand;
use crate::serial::{End, Heaters, HostEvent, JobEvent};
use crate::settings::Settings;
use choice::Choice;
use halting::stop_at_once;
use prepared::{NotBegun, Prepared};
use telling::duration;

/// As the shell has it for a program ended by Ctrl-C.
const CANCELLED: u8 = 130;

/// Prints the file; returns when it is done. One that does not begin leaves nothing behind that a print before has left hot there.
pub(super) async fn run(
    options: &PrintArguments,
    settings: &Settings,
    clock: SharedClock,
) -> Result<ExitCode, Failure> {
    let mut stop = Ending::watch_but(None)?;
    let plan = PortPlan {
        speeds: Some(SpeedMemory::new(&settings.data)),
        reset_on_open: options.reset_on_open,
        ..PortPlan::new(options.port.clone(), options.baud)
    };
    let ended = match Prepared::of(options, settings, &plan, &clock, &mut stop).await {
        Ok(prepared) => print(prepared, &options.file, &clock, &mut stop).await,
        Err(not_begun) => Err(not_begun),
    };
    let NotBegun(why) = match ended {
        Ok(ended) => return ended,
        Err(not_begun) => not_begun,
    };
    let Some(left) = left_behind::make_safe(settings, &plan, &clock, &mut stop, say).await else {
        return why;
    };
    match why {
        Ok(code) if left.is_safe() => {
            say(&format!("Nothing was printed. {}", left.sentence()));
            Ok(code)
        }
        Ok(_) => Err(format!("Nothing was printed. {}", left.sentence())),
        Err(why) => Err(format!("{}. {}", why.trim_end_matches('.'), left.sentence())),
    }
}

/// Its end, and what came of the heaters; or nothing was sent.
async fn print(
    prepared: Prepared,
    file: &Path,
    clock: &SharedClock,
    stop: &mut Ending,
) -> Result<Result<ExitCode, Failure>, NotBegun> {
    let Prepared { mut port, mut keys, mut told, mut owed, source, brief, commands } = prepared;
    let name = file.display();
    // What a print before has left hot here is settled with this one.
    port.order(Order::Name(owed.as_ref().map_or_else(Heaters::unknown, PrintByHand::heaters)));
    port.order(Order::Start(Box::new(Briefed::new(source, brief)), None));
    told.message(format!("{commands} commands"));
    let started = clock.elapsed();
    told.hint("p or Ctrl-Z pauses, Ctrl-C cancels.");
    let (mut cancelling, mut paused) = (false, false);
    let mut tick = tokio::time::interval(Duration::from_millis(250));
    loop {
        tokio::select! {
            event = port.events.recv() => {
                let Some(event) = event else { return Ok(Err("The port's thread has ended; this is a fault of the agent.".into())) };
                match event {
                    PortEvent::Host(HostEvent::Job(over @ (JobEvent::Completed | JobEvent::Stopped(_))), _) => {
                        told.is_over();
                        let seconds = (clock.elapsed() - started).as_secs();
                        let Some(heat) = ending::heat(&mut port, stop, owed.as_mut(), &over).await else {
                            return Ok(Err(stop_at_once(&mut port, stop, owed).await));
                        };
                        if let (true, Some(owed)) = (heat.is_safe(), owed) {
                            owed.settled().await;
                        }
                        let what = format!("Printed {name}: {commands} commands in {}.", duration(seconds));
                        return Ok(match over {
                            JobEvent::Stopped(end) => ending::stopped(end, heat),
                            _ => ending::printed(&what, heat),
                        });
                    }
                    PortEvent::Host(HostEvent::Job(JobEvent::Pausing(reason)), _) => {
                        let reason = reason.unwrap_or_else(|| "Pausing.".into());
                        told.line(&format!("{reason} Press p, Ctrl-Z or Enter to go on."));
                        paused = true;
                    }
                    PortEvent::Host(HostEvent::Job(JobEvent::Resuming), _) => {
                        told.line("Going on.");
                        paused = false;
                    }
                    PortEvent::NotStarted => {
                        if let Some(owed) = owed {
                            owed.called_off().await;
                        }
                        return Err(NotBegun(Err("The printer was not ready any more; try again.".into())));
                    }
                    PortEvent::Host(..) | PortEvent::Killed(_) | PortEvent::NotPreheated => {}
                }
            }
            wish = keys.wish() => {
                let asked = port.view.borrow().attention.clone();
                match choice::of(wish, paused, asked.as_ref()) {
                    Choice::Give(order) => port.order(order),
                    Choice::Say(line) => told.line(&line),
                    Choice::Nothing => {}
                }
            },
            _ = tick.tick() => told.show(&port.view.borrow(), clock.elapsed()),
            () = stop.heard(cancelling) => {
                if std::mem::replace(&mut cancelling, true) {
                    told.is_abandoned();
                    return Ok(Err(stop_at_once(&mut port, stop, owed).await));
                }
                told.line("Cancelling: the heaters are being turned off. Once more stops at once.");
                port.order(Order::Stop(End::Cancelled));
            }
        }
    }
}
