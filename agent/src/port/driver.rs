//! The thread that drives the host protocol on one port.
//!
//! A thread of its own, so that nothing else the agent does (downloads, disk, network) can make a print stutter.
//! Owns: reading, writing, waiting, opening the port again when it has vanished. Must not know: what the bytes
//! mean.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use stardust_clock::SharedClock;
use tokio::sync::{mpsc, watch};

use super::ended::{Abandoned, Ended};
use super::handle::{Order, PortEvent, PortHandle, SpeedView, Workplace, handle};
use super::kept::Keeper;
use super::kill::KeptKill;
use super::locator::Locator;
use super::open::{OpenError, open};
use super::plan::PortPlan;
use super::reopening::{Need, Reopening, URGENT};
use super::reset::{Unsent, reset_board};
use super::resumption::Resumption;
use super::second_way::SecondWay;
use super::seek::Sought;
use super::speed_memory::SpeedMemory;
use super::speed_search::SPEEDS;
use super::view::PortView;
use super::wait::{Wait, Woken, timespec};
use super::waker::Waker;
use crate::serial::{Heating, Host, HostEvent, JobEvent, Parking};
use crate::trail::Trail;

const ATTACH_PATIENCE: Duration = Duration::from_secs(30);
/// The view is renewed this often while nothing special happens.
const VIEW_EVERY: Duration = Duration::from_millis(250);

/// Starts the thread for a port.
///
/// # Errors
/// When the system has no thread or descriptor left.
pub fn drive(plan: PortPlan, parking: Parking, clock: SharedClock) -> std::io::Result<PortHandle> {
    drive_on(plan, parking, clock, None)
}

/// The same, and goes on with a job of an earlier process.
///
/// # Errors
/// When the system has no thread or descriptor left.
pub fn drive_on(
    plan: PortPlan,
    parking: Parking,
    clock: SharedClock,
    job: Option<Resumption>,
) -> std::io::Result<PortHandle> {
    let (mut handle, place) = handle(plan.baud.map_or(SpeedView::Sought(0), SpeedView::Known))?;
    let Workplace { orders, waker, events, view, speed } = place;
    let second_way = SecondWay::new(events.downgrade());
    if let Some(orders) = &mut handle.orders {
        orders.second_way = Some(second_way.clone());
    }
    let now = clock.elapsed();
    let (host, trail, found) = match job {
        None => {
            let mut host = Host::new(now, parking);
            plan.left.iter().for_each(|left| host.keep_apart_from(left));
            (host, None, None)
        }
        Some(Resumption { checkpoint, source, trail, speed, after_power_loss }) => {
            let acknowledged = checkpoint.acknowledged();
            let host = Host::attach(now, parking, checkpoint, source, after_power_loss);
            (host, Some((trail, acknowledged)), Some(speed))
        }
    };
    let (trail, acknowledged) = trail.map_or((None, 0), |(trail, acknowledged)| (Some(trail), acknowledged));
    let driver = Driver {
        locator: Locator::of(&plan),
        baud: plan.baud,
        speeds: plan.speeds,
        found: found.or(plan.found),
        keeper: plan.keeper,
        is_kept: false,
        was_open: false,
        trail,
        attach_until: now + ATTACH_PATIENCE,
        reset_on_open: plan.reset_on_open,
        port: None,
        second_way,
        seeking: false,
        kept_kill: None,
        clock,
        host,
        waker,
        orders,
        events,
        view,
        speed,
        view_at: Duration::ZERO,
        heard: false,
        acknowledged,
        to_write: Vec::new(),
    };
    std::thread::Builder::new().name("serial".into()).spawn(move || driver.run())?;
    Ok(handle)
}

pub(super) struct Driver {
    pub(super) locator: Locator,
    /// As it was given; none: it is found out each time the port is opened, the one `found` last first.
    baud: Option<u32>,
    pub(super) speeds: Option<SpeedMemory>,
    pub(super) found: Option<u32>,
    reset_on_open: bool,
    keeper: Option<Keeper>,
    /// The port was open before this process began, or was kept over a fault of it.
    is_kept: bool,
    was_open: bool,
    trail: Option<Trail>,
    /// So long the port of an earlier process's job is waited for.
    attach_until: Duration,
    /// While it is open.
    pub(super) port: Option<Arc<OwnedFd>>,
    pub(super) second_way: SecondWay,
    /// Its speed is being found out, or will be before anything else.
    pub(super) seeking: bool,
    /// A stop at once that waits for the port.
    pub(super) kept_kill: Option<KeptKill>,
    pub(super) clock: SharedClock,
    pub(super) host: Host,
    pub(super) waker: Waker,
    orders: mpsc::UnboundedReceiver<Order>,
    pub(super) events: mpsc::UnboundedSender<PortEvent>,
    view: watch::Sender<PortView>,
    pub(super) speed: watch::Sender<SpeedView>,
    pub(super) view_at: Duration,
    /// Something came since the view was renewed.
    heard: bool,
    acknowledged: u64,
    pub(super) to_write: Vec<u8>,
}

impl Driver {
    fn run(mut self) {
        let mut reopening = Reopening::new();
        loop {
            let reason = match self.open() {
                Ok((path, port)) => {
                    reopening = Reopening::new();
                    self.was_open = true;
                    let port = Arc::new(port);
                    self.second_way.opened(&port, self.baud.is_none() && !self.is_kept);
                    self.port = Some(Arc::clone(&port));
                    if !self.is_kept {
                        self.locator.pin();
                        self.recall_speed();
                    }
                    let ended = self.use_port(&port);
                    self.port = None;
                    let is_left_open = matches!(ended, Err(Abandoned::LeftOpen));
                    if let (Some(keeper), false) = (&self.keeper, is_left_open) {
                        keeper.forget();
                    }
                    match ended {
                        Ok(Ended::Failed(error)) => {
                            format!("The port {} vanished ({error}).", path.display())
                        }
                        Ok(Ended::Asked) => {
                            reopening = Reopening::left_alone();
                            "The printer has asked its host to disconnect: it is left alone a while.".into()
                        }
                        Err(Abandoned::Closed | Abandoned::LeftOpen) => return,
                    }
                }
                Err(error) => error.to_string(),
            };
            if self.view.borrow().port_error.as_deref() != Some(reason.as_str()) {
                tracing::warn!(reason, "port not open");
            }
            let now = self.clock.elapsed();
            if self.port_may_come(now) {
                if self.wait_closed(|_| URGENT).is_err() {
                    return;
                }
                continue;
            }
            self.host.port_lost(self.clock.elapsed());
            self.tell(self.clock.elapsed(), Some(&reason));
            if self.wait_closed(|need| reopening.wait(need)).is_err() {
                return;
            }
            reopening.failed();
        }
    }

    /// Whether a job of an earlier process waits for the port, which could not be opened yet.
    fn port_may_come(&self, now: Duration) -> bool {
        !self.was_open && self.host.is_attaching() && now < self.attach_until
    }

    /// Opens the printer's port under the name that it has now.
    fn open(&mut self) -> Result<(PathBuf, OwnedFd), OpenError> {
        let path = self.locator.locate()?;
        self.is_kept = false;
        if let Some((port, speed)) = self.take_kept(&path) {
            self.is_kept = true;
            self.found = Some(speed);
            self.speed.send_replace(SpeedView::Known(speed));
            tracing::info!(port.path = %path.display(), port.baud = speed, "the port is still open");
            return Ok((path, port));
        }
        let speed = self.baud.or(self.recall_speed()).unwrap_or(SPEEDS[0]);
        let port = open(&path, speed)?;
        // The name may have become another's while it was opened.
        if self.locator.locate()? != path {
            return Err(OpenError::Missing(path.display().to_string()));
        }
        tracing::info!(port.path = %path.display(), port.baud = speed, "port opened");
        Ok((path, port))
    }

    /// The port that is open already, if it is the right one and at the right speed.
    fn take_kept(&self, path: &Path) -> Option<(OwnedFd, u32)> {
        let port = self.keeper.as_ref()?.take(path)?;
        let speed = rustix::termios::tcgetattr(&port).ok()?.output_speed();
        if self.baud.is_none_or(|baud| baud == speed) || self.host.is_attaching() {
            return Some((port, speed));
        }
        // It was set anew in the meantime.
        drop(port);
        if let Some(keeper) = &self.keeper {
            keeper.forget();
        }
        None
    }

    /// Finds the speed out where none was given, and drives the port until it fails.
    fn use_port(&mut self, port: &OwnedFd) -> Result<Ended, Abandoned> {
        self.to_write.clear();
        let now = self.clock.elapsed();
        self.host.port_opened(now);
        self.tell(now, None);
        // What is at work on a job is neither reset nor asked for its speed.
        let is_fresh = !self.is_kept && !self.host.is_attaching();
        self.seeking = self.baud.is_none() && is_fresh;
        self.second_way.seeks(self.seeking);
        self.kill_if_wanted(now, port);
        if self.reset_on_open && is_fresh {
            reset_board(port, Unsent::Dropped);
        }
        if self.seeking {
            self.keeper.iter().for_each(|keeper| keeper.seek(Some(port)));
            let sought = self.seek(port);
            self.keeper.iter().for_each(|keeper| keeper.seek(None));
            self.seeking = false;
            self.second_way.seeks(false);
            match sought? {
                Sought::Found(speed, said) => {
                    self.found = Some(speed);
                    if let Some(speeds) = &self.speeds {
                        speeds.remember(&self.locator.identity(), speed);
                    }
                    let now = self.clock.elapsed();
                    self.host.port_opened(now);
                    // It may have been the banner, or that it has stopped itself.
                    self.host.receive(now, &said);
                    self.speed.send_replace(SpeedView::Known(speed));
                }
                Sought::Lost(error) => return Ok(error.into()),
            }
        }
        // Not before its speed is known: whoever takes it over relies on that.
        if let (Some(keeper), false) = (&self.keeper, self.is_kept) {
            keeper.keep(port);
        }
        self.serve(port)
    }

    /// Drives an open port until it fails.
    fn serve(&mut self, port: &OwnedFd) -> Result<Ended, Abandoned> {
        let mut wait = match Wait::on(port, &self.waker) {
            Ok(wait) => wait,
            Err(error) => return Ok(error.into()),
        };
        let mut buffer = [0_u8; 1024];
        // Orders may have come while the port was closed.
        let mut woken = Woken { by_port: false, by_orders: true };
        loop {
            let now = self.clock.elapsed();
            // Orders first: who stops a job does not want more of it sent.
            if woken.by_orders {
                self.waker.reset();
                self.take_orders(now, true)?;
            }
            if woken.by_port {
                match rustix::io::read(port, &mut buffer) {
                    Ok(0) => return Ok(Errno::PIPE.into()),
                    Ok(count) => {
                        self.heard = true;
                        self.host.receive(now, buffer.get(..count).unwrap_or_default());
                    }
                    Err(Errno::AGAIN | Errno::INTR) => {}
                    Err(error) => return Ok(error.into()),
                }
            } else {
                self.host.tick(now);
            }
            self.keep_trail(now, port);
            if let Err(error) = self.write(port) {
                return Ok(error.into());
            }
            self.tell(now, None);
            if self.host.wants_to_be_left_alone() {
                return Ok(Ended::Asked);
            }
            // What was heard is seen soon, however long the protocol would wait.
            let deadline = self.host.deadline().into_iter().chain(self.heard.then_some(self.view_at)).min();
            woken = match wait.until(now, deadline, port, !self.to_write.is_empty()) {
                Ok(woken) => woken,
                Err(error) => return Ok(error.into()),
            };
        }
    }

    pub(super) fn take_orders(&mut self, now: Duration, open: bool) -> Result<(), Abandoned> {
        loop {
            let order = match self.orders.try_recv() {
                Ok(order) => order,
                Err(mpsc::error::TryRecvError::Empty) => return Ok(()),
                Err(mpsc::error::TryRecvError::Disconnected) => return Err(Abandoned::Closed),
            };
            match order {
                Order::Start(source, trail) => {
                    self.acknowledged = 0;
                    if open && self.host.start(now, source) {
                        self.trail = trail.map(|trail| *trail);
                    } else {
                        let _ = self.events.send(PortEvent::NotStarted);
                    }
                }
                Order::StartAt(source, trail, point) => {
                    self.acknowledged = point.read_to;
                    if open && self.host.start_at(now, source, &point) {
                        self.trail = trail.map(|trail| *trail);
                    } else {
                        let _ = self.events.send(PortEvent::NotStarted);
                    }
                }
                Order::Pause => self.host.pause(now),
                Order::Resume => self.host.resume(now),
                Order::Stop(end) => self.host.stop(now, end),
                Order::Answer(question, button) => self.host.answer(now, question, button),
                Order::Name(heaters) => self.host.name_heaters(&heaters),
                Order::MakeSafe(safety) => self.host.make_safe(now, safety),
                Order::FollowStopUp => self.host.follow_stop_up(now),
                Order::Preheat(preheat) => {
                    if !self.host.preheat(now, &preheat) {
                        let _ = self.events.send(PortEvent::NotPreheated);
                    }
                }
                Order::Say(text) => self.host.say(now, &text),
                Order::Kill(by) => self.kill(now, by),
                Order::LeaveOpen => return Err(Abandoned::LeftOpen),
            }
        }
    }

    /// Keeps where the job is, before anything that was decided until now is transmitted.
    fn keep_trail(&mut self, now: Duration, port: &OwnedFd) {
        let Some(trail) = &mut self.trail else { return };
        if let Some(checkpoint) = self.host.take_checkpoint(now) {
            let speed = self.baud.or(self.found);
            let speed = speed.or_else(|| Some(rustix::termios::tcgetattr(port).ok()?.output_speed()));
            trail.keep(now, checkpoint, speed.unwrap_or(SPEEDS[0]));
        }
        if self.host.attention_text().is_some() {
            trail.stand_still(now);
        }
    }

    /// Writes what can be written without waiting.
    fn write(&mut self, port: &OwnedFd) -> Result<(), Errno> {
        self.host.move_output(&mut self.to_write);
        while !self.to_write.is_empty() && !self.second_way.is_ordered() {
            match rustix::io::write(port, &self.to_write) {
                Ok(count) => {
                    self.to_write.drain(..count);
                }
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Passes on events, and the view when there was one or it is time for it.
    pub(super) fn tell(&mut self, now: Duration, port_error: Option<&str>) {
        if let Some((_, acknowledged, ..)) = self.host.progress() {
            self.acknowledged = acknowledged;
        }
        let mut events = Vec::new();
        while let Some(event) = self.host.next_event() {
            if let HostEvent::Job(JobEvent::Completed | JobEvent::Stopped(_)) = event {
                self.trail = None;
            }
            events.push(PortEvent::Host(event, self.acknowledged));
        }
        if !events.is_empty() || port_error.is_some() || now >= self.view_at {
            self.view_at = now + VIEW_EVERY;
            self.heard = false;
            let trail_fault = self.trail.as_ref().and_then(Trail::fault);
            let view = PortView::of(&self.host, port_error, trail_fault);
            // The view first: whoever handles an event sees the state after it.
            self.view.send_if_modified(|current| {
                let changed = *current != view;
                *current = view;
                changed
            });
        }
        for event in events {
            let _ = self.events.send(event);
        }
    }

    /// Waits before the next attempt to open the port, for as long as it is told for what depends on it by now.
    fn wait_closed(&mut self, wait: impl Fn(Need) -> Duration) -> Result<(), Abandoned> {
        let began = self.clock.elapsed();
        loop {
            self.waker.reset();
            let now = self.clock.elapsed();
            self.take_orders(now, false)?;
            self.look_at_kept_kill(now);
            let need = match self.host.heating() {
                _ if self.kept_kill.is_some() => Need::Stop,
                Heating::Owed | Heating::Stubborn => Need::Heat,
                Heating::Settled | Heating::Wanted(_) => Need::Nothing,
            };
            let left = (began + wait(need)).saturating_sub(now);
            if left.is_zero() {
                return Ok(());
            }
            let mut waits = [PollFd::new(&self.waker, PollFlags::IN)];
            // An error here only means that we look again at once.
            let _ = poll(&mut waits, Some(&timespec(left)));
        }
    }
}
