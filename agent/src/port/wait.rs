//! Waiting on an open port: for bytes, for orders, for time.
//!
//! A deadline of the protocol moves with every line. The kernel's timer is set anew only when one comes nearer:
//! that it fires too early, a few times a second at most, costs less than to set it for every line.
//! Owns: what is waited for. Must not know: why.

use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};
use rustix::time::{timerfd_create, timerfd_settime};

use super::waker::Waker;

/// Waking just before a deadline would spin.
const BEHIND: Duration = Duration::from_micros(100);

const PORT: u64 = 0;
const ORDERS: u64 = 1;
const TIME: u64 = 2;

/// What there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Woken {
    /// The port can be read, or has failed: reading tells.
    pub(super) by_port: bool,
    /// Somebody has given an order.
    pub(super) by_orders: bool,
}

/// What an open port waits for.
pub(super) struct Wait {
    epoll: OwnedFd,
    timer: OwnedFd,
    /// When the timer fires, by the driver's clock.
    fires_at: Option<Duration>,
    /// There are bytes that the port would not take.
    writing: bool,
    events: Vec<Event>,
}

impl Wait {
    /// For this port and whoever wakes its driver.
    pub(super) fn on(port: &OwnedFd, waker: &Waker) -> Result<Self, Errno> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let timer =
            timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        epoll::add(&epoll, port, EventData::new_u64(PORT), EventFlags::IN)?;
        epoll::add(&epoll, waker, EventData::new_u64(ORDERS), EventFlags::IN)?;
        epoll::add(&epoll, &timer, EventData::new_u64(TIME), EventFlags::IN)?;
        Ok(Self { epoll, timer, fires_at: None, writing: false, events: Vec::with_capacity(3) })
    }

    /// Waits until there is something to do, but not much longer than until `deadline`.
    /// `writing`: also until the port takes bytes again.
    pub(super) fn until(
        &mut self,
        now: Duration,
        deadline: Option<Duration>,
        port: &OwnedFd,
        writing: bool,
    ) -> Result<Woken, Errno> {
        if self.writing != writing {
            let interest = if writing { EventFlags::IN | EventFlags::OUT } else { EventFlags::IN };
            epoll::modify(&self.epoll, port, EventData::new_u64(PORT), interest)?;
            self.writing = writing;
        }
        if let Some(deadline) = deadline {
            self.set_timer(now, deadline)?;
        }
        self.events.clear();
        match epoll::wait(&self.epoll, spare_capacity(&mut self.events), None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
        let mut woken = Woken::default();
        for event in &self.events {
            let (flags, data) = (event.flags, event.data);
            match data.u64() {
                PORT => woken.by_port = flags != EventFlags::OUT,
                ORDERS => woken.by_orders = true,
                _ => {
                    self.fires_at = None;
                    rustix::io::read(&self.timer, &mut [0_u8; 8])?;
                }
            }
        }
        Ok(woken)
    }

    fn set_timer(&mut self, now: Duration, deadline: Duration) -> Result<(), Errno> {
        if self.fires_at.is_some_and(|at| at <= deadline + BEHIND) {
            return Ok(());
        }
        let wait = deadline.saturating_sub(now) + BEHIND;
        let it_value = Timespec {
            tv_sec: i64::try_from(wait.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(wait.subsec_nanos()),
        };
        let once = Itimerspec { it_interval: Timespec::default(), it_value };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once)?;
        self.fires_at = Some(now + wait);
        Ok(())
    }
}

/// Rounded up: waking just before a deadline would spin.
pub(super) fn timespec(wait: Duration) -> Timespec {
    let wait = wait + BEHIND;
    Timespec {
        tv_sec: i64::try_from(wait.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(wait.subsec_nanos()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::pipe::pipe;

    const NOBODY: Woken = Woken { by_port: false, by_orders: false };

    #[test]
    fn bytes_orders_and_time_end_a_wait() {
        let (read, write) = pipe().unwrap();
        let waker = Waker::new().unwrap();
        let mut wait = Wait::on(&read, &waker).unwrap();
        let ms = Duration::from_millis;
        assert_eq!(wait.until(ms(0), Some(ms(5)), &read, false), Ok(NOBODY), "time");
        waker.wake();
        assert_eq!(wait.until(ms(5), None, &read, false), Ok(Woken { by_orders: true, ..NOBODY }));
        waker.reset();
        rustix::io::write(&write, b"ok").unwrap();
        assert_eq!(wait.until(ms(5), None, &read, false), Ok(Woken { by_port: true, ..NOBODY }));
        rustix::io::read(&read, &mut [0_u8; 8]).unwrap();
        drop(write);
        assert_eq!(wait.until(ms(5), None, &read, false), Ok(Woken { by_port: true, ..NOBODY }), "gone");
    }

    #[test]
    fn the_timer_is_set_anew_only_for_a_nearer_deadline() {
        let (read, _write) = pipe().unwrap();
        let waker = Waker::new().unwrap();
        let mut wait = Wait::on(&read, &waker).unwrap();
        waker.wake();
        let secs = Duration::from_secs;
        let mut set_for = |now, deadline| {
            wait.until(now, Some(deadline), &read, false).unwrap();
            wait.fires_at.unwrap()
        };
        assert_eq!(set_for(secs(0), secs(20)), secs(20) + BEHIND);
        assert_eq!(set_for(secs(1), secs(21)), secs(20) + BEHIND, "later: it fires too early once");
        assert_eq!(set_for(secs(2), secs(10)), secs(10) + BEHIND, "nearer");
    }
}
