//! SIGINT and SIGTERM as something `poll` can wait for.
//!
//! A thread of its own receives them, as the printer's loop must not be woken by anything but its deadlines.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::thread;

use tokio::signal::unix::{SignalKind, signal};

/// Readable once a signal to stop has come.
#[derive(Debug)]
pub(super) struct StopSignal {
    end: UnixStream,
}

impl StopSignal {
    /// From here on the signals no longer kill the process.
    pub(super) fn install() -> io::Result<Self> {
        let (end, other) = UnixStream::pair()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let (mut interrupt, mut terminate) = {
            let _entered = runtime.enter();
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
        };
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
            });
            // Closing our end is the message.
            drop(other);
        })?;
        Ok(Self { end })
    }
}

impl AsFd for StopSignal {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.end.as_fd()
    }
}
