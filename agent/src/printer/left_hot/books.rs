//! What is written into the journal of a printer that can't be driven, behind everything that is done for it.
//!
//! Owns: that one thing is written after the other, and that nothing piles up behind a disk that does not answer: what comes later
//! takes the place of what waits. Must not know: what is written.

use std::io;

use futures::future::BoxFuture;

use crate::disk_work::DiskWork;

/// One printer's.
#[derive(Default)]
pub(super) struct Books {
    /// Has begun.
    at_work: Option<BoxFuture<'static, ()>>,
    next: Option<BoxFuture<'static, ()>>,
}

impl Books {
    /// To be written as soon as what was begun before is; somebody has to go on with it.
    pub(super) fn write(&mut self, disk: &DiskWork, what: impl FnOnce() -> io::Result<()> + Send + 'static) {
        let disk = disk.clone();
        let written = Box::pin(async move {
            if let Err(error) = disk.run(what).await {
                tracing::warn!(error = %error, "what may be hot could not be written down");
            }
        });
        let place = if self.at_work.is_some() { &mut self.next } else { &mut self.at_work };
        *place = Some(written);
    }

    /// Goes on until one thing is written; for ever, where nothing is to be.
    pub(super) async fn go_on(&mut self) {
        match &mut self.at_work {
            Some(at_work) => at_work.await,
            None => std::future::pending().await,
        }
        self.at_work = self.next.take();
    }

    /// Until nothing is to be written any more.
    pub(super) async fn at_rest(&mut self) {
        while self.at_work.is_some() {
            self.go_on().await;
        }
    }
}

impl std::fmt::Debug for Books {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let waits = (self.at_work.is_some(), self.next.is_some());
        f.debug_tuple("Books").field(&waits).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn one_after_the_other_and_what_comes_later_counts() {
        let (gate, opened) = std::sync::mpsc::channel::<()>();
        let opened = Mutex::new(opened);
        // Open when the other end is gone.
        let disk = DiskWork::behind(Arc::new(move || _ = opened.lock().unwrap().recv()));
        let (mut books, written) = (Books::default(), Arc::new(Mutex::new(Vec::new())));
        books.at_rest().await;
        for what in 0..10 {
            let written = Arc::clone(&written);
            books.write(&disk, move || {
                written.lock().unwrap().push(what);
                Ok(())
            });
            assert!(books.go_on().now_or_never().is_none(), "the disk does not answer");
        }
        drop(gate);
        books.at_rest().await;
        assert_eq!(*written.lock().unwrap(), [0, 9]);
    }
}
