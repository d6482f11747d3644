//! What the firmware says, line by line through the faults, until it goes on the line.

use std::time::Duration;

use crate::faults::{FaultKind, FaultPlan, Outgoing, Sending};
use crate::random::Random;

/// The random numbers of storms; rules count from 1.
const STORM_STREAM: u64 = 0;

/// The printer's end of the line to the host.
#[derive(Debug)]
pub(super) struct Outlet {
    outgoing: Outgoing,
    random: Random,
    /// A storm has been ordered: the next request to resend is repeated.
    storm: bool,
    /// An `Error:` line that may belong to a request to resend.
    error: Vec<u8>,
    /// Lines that go out later.
    late: Vec<(Duration, Vec<u8>)>,
    ready: Vec<u8>,
    /// A line the firmware has begun and not ended.
    begun: Vec<u8>,
}

impl Outlet {
    pub(super) fn new(plan: &FaultPlan, seed: u64) -> Self {
        Self {
            outgoing: Outgoing::new(plan, seed),
            random: Random::new(seed, STORM_STREAM),
            storm: false,
            error: Vec::new(),
            late: Vec::new(),
            ready: Vec::new(),
            begun: Vec::new(),
        }
    }

    /// Takes what the firmware said at `now`; tells every fault that strikes it.
    pub(super) fn say(&mut self, bytes: &[u8], now: Duration, mut tell: impl FnMut(FaultKind)) {
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.begun.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                let line = std::mem::take(&mut self.begun);
                self.pass(&line, now, &mut tell);
            }
        }
    }

    fn pass(&mut self, line: &[u8], now: Duration, tell: &mut impl FnMut(FaultKind)) {
        let Sending { bytes, delay } = self.outgoing.pass(line, now, tell);
        if delay.is_zero() {
            self.ready.extend_from_slice(&bytes);
        } else {
            self.late.push((now + delay, bytes));
        }
        if line.starts_with(b"Error:") {
            self.error = line.to_vec();
        }
        let request = line.starts_with(b"Resend:") || line.starts_with(b"rs ");
        if request && std::mem::take(&mut self.storm) {
            for _ in 0..self.random.between(2, 4) {
                // Where an ok follows a request, the one that ends this one begins the storm's next.
                if line.starts_with(b"Resend:") {
                    self.ready.extend_from_slice(b"ok\n");
                }
                self.ready.extend_from_slice(&self.error);
                self.ready.extend_from_slice(line);
            }
        }
    }

    /// Puts bytes between the firmware's own.
    pub(super) fn interject(&mut self, bytes: &[u8]) {
        self.ready.extend_from_slice(bytes);
    }

    /// The next request to resend comes several times.
    pub(super) fn repeat_next_resend(&mut self) {
        self.storm = true;
    }

    /// When a late line is due.
    pub(super) fn next(&self) -> Option<Duration> {
        self.late.iter().map(|(due, _)| *due).min()
    }

    /// What goes on the line at `now`.
    pub(super) fn take(&mut self, now: Duration) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.ready);
        self.late.retain(|(due, line)| {
            let waits = *due > now;
            if !waits {
                bytes.extend_from_slice(line);
            }
            waits
        });
        bytes
    }

    /// The controller starts again: nothing it had still to say is said.
    pub(super) fn forget(&mut self) {
        self.late.clear();
        self.ready.clear();
        self.begun.clear();
        self.storm = false;
    }
}
