//! The handle of a port that is being driven: orders in, events and views out.
//!
//! Owns: their forms, and that the thread ends with the last handle. Must not know: how a port is driven.

use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::pulse::Pulse;
use super::second_way::SecondWay;
use super::view::PortView;
use super::waker::Waker;
use crate::serial::{CommandSource, End, Heaters, HostEvent, LayerPoint, Preheat, Safety};
use crate::trail::Trail;

/// What the driver is asked to do.
#[derive(Debug)]
pub enum Order {
    /// Start a job; with a trail it can be gone on with after the end of this process.
    Start(Box<dyn CommandSource>, Option<Box<Trail>>),
    /// Start a job at a layer of a part that is there.
    StartAt(Box<dyn CommandSource>, Option<Box<Trail>>, Box<LayerPoint>),
    /// Pause it.
    Pause,
    /// Go on with it.
    Resume,
    /// Stop it and make the printer safe.
    Stop(End),
    /// Answer the firmware's question of this number by the number of a button.
    Answer(u64, u8),
    /// These were heated before this process knew the printer: they are turned off like those that it tells of.
    Name(Heaters),
    /// Heaters off, with no job, until that was read back ([`HostEvent::HeatSettled`]).
    MakeSafe(Safety),
    /// It was told to stop at once, before this process: as [`Order::MakeSafe`], and what it prints from its memory card is ended.
    FollowStopUp,
    /// Heat it, with no job, for a time: [`HostEvent::Preheated`] or [`PortEvent::NotPreheated`].
    Preheat(Preheat),
    /// Show a text on the printer's display, with no job.
    Say(String),
    /// Stop the machine itself, at once: `M112`; where the firmware would get to it only behind all that waits, the
    /// board is started anew by its DTR line, too. Best effort: not every board is wired so. With who wants it, as the end of
    /// "stopped at once …". How far it came is told by [`PortEvent::Killed`].
    Kill(String),
    /// Drive the port no more, and leave it and what it is at as they are: whoever drives it next in this process goes on.
    LeaveOpen,
}

/// How far a stop at once has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The port is closed: `M112` is the first thing that is written when it is open again, and that is told then.
    Waits,
    /// It was given to the port.
    Sent {
        /// `M112` has left this machine. False: the port takes no bytes.
        on_wire: bool,
        /// The board's DTR line was pulsed as well, which starts most boards anew.
        dtr_pulsed: bool,
    },
    /// The port did not come back in time ([`super::STOP_KEPT`]): nothing was sent.
    GaveUp,
}

/// What is known of the speed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpeedView {
    /// Being found out; all speeds have been tried so often in vain.
    Sought(u32),
    /// This one, bits a second.
    Known(u32),
}

/// What the driver tells.
#[derive(Debug, Clone, PartialEq)]
pub enum PortEvent {
    /// Of the host protocol; with the bytes of the file that the firmware has taken so far.
    Host(HostEvent, u64),
    /// The job could not be started: the printer was not ready.
    NotStarted,
    /// It is not heated without a job: the printer was not ready. What is on is turned off.
    NotPreheated,
    /// A stop at once has come so far.
    Killed(Reach),
}

/// Where orders go; can be handed to other tasks and threads.
#[derive(Debug, Clone)]
pub struct Orders {
    pub(super) to: mpsc::UnboundedSender<Order>,
    pub(super) waker: Waker,
    /// Past a thread that stands still, where a real port is driven.
    pub(super) second_way: Option<SecondWay>,
}

impl Orders {
    /// Gives an order; it is carried out at once.
    pub fn send(&self, order: Order) {
        let second_way = self.second_way.as_ref().filter(|_| matches!(order, Order::Kill(_)));
        // A thread that has ended can't carry out anything.
        let _ = self.to.send(order);
        self.waker.wake();
        if let Some(way) = second_way {
            way.watch_over();
        }
    }
}

/// A port being driven. The thread ends, and the port is closed, when the handle and all copies of its orders
/// are dropped.
#[derive(Debug)]
pub struct PortHandle {
    pub(super) orders: Option<Orders>,
    pub(super) waker: Waker,
    /// What has happened, in order.
    pub events: mpsc::UnboundedReceiver<PortEvent>,
    /// The latest view.
    pub view: watch::Receiver<PortView>,
    /// What is known of the speed.
    pub speed: watch::Receiver<SpeedView>,
}

/// Where the orders of a [`PortHandle`] are carried out.
#[derive(Debug)]
pub struct Workplace {
    /// Orders, in order. It ends with the handle.
    pub orders: mpsc::UnboundedReceiver<Order>,
    pub(super) waker: Waker,
    /// What has happened, in order.
    pub events: mpsc::UnboundedSender<PortEvent>,
    /// The latest view; whoever handles an event sees the view after it.
    pub view: watch::Sender<PortView>,
    /// What is known of the speed.
    pub speed: watch::Sender<SpeedView>,
}

/// A handle, and the place where its orders are carried out, where nobody is at work yet.
///
/// # Errors
/// When the system has no descriptor left.
pub fn handle(speed: SpeedView) -> std::io::Result<(PortHandle, Workplace)> {
    let waker = Waker::new()?;
    let (orders_in, orders) = mpsc::unbounded_channel();
    let (events_in, events) = mpsc::unbounded_channel();
    let (view_in, view) = watch::channel(PortView::closed());
    let (speed_in, speed) = watch::channel(speed);
    let at_work = Some(Orders { to: orders_in, waker: waker.clone(), second_way: None });
    let handle = PortHandle { orders: at_work, waker: waker.clone(), events, view, speed };
    Ok((handle, Workplace { orders, waker, events: events_in, view: view_in, speed: speed_in }))
}

#[cfg(test)]
impl Workplace {
    /// As the thread that works there does at each turn.
    pub(crate) fn give_sign(&self) {
        self.waker.reset();
    }
}

impl PortHandle {
    /// Gives an order; it is carried out at once.
    pub fn order(&self, order: Order) {
        if let Some(orders) = &self.orders {
            orders.send(order);
        }
    }

    /// Ends the thread, and waits until the port is closed.
    pub async fn close(mut self) {
        self.orders = None;
        self.waker.wake();
        while self.events.recv().await.is_some() {}
    }

    /// Has the thread end with the port open and its job at work. Its last events can be had still: they end when it has ended.
    pub fn leave_open(&mut self) {
        self.order(Order::LeaveOpen);
        self.orders = None;
    }

    /// Stops the machine at once, and waits for `patience` until `M112` has left this machine. How far that came; `None`: the
    /// thread is gone or stuck. What else has happened meanwhile is dropped.
    pub async fn kill(&mut self, by: &str, patience: Duration) -> Option<Reach> {
        self.order(Order::Kill(by.to_owned()));
        let mut reach = None;
        let sent = async {
            while let Some(event) = self.events.recv().await {
                if let PortEvent::Killed(news) = event {
                    reach = Some(news);
                    if news != Reach::Waits {
                        return;
                    }
                }
            }
        };
        let _ = tokio::time::timeout(patience, sent).await;
        reach
    }

    /// Whether its thread still turns.
    #[must_use]
    pub fn pulse(&self) -> Pulse {
        Pulse::of(&self.waker)
    }

    /// A copy of where orders go.
    #[must_use]
    pub fn orders(&self) -> Option<Orders> {
        self.orders.clone()
    }
}

impl Drop for PortHandle {
    fn drop(&mut self) {
        self.orders = None;
        // It finds nobody there, and ends.
        self.waker.wake();
    }
}
