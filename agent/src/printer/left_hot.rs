//! A printer that can't be driven, and may have been left hot: it is made safe all the same, as far as its port can be
//! opened.
//!
//! Settings with a mistake, a credential or a journal that can't be read, a hub's address that is none: nothing of that
//! is a reason to leave heaters on, or not to stop it at once. Owns: what is done at its port for that, and for how long. Must not
//! know: jobs, the hub, what its files look like.

mod books;
mod hot;

use std::path::PathBuf;
use std::time::Duration;

use futures::future::BoxFuture;
use stardust_clock::SharedClock;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::folder::PrinterFolder;
use super::stop_desk::StopDesk;
use super::stops::BY;
use super::wiring::Wiring;
use crate::disk_work::DiskWork;
use crate::journal::HeatOwed;
use crate::port::{self, Order, PortEvent, PortHandle, PortPlan, Pulse, Reach, SpeedView};
use crate::serial::{HostEvent, Parking};
use crate::systemd;
use books::Books;
use hot::Hot;

/// How long a printer is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// What is wrong may be mended meanwhile: it is looked at again soon, above all where the port is not there.
    Short,
    /// Nobody else comes: until its heaters were read back as off.
    Endless,
}

impl Patience {
    /// Whether it is over after so long.
    fn is_over(self, waited: Duration, port_is_there: bool) -> bool {
        let most = if port_is_there { Duration::from_secs(90) } else { Duration::from_secs(5) };
        self == Self::Short && waited >= most
    }
}

/// The port is looked at this often.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The service manager that waits for the end is asked for more time each time for so long.
const MORE_TIME: Duration = Duration::from_secs(15);
/// A stop at once does not wait longer for the disk where the port was known before.
const DISK_ANSWERS_WITHIN: Duration = Duration::from_millis(250);
/// A thread that has not left its port by then hangs: nobody waits for that.
const CLOSES_WITHIN: Duration = Duration::from_secs(10);

/// A printer that can't be driven, over all that is tried with it.
#[derive(Debug, Default)]
pub struct Undriven {
    /// Where it is asked to be stopped at once.
    pub desk: StopDesk,
    /// The thread of its port, while there is one: whoever looks whether it turns.
    pulse: watch::Sender<Option<Pulse>>,
    /// As its files had it when they could be read last.
    known: Option<Hot>,
    /// The port that was driven last, and its speed: nobody keeps it on the disk.
    speed: Option<(PathBuf, u32)>,
    books: Books,
    /// Its port was left, and the thread of that has not ended yet.
    closing: Option<Closing>,
}

struct Closing(BoxFuture<'static, ()>);

impl std::fmt::Debug for Closing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Closing")
    }
}

impl Undriven {
    /// One whose port's thread is looked at there.
    #[must_use]
    pub fn looked_at(pulse: watch::Sender<Option<Pulse>>) -> Self {
        Self { pulse, ..Self::default() }
    }

    /// What may be hot; none: nothing is. A stop at once does not wait for a disk that does not answer if it can be helped.
    async fn find(
        &mut self,
        disk: &DiskWork,
        folder: &PrinterFolder,
        stop: &mut watch::Receiver<bool>,
    ) -> std::io::Result<Option<Hot>> {
        let looked = folder.clone();
        let look = disk.run(move || Ok(hot::find(&looked)));
        let mut look = std::pin::pin!(look);
        let desk = self.desk.clone();
        let hurried = async {
            desk.wanted().await;
            tokio::time::sleep(DISK_ANSWERS_WITHIN).await;
        };
        let in_time = tokio::select! {
            biased;
            found = &mut look => Some(found),
            () = hurried => None,
            () = waited_out(stop) => return Err(std::io::ErrorKind::TimedOut.into()),
        };
        let found = match (in_time, &self.known) {
            (Some(found), _) => found,
            (None, Some(known)) => {
                tracing::warn!(
                    printer.name = folder.name(),
                    "the disk does not answer: its port as it was known"
                );
                return Ok(Some(known.clone()));
            }
            (None, None) => {
                self.desk.reached(Reach::Waits);
                tokio::select! {
                    found = &mut look => found,
                    () = waited_out(stop) => return Err(std::io::ErrorKind::TimedOut.into()),
                }
            }
        };
        let (hot, owes) = found?;
        self.known = Some(hot.clone());
        Ok((owes || self.desk.is_wanted()).then_some(hot))
    }

    /// Whether the port that was left before is closed by now.
    async fn is_closed(&mut self) -> bool {
        if let Some(closing) = &mut self.closing {
            if timeout(CLOSES_WITHIN, &mut closing.0).await.is_err() {
                return false;
            }
            self.closing = None;
            self.pulse.send_replace(None);
        }
        true
    }
}

/// Until the process is to end, and a printer would not be waited for any more.
async fn waited_out(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(port::END_SILENT).await;
}

/// Turns off what may be on, and reads it back. True: nothing more has to be done, because all is off or nobody could do
/// more; false: to be tried again. When `stop` turns true, it goes on for as long as a printer is waited for then.
pub async fn make_safe(
    folder: &PrinterFolder,
    clock: &SharedClock,
    wiring: &impl Wiring,
    patience: Patience,
    stop: watch::Receiver<bool>,
) -> bool {
    make_safe_or_stop(folder, clock, wiring, patience, stop, &mut Undriven::default()).await
}

/// The same; what is asked for at the desk comes before everything else.
pub async fn make_safe_or_stop(
    folder: &PrinterFolder,
    clock: &SharedClock,
    wiring: &impl Wiring,
    patience: Patience,
    mut stop: watch::Receiver<bool>,
    undriven: &mut Undriven,
) -> bool {
    let (disk, name, desk) = (wiring.disk(), folder.name(), undriven.desk.clone());
    desk.give_up_if_late();
    if !undriven.is_closed().await {
        tracing::error!(
            printer.name = name,
            "the thread that has its port hangs: switch the printer off by hand"
        );
        desk.in_vain();
        return false;
    }
    let hot = match undriven.find(&disk, folder, &mut stop).await {
        Ok(Some(hot)) => hot,
        Ok(None) => return true,
        Err(error) => {
            tracing::error!(printer.name = name, error = %error, "whether it is hot can't be found out");
            desk.in_vain();
            return false;
        }
    };
    let Some(plan) = hot.plan.clone() else {
        if desk.take() {
            tracing::error!(
                printer.name = name,
                "it is to be stopped at once, and nobody knows its port: switch it off by hand"
            );
            desk.reached(Reach::GaveUp);
        }
        tracing::error!(printer.name = name, "it may be hot, and nobody knows its port: look after it");
        return true;
    };
    let at = plan.path.clone();
    let of_this_port = |(path, speed): &(PathBuf, u32)| (*path == at).then_some(*speed);
    let plan = PortPlan { found: undriven.speed.as_ref().and_then(of_this_port).or(plan.found), ..plan };
    let what = if desk.is_wanted() { "it is stopped at once" } else { "its heaters are turned off" };
    tracing::warn!(
        printer.name = name, port.path = %at.display(),
        "this printer can't be driven and may be hot: {what}"
    );
    let port = match wiring.drive(folder, plan, Parking::default(), clock, None) {
        Ok(port) => port,
        Err(error) => {
            tracing::error!(printer.name = name, error = %error, "its port can't be driven");
            desk.in_vain();
            return false;
        }
    };
    undriven.pulse.send_replace(Some(port.pulse()));
    let is_all = hot.is_all;
    let mut at_port = AtPort { folder, disk, at, owed: hot.owed.clone(), is_written: false, port, undriven };
    at_port.begin(&hot);
    let settled = at_port.attend(patience, stop.clone()).await;
    at_port.leave(settled, &mut stop).await;
    // What is hot at another port is seen to the next time.
    settled && is_all
}

/// While its port is driven.
struct AtPort<'a> {
    folder: &'a PrinterFolder,
    disk: DiskWork,
    at: PathBuf,
    owed: HeatOwed,
    /// For the latest stop at once.
    is_written: bool,
    port: PortHandle,
    undriven: &'a mut Undriven,
}

impl AtPort<'_> {
    /// The first orders.
    fn begin(&mut self, hot: &Hot) {
        // Before anything else: it is the first thing that is written when the port is open.
        let is_stopped = self.stop_if_wanted();
        self.port.order(Order::Name(hot.owed.heaters.clone()));
        if !is_stopped {
            let was_stopped = hot.owed.stopped || self.undriven.desk.wants_follow_up();
            self.port.order(if was_stopped { Order::FollowStopUp } else { Order::MakeSafe(hot.safety) });
        }
    }

    fn stop_if_wanted(&mut self) -> bool {
        let is_wanted = self.undriven.desk.take();
        if is_wanted {
            self.port.order(Order::Kill(BY.into()));
            self.is_written = false;
        }
        is_wanted
    }

    /// Until all was read back as off (true), or nobody waits for that any more.
    async fn attend(&mut self, patience: Patience, mut stop: watch::Receiver<bool>) -> bool {
        let desk = self.undriven.desk.clone();
        let (mut began, mut end, mut said_gone) = (Instant::now(), None, false);
        loop {
            self.stop_if_wanted();
            if desk.give_up_if_late() {
                // A stop that its thread keeps must not go out behind that.
                tracing::error!(
                    printer.name = self.folder.name(),
                    "its port has said nothing of the stop at once"
                );
                return false;
            }
            if *stop.borrow() {
                systemd::ask_for_time(MORE_TIME);
                let end = end.get_or_insert_with(port::Patience::at_the_end);
                let (left, is_there) = {
                    let view = self.port.view.borrow();
                    (end.left(&view), view.port_error.is_none())
                };
                if left.is_zero() {
                    return false;
                }
                if !is_there && !std::mem::replace(&mut said_gone, true) {
                    tracing::warn!(
                        printer.name = self.folder.name(),
                        wait_s = port::END_SILENT.as_secs(),
                        "stopping, the printer may be hot, and its port is not there: waiting for it a moment"
                    );
                }
            } else {
                let is_there = self.port.view.borrow().port_error.is_none();
                // A stop is kept for its port as long as the port's own thread keeps it.
                if !desk.is_under_way() && patience.is_over(began.elapsed(), is_there) {
                    return false;
                }
            }
            tokio::select! {
                event = self.port.events.recv() => match event {
                    // What was read back before it was on the wire settles nothing.
                    Some(PortEvent::Host(HostEvent::HeatSettled | HostEvent::HeatLeftToCard, _)) if !desk.is_under_way() => return true,
                    Some(PortEvent::Killed(reach)) => {
                        self.on_killed(reach);
                        began = Instant::now();
                    }
                    None => return false,
                    Some(_) => {}
                },
                () = self.undriven.books.go_on() => {}
                () = desk.wanted() => {}
                Ok(()) = stop.changed() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// A stop has come so far. It is written down behind that, once, and nothing waits for it.
    fn on_killed(&mut self, reach: Reach) {
        self.undriven.desk.reached(reach);
        if reach == Reach::GaveUp {
            self.port.order(Order::FollowStopUp);
        }
        if !std::mem::replace(&mut self.is_written, true) {
            self.owed = hot::owed_for_stop(&self.owed, &self.at);
            let (folder, owed) = (self.folder.clone(), self.owed.clone());
            self.undriven.books.write(&self.disk, move || hot::owe(&folder, owed));
        }
    }

    /// Leaves the port, and writes down what came of it. Nobody else opens the journal meanwhile; but a stop does not wait for that.
    async fn leave(self, settled: bool, stop: &mut watch::Receiver<bool>) {
        let Self { folder, disk, at, owed, port, undriven, .. } = self;
        let name = folder.name();
        if let SpeedView::Known(speed) = *port.speed.borrow() {
            undriven.speed = Some((at, speed));
        }
        undriven.closing = Some(Closing(Box::pin(port.close())));
        if !undriven.is_closed().await {
            tracing::error!(printer.name = name, "the thread that has its port hangs");
        }
        let desk = undriven.desk.clone();
        desk.in_vain();
        if settled {
            tracing::warn!(printer.name = name, "its heaters are off");
            desk.settled();
            let folder = folder.clone();
            undriven.books.write(&disk, move || hot::cross_out(&folder, &owed));
        } else {
            tracing::error!(printer.name = name, "its heaters could not be read back as off: look after it");
        }
        tokio::select! {
            biased;
            () = undriven.books.at_rest() => {}
            () = desk.wanted() => {}
            () = waited_out(stop) => {}
        }
    }
}

#[cfg(test)]
mod tests;
