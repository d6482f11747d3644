//! Whether the thread that drives a port still turns.
//!
//! It may sleep for long and be well: so it is asked for a sign, and owes one from then on. Owns: how long it has owed it.
//! Must not know: what follows from that.

use std::time::Duration;

use super::waker::Waker;

/// A driver's thread, as others see it.
#[derive(Debug, Clone)]
pub struct Pulse {
    waker: Waker,
    /// When it was asked, and how many signs it had given by then.
    asked: Option<(Duration, u64)>,
}

impl Pulse {
    pub(super) fn of(waker: &Waker) -> Self {
        Self { waker: waker.clone(), asked: None }
    }

    /// How long a sign has been owed; asks for the next one when it has come. To be called now and then.
    pub fn owed_for(&mut self, now: Duration) -> Duration {
        let signs = self.waker.turns();
        match self.asked {
            Some((since, seen)) if seen == signs => now.saturating_sub(since),
            _ => {
                self.asked = Some((now, signs));
                self.waker.wake();
                Duration::ZERO
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::super::open::tests::pty;
    use super::super::{Order, PortEvent, PortPlan, Reach, drive};
    use super::*;
    use crate::serial::{CommandSource, Fed, Parking, SourceError};
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::termios::tcgetattr;
    use stardust_clock::{Clock, SystemClock};

    /// A print file on a disk that does not answer, until it does.
    #[derive(Debug)]
    struct Stuck(Sender<()>, Receiver<()>);

    impl CommandSource for Stuck {
        fn next_command(&mut self) -> Result<Option<Fed>, SourceError> {
            let _ = self.0.send(());
            let _ = self.1.recv();
            Ok(None)
        }
    }

    const SECOND: Duration = Duration::from_secs(1);

    /// Looks once a second of its own count, until a sign has come; gives up after a minute of everybody's.
    fn gives_a_sign(pulse: &mut Pulse) -> bool {
        let clock = SystemClock::new();
        let mut now = SECOND;
        pulse.owed_for(now);
        while clock.elapsed() < Duration::from_secs(60) {
            now += SECOND;
            if pulse.owed_for(now) == Duration::ZERO {
                return true;
            }
            std::thread::yield_now();
        }
        false
    }

    /// Answers every line, like a firmware that knows nothing, until it is told to end.
    /// `halted`: it was told to stop at once.
    fn answer(master: &std::os::fd::OwnedFd, end: &AtomicBool, halted: &AtomicBool) {
        let mut buffer = [0; 256];
        while !end.load(Ordering::SeqCst) {
            let mut waits = [PollFd::new(master, PollFlags::IN)];
            let _ = poll(&mut waits, Some(&Timespec { tv_sec: 0, tv_nsec: 20_000_000 }));
            if waits[0].revents().contains(PollFlags::IN) {
                let count = rustix::io::read(master, &mut buffer).unwrap_or(0);
                if buffer[..count].windows(4).any(|bytes| bytes == b"M112") {
                    halted.store(true, Ordering::SeqCst);
                }
                for _ in buffer[..count].iter().filter(|byte| **byte == b'\n') {
                    rustix::io::write(master, b"ok T:20.0 /0.0 B:20.0 /0.0\n").unwrap();
                }
            }
        }
    }

    #[test]
    fn a_thread_that_sleeps_gives_a_sign_and_one_that_is_stuck_does_not_and_keeps_no_stop_from_its_printer() {
        let (master, path) = pty();
        let mut port =
            drive(PortPlan::new(path, Some(115_200)), Parking::default(), SystemClock::shared()).unwrap();
        let mut pulse = port.pulse();
        assert!(gives_a_sign(&mut pulse), "before anything was said");
        let end = Arc::new(AtomicBool::new(false));
        let halted = Arc::new(AtomicBool::new(false));
        let (told, heard) = (Arc::clone(&end), Arc::clone(&halted));
        let line = master.try_clone().unwrap();
        let printer = std::thread::spawn(move || answer(&line, &told, &heard));
        let clock = SystemClock::new();
        while !port.view.borrow().is_ready {
            assert!(clock.elapsed() < Duration::from_secs(60), "never ready");
            std::thread::yield_now();
        }
        assert!(gives_a_sign(&mut pulse), "asleep on an open port");

        let ((stuck, is_stuck), (go_on, wait)) = (channel(), channel());
        port.order(Order::Start(Box::new(Stuck(stuck, wait)), None));
        is_stuck.recv_timeout(Duration::from_secs(60)).unwrap();
        let mut now = SECOND;
        pulse.owed_for(now);
        // The sign of before may just have come.
        now += SECOND;
        pulse.owed_for(now);
        for seconds in 1..20 {
            now += SECOND;
            let owed = pulse.owed_for(now);
            assert!(owed >= SECOND * seconds, "{owed:?} after {seconds} s: it is stuck");
        }
        // Of two at the same time neither takes the other's speed for the port's own.
        port.order(Order::Kill("at the keyboard".into()));
        port.order(Order::Kill("by Ada".into()));
        for _ in 0..2 {
            let killed = std::iter::from_fn(|| port.events.blocking_recv())
                .find_map(|event| if let PortEvent::Killed(reach) = event { Some(reach) } else { None });
            assert!(matches!(killed, Some(Reach::Sent { on_wire: true, .. })), "{killed:?}");
        }
        assert_eq!(tcgetattr(&master).unwrap().output_speed(), 115_200, "as it was before");
        while !halted.load(Ordering::SeqCst) {
            assert!(clock.elapsed() < Duration::from_secs(60), "nothing came over the wire");
            std::thread::yield_now();
        }
        drop(go_on);
        assert!(gives_a_sign(&mut pulse), "it goes on");
        end.store(true, Ordering::SeqCst);
        printer.join().unwrap();
    }
}
