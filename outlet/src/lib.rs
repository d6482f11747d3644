//! Output that never waits for its reader.
//!
//! A pipe that nobody reads, a terminal that was halted with Ctrl-S and a journal on a worn card take nothing for as long as they like, and
//! whoever writes to them stands still. Here that is a thread that does nothing else; whoever has something to say goes on at once.
//! Owns: what waits for such a reader, its bound, and what becomes of text that has no room; and how a service manager is told something
//! ([`manager`]). Must not know: what is said, and to whom.

pub mod manager;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// So many pieces wait at most.
const MOST_PIECES: usize = 4096;
/// And so many bytes. One piece alone may have more.
const MOST_BYTES: usize = 1 << 20;
/// A reader that takes nothing is tried again this often.
const TAKEN_AGAIN: Duration = Duration::from_millis(20);
/// The thread writes, and nothing else.
const STACK_BYTES: usize = 128 << 10;

/// One way out of the process, with a thread of its own behind it.
#[derive(Debug, Clone)]
pub struct Outlet(Arc<Handle>);

/// When the last one is gone, the thread writes what still waits, and ends.
#[derive(Debug)]
struct Handle(Arc<Waiting>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.lock().is_over = true;
        self.0.more.notify_all();
    }
}

/// What has been said and is not written yet.
#[derive(Debug, Default)]
struct Waiting {
    queue: Mutex<Queue>,
    more: Condvar,
    written: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    pieces: VecDeque<Piece>,
    bytes: usize,
    /// So many had no room since the last one that had.
    lost: usize,
    /// Of all that is to be written: how much, and how much of it is.
    taken: u64,
    written: u64,
    is_over: bool,
}

#[derive(Debug)]
struct Piece {
    /// So many are missing before it.
    lost: usize,
    text: Vec<u8>,
}

impl Waiting {
    /// Nobody holds it for longer than it takes to move a few words.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outlet {
    /// Before `sink`, whose every `write` may take as long as it likes. `missing`: what is written in the place of so many pieces that
    /// had no room.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn new(
        name: &str,
        sink: impl Write + Send + 'static,
        missing: impl Fn(usize) -> Vec<u8> + Send + 'static,
    ) -> io::Result<Self> {
        let waiting = Arc::<Waiting>::default();
        let of_thread = Arc::clone(&waiting);
        std::thread::Builder::new()
            .name(name.to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || write_all(&of_thread, sink, missing))?;
        Ok(Self(Arc::new(Handle(waiting))))
    }

    /// Before a reader of text, who is told in a line where something is missing.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn of_text(name: &str, sink: impl Write + Send + 'static) -> io::Result<Self> {
        let missing =
            |lost| format!("[{lost} lines are missing here: they were not read in time]\n").into_bytes();
        Self::new(name, sink, missing)
    }

    /// Says it, and does not wait. What has no room is counted.
    pub fn put(&self, text: &[u8]) {
        let mut queue = self.0.0.lock();
        let is_full = queue.pieces.len() >= MOST_PIECES || queue.bytes + text.len() > MOST_BYTES;
        if is_full && !queue.pieces.is_empty() {
            // That they are missing is one thing to be written.
            queue.taken += u64::from(queue.lost == 0);
            queue.lost += 1;
            return;
        }
        let lost = std::mem::take(&mut queue.lost);
        queue.bytes += text.len();
        queue.taken += 1;
        queue.pieces.push_back(Piece { lost, text: text.to_owned() });
        self.0.0.more.notify_one();
    }

    /// Waits until all that was said before is written, for whoever ends and has nothing else to see to; no longer than `patience`.
    /// Whether it is.
    #[must_use]
    pub fn flush(&self, patience: Duration) -> bool {
        let queue = self.0.0.lock();
        let taken = queue.taken;
        let waits = |queue: &mut Queue| queue.written < taken;
        let waited = self.0.0.written.wait_timeout_while(queue, patience, waits);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}

/// For whoever writes piece by piece, as a log does line by line.
impl Write for Outlet {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.put(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Until nobody has anything to say any more. A reader that is gone takes nothing: there is nobody to tell.
fn write_all(waiting: &Waiting, mut sink: impl Write, missing: impl Fn(usize) -> Vec<u8>) {
    let mut write = |text: &[u8]| {
        let mut rest = text;
        let _ = until_taken(|| {
            while !rest.is_empty() {
                let count = sink.write(rest)?;
                rest = rest.get(count.max(1)..).unwrap_or_default();
            }
            sink.flush()
        });
    };
    loop {
        let idle = |queue: &mut Queue| queue.pieces.is_empty() && queue.lost == 0 && !queue.is_over;
        let waited = waiting.more.wait_while(waiting.lock(), idle);
        let mut queue = waited.unwrap_or_else(PoisonError::into_inner);
        // What is missing stood before the next piece, or nothing came after it.
        let (lost, text) = match queue.pieces.pop_front() {
            Some(Piece { lost, text }) => (lost, Some(text)),
            None if queue.lost > 0 => (std::mem::take(&mut queue.lost), None),
            None => return,
        };
        drop(queue);
        if lost > 0 {
            write(&missing(lost));
        }
        text.iter().for_each(|text| write(text));
        let mut queue = waiting.lock();
        queue.bytes -= text.as_ref().map_or(0, Vec::len);
        queue.written += u64::from(lost > 0) + u64::from(text.is_some());
        drop(queue);
        waiting.written.notify_all();
    }
}

/// A reader may have been set to take nothing at once rather than to let its writer wait, by whoever else writes there.
fn until_taken(mut write: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    loop {
        match write() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::park_timeout(TAKEN_AGAIN),
            done => return done,
        }
    }
}
