//! Finding out the speed of an open port.
//!
//! Owns: reading, writing and waiting for it. Which speed, for how long: `speed_search`; whether what comes is a
//! printer: `recognition`. Must not know: the host protocol.

use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use super::driver::Driver;
use super::ended::Abandoned;
use super::handle::SpeedView;
use super::open::set_speed;
use super::recognition::{Heard, Recognition};
use super::speed_search::{ENOUGH_ROUNDS, SpeedSearch, Step};
use super::wait::timespec;

/// The empty line ends what noise has left in the printer's buffer. What follows costs the printer nothing, and the
/// two in turn get a word out of any firmware: some want every command with a checksum.
const QUESTIONS: [&[u8]; 2] = [b"\nM105\n", b"\nN0 M110 N0*125\n"];
/// More is not kept: nobody has been understood yet.
const KEPT_BYTES: usize = 4096;

/// How a search has ended.
pub(super) enum Sought {
    /// At this speed, with what was heard at it.
    Found(u32, Vec<u8>),
    /// The port has vanished.
    Lost(Errno),
}

impl Driver {
    /// Looks up the speed that was found last. Waits for the disk, which is why a stop at once does not ask again.
    pub(super) fn recall_speed(&mut self) -> Option<u32> {
        let recalled = || self.speeds.as_ref()?.recall(&self.locator.identity());
        self.found = self.found.or_else(recalled);
        self.found
    }

    /// Tries speeds until the printer is understood. The port's DTR line is left alone.
    pub(super) fn seek(&mut self, port: &OwnedFd) -> Result<Sought, Abandoned> {
        let mut search = SpeedSearch::new(self.clock.elapsed(), self.found);
        let mut ear = Recognition::default();
        let mut said = Vec::new();
        let mut questions = QUESTIONS.iter().cycle();
        let mut buffer = [0_u8; 1024];
        // That the port is there, and what it was stopped by: a search may take long.
        self.view_at = Duration::ZERO;
        loop {
            self.waker.reset();
            // There is nobody who could carry them out.
            self.take_orders(self.clock.elapsed(), false)?;
            self.tell(self.clock.elapsed(), None);
            while let Some(step) = search.poll(self.clock.elapsed()) {
                if let Step::Try(speed) = step {
                    if let Err(error) = set_speed(port, speed) {
                        // An adapter may be unable to do this one.
                        tracing::debug!(port.baud = speed, error = %error, "the port refuses this speed");
                    }
                    tracing::debug!(port.baud = speed, "trying another speed");
                    ear = Recognition::default();
                    said.clear();
                }
                self.tell_rounds(search.rounds());
                for question in questions.by_ref().take(1) {
                    match rustix::io::write(port, question) {
                        // What does not fit is not missed: it is asked again.
                        Ok(_) | Err(Errno::AGAIN | Errno::INTR) => {}
                        Err(error) => return Ok(Sought::Lost(error)),
                    }
                }
            }
            let timeout = timespec(search.deadline().saturating_sub(self.clock.elapsed()));
            let mut waits = [PollFd::new(port, PollFlags::IN), PollFd::new(&self.waker, PollFlags::IN)];
            match poll(&mut waits, Some(&timeout)) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Ok(Sought::Lost(error)),
            }
            if waits[0].revents().is_empty() {
                continue;
            }
            let heard = match rustix::io::read(port, &mut buffer) {
                Ok(0) => return Ok(Sought::Lost(Errno::PIPE)),
                Ok(count) => buffer.get(..count).unwrap_or_default(),
                Err(Errno::AGAIN | Errno::INTR) => continue,
                Err(error) => return Ok(Sought::Lost(error)),
            };
            said.extend_from_slice(heard);
            said.drain(..said.len().saturating_sub(KEPT_BYTES));
            match ear.hear(heard) {
                Heard::Printer => {
                    tracing::info!(port.baud = search.speed(), "the printer answers at this speed");
                    return Ok(Sought::Found(search.speed(), said));
                }
                Heard::Noise => search.on_noise(self.clock.elapsed()),
                Heard::Nothing => {}
            }
        }
    }

    fn tell_rounds(&mut self, rounds: u32) {
        let news = SpeedView::Sought(rounds);
        let is_new = self.speed.send_if_modified(|known| std::mem::replace(known, news) != news);
        if is_new && rounds > 0 {
            let now = self.clock.elapsed();
            self.host.nobody_answers(now);
            self.tell(now, None);
        }
        if is_new && rounds == ENOUGH_ROUNDS {
            tracing::warn!("no printer is heard at any speed; it is looked for again and again");
        }
    }
}
