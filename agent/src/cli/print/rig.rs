//! A host and its printer on the clock of a test: what the thread of a port does, with something that goes wrong on the line.

use std::collections::VecDeque;
use std::time::Duration;

use firmware_sim::faults::FaultPlan;
use firmware_sim::profile::Profile;
use firmware_sim::virtual_printer::VirtualPrinter;
use stardust_gcode::command::parse;
use tokio::time::Instant;

use crate::port::{PortEvent, PortHandle, PortView, SpeedView, Workplace, handle};
use crate::serial::{Fed, Host, Parking};

/// What becomes of lines on their way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Way {
    Clean,
    /// Lines with this are lost.
    Loses(&'static str),
    /// Lines with this never arrive as they were sent.
    Spoils(&'static str),
    /// Nothing passes any more.
    Nothing,
    /// The cable is out for so long, from now on.
    Unplugged(Duration),
}

pub(super) struct Rig {
    pub(super) host: Host,
    pub(super) printer: VirtualPrinter,
    pub(super) way: Way,
    place: Workplace,
    began: Instant,
    plugged_in_at: Option<Duration>,
}

impl Rig {
    /// At this firmware, ready for a job.
    pub(super) async fn connected(profile: &str) -> (PortHandle, Self) {
        let (port, place) = handle(SpeedView::Known(115_200)).unwrap();
        let printer = VirtualPrinter::new(Profile::named(profile).unwrap(), &FaultPlan::none(), 1);
        let host = Host::new(Duration::ZERO, Parking::default());
        let began = Instant::now();
        let mut rig = Self { host, printer, way: Way::Clean, place, began, plugged_in_at: None };
        rig.until(|rig| rig.host.is_ready()).await;
        (port, rig)
    }

    pub(super) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    pub(super) async fn print(&mut self, file: &[&str]) {
        let fed = |text: &&str| {
            let command = parse(text.as_bytes()).unwrap().into_owned();
            Fed { command, end: 1, layer: None }
        };
        let file: VecDeque<Fed> = file.iter().map(fed).collect();
        assert!(self.host.start(self.now(), Box::new(file)));
        self.step().await;
    }

    pub(super) async fn step(&mut self) {
        let output = String::from_utf8_lossy(&self.host.take_output()).into_owned();
        let gone = self.cable();
        let (lost, spoilt) = match self.way {
            Way::Loses(text) => (Some(text), None),
            Way::Spoils(text) => (None, Some(text)),
            Way::Clean | Way::Nothing | Way::Unplugged(_) => (None, None),
        };
        let is = |of: Option<&str>, line: &str| of.is_some_and(|text| line.contains(text));
        let lines = output.split_inclusive('\n').filter(|line| !is(lost, line));
        let arrives: String =
            lines.map(|line| if is(spoilt, line) { line.replace('X', "Y") } else { line.into() }).collect();
        let passes = gone.is_none() && self.way != Way::Nothing;
        if passes {
            self.printer.receive(arrives.as_bytes(), self.now());
        }
        let due = [self.printer.next_deadline(), self.host.deadline()].into_iter().flatten().min();
        let soonest = self.now() + Duration::from_millis(1);
        let next = due.map_or(soonest, |due| due.clamp(soonest, soonest + Duration::from_secs(1)));
        tokio::time::sleep_until(self.began + next).await;
        let now = self.now();
        let heard = self.printer.output(now);
        self.host.receive(now, if passes { &heard } else { b"" });
        self.place.view.send_replace(PortView::of(&self.host, gone.as_deref(), None));
        while let Some(event) = self.host.next_event() {
            let _ = self.place.events.send(PortEvent::Host(event, 0));
        }
    }

    /// Why the port is not open, if it is not.
    fn cable(&mut self) -> Option<String> {
        let Way::Unplugged(lasts) = self.way else { return None };
        let now = self.now();
        let until = *self.plugged_in_at.get_or_insert_with(|| now + lasts);
        if now < until {
            self.host.port_lost(now);
            return Some("The port vanished.".into());
        }
        (self.way, self.plugged_in_at) = (Way::Clean, None);
        self.host.port_opened(now);
        None
    }

    pub(super) async fn until(&mut self, done: impl Fn(&Self) -> bool) {
        while !done(self) {
            self.step().await;
        }
    }
}
