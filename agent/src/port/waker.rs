//! Waking the driver's thread from others.
//!
//! Owns: an event counter that can be polled, and how often whoever was woken has been seen awake. Must not know: what
//! for.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::event::EventfdFlags;

/// Wakes whoever polls it.
#[derive(Debug, Clone)]
pub(super) struct Waker(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    counter: OwnedFd,
    turns: AtomicU64,
}

impl Waker {
    pub(super) fn new() -> std::io::Result<Self> {
        let counter = rustix::event::eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
        Ok(Self(Arc::new(Inner { counter, turns: AtomicU64::new(0) })))
    }

    pub(super) fn wake(&self) {
        // Full means that it is awake already.
        let _ = rustix::io::write(&self.0.counter, &1_u64.to_ne_bytes());
    }

    /// By whoever was woken: it is awake.
    pub(super) fn reset(&self) {
        let _ = rustix::io::read(&self.0.counter, &mut [0_u8; 8]);
        self.0.turns.fetch_add(1, Ordering::Release);
    }

    /// How often it has been awake.
    pub(super) fn turns(&self) -> u64 {
        self.0.turns.load(Ordering::Acquire)
    }
}

impl AsFd for Waker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.counter.as_fd()
    }
}
