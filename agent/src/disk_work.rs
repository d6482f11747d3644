//! Where work that waits for a disk is done: on threads that may wait, never on the one that everything else runs on.
//!
//! A memory card may take half a minute for what is asked of it. Owns: getting work there and its result back. Must not
//! know: what is read or written.

use std::io;
use std::sync::Arc;

use tokio::runtime::Handle;

/// Does work that may wait for a disk.
#[derive(Clone)]
pub struct DiskWork(How);

#[derive(Clone)]
enum How {
    Threads,
    Here,
    Behind(Arc<dyn Fn() + Send + Sync>),
}

impl DiskWork {
    /// On threads of the runtime's that may wait.
    #[must_use]
    pub fn on_threads() -> Self {
        Self(How::Threads)
    }

    /// At once, where it is asked for: on a virtual clock, where a disk takes no time and a run has to repeat.
    #[must_use]
    pub fn here() -> Self {
        Self(How::Here)
    }

    /// On threads, each piece of work behind this: a disk that is as slow as a test wants it to be.
    #[must_use]
    pub fn behind(gate: Arc<dyn Fn() + Send + Sync>) -> Self {
        Self(How::Behind(gate))
    }

    /// Does it, and gives what came of it. When the caller gives up, work that has begun comes to its end.
    ///
    /// # Errors
    /// What the work gives, or that it could not be done.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        match &self.0 {
            How::Here => work(),
            How::Threads => tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?,
            How::Behind(gate) => {
                let gate = Arc::clone(gate);
                let work = move || {
                    gate();
                    work()
                };
                tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
            }
        }
    }

    /// Has it done, and waits for nothing. Where no runtime is at work (any more), it is done here.
    pub fn start(&self, work: impl FnOnce() + Send + 'static) {
        match (&self.0, Handle::try_current()) {
            (How::Here, _) | (_, Err(_)) => work(),
            (How::Threads, Ok(runtime)) => drop(runtime.spawn_blocking(work)),
            (How::Behind(gate), Ok(runtime)) => {
                let gate = Arc::clone(gate);
                drop(runtime.spawn_blocking(move || {
                    gate();
                    work();
                }));
            }
        }
    }
}

impl std::fmt::Debug for DiskWork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            How::Threads => "DiskWork(threads)",
            How::Here => "DiskWork(here)",
            How::Behind(_) => "DiskWork(threads, behind a gate)",
        })
    }
}
