//! One direction of a serial line: bytes arrive one after the other at baud/10 a second, later by the latency.

use std::collections::VecDeque;
use std::time::Duration;

#[derive(Debug)]
pub(crate) struct Wire {
    byte: Duration,
    latency: Duration,
    busy_until: Duration,
    on_the_way: VecDeque<(Duration, u8)>,
    /// When each line's last byte arrives.
    line_ends: VecDeque<Duration>,
}

impl Wire {
    pub(crate) fn new(baud: u32, latency: Duration) -> Self {
        let byte = Duration::from_secs(10) / baud;
        Self {
            byte,
            latency,
            busy_until: Duration::ZERO,
            on_the_way: VecDeque::new(),
            line_ends: VecDeque::new(),
        }
    }

    pub(crate) fn send(&mut self, now: Duration, bytes: &[u8]) {
        self.busy_until = self.busy_until.max(now);
        for &byte in bytes {
            self.busy_until += self.byte;
            let arrives_at = self.busy_until + self.latency;
            self.on_the_way.push_back((arrives_at, byte));
            if byte == b'\n' {
                self.line_ends.push_back(arrives_at);
            }
        }
    }

    /// Nothing passes for a while.
    pub(crate) fn stall(&mut self, now: Duration, stall: Duration) {
        self.busy_until = self.busy_until.max(now) + stall;
    }

    /// When there is something to act on: nobody acts before a line has ended.
    pub(crate) fn next(&self) -> Option<Duration> {
        self.line_ends.front().or(self.on_the_way.back().map(|(at, _)| at)).copied()
    }

    pub(crate) fn arrived(&mut self, now: Duration) -> Vec<u8> {
        let count = self.on_the_way.iter().take_while(|(at, _)| *at <= now).count();
        while self.line_ends.front().is_some_and(|at| *at <= now) {
            self.line_ends.pop_front();
        }
        self.on_the_way.drain(..count).map(|(_, byte)| byte).collect()
    }

    pub(crate) fn cut(&mut self) {
        self.on_the_way.clear();
        self.line_ends.clear();
    }
}
