//! What drives the port: it stands in for the agent's thread, whose waiting is on real descriptors. It does what that does,
//! in the same order: orders, bytes, the trail, output, events.

use std::sync::Arc;
use std::time::Duration;

use stardust_agent::port::{Order, PortEvent, PortView, Reach, Resumption, Workplace};
use stardust_agent::serial::{Host, HostEvent, JobEvent, Parking};
use stardust_agent::trail::Trail;
use tokio::time::Instant;

use crate::house::House;
use crate::plan::Broken;

/// The driver of one process.
pub(crate) struct Driver {
    house: Arc<House>,
    /// Which printer it is.
    printer: usize,
    began: Instant,
    place: Workplace,
    host: Host,
    trail: Option<Trail>,
    acknowledged: u64,
    /// Which time the cable was put in that the port was opened.
    open: Option<u32>,
    /// The rule with a part left out: it takes the printer for stopped, and does not listen any more.
    is_deaf: bool,
}

impl Driver {
    /// `began`: when the process did, whose clock this is.
    pub(crate) fn new(
        house: Arc<House>,
        printer: usize,
        began: Instant,
        place: Workplace,
        parking: Parking,
        job: Option<Resumption>,
    ) -> Self {
        let now = began.elapsed();
        let (host, trail, acknowledged) = match job {
            None => (Host::new(now, parking), None, 0),
            Some(Resumption { checkpoint, source, trail, after_power_loss, .. }) => {
                let acknowledged = checkpoint.acknowledged();
                let host = Host::attach(now, parking, checkpoint, source, after_power_loss);
                (host, Some(trail), acknowledged)
            }
        };
        Self { house, printer, began, place, host, trail, acknowledged, open: None, is_deaf: false }
    }

    pub(crate) async fn drive(mut self) {
        loop {
            self.follow_cable();
            if self.open.is_some() {
                self.exchange();
            }
            self.tell();
            let wait = self.wait();
            match tokio::time::timeout(wait, self.place.orders.recv()).await {
                Ok(Some(order)) => self.carry_out(order),
                Ok(None) => return,
                Err(_) => {}
            }
        }
    }

    fn wait(&self) -> Duration {
        let now = self.began.elapsed();
        let host = self.host.deadline().map(|at| at.saturating_sub(now));
        let printer = self.house.printer_wait(self.printer);
        let next = [host, printer, Some(Duration::from_secs(1))].into_iter().flatten().min();
        // A deadline that is not met yet must not stop the clock.
        next.unwrap_or_default().max(Duration::from_millis(1))
    }

    fn follow_cable(&mut self) {
        let (now, plugged) = (self.began.elapsed(), self.house.plugged(self.printer));
        if self.open.is_some() && self.open != plugged {
            self.open = None;
            self.host.port_lost(now);
        }
        if self.open.is_none() && plugged.is_some() {
            self.open = plugged;
            self.is_deaf = false;
            self.host.port_opened(now);
        }
    }

    fn exchange(&mut self) {
        let heard = self.house.read(self.printer);
        let now = self.began.elapsed();
        if self.is_deaf {
            return;
        }
        if heard.is_empty() {
            self.host.tick(now);
        } else {
            self.host.receive(now, &heard);
        }
        if let Some(trail) = &mut self.trail
            && let Some(checkpoint) = self.host.take_checkpoint(now)
        {
            trail.keep(now, checkpoint, 250_000);
        }
        let output = self.host.take_output();
        self.house.write(self.printer, &output);
    }

    fn carry_out(&mut self, order: Order) {
        let now = self.began.elapsed();
        let is_open = self.open.is_some();
        match order {
            Order::Start(source, trail) => {
                self.acknowledged = 0;
                if is_open && self.host.start(now, source) {
                    self.trail = trail.map(|trail| *trail);
                } else {
                    let _ = self.place.events.send(PortEvent::NotStarted);
                }
            }
            Order::Name(_) if self.house.plan.broken == Some(Broken::ForgetsTheChamber) => {}
            Order::Name(heaters) => self.host.name_heaters(&heaters),
            Order::MakeSafe(_) if self.house.plan.broken == Some(Broken::IgnoresOrders) => {}
            Order::MakeSafe(safety) => self.host.make_safe(now, safety),
            Order::FollowStopUp => self.host.follow_stop_up(now),
            Order::Preheat(mut preheat) => {
                if self.house.plan.broken == Some(Broken::PreheatsForEver) {
                    preheat.lasts *= 1000;
                }
                let events = &self.place.events;
                let _ = self.host.preheat(now, &preheat) || events.send(PortEvent::NotPreheated).is_ok();
            }
            Order::Pause => self.host.pause(now),
            Order::Resume => self.host.resume(now),
            Order::Stop(end) => self.host.stop(now, end),
            Order::Kill(by) if is_open => {
                let stop = self.host.kill(now, &by);
                self.house.write(self.printer, stop.bytes);
                self.is_deaf = self.house.plan.broken == Some(Broken::BelievesTheStop);
                let reach = Reach::Sent { on_wire: true, dtr_pulsed: false };
                let _ = self.place.events.send(PortEvent::Killed(reach));
            }
            // A port that is closed keeps it; here it is given up.
            Order::Kill(_) => drop(self.place.events.send(PortEvent::Killed(Reach::GaveUp))),
            // Interrupted jobs are given up in these runs.
            Order::StartAt(..) | Order::Answer(..) | Order::Say(_) | Order::LeaveOpen => {}
        }
    }

    fn tell(&mut self) {
        if let Some((_, acknowledged, ..)) = self.host.progress() {
            self.acknowledged = acknowledged;
        }
        let mut events = Vec::new();
        while let Some(event) = self.host.next_event() {
            self.house.note(|| format!("    {event:?}"));
            if let HostEvent::StopIgnored { .. } = event {
                self.house.saw("stop not taken");
            }
            let is_over = matches!(event, HostEvent::Job(JobEvent::Completed | JobEvent::Stopped(_)));
            events.push(PortEvent::Host(event, self.acknowledged));
            if is_over {
                self.trail = None;
                if self.house.plan.broken == Some(Broken::BelievesItself) {
                    events.push(PortEvent::Host(HostEvent::HeatSettled, self.acknowledged));
                }
            }
        }
        let error = self.open.is_none().then_some("The cable is out.");
        let view = PortView::of(&self.host, error, self.trail.as_ref().and_then(Trail::fault));
        self.place.view.send_if_modified(|current| {
            let changed = *current != view;
            *current = view;
            changed
        });
        for event in events {
            let _ = self.place.events.send(event);
        }
    }
}
