//! What a trouble does to the printers, their host and the hub.

use std::sync::Arc;
use std::time::Duration;

use stardust_protocol::{Command, Preheat};

use super::{House, boot};
use crate::plan::{Broken, Trouble};
use crate::process::Process;

/// Something that is asked of the job at hand.
pub(super) fn order(house: &House, command: impl Fn(stardust_protocol::JobId) -> Command) {
    let now_ms = i64::try_from(house.began.elapsed().as_millis()).unwrap();
    let mut books = house.books.lock().unwrap();
    if let Some(job) = books.job() {
        books.command(now_ms, command(job));
    }
}

impl House {
    /// The cables of all printers are out for so long.
    fn unplug(&self, at: Duration, time: Duration) {
        for printer in &self.printers {
            printer.lock().unwrap().unplug_for(at, time.max(Duration::from_millis(100)));
        }
    }
}

/// Something that is no matter of a job.
fn ask(house: &House, command: Command) {
    let now_ms = i64::try_from(house.began.elapsed().as_millis()).unwrap();
    house.books.lock().unwrap().command(now_ms, command);
}

/// All that the printer has.
fn preheat(house: &House, minutes: u16) -> Command {
    let nozzles_c = (0..house.plan.profile.config.tools).map(|tool| 180 + 5 * u16::from(tool)).collect();
    Command::Preheat(Preheat { nozzles_c, bed_c: Some(55), minutes })
}

/// Makes it happen. Some: the process is gone, for so long, and what can't be read meanwhile.
pub(super) async fn happen(
    house: &Arc<House>,
    process: &mut Option<Process>,
    trouble: Trouble,
) -> Option<(Duration, Option<&'static str>)> {
    let at = house.began.elapsed();
    match trouble {
        Trouble::Cancelled => order(house, |job_id| Command::Cancel { job_id }),
        Trouble::Paused => order(house, |job_id| Command::Pause { job_id }),
        Trouble::Resumed => order(house, |job_id| Command::Resume { job_id }),
        Trouble::CooledDown => ask(house, Command::CoolDown),
        Trouble::StoppedAtOnce(damaged) => {
            *house.damages_stops.lock().unwrap() = damaged;
            ask(house, Command::EmergencyStop);
        }
        Trouble::Preheated(minutes) => ask(house, preheat(house, minutes)),
        Trouble::Clicked => house.click(),
        Trouble::Reset => house.printers[house.named()].lock().unwrap().reset(at),
        Trouble::Revoked(time) => {
            house.count("revoked");
            let mut books = house.books.lock().unwrap();
            (books.is_revoked, books.is_silent) = (true, house.plan.broken == Some(Broken::IsNotTold));
            return Some((time, None));
        }
        Trouble::OneUnplugged(time) => {
            house.count("one unplugged");
            house.printers[house.named()].lock().unwrap().unplug_for(at, time);
        }
        Trouble::Unplugged(time) => {
            house.count("unplugged");
            house.unplug(at, time);
        }
        _ => {}
    }
    let (away, spoiled) = match trouble {
        Trouble::Killed(away)
        | Trouble::Rebooted(away)
        | Trouble::Stopped(away)
        | Trouble::PortChanged(away)
        | Trouble::HandedOver(away) => (away, None),
        Trouble::WrongSettings(away) => (away, Some("printer.toml")),
        Trouble::NoCredential(away) => (away, Some("credential")),
        Trouble::NoJournal(away) => (away, Some("journal.jsonl")),
        Trouble::Unable(away, _) => (away, None),
        _ => return None,
    };
    let running = process.take()?;
    match trouble {
        Trouble::Stopped(_) => {
            house.count("stopped");
            running.stop().await;
            house.note(|| "the agent has stopped".into());
        }
        Trouble::PortChanged(_) => {
            house.count("port changed");
            running.kill().await;
            house.name_the_other();
        }
        // The port stays open, and the next process can't begin.
        Trouble::HandedOver(_) => {
            house.count("handed over");
            running.kill().await;
            *process = Some(Process::start_unable(house));
        }
        Trouble::Unable(_, cable) => {
            house.count("unable");
            running.kill().await;
            house.unplug(at, cable);
            *process = Some(Process::start_unable(house));
        }
        Trouble::Rebooted(_) => {
            house.count("rebooted");
            running.kill().await;
            let trail = house.path("trail");
            // What was not flushed is gone: the trail is, in the worst case.
            if house.plan.seed.is_multiple_of(2) || !boot::is_of_an_earlier_one(&trail) {
                let _ = std::fs::remove_file(trail);
            } else {
                house.count("rebooted beside a trail");
            }
        }
        _ => {
            house.count("killed");
            running.kill().await;
        }
    }
    if let Some(file) = spoiled {
        house.count("unreadable");
        house.spoil(file);
    }
    Some((away, spoiled))
}
