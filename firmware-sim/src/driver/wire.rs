//! The way between pty and firmware: as fast as it goes, or at a line rate.
//!
//! Owns when which direction may pass bytes. Loses none: what does not pass yet stays where it is.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};

use super::pace::Pace;
use super::terminal::Terminal;

/// Both directions.
#[derive(Debug)]
pub(super) struct Wire<'a> {
    terminal: &'a Terminal,
    sending: Option<Pace>,
    receiving: Option<Pace>,
    /// The pty took less than it could have been given: nobody reads at the other end.
    blocked: bool,
    wants_input: bool,
}

impl<'a> Wire<'a> {
    /// With a rate in baud, or without one.
    pub(super) fn new(terminal: &'a Terminal, baud: Option<u32>) -> Self {
        Self {
            terminal,
            sending: baud.map(Pace::new),
            receiving: baud.map(Pace::new),
            blocked: false,
            wants_input: false,
        }
    }

    /// Sends what may go now and leaves the rest.
    pub(super) fn send(&mut self, bytes: &mut Vec<u8>, real: Duration) -> io::Result<()> {
        self.blocked = false;
        if bytes.is_empty() {
            return Ok(());
        }
        let allowed = self.sending.as_mut().map_or(usize::MAX, |pace| pace.allowed(real)).min(bytes.len());
        let sent = self.terminal.write(&bytes[..allowed])?;
        bytes.drain(..sent);
        self.blocked = sent < allowed;
        if let Some(pace) = self.sending.as_mut() {
            pace.passed(sent);
            if self.blocked || bytes.is_empty() {
                pace.idle();
            }
        }
        Ok(())
    }

    /// What `poll` must look for at the pty, when `room` bytes can be received.
    pub(super) fn interest(&mut self, room: usize) -> PollFd<'a> {
        self.wants_input = room > 0;
        let between_bytes = self.receiving.as_ref().is_some_and(|pace| pace.next().is_some());
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::IN, self.wants_input && !between_bytes);
        flags.set(PollFlags::OUT, self.blocked);
        PollFd::from_borrowed_fd(self.terminal.as_fd(), flags)
    }

    /// When to come back though the pty has nothing to tell: bytes on the line have passed by then.
    pub(super) fn next(&self) -> Option<Duration> {
        let sending = self.sending.as_ref().and_then(Pace::next);
        let receiving = self.receiving.as_ref().filter(|_| self.wants_input).and_then(Pace::next);
        [sending, receiving].into_iter().flatten().min()
    }

    /// Receives what has come by now, at most a buffer. `ready` is what `poll` said of the pty.
    pub(super) fn receive(&mut self, buffer: &mut [u8], ready: bool, real: Duration) -> io::Result<usize> {
        let Some(pace) = self.receiving.as_mut() else {
            return if ready { self.terminal.read(buffer) } else { Ok(0) };
        };
        if !self.wants_input || (!ready && pace.next().is_none()) {
            return Ok(0);
        }
        let allowed = pace.allowed(real).min(buffer.len());
        if allowed == 0 {
            return Ok(0);
        }
        let received = self.terminal.read(&mut buffer[..allowed])?;
        pace.passed(received);
        if received < allowed {
            pace.idle();
        }
        Ok(received)
    }
}
