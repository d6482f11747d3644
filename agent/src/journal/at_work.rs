//! A journal whose printer is at work: it is known in memory, and written on a thread that may wait.
//!
//! Owns: that everything is written, in order, by one at a time, and before the process ends. Must not know: what.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use super::file::Medium;
use super::{Journal, Ledger, carry_out};
use crate::disk::DiskFault;
use crate::disk_work::DiskWork;

/// What is kept is told without the disk when that has not answered for so long.
const PATIENCE: Duration = Duration::from_secs(2);

/// The journal, for all who share it.
#[derive(Debug, Clone)]
pub struct JournalAtWork {
    inner: Arc<Shared>,
    disk: DiskWork,
}

/// Of all who share it: when the last of them is gone, nothing more comes.
#[derive(Debug)]
struct Shared(Arc<Inner>);

impl Deref for Shared {
    type Target = Arc<Inner>;

    fn deref(&self) -> &Arc<Inner> {
        &self.0
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Whoever writes writes all. What waits for nobody is written here: the process may end now.
        if !std::thread::panicking() && !self.0.ledger().is_being_written {
            self.0.write_all();
        }
    }
}

#[derive(Debug)]
struct Inner {
    ledger: Mutex<Ledger>,
    /// Whoever holds it may wait. Never together with the ledger.
    medium: Mutex<Box<dyn Medium>>,
    /// There is something to deliver.
    changed: Arc<Notify>,
    faults: watch::Sender<Option<DiskFault>>,
}

impl JournalAtWork {
    /// Puts a journal to work.
    #[must_use]
    pub fn new(journal: Journal, disk: DiskWork) -> Self {
        let Journal { medium, ledger } = journal;
        let faults = watch::Sender::new(ledger.fault().cloned());
        let (ledger, medium) = (Mutex::new(ledger), Mutex::new(medium));
        let inner = Inner { ledger, medium, changed: Arc::default(), faults };
        Self { inner: Arc::new(Shared(Arc::new(inner))), disk }
    }

    /// The journal in memory. What was changed is written from then on.
    pub fn lock(&self) -> Locked<'_> {
        Locked { ledger: self.inner.ledger(), _then: Write(self) }
    }

    /// Told when there is something to deliver.
    pub(crate) fn changed(&self) -> &Notify {
        &self.inner.changed
    }

    /// Why it can't be written, if it can't: told at each change.
    #[must_use]
    pub fn faults(&self) -> watch::Receiver<Option<DiskFault>> {
        self.inner.faults.subscribe()
    }

    fn write(&self) {
        {
            let mut ledger = self.inner.ledger();
            if ledger.is_being_written || !ledger.has_work() {
                return;
            }
            ledger.is_being_written = true;
        }
        let writing = Writing { inner: Arc::clone(&*self.inner), is_done: false };
        self.disk.start(move || writing.carry_out());
        self.watch_the_time();
    }

    /// A disk that does not answer holds up nothing that can be told without it.
    fn watch_the_time(&self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if !self.inner.ledger().is_being_written {
            return;
        }
        let inner = Arc::downgrade(&*self.inner);
        runtime.spawn(async move {
            tokio::time::sleep(PATIENCE).await;
            if let Some(inner) = inner.upgrade() {
                let mut ledger = inner.ledger();
                if ledger.is_being_written {
                    ledger.takes_its_time(true);
                    inner.changed.notify_one();
                }
            }
        });
    }
}

impl Inner {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        // Whoever panicked with it has left it whole.
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Until nothing is left to do. Waits for the disk.
    fn write_all(&self) {
        let mut medium = self.medium.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let step = {
                let mut ledger = self.ledger();
                let step = ledger.begin();
                ledger.is_being_written = step.is_some();
                step
            };
            let Some(step) = step else { break };
            let written = carry_out(step, &mut **medium);
            let mut ledger = self.ledger();
            ledger.finish(written);
            ledger.takes_its_time(false);
        }
        drop(medium);
        let fault = self.ledger().fault().cloned();
        self.faults.send_if_modified(|told| {
            let is_new = *told != fault;
            *told = fault;
            is_new
        });
        self.changed.notify_one();
    }
}

/// What is to be written, on its way to a thread that may wait. A runtime that is shut down lets go of such work undone: then it is
/// done there.
struct Writing {
    inner: Arc<Inner>,
    is_done: bool,
}

impl Writing {
    fn carry_out(mut self) {
        self.inner.write_all();
        self.is_done = true;
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if self.is_done {
            return;
        }
        if std::thread::panicking() {
            // The next who keeps something tries again.
            self.inner.ledger().is_being_written = false;
        } else {
            self.inner.write_all();
        }
    }
}

/// The journal in memory, held for a moment.
#[derive(Debug)]
pub struct Locked<'a> {
    ledger: MutexGuard<'a, Ledger>,
    // Behind it: let go of in this order.
    _then: Write<'a>,
}

/// Has what was changed written.
#[derive(Debug)]
struct Write<'a>(&'a JournalAtWork);

impl Drop for Write<'_> {
    fn drop(&mut self) {
        self.0.write();
    }
}

impl Deref for Locked<'_> {
    type Target = Ledger;

    fn deref(&self) -> &Ledger {
        &self.ledger
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut Ledger {
        &mut self.ledger
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::mpsc::channel;

    use tokio::runtime::{Builder, Runtime};

    use super::super::torn::Disk;
    use super::super::{HeatOwed, Record};
    use super::*;

    fn journal(on: &Disk, disk: DiskWork) -> JournalAtWork {
        let journal = Journal::on(Box::new(on.clone()), Path::new("journal"), b"");
        JournalAtWork::new(journal, disk)
    }

    fn is_written(disk: &Disk) -> bool {
        String::from_utf8(disk.bytes()).unwrap().contains("heat_owed")
    }

    fn runtime() -> Runtime {
        Builder::new_current_thread().max_blocking_threads(1).enable_all().build().unwrap()
    }

    /// As at a hand-over: who lets go of it goes on at once, and the end of the runtime waits.
    #[test]
    fn what_is_being_written_is_waited_for_by_the_end_of_the_runtime_alone() {
        let (open, opened) = channel();
        let opened = Mutex::new(opened);
        let slow = DiskWork::behind(Arc::new(move || _ = opened.lock().unwrap().recv()));
        let (disk, runtime) = (Disk::default(), runtime());
        let entered = runtime.enter();
        let journal = journal(&disk, slow);
        journal.lock().keep(&[Record::from(HeatOwed::default())]);
        drop(journal);
        assert!(!is_written(&disk), "the disk has not answered");
        open.send(()).unwrap();
        drop(entered);
        runtime.shutdown_timeout(Duration::from_secs(60));
        assert!(is_written(&disk));
    }

    /// No thread has taken it yet when the runtime ends.
    #[test]
    fn what_a_runtime_that_ends_does_not_do_any_more_is_written_all_the_same() {
        let (disk, runtime) = (Disk::default(), runtime());
        let handle = runtime.handle().clone();
        let journal = journal(&disk, DiskWork::on_threads());
        runtime.shutdown_timeout(Duration::ZERO);
        let _entered = handle.enter();
        journal.lock().keep(&[Record::from(HeatOwed::default())]);
        assert!(is_written(&disk), "it is lost");
    }
}
