//! `stardust-agent print FILE --port PATH`: one file, no hub.
//!
//! Owns: Ctrl-C as a clean cancel, and when to pause and go on. Must not know: the protocol.

mod choice;
mod ending;
mod halting;
#[cfg(test)]
mod rig;
mod telling;

use std::fs::File;
use std::io::{BufReader, Read};
use std::process::ExitCode;
use std::time::Duration;

use stardust_clock::SharedClock;
use stardust_gcode::sniff;

use super::keys::Keys;
use super::signals::Ending;
use super::{Failure, PrintArguments, own_agent};
use crate::port::connect::connect;
use crate::port::{Order, PortEvent, PortPlan, SpeedMemory};
use crate::print_job::admission::{self, Admitted};
use crate::print_job::briefed::Briefed;
use crate::print_job::file_source::FileSource;
use crate::print_job::profile::Profile;
use crate::print_job::wholeness;
use crate::printer::by_hand::{self, PrintByHand};
use crate::serial::{Brief, End, Heaters, HostEvent, JobEvent};
use crate::settings::Settings;
use choice::Choice;
use ending::Heat;
use halting::stop_at_once;
use telling::{Telling, duration};

/// A print before this one was killed, and this one has not come to turning anything off.
const LEFT_HOT: &str = "Not printed, and the printer may be HOT: a print before this one was killed there, and nobody has turned its \
                        heaters off yet. The next print does, or an agent that is started; else switch the printer off.";

/// As the shell has it for a program ended by Ctrl-C.
const CANCELLED: u8 = 130;

/// Prints the file; returns when it is done.
pub(super) async fn run(
    options: &PrintArguments,
    settings: &Settings,
    clock: SharedClock,
) -> Result<ExitCode, Failure> {
    let name = options.file.display();
    let unreadable = |error: std::io::Error| format!("{name} can't be read: {error}");
    let file = File::open(&options.file).map_err(unreadable)?;
    let size = file.metadata().map_err(unreadable)?.len();
    let mut head = Vec::new();
    file.take(sniff::WINDOW as u64).read_to_end(&mut head).map_err(unreadable)?;
    let content = sniff::sniff(&head);
    if !content.is_gcode() {
        return Err(format!("{name} can't be printed: {content}"));
    }
    let file = File::open(&options.file).map_err(unreadable)?;
    let check = |file, profile: &Profile| {
        admission::check(BufReader::new(file), profile).map_err(|refusal| format!("{name}: {refusal}"))
    };
    check(file, &Profile::default())?;
    let cut_off = wholeness::is_cut_off(&options.file).map_err(unreadable)?;
    if cut_off && !options.even_if_cut_off {
        return Err(format!(
            "{name} is cut off: its slicer's end is missing, and so is the end of the part. Export it again. To print \
             what there is of it: --even-if-cut-off."
        ));
    }
    let source = FileSource::open(&options.file).map_err(unreadable)?;

    let mut stop = Ending::watch_but(None)?;
    if let Some(driven) = own_agent::that_drives(settings, &options.port) {
        let why = driven.in_words(&options.port);
        return Err(format!(
            "Not printed: {why}. Print it from the hub, or stop the agent first: {}.",
            own_agent::STOP_IT
        ));
    }
    let plan = PortPlan {
        speeds: Some(SpeedMemory::new(&settings.data)),
        reset_on_open: options.reset_on_open,
        ..PortPlan::new(options.port.clone(), options.baud)
    };
    let (mut port, _) = tokio::select! {
        ready = connect(plan.clone(), &clock) => ready.map_err(|error| error.to_string())?,
        () = stop.asked() => {
            if by_hand::is_left_hot(settings, &plan).await {
                return Err(LEFT_HOT.into());
            }
            return Ok(ExitCode::from(CANCELLED));
        }
    };
    // Once more with what the firmware says of itself, before the first byte of the job.
    let (machine, dialect) = {
        let view = port.view.borrow();
        (view.machine, view.dialect)
    };
    let file = File::open(&options.file).map_err(unreadable)?;
    let Admitted { commands, brief } =
        check(file, &Profile::default().with_firmware(machine).read_by(Some(dialect)))?;
    let mut keys = Keys::listen().map_err(|error| format!("The keyboard can't be watched: {error}"))?;
    let mut told = Telling::new(size);
    // Before the first byte: who is killed turns nothing off.
    let mut owed = match PrintByHand::begin(settings, &plan, brief.heaters.clone(), stop.asked()).await {
        Ok(Some(owed)) => Some(owed),
        Ok(None) => return Ok(ExitCode::from(CANCELLED)),
        Err(error) => {
            told.line(&format!(
                "Note: what gets hot could not be written down ({error}). If this program is killed, no agent turns the heaters \
                 off afterwards: look after the printer yourself."
            ));
            None
        }
    };
    // What a print before has left hot here is settled with this one.
    port.order(Order::Name(owed.as_ref().map_or_else(Heaters::unknown, PrintByHand::heaters)));
    port.order(Order::Start(Box::new(Briefed::new(source, Brief { cut_off, ..brief })), None));
    told.message(format!("{commands} commands"));
    let started = clock.elapsed();
    told.hint("p or Ctrl-Z pauses, Ctrl-C cancels.");
    let (mut cancelling, mut paused) = (false, false);
    let mut tick = tokio::time::interval(Duration::from_millis(250));
    loop {
        tokio::select! {
            event = port.events.recv() => {
                let Some(event) = event else { return Err("The port's thread has ended; this is a fault of the agent.".into()) };
                match event {
                    PortEvent::Host(HostEvent::Job(over @ (JobEvent::Completed | JobEvent::Stopped(_))), _) => {
                        told.is_over();
                        let seconds = (clock.elapsed() - started).as_secs();
                        let Some(heat) = ending::heat(&mut port, &mut stop, owed.as_mut(), &over).await else {
                            return Err(stop_at_once(&mut port, &mut stop, owed).await);
                        };
                        if let (Heat::Off, Some(owed)) = (heat, owed) {
                            owed.settled().await;
                        }
                        let what = format!("Printed {name}: {commands} commands in {}.", duration(seconds));
                        return match over {
                            JobEvent::Stopped(end) => ending::stopped(end, heat),
                            _ => ending::printed(&what, heat),
                        };
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
                        return Err("The printer was not ready any more; try again.".into());
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
                    return Err(stop_at_once(&mut port, &mut stop, owed).await);
                }
                told.line("Cancelling: the heaters are being turned off. Once more stops at once.");
                port.order(Order::Stop(End::Cancelled));
            }
        }
    }
}
